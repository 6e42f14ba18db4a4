package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/batchrunner/runner/runner/store"
)

// A run reads what its tasks are before it writes, so nobody else may write tasks beside it.
func TestImportBesideARun(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "all.jsonl", `{"v":1,"kind":"models","row":{"name":"m","digest":"d","seen_ms":1}}`+"\n")
	if err := os.MkdirAll(".runner/locks", 0o777); err != nil {
		t.Fatal(err)
	}
	lock, err := store.TakeLock(".runner/locks/job.lock", thisProcess())
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := Main(t.Context(), []string{"store", "import", "all.jsonl"}, nil, &out, &errs); code != exitHeld || !strings.Contains(errs.String(), "a run is under way") {
		t.Errorf("exit code %d beside a run, want %d\n%s", code, exitHeld, &errs)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if code := Main(t.Context(), []string{"store", "import", "all.jsonl"}, nil, &out, &errs); code != 0 {
		t.Errorf("exit code %d after it\n%s", code, &errs)
	}
}
