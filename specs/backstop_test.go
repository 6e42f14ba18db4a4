package specs

import (
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/batchrunner/runner/schema"
	"gopkg.in/yaml.v3"
)

// Where our own walk finds nothing, the job schema's validator must find nothing
// either: its messages are not for people.
func FuzzBackstop(f *testing.F) {
	for _, folder := range []string{"testdata/good", "testdata/bad"} {
		files, err := fs.Glob(os.DirFS(folder), "*.yaml")
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(folder + "/" + name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := &draft{root: fstest.MapFS{}, wrong: map[*yaml.Node]bool{}, meant: map[*yaml.Node]string{}, mended: map[int]bool{}, said: map[said]bool{}}
		d.src = &source{file: "job.yaml", text: text, lines: splitLines(text)}
		d.used = map[string]*source{"job.yaml": d.src}
		top := d.parse()
		if top == nil {
			return
		}
		(&shaper{draft: d}).value(top, schema.JobShape(), "the job")
		if len(d.diags) > 0 {
			return
		}
		d.top = top
		d.backstop()
		if len(d.diags) > 0 {
			t.Errorf("the walk has missed:\n%s", d.diags)
		}
	})
}
