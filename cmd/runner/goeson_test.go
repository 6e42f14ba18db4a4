package main

import (
	"strings"
	"testing"
)

// What is said at the end of a run that was cut short is what the next command does.
func TestGoesOn(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", "{model: m, prompt: \"Say {{ .w.word }}\", matrix: {w: {file: words.csv}}, output: out.jsonl}")
	writeFile(t, "words.csv", "word\n"+strings.Repeat("x\n", 10_500)+"a\"b\n")
	_, stderr, code := command(t, "validate", "job.yaml")
	if code != exitMistake || !strings.Contains(stderr, "words.csv:10502:") {
		t.Errorf("validate: exit code %d\n%s", code, stderr)
	}
	_, stderr, code = command(t, "apply", "job.yaml", "--simulate")
	if code != exitFailedRows || !strings.Contains(stderr, "the rows end early: words.csv:10502:") || !strings.Contains(stderr, "the same command goes on once the data is mended") {
		t.Errorf("apply: exit code %d\n%s", code, stderr)
	}
	writeFile(t, "words.csv", "word\n"+strings.Repeat("x\n", 10_501))
	_, stderr, code = command(t, "apply", "job.yaml", "--simulate")
	if code != exitOK || !strings.Contains(stderr, "nothing was asked") {
		t.Errorf("with mended data: exit code %d\n%s", code, stderr)
	}
}
