package main

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/batchrunner/runner/runner/simulate"
)

// A model that only a late row names is found out when it is that row's turn. Then it is
// as known as the others: to plan, and to a run whose server is down.
func TestModelOfALateRow(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", `{model: "{{ .r.m }}", prompt: hello, matrix: {r: {file: rows.csv}}, output: all.jsonl}`)
	writeFile(t, "rows.csv", "m\n"+strings.Repeat("gemma3:4b\n", 10_000)+"qwen3:8b\n")
	listening := httptest.NewServer(simulate.New(simulate.Config{Models: []simulate.Model{{Name: "gemma3:4b"}, {Name: "qwen3:8b"}}}))
	address := strings.TrimPrefix(listening.URL, "http://")
	command := func(want string, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := Main(t.Context(), append(args, "--host", address), nil, &out, &errs); code != 0 || !strings.Contains(out.String()+errs.String(), want) {
			t.Errorf("%s: exit code %d\n%s%s", args[0], code, &out, &errs)
		}
	}
	command("10,001 of 10,001 ok", "apply", "job.yaml")
	command("nothing to ask, 10,001 known", "plan", "job.yaml", "--detailed-exitcode")
	listening.Close()
	command("nothing to ask, 10,001 known", "plan", "job.yaml", "--detailed-exitcode")
	command("10,001 of 10,001 ok, nothing was asked", "apply", "job.yaml")
}
