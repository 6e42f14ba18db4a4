package specs_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/batchrunner/runner/specs"
)

// Whatever a job file holds, loading it ends without a panic; without a job there is
// a mistake to show for it, and each diagnostic lies inside its file.
func FuzzLoad(f *testing.F) {
	for _, folder := range []string{"good", "bad"} {
		entries, err := os.ReadDir("testdata/" + folder)
		if err != nil {
			f.Fatal(err)
		}
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".yaml") {
				continue
			}
			text, err := os.ReadFile("testdata/" + folder + "/" + e.Name())
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		root := fstest.MapFS{
			"job.yaml":           {Data: []byte(text)},
			"data/sentences.csv": {Data: []byte("id,text\ns1,Hello\n")},
			"prompts/uses.tmpl":  {Data: []byte("Name {{ .sentence.text }}\n")},
		}
		job, diags := specs.Load(root, "job.yaml", specs.Options{Vars: map[string]string{"tone": "x"}, Model: "m"})
		if (job == nil) != (len(diags.Errors()) > 0) {
			t.Errorf("a job %v with %d mistakes", job != nil, len(diags.Errors()))
		}
		for _, d := range diags {
			if d.File == "job.yaml" && d.Pos != (specs.Pos{}) {
				fuzzInside(t, text, d)
			}
			d.Excerpt()
		}
	})
}

// yamlBreaks are what YAML takes for the end of a line.
var yamlBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

func fuzzInside(t *testing.T, text string, d specs.Diagnostic) {
	t.Helper()
	lines := strings.Split(yamlBreaks.Replace(strings.TrimPrefix(text, "\ufeff")), "\n")
	if d.Pos.Line < 1 || d.Pos.Line > len(lines) || d.Pos.Col < 1 || d.Pos.Col > utf8.RuneCountInString(lines[d.Pos.Line-1])+1 {
		t.Errorf("%s lies outside of the file", d)
	}
}
