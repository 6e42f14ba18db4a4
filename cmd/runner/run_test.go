package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/simulate"
	"github.com/batchrunner/runner/runner/store"
	"github.com/sourcegraph/conc"
)

// runnerCommand is the command as its own process, in the current folder.
func runnerCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("runner") // testscript.Main puts it on PATH
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(path, args...)
}

// serve starts a simulated server and returns it with its address.
func serve(t *testing.T, config simulate.Config) (*simulate.Server, string) {
	t.Helper()
	server := simulate.New(config)
	listener, err := simulate.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving conc.WaitGroup
	serving.Go(func() {
		if err := server.Serve(ctx, listener); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
	return server, listener.Addr().String()
}

// TestSameBytesAtAnyConcurrency runs one job at 1, 7 and 64 in flight, undisturbed
// and with faults that retries overcome: its files are the same bytes, and the server
// never has more in hand than the job and its step allow.
func TestSameBytesAtAnyConcurrency(t *testing.T) {
	const job = `model: "{{ .m }}"
matrix:
  m: [gemma3:4b, qwen3:8b]
  n: {count: 60}
  tone: [kind, terse]
steps:
  - {id: draft, prompt: "Say {{ .n }} in a {{ .tone }} way"}
  - {id: again, model: "qwen3:4b", concurrency: 3, prompt: "Shorter: {{ .steps.draft.response }}"}
retry: {attempts: 4, backoff: {initial: 1ms, max: 2ms}}
timeout: {total: 60s, idle: 2s}
outputs:
  - file: all.jsonl
  - file: "{{ .tone }}.json"
  - file: "{{ .m | replace \":\" \"-\" }}/{{ .tone }}.csv"
  - {file: all.md, template: "- {{ .n }}: {{ .response }}\n"}
`
	// After a fault of the second kind it is runner that gives the request up, of which the
	// server learns later: only then may it seem to have more in hand.
	answered := []string{"no-done times=1 share=10%", "error times=1 share=5%", "bad-gateway times=2 share=5%", "empty-body times=1 share=5%"}
	given := []string{"busy times=1 share=1%", "cut times=1 share=10%", "reset after=2 times=2 share=5%", "html times=1 share=5%"}
	var want map[string]string
	for _, concurrency := range []int{1, 7, 64} {
		for _, faults := range [][]string{nil, answered, append(given, answered...)} {
			config := simulate.Config{Parallel: 8, Timing: simulate.Timing{Service: 3 * time.Millisecond, Fixed: true}}
			for _, text := range faults {
				fault, err := simulate.ParseFault(text)
				if err != nil {
					t.Fatal(err)
				}
				config.Faults = append(config.Faults, fault)
			}
			server, address := serve(t, config)
			server.Add("gemma3:4b", "qwen3:8b", "qwen3:4b")
			files := applyTo(t, job, address, fmt.Sprint(concurrency))
			if want == nil {
				want = files
			}
			for name, text := range want {
				if files[name] != text {
					t.Errorf("%s is another file at %d in flight (faults: %q)", name, concurrency, faults)
				}
			}
			history := server.History()
			if len(faults) > len(answered) {
				continue
			}
			if history.MaxFlight > concurrency {
				t.Errorf("%d requests in flight, %d allowed (faults: %q)", history.MaxFlight, concurrency, faults)
			}
			if most := history.Models["qwen3:4b"].MaxFlight; most != min(concurrency, 3) {
				t.Errorf("at most %d requests of a step in flight, want %d (faults: %q)", most, min(concurrency, 3), faults)
			}
		}
	}
	t.Logf("SHOWS: %d output files, the same bytes at 1, 7 and 64 in flight, with faults and without", len(want))
}

// applyTo runs a job against the server at address and returns the files it wrote.
func applyTo(t *testing.T, job, address, concurrency string) map[string]string {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("job.yaml", []byte(job), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := Main(t.Context(), []string{"apply", "job.yaml", "--quiet", "--host", address, "--concurrency", concurrency}, nil, &out, &errs); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &errs)
	}
	if err := os.Remove("job.yaml"); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	readTree(t, ".", files)
	if len(files) != 8 {
		t.Fatalf("files: %d", len(files))
	}
	return files
}

const slowJob = `model: gemma3:4b
prompt: "Tell me about {{ .n }}"
matrix: {n: {count: 200}}
concurrency: 4
output: answers.jsonl
`

// slowServer takes about d for each answer.
func slowServer(t *testing.T, d time.Duration) string {
	t.Helper()
	_, address := serve(t, simulate.Config{Parallel: 8, Timing: simulate.Timing{Service: d}, Models: []simulate.Model{{Name: "gemma3:4b"}}})
	return address
}

// TestFirstInterrupt ends a run within the grace, keeps what had finished beside the
// old outputs, and says where.
func TestFirstInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be sent Ctrl-C there")
	}
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", slowJob)
	writeFile(t, "answers.jsonl", "of an earlier run\n")
	stderr, code := interrupted(t, 1, "row_done", slowServer(t, 50*time.Millisecond))
	if code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	for _, want := range []string{"interrupted: requests in flight get 5 seconds", "output files stay as they were, what was answered is kept, and the same command goes on"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("messages lack %q:\n%s", want, stderr)
		}
	}
	if got := readFile(t, "answers.jsonl"); got != "of an earlier run\n" {
		t.Errorf("answers.jsonl was changed: %q", got)
	}
	if keptAnswers(t) == 0 {
		t.Error("nothing that was answered is kept")
	}
	if _, err := os.Stat(filepath.Join(".runner", "partial", "job")); err == nil {
		t.Error("partial files are left")
	}
}

