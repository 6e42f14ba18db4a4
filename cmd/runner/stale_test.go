package main

import (
	"bytes"
	"os"
	"strings"
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

// plan says of stale files what apply will do with them: delete its own with --prune, and
// leave what was changed or is gone.
func TestPlanOfStaleFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", `{model: m, prompt: "Say {{ .w }}", matrix: {w: {file: words.txt}}, outputs: [{file: "out/{{ .w }}.txt", template: "{{ .response }}"}]}`)
	runs := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := Main(t.Context(), append(args, "--simulate"), nil, &out, &errs); code != exitOK {
			t.Fatalf("%s: exit code %d\n%s", args[0], code, &errs)
		}
		return out.String() + errs.String()
	}
	writeFile(t, "words.txt", "ant\nbee\ncow\ndog\n")
	runs("apply", "job.yaml")
	writeFile(t, "words.txt", "ant\n")
	const out = ".runner/simulated/out/"
	writeFile(t, out+"cow.txt", "mine now")
	if err := os.Remove(out + "dog.txt"); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"plan", "apply"} {
		text := runs(command, "job.yaml")
		for _, want := range []string{
			out + "bee.txt is of an earlier run and no row names it any more; apply --prune deletes it\n",
			out + "cow.txt is of an earlier run and no row names it any more; it was changed since, so it stays\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", command, want, text)
			}
		}
		if strings.Contains(text, "dog.txt") {
			t.Errorf("%s speaks of a file that is gone:\n%s", command, text)
		}
	}
}
