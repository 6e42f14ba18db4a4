//go:build e2e && unix

package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// soaked is n in the long campaigns (make soak), else a tenth of it.
func soaked(n int) int {
	if os.Getenv("RUNNER_SOAK") == "full" {
		return n
	}
	return n / 10
}

// seeded is a source of random numbers whose seed is printed; RUNNER_SEED sets it.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("RUNNER_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("RUNNER_SEED %q is no number", text)
		}
		seed = n
	}
	t.Logf("RUNNER_SEED=%d repeats it", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// events gives the tasks that a run reported of a kind, from its file of events.
func events(t *testing.T, file, kind string) map[string]bool {
	t.Helper()
	tasks := map[string]bool{}
	f, err := os.Open(file)
	if err != nil {
		return tasks // it was killed before it began
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e struct {
			Event, Step string
			Row         int
			OK          bool
		}
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Event == kind && (e.OK || kind != "task_done") {
			tasks[fmt.Sprintf("%s of row %d", e.Step, e.Row)] = true
		}
	}
	return tasks
}

// anew starts our server again. Ollama 0.17.7 answers no request any more after some ten
// rounds of connections that are broken in the middle of an answer.
func anew(t *testing.T) {
	t.Helper()
	if ollama.process == nil {
		return // it was there before
	}
	ollama.end()
	if err := ollama.serve(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestKilledAgainstOllama kills runs against a real server at random times: what was
// reported done is not asked again, and every row ends with its answer.
func TestKilledAgainstOllama(t *testing.T) {
	random := seeded(t)
	kills, kept := 0, 0
	for round := range soaked(20) {
		if round > 0 && round%4 == 0 {
			anew(t)
		}
		dir := story(t)
		done := map[string]bool{}
		for run := range 3 {
			file := filepath.Join(dir, fmt.Sprintf("events-%d.ndjson", run))
			p := begins(t, ollama.host, dir, "apply", "job.yaml", "--events", file)
			time.Sleep(time.Duration(random.Int64N(int64(4 * time.Second))))
			if p.cmd.Process.Kill() == nil {
				kills++
			}
			_, _ = io.Copy(io.Discard, p.stdout)
			_ = p.cmd.Wait() // killed
			for task := range events(t, file, "attempt_started") {
				if done[task] {
					t.Errorf("%s was reported done and is asked again", task)
				}
			}
			for task := range events(t, file, "task_done") {
				done[task] = true
			}
		}
		kept += len(done)
		file := filepath.Join(dir, "events-last.ndjson")
		got := do(t, ollama.host, dir, "apply", "job.yaml", "--events", file)
		got.want(t, 0)
		all := records(t, got.stdout)
		ordered(t, all, storyRows)
		for _, r := range all {
			r.complete(t)
		}
		for task := range events(t, file, "attempt_started") {
			if done[task] {
				t.Errorf("%s was reported done and is asked again", task)
			}
		}
		again := do(t, ollama.host, dir, "apply", "job.yaml")
		again.want(t, 0)
		if again.stdout != got.stdout {
			t.Error("a second apply gives other records")
		}
	}
	t.Logf("SHOWS: %d runs killed against a real server, %d answers reported done before, 0 asked again", kills, kept)
}