// TestSecondInterrupt leaves at once, though an answer would take minutes.
func TestSecondInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be sent Ctrl-C there")
	}
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", slowJob)
	began := time.Now()
	if _, code := interrupted(t, 2, "attempt_started", slowServer(t, 10*time.Minute)); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("took %s", took)
	}
}

// interrupted applies job.yaml as a process, sends it signals once an event has
// come, and returns its messages and exit code.
func interrupted(t *testing.T, signals int, event, address string) (string, int) {
	t.Helper()
	cmd := runnerCommand(t, "apply", "job.yaml", "--host", address, "--events", "events.jsonl")
	stderr, err := os.Create("stderr.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitText(t, "events.jsonl", event)
	for i := range signals {
		if i > 0 {
			awaitText(t, "stderr.txt", "interrupted:") // two signals at once are one
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	err = cmd.Wait()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return readFile(t, "stderr.txt"), cmd.ProcessState.ExitCode()
}

// awaitText waits until a file has a text in it, for as long as a minute.
func awaitText(t *testing.T, name, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if have, err := os.ReadFile(name); err == nil && strings.Contains(string(have), text) {
			return
		}
	}
	t.Fatalf("%s never had %q", name, text)
}

// keptAnswers counts the answers in the job's store; each is whole.
func keptAnswers(t *testing.T) int {
	t.Helper()
	s, err := store.Open(filepath.Join(".runner", "runner.db"), store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	run, err := s.LastRun(t.Context(), "job")
	if err != nil || run == nil {
		t.Fatalf("no run is kept (%v)", err)
	}
	n := 0
	for task, err := range s.Tasks(t.Context(), run, "") {
		if err != nil {
			t.Fatal(err)
		}
		if task.Answer != nil && task.Answer.DoneReason == "stop" && task.Answer.Response != "" {
			n++
		}
	}
	return n
}

// TestServerDies ends the run when the server goes away for good, in an orderly way:
// its waiting can be interrupted, and what had finished is kept.
func TestServerDies(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be sent Ctrl-C there")
	}
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", slowJob)
	address, stop := dyingServer(t)
	cmd := runnerCommand(t, "apply", "job.yaml", "--host", address, "--events", "events.jsonl")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitText(t, "events.jsonl", "row_done")
	stop()
	awaitText(t, "events.jsonl", "host_paused")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit code tells
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	if !strings.Contains(stderr.String(), "waiting for the server: nothing answers at http://"+strings.Replace(address, "127.0.0.1", "localhost", 1)) {
		t.Errorf("messages:\n%s", &stderr)
	}
	if keptAnswers(t) == 0 {
		t.Error("nothing that was answered is kept")
	}
}

// dyingServer serves until stop is called, which returns when nothing listens any more.
func dyingServer(t *testing.T) (address string, stop func()) {
	t.Helper()
	listener, err := simulate.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := simulate.Config{Parallel: 8, Timing: simulate.Timing{Service: 20 * time.Millisecond}, Models: []simulate.Model{{Name: "gemma3:4b"}}}
	server := &http.Server{Handler: simulate.New(config)}
	var serving conc.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) }) // ends with an error by Close
	return listener.Addr().String(), func() {
		_ = server.Close() // breaks every connection
		serving.Wait()
	}
}

