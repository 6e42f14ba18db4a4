package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// plan reads all rows and so all files, apply only the first ones before it begins.
func TestSavedPlanOfManyFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", `{model: m, prompt: "{{ .doc.text }}", matrix: {doc: {glob: "docs/*.md"}}, output: all.jsonl}`)
	if err := os.Mkdir("docs", 0o777); err != nil {
		t.Fatal(err)
	}
	name := func(i int) string { return filepath.Join("docs", strconv.Itoa(i)+".md") }
	for i := range 10_001 {
		writeFile(t, name(i), "the same")
	}
	command := func(code int, want string, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		if got := Main(t.Context(), args, nil, &out, &errs); got != code || !strings.Contains(errs.String(), want) {
			t.Errorf("exit code %d, want %d and %q\n%s", got, code, want, &errs)
		}
	}
	command(exitOK, "", "plan", "job.yaml", "--simulate", "-o", "plan.json")
	writeFile(t, name(9999), "changed")
	command(exitMistake, "docs/9999.md has changed since", "apply", "plan.json")
	writeFile(t, name(9999), "the same")
	writeFile(t, "docs/z.md", "the same")
	command(exitMistake, "the number of rows has changed from 10,001 to 10,002 since", "apply", "plan.json")
	if err := os.Remove("docs/z.md"); err != nil {
		t.Fatal(err)
	}
	command(exitOK, "10,001 of 10,001 ok", "apply", "plan.json")
}
