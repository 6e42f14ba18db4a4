package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/batchrunner/runner/runner/simulate"
)

// lock says which models have moved, and how many stored answers are asked again by an update.
func TestLockUpdate(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", `{matrix: {n: {count: 3}}, output: all.jsonl, steps: [{id: a, model: "m:1b", prompt: "a {{ .n }}"}, {id: b, model: "copy:1b", prompt: "b {{ .n }}"}]}`)
	command := func(digest string, code int, want string, args ...string) {
		t.Helper()
		listening := httptest.NewServer(simulate.New(simulate.Config{Models: []simulate.Model{{Name: "m:1b", Digest: digest}, {Name: "copy:1b", Digest: strings.Repeat("a", 64)}}}))
		defer listening.Close()
		var out, errs bytes.Buffer
		if got := Main(t.Context(), append(args, "--host", strings.TrimPrefix(listening.URL, "http://")), nil, &out, &errs); got != code || !strings.Contains(out.String()+errs.String(), want) {
			t.Errorf("%q: exit code %d, want %d and %q\n%s%s", args, got, code, want, &out, &errs)
		}
	}
	old, moved := strings.Repeat("a", 64), strings.Repeat("b", 64) // copy is a copy of the old one
	command(old, 0, "3 of 3 ok", "apply", "job.yaml")
	command(old, 0, "wrote runner.lock", "lock", "job.yaml")
	command(old, 0, "nothing was asked", "apply", "job.yaml", "--locked")
	command(moved, 2, `model "m:1b" is bbbbbbbbbbbb on the server, but runner.lock pins aaaaaaaaaaaa`, "apply", "job.yaml", "--locked")
	command(moved, 2, "m:1b: moved from aaaaaaaaaaaa to bbbbbbbbbbbb; 3 stored answers of it will be asked again\n", "lock", "job.yaml")
	command(moved, 0, "3 stored answers of it will be asked again\n", "lock", "job.yaml", "--update")
	command(moved, 0, "3 asked and 3 known", "apply", "job.yaml", "--locked")
	command(old, 2, "3 stored answers of it will be asked again\n", "lock", "job.yaml")

	// Answers that were taken over from the outputs count, too.
	if err := os.RemoveAll(".runner"); err != nil {
		t.Fatal(err)
	}
	command(moved, 0, "nothing was asked", "apply", "job.yaml", "--locked")
	command(old, 2, "3 stored answers of it will be asked again\n", "lock", "job.yaml")
}
