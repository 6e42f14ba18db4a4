package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/batchrunner/runner/runner/simulate"
)

// killedJob is the job whose run the demo kills.
const killedJob = `model: gemma3:4b
prompt: "Give the town number {{ .n }} a name"
matrix: {n: {count: 40}}
concurrency: 4
output: towns.jsonl
`

// demoKill kills a run with kill -9 halfway, runs it again, and shows the plan after
// a line was edited. What the simulated server was asked is the judge.
func (a *app) demoKill(ctx context.Context) {
	a.title("Killed halfway: 40 questions, kill -9 after 20 answers, and the same command again")
	server := simulate.New(simulate.Config{
		Models: []simulate.Model{{Name: "gemma3:4b"}}, Parallel: 4, Timing: simulate.Timing{Service: 20 * time.Millisecond},
	})
	host, stop, err := serveHere(ctx, server)
	if err == nil {
		defer stop()
		err = a.killAndGoOn(ctx, server, host)
	}
	if err != nil {
		a.note("this part of the demo can't be shown here: " + reason(err))
	}
}

func (a *app) killAndGoOn(ctx context.Context, server *simulate.Server, host string) error {
	if err := os.WriteFile("towns.yaml", []byte(killedJob), 0o644); err != nil {
		return err
	}
	args := []string{"apply", "towns.yaml", "--host", host, "--root", "."}
	if err := killHalfway(ctx, server, args); err != nil {
		return err
	}
	before := server.History().Outcomes["answered"]
	a.note(fmt.Sprintf("killed; the server had answered %d of 40", before), "$ runner apply towns.yaml")
	if code := Main(ctx, args, a.in, a.out, a.err); code != exitOK {
		return fmt.Errorf("the second run ends with exit code %d", code)
	}
	a.note("", twiceLine(server.History()))
	text := strings.Replace(killedJob, "a name", "a merry name", 1)
	if err := os.WriteFile("towns.yaml", []byte(text), 0o644); err != nil {
		return err
	}
	a.note("One word of the prompt is edited:", "$ runner plan towns.yaml")
	Main(ctx, []string{"plan", "towns.yaml", "--host", host, "--root", ".", "--limit", "3"}, a.in, a.out, a.err)
	return nil
}

// killHalfway starts a run as a process of its own and kills it when half of its
// questions were answered.
func killHalfway(ctx context.Context, server *simulate.Server, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, append(args, "--events", "events.ndjson")...)
	cmd.Args[0] = "runner"
	if err := cmd.Start(); err != nil {
		return err
	}
	for doneTasks() < 20 && ctx.Err() == nil && server.History().Outcomes["answered"] < 40 {
		time.Sleep(5 * time.Millisecond)
	}
	_, _ = cmd.Process.Kill(), cmd.Wait() // it was killed
	return ctx.Err()
}

// doneTasks counts the tasks that the run has reported done.
func doneTasks() int {
	text, err := os.ReadFile("events.ndjson")
	if err != nil {
		return 0 // it has not begun yet
	}
	return bytes.Count(text, []byte(`"event":"task_done"`))
}

// twiceLine says how many questions that were reported done were asked again: the server
// keeps each question that it was asked.
func twiceLine(h simulate.History) string {
	text, err := os.ReadFile("events.ndjson")
	if err != nil {
		return "what was reported done can't be read: " + reason(err)
	}
	twice := 0
	seen := map[string]int{}
	for _, r := range h.Requests {
		if seen[r.Prompt]++; seen[r.Prompt] == 2 && wasDone(text, r.Prompt) {
			twice++
		}
	}
	return fmt.Sprintf("%d questions, each of them answered; reported done before the kill and asked twice: %d", len(seen), twice)
}

// wasDone says whether the killed run had reported the row of a prompt done.
func wasDone(events []byte, prompt string) bool {
	var n int
	if _, err := fmt.Sscanf(prompt, "Give the town number %d a name", &n); err != nil {
		return false
	}
	for line := range bytes.Lines(events) {
		if bytes.Contains(line, []byte(`"event":"task_done"`)) && bytes.Contains(line, fmt.Appendf(nil, `"row":%d,`, n-1)) {
			return true
		}
	}
	return false
}
