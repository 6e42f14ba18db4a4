package pipeline_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/specs"
	"github.com/google/go-cmp/cmp"
)

const translate = `model: "{{ .language.model }}"
matrix:
  sentence: {file: data/sentences.jsonl}
  language: [{name: Spanish, model: small}, {name: French, model: "large "}]
  exclude:
    - language: {name: French}
      sentence: {id: s1}
row_id: "{{ .sentence.id }}-{{ .language.name | lower }}"
options:
  num_ctx: "{{ .sentence.ctx }}"
prompt: |
  Translate to {{ .language.name }}:

  {{ .sentence.text }}
`

// load reads a job and its data as the command does.
func load(t *testing.T, files map[string]string) (*pipeline.Plan, *specs.Job) {
	t.Helper()
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	job, mistakes := specs.Load(root, "translate.yaml", specs.Options{})
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	plan, err := pipeline.Build(job, root)
	if err != nil {
		t.Fatal(err)
	}
	return plan, job
}

// From the job file's text to requests, and to mistakes at their place in it.
func TestJobFile(t *testing.T) {
	plan, job := load(t, map[string]string{
		"translate.yaml": translate,
		"data/sentences.jsonl": `{"id": "s1", "text": "Hello", "ctx": 2048}
{"id": "s2", "text": "Bye", "ctx": "4096"}
{"id": "s3", "ctx": 4096.5}
`,
	})
	var got []string
	for row, err := range plan.Rows {
		if err != nil {
			t.Fatal(err)
		}
		request, err := plan.Steps[0].Request(&pipeline.Scope{Row: row, Answers: make([]*pipeline.Answer, 1)})
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		got = append(got, fmt.Sprintf("%s: %s %v %q", row, request.Model, request.Options["num_ctx"], request.Messages[0].Content))
	}
	want := []string{
		`row 0 (s1-spanish): small 2048 "Translate to Spanish:\n\nHello\n"`,
		`row 1 (s2-spanish): small 4096 "Translate to Spanish:\n\nBye\n"`,
		`row 2 (s2-french): large 4096 "Translate to French:\n\nBye\n"`,
	}
	if d := cmp.Diff(want, got[:min(3, len(got))]); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
	checked := pipeline.Check(plan, job, nil)
	if checked.Rows != 5 || !checked.All || strings.Join(checked.Models, " ") != "small large" {
		t.Errorf("Check = %+v", checked)
	}
	lines := strings.Split(checked.Diagnostics.String(), "\n")
	for i, want := range []struct{ place, row, what string }{
		{"translate.yaml:10:13: ", "row 3 (s3-spanish): ", `option "num_ctx" must be a whole number, but is 4096.5`},
		{"translate.yaml:10:13: ", "row 4 (s3-french): ", `option "num_ctx" must be a whole number, but is 4096.5`},
		{"translate.yaml:14:", "row 3 (s3-spanish): ", "text"},
		{"translate.yaml:14:", "row 4 (s3-french): ", "text"},
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want.place) || !strings.Contains(lines[i], want.row) || !strings.Contains(lines[i], want.what) {
			t.Errorf("mistake %d of\n%s\nis not %v", i, checked.Diagnostics, want)
		}
	}
}
