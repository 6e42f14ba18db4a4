//go:build unix

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/batchrunner/runner/runner/simulate"
)

// A --redo that was cut short goes on where it was: what it had asked is not asked again,
// the rest is. The next one begins anew, and so does one over other rows.
func TestRedoGoesOn(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", "model: a\nprompt: Say {{ .n }}\nconcurrency: 1\nmatrix: {n: {count: 40}}\noutput: out.jsonl\n")
	server := simulate.New(simulate.Config{Timing: simulate.Timing{Service: 5 * time.Millisecond, Fixed: true}})
	listening := newInterrupting(t, server)
	apply := func(want int, args ...string) (said string, answered int64) {
		t.Helper()
		before := server.History().Outcomes["answered"]
		var out, errs bytes.Buffer
		code := Main(context.Background(), append([]string{"apply", "job.yaml", "--host", listening.url}, args...), nil, &out, &errs)
		if code != want {
			t.Fatalf("%q: exit code %d, want %d: %s", args, code, want, &errs)
		}
		return errs.String(), server.History().Outcomes["answered"] - before
	}
	if _, n := apply(exitOK); n != 40 {
		t.Fatalf("%d answered, want 40", n)
	}
	listening.at.Store(listening.chats.Load() + 10)
	said, first := apply(exitInterrupted, "--redo")
	if first == 0 || first == 40 || !strings.Contains(said, "the same command goes on") {
		t.Fatalf("%d answered before the interrupt: %s", first, said)
	}
	if said, n := apply(exitOK, "--redo", "--only", "n=40"); n != 1 || strings.Contains(said, "going on with") {
		t.Errorf("one over a part: %d answered, want 1: %s", n, said)
	}
	listening.at.Store(listening.chats.Load() + 10)
	said, first = apply(exitInterrupted, "--redo")
	if strings.Contains(said, "going on with") {
		t.Errorf("after another run: %s", said)
	}
	said, second := apply(exitOK, "--redo")
	if first+second != 40 || !strings.Contains(said, "going on with run 4, which was to ask everything anew") {
		t.Errorf("%d and then %d answered, want each of 40 once: %s", first, second, said)
	}
	if said, n := apply(exitOK, "--redo"); n != 40 || strings.Contains(said, "going on with") {
		t.Errorf("one after that: %d answered, want 40: %s", n, said)
	}
	if _, n := apply(exitOK); n != 0 {
		t.Errorf("%d asked though all is known", n)
	}
}
