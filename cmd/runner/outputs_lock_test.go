package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/batchrunner/runner/runner/store"
)

// Two runs of a job write to the same partial files, wherever their results are kept.
func TestOneRunWithoutTheStore(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", `{model: m, prompt: hello, output: all.jsonl}`)
	if err := os.MkdirAll(".runner/simulated/locks", 0o777); err != nil {
		t.Fatal(err)
	}
	lock, err := store.TakeLock(".runner/simulated/locks/job.lock", thisProcess())
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	args := []string{"apply", "job.yaml", "--simulate", "--no-store"}
	if code := Main(t.Context(), args, nil, &out, &errs); code != exitHeld {
		t.Errorf("exit code %d beside a run, want %d\n%s", code, exitHeld, &errs)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if code := Main(t.Context(), args, nil, &out, &errs); code != 0 {
		t.Errorf("exit code %d after it\n%s", code, &errs)
	}
}
