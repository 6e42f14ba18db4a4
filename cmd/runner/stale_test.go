package main

import (
	"bytes"
	"os"
	"testing"
)

// A file that stays as it was, since its row failed, is still known as the job's: when the
// row goes, it is stale.
func TestFileOfAFailedRowIsStaleLater(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", `{model: m, prompt: "Say {{ .w.word }}", matrix: {w: {file: words.csv}}, outputs: [{file: "out/{{ .w.id }}.txt", template: "{{ .response }}"}]}`)
	apply := func(want int, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := Main(t.Context(), append([]string{"apply", "job.yaml", "--simulate"}, args...), nil, &out, &errs); code != want {
			t.Fatalf("exit code %d, want %d\n%s", code, want, &errs)
		}
	}
	writeFile(t, "words.csv", "id,word\na,ant\nb,bee\n")
	apply(exitOK)
	writeFile(t, "words.csv", "id,word\na,ant\nb,bat\n")
	apply(exitFailedRows, "--fault", "invalid match=bat")
	writeFile(t, "words.csv", "id,word\na,ant\n")
	apply(exitOK, "--prune")
	if _, err := os.Stat(".runner/simulated/out/b.txt"); err == nil {
		t.Error("--prune left the file of a row that is gone, since the row had failed before")
	}
}
