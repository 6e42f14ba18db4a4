package output_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/specs"
)

const catalogues = `
model: gemma3:12b
prompt: {file: prompts/translate.tmpl}
matrix:
  sentence: {file: data/sentences.csv}
  language: [Spanish, French]
outputs:
  - file: out/all.csv
  - file: out/{{ .language | lower }}.json
    key: "{{ .sentence.id }}"
    value: "{{ .response }}"
`

// load makes a job of files as the command does.
func load(t testing.TB, dir string, files map[string]string) (*os.Root, *specs.Job, *pipeline.Plan) {
	t.Helper()
	for name, text := range files {
		full := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	job, diags := specs.Load(root.FS(), "jobs/translate.yaml", specs.Options{Shown: "work/jobs/translate.yaml"})
	if job == nil {
		t.Fatal(diags)
	}
	plan, err := pipeline.Build(job, root.FS())
	if err != nil {
		t.Fatal(err)
	}
	return root, job, plan
}

// A job from its files to its files.
func TestJob(t *testing.T) {
	dir := t.TempDir()
	root, job, plan := load(t, dir, map[string]string{
		"jobs/translate.yaml":         catalogues,
		"jobs/prompts/translate.tmpl": "Translate to {{ .language }}: {{ .sentence.text }}",
		"jobs/data/sentences.csv":     "text,id\n\"Hello, you\",s1\nBye,s2\n",
	})
	set, err := output.New(root, job, plan)
	if err != nil {
		t.Fatal(err)
	}
	checked := pipeline.Check(plan, job, set.Check)
	if len(checked.Diagnostics) > 0 || checked.Rows != 4 {
		t.Fatalf("%d rows: %v", checked.Rows, checked.Diagnostics)
	}
	if err := set.Begin(); err != nil {
		t.Fatal(err)
	}
	for row, err := range plan.Rows {
		if err != nil {
			t.Fatal(err)
		}
		req, err := plan.Steps[0].Request(&pipeline.Scope{Row: row})
		if err != nil {
			t.Fatal(err)
		}
		a := &pipeline.Answer{Response: strings.ToUpper(req.Messages[0].Content), Model: req.Model, DoneReason: "stop"}
		rec := &runner.Record{Row: row, Results: []runner.Result{{Task: pipeline.Task{Step: "main", Row: row.Number}, Request: req, Answer: a, Attempts: 1}}}
		if err := set.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	written, err := set.Commit()
	if err != nil {
		t.Fatal(err)
	}
	want := "jobs/out/all.csv: created, 4 rows\njobs/out/french.json: created, 2 rows\njobs/out/spanish.json: created, 2 rows"
	if diff := cmp.Diff(want, states(written)); diff != "" {
		t.Error(diff)
	}
	b := &bench{t: t, dir: dir}
	wantCSV := `row,id,sentence.text,sentence.id,language,response,model,success,error,error_class
0,0,"Hello, you",s1,Spanish,"TRANSLATE TO SPANISH: HELLO, YOU",gemma3:12b,true,,
1,1,"Hello, you",s1,French,"TRANSLATE TO FRENCH: HELLO, YOU",gemma3:12b,true,,
2,2,Bye,s2,Spanish,TRANSLATE TO SPANISH: BYE,gemma3:12b,true,,
3,3,Bye,s2,French,TRANSLATE TO FRENCH: BYE,gemma3:12b,true,,
`
	if diff := cmp.Diff(wantCSV, b.read("jobs/out/all.csv")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("{\n  \"s1\": \"TRANSLATE TO FRENCH: HELLO, YOU\",\n  \"s2\": \"TRANSLATE TO FRENCH: BYE\"\n}\n", b.read("jobs/out/french.json")); diff != "" {
		t.Error(diff)
	}
}

// The names that rows give are told with their place in the job file, once each
// for what they collide with.
func TestJobMistakes(t *testing.T) {
	root, job, plan := load(t, t.TempDir(), map[string]string{
		"jobs/translate.yaml": `
model: gemma3:12b
prompt: {file: prompts/a.tmpl}
matrix:
  name: [../a, "a:b", A, a, prompts/a.tmpl, data/rows.csv]
  row_of: {file: data/rows.csv}
outputs:
  - {file: "{{ .name }}", template: "{{ .response }}"}
`,
		"jobs/prompts/a.tmpl": "{{ .name }} {{ .row_of.x }}",
		"jobs/data/rows.csv":  "x\n1\n",
	})
	set, err := output.New(root, job, plan)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range pipeline.Check(plan, job, set.Check).Diagnostics {
		got = append(got, d.String())
	}
	place := `work/jobs/translate.yaml:8:13: row %d: output "{{ .name }}": the file name %q %s`
	want := []string{
		fmt.Sprintf(place, 0, "../a", `has the part ".."; only the job file's own text may go to other folders`),
		fmt.Sprintf(place, 1, "a:b", `holds the character ':', which Windows does not allow; replace it, as with {{ ... | replace ":" "-" }}`),
		fmt.Sprintf(place, 3, "a", `differs only in case from "jobs/A" of row 2; some systems take them for one file: make the names differ in more`),
		fmt.Sprintf(place, 4, "prompts/a.tmpl", "is a prompt file of the job; outputs never replace what the job reads: choose another name"),
		fmt.Sprintf(place, 5, "data/rows.csv", "is the data file of row_of; outputs never replace what the job reads: choose another name"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func ExampleNew() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	job := `{model: gemma3:12b, prompt: "Translate {{ .word }}", matrix: {word: [one, two]}, output: words.jsonl}`
	if err := os.WriteFile(filepath.Join(dir, "words.yaml"), []byte(job), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	if err := run(dir, "words.yaml"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// words.jsonl: created, 2 rows
	// {"row":0,"id":"0","vars":{"word":"one"},"success":true,"response":"uno","model":"gemma3:12b","done_reason":"stop","prompt_eval_count":9,"eval_count":2,"eval_duration":40000000}
	// {"row":1,"id":"1","vars":{"word":"two"},"success":false,"error":"no answer within 30s","error_class":"timeout","attempts":5}
}

func run(dir, name string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	job, diags := specs.Load(root.FS(), name, specs.Options{})
	if job == nil {
		return errors.New(diags.String())
	}
	plan, err := pipeline.Build(job, root.FS())
	if err != nil {
		return err
	}
	set, err := output.New(root, job, plan)
	if err != nil {
		return err
	}
	for row, err := range plan.Rows {
		if err != nil {
			return err
		}
		if err := set.Write(&runner.Record{Row: row, Results: []runner.Result{exampleResult(row)}}); err != nil {
			return err
		}
	}
	written, err := set.Commit()
	if err != nil {
		return err
	}
	fmt.Println(written[0])
	text, err := root.ReadFile(written[0].Path)
	fmt.Print(string(text))
	return err
}

func exampleResult(row *pipeline.Row) runner.Result {
	if row.Number == 1 {
		return runner.Result{Err: &runner.Error{Class: runner.Timeout, Message: "no answer within 30s"}, Attempts: 5}
	}
	return runner.Result{Attempts: 1, Answer: &pipeline.Answer{
		Response: "uno", Model: "gemma3:12b", DoneReason: "stop", PromptEvalCount: 9, EvalCount: 2, EvalDuration: 40 * time.Millisecond,
	}}
}