// TestFullStdout ends with exit code 5 when the records can't be printed, and goes on
// without printing when nobody reads them.
func TestFullStdout(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/dev/full is Linux's")
	}
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", "model: gemma3:4b\nprompt: \"{{ .n }}\"\nmatrix: {n: {count: 5}}\n")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	cmd := runnerCommand(t, "apply", "job.yaml", "--simulate")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &stderr
	_ = cmd.Run() // its exit code tells
	if code := cmd.ProcessState.ExitCode(); code != exitDisk || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("exit code %d\n%s", code, &stderr)
	}

	for _, args := range [][]string{{"plan", "job.yaml", "--simulate"}, {"show", "--simulated"}, {"store", "export", "--simulated"}} {
		cmd := runnerCommand(t, args...)
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &stderr
		_ = cmd.Run() // its exit code tells
		if code := cmd.ProcessState.ExitCode(); code != exitDisk || stderr.String() != "runner: this can't be printed: no space left on device\n" {
			t.Errorf("%s: exit code %d\n%s", args[0], code, &stderr)
		}
	}

	reader, writer := io.Pipe()
	_ = reader.Close()
	var messages bytes.Buffer
	if code := Main(context.Background(), []string{"apply", "job.yaml", "--simulate"}, nil, writer, &messages); code != 0 || !strings.Contains(messages.String(), "5 of 5 ok") {
		t.Errorf("with nobody reading: exit code %d\n%s", code, &messages)
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSecondInterruptWithNobodyReading leaves although the run waits for somebody to
// read its output.
func TestSecondInterruptWithNobodyReading(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be sent Ctrl-C there")
	}
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", "model: gemma3:4b\nprompt: \"{{ .n }}\"\nmatrix: {n: {count: 100000}}\n")
	_, address := serve(t, simulate.Config{Parallel: 8, Models: []simulate.Model{{Name: "gemma3:4b"}}, CountsOnly: true})
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	stderr, err := os.Create("stderr.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd := runnerCommand(t, "apply", "job.yaml", "--host", address, "--events", "events.jsonl")
	cmd.Stdout, cmd.Stderr = writer, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()                          // ours; the process has its own
	awaitText(t, "events.jsonl", `"row":1000,`) // far more than a pipe holds
	for range 2 {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		awaitText(t, "stderr.txt", "interrupted:")
	}
	_ = cmd.Wait() // its exit code tells
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
}

// TestLiveTextInLogs keeps an answer from speaking to a CI server: no line of it
// stands at a line's start, and what had ended is shown though an older row has not.
func TestLiveTextInLogs(t *testing.T) {
	var log bytes.Buffer
	l := newLive(&log, false)
	rows := []int64{0, 1}
	for i := range rows {
		l.observe(runner.Event{Kind: runner.AttemptStarted, Row: &rows[i], ID: fmt.Sprint(i), Step: "main"})
	}
	say := func(row int, text string) {
		l.observe(runner.Event{Kind: runner.ChunkCame, Row: &rows[row], ID: fmt.Sprint(row), Step: "main", Text: text})
	}
	say(0, "begins\n::add-")
	say(1, "::stop-commands::x\n\x1b[31mred")
	say(0, "mask::evil")
	l.observe(runner.Event{Kind: runner.TaskDone, Row: &rows[1], Step: "main"})
	l.observe(runner.Event{Kind: runner.RowDone, Row: &rows[1]})
	l.close()
	want := "== row 0\n| begins\n| ::add-mask::evil\n== row 1\n| ::stop-commands::x\n| red\n"
	if log.String() != want {
		t.Errorf("log:\n%q\nwant:\n%q", log.String(), want)
	}
}

// TestTotalsAlongside lets a run that is not short say what it comes to.
func TestTotalsAlongside(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", slowJob)
	_, address := serve(t, simulate.Config{Parallel: 8, Timing: simulate.Timing{Service: 100 * time.Millisecond}, Models: []simulate.Model{{Name: "gemma3:4b"}}})
	apply := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := Main(t.Context(), append([]string{"apply", "job.yaml", "--host", address}, args...), nil, &out, &errs); code != exitOK {
			t.Fatalf("exit code %d\n%s", code, &errs)
		}
		return errs.String()
	}
	apply("--limit", "20")
	if text := apply(); !strings.Contains(text, "in all: 180 tasks to ask (180 new, 0 changed or failed), 20 known\n") {
		t.Errorf("the messages are\n%s", text)
	}
}
