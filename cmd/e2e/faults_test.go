//go:build e2e && unix

package e2e_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPromptLongerThanTheContext fails its row by name, and no other.
func TestPromptLongerThanTheContext(t *testing.T) {
	long := strings.Repeat("and then the little dog ran home again ", 100)
	dir := write(t, map[string]string{
		"texts.txt": "Once upon a time\n" + long + "\nThe sun was warm\n",
		"job.yaml": "model: " + ollama.model + `
prompt: "{{ .text }}"
options: {num_ctx: 256, num_predict: 20, temperature: 0, seed: 1}
matrix: {text: {file: texts.txt}}
`})
	got := do(t, ollama.host, dir, "apply", "job.yaml")
	got.want(t, 1)
	all := records(t, got.stdout)
	ordered(t, all, 3)
	all[0].complete(t)
	all[2].complete(t)
	if r := all[1]; r.Success || r.ErrorClass != "context_overflow" || r.Response != "" || r.Attempts != 1 {
		t.Errorf("the long row is %+v, want a failure of class context_overflow after 1 attempt", r)
	}
}

// TestModelThatIsNotThere runs nothing, and says how to mend it.
func TestModelThatIsNotThere(t *testing.T) {
	dir := write(t, map[string]string{"job.yaml": "model: no-such-model:1b\nprompt: hello\noutput: out.jsonl\n"})
	got := do(t, ollama.host, dir, "apply", "job.yaml")
	got.want(t, 3)
	if !strings.Contains(got.stderr, "ollama pull no-such-model:1b") {
		t.Errorf("the message does not say how to mend it:\n%s", got.stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "out.jsonl")); !os.IsNotExist(err) {
		t.Errorf("an output was written: %v", err)
	}
}

// TestNoServer runs nothing.
func TestNoServer(t *testing.T) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	dir := write(t, map[string]string{"job.yaml": "model: " + ollama.model + "\nprompt: hello\n"})
	got := do(t, "127.0.0.1:"+port, dir, "apply", "job.yaml")
	got.want(t, 3)
	if !strings.Contains(got.stderr, port) || got.stdout != "" {
		t.Errorf("stdout:\n%s\nstderr:\n%s", got.stdout, got.stderr)
	}
}

// story is a job whose rows have texts of their own: the seed is the row's.
const (
	storyRows   = 60
	storyLength = 100
)

func story(t *testing.T) string {
	t.Helper()
	return write(t, map[string]string{"job.yaml": "model: " + ollama.model + fmt.Sprintf(`
prompt: "Once upon a time, there was a little girl named Lily. She"
options: {num_ctx: 512, num_predict: %d, temperature: 1, seed: "{{ .n }}"}
matrix: {n: {count: %d}}
concurrency: 4
`, storyLength, storyRows)})
}

// undisturbed are the answers of the story when nothing happens.
func undisturbed(t *testing.T) []*record {
	t.Helper()
	got := do(t, ollama.host, story(t), "apply", "job.yaml")
	got.want(t, 0)
	all := records(t, got.stdout)
	ordered(t, all, storyRows)
	texts := map[string]bool{}
	for _, r := range all {
		r.complete(t)
		texts[r.Response] = true
	}
	if len(texts) < storyRows/2 {
		t.Fatalf("only %d different answers in %d rows: they would not tell a cut one from a whole one", len(texts), storyRows)
	}
	return all
}

// TestServerThatDiesInTheMiddle kills the server between two of a run's records and
// starts it again: the run waits and completes, and every answer is whole.
func TestServerThatDiesInTheMiddle(t *testing.T) {
	want := undisturbed(t)
	host, trouble := ollama.trouble(t)
	p := begins(t, host, story(t), "apply", "job.yaml")
	rest, text := p.follow(t, 5)
	if err := trouble.die(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // as long as a machine is away at the least
	if err := trouble.revive(t.Context()); err != nil {
		t.Fatal(err)
	}
	more, err := io.ReadAll(rest)
	if err != nil {
		t.Fatal(err)
	}
	got := p.end(t, text+string(more))
	got.want(t, 0)
	t.Logf("%s", got.stderr)
	whole(t, records(t, got.stdout), want)
	if !regexp.MustCompile(`waiting for the server|[0-9] retr`).MatchString(got.stderr) {
		t.Errorf("nothing was said of the server that died:\n%s", got.stderr)
	}
}

// TestConnectionsThatBreakInTheMiddle cuts what is under way: those rows are asked
// again, and no half answer is kept.
func TestConnectionsThatBreakInTheMiddle(t *testing.T) {
	want := undisturbed(t)
	proxy := newProxy(t, ollama.host)
	p := begins(t, proxy.host, story(t), "apply", "job.yaml")
	reader, text := p.follow(t, 2)
	cut := 0
	for range 4 {
		cut += proxy.cut()
		line, err := reader.ReadString('\n')
		if err != nil {
			t.Fatalf("the run ended early: %v\n%s", err, p.errs.String())
		}
		text += line
	}
	more, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	got := p.end(t, text+string(more))
	got.want(t, 0)
	whole(t, records(t, got.stdout), want)
	if cut == 0 {
		t.Error("no connection was cut")
	}
	t.Logf("SHOWS: %d connections to a real server cut", cut)
}

// whole holds the records of a disturbed run against those of an undisturbed one.
// A server of our own gives a seed one answer; of any other the counts must fit.
func whole(t *testing.T, got, want []*record) {
	t.Helper()
	ordered(t, got, len(want))
	partial := 0
	for i, r := range got {
		r.complete(t)
		cut := r.DoneReason == "length" && r.EvalCount != storyLength
		if cut || ollama.process != nil && r.Response != want[i].Response {
			partial++
			t.Errorf("row %d is %q (%d tokens, %s), undisturbed %q", i, r.Response, r.EvalCount, r.DoneReason, want[i].Response)
		}
	}
	t.Logf("SHOWS: %d half answers kept", partial)
}

// TestInterrupt keeps what had finished: whole records, in order, from the first.
func TestInterrupt(t *testing.T) {
	p := begins(t, ollama.host, story(t), "apply", "job.yaml")
	rest, text := p.follow(t, 5)
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	more, err := io.ReadAll(rest)
	if err != nil {
		t.Fatal(err)
	}
	got := p.end(t, text+string(more))
	got.want(t, 130)
	all := records(t, got.stdout)
	if len(all) < 5 || len(all) >= storyRows {
		t.Errorf("%d records of %d rows, interrupted after 5", len(all), storyRows)
	}
	ordered(t, all, len(all))
	for _, r := range all {
		r.complete(t)
	}
}
