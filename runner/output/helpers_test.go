package output_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/dataset"
	"github.com/batchrunner/runner/templates"
)

var update = flag.Bool("update", false, "write the golden files")

func tmpl(t testing.TB, text string) *specs.Template {
	t.Helper()
	parsed, err := templates.Parse(text)
	if err != nil {
		t.Fatalf("template %q: %v", text, err)
	}
	return &specs.Template{Template: parsed, File: "job.yaml", Start: specs.Pos{Line: 9, Col: 9}, Exact: true}
}

func name(s string) specs.String { return specs.String{Value: s} }

// to is an output of the default records; its form follows the extension.
func to(t testing.TB, file string) specs.Output {
	form := strings.TrimPrefix(filepath.Ext(file), ".")
	if form == "md" || form == "txt" {
		form = specs.Text
	}
	return specs.Output{Pos: specs.Pos{Line: 9, Col: 5}, File: tmpl(t, file), Form: form, Safe: true}
}

// text is an output by a template.
func text(t testing.TB, file, template string) specs.Output {
	o := to(t, file)
	o.Form, o.Template = specs.Text, tmpl(t, template)
	return o
}

func columns(t testing.TB, o specs.Output, pairs ...string) specs.Output {
	for i := 0; i < len(pairs); i += 2 {
		o.Columns = append(o.Columns, specs.Column{Name: name(pairs[i]), Value: tmpl(t, pairs[i+1])})
	}
	return o
}

// A bench is a job with one root, plan and set.
type bench struct {
	t    testing.TB
	dir  string
	root *os.Root
	job  *specs.Job
	plan *pipeline.Plan
	set  *output.Set
}

// newBench makes a Set in a folder of its own. The rows have the variables named.
func newBench(t testing.TB, vars []string, outputs ...specs.Output) *bench {
	t.Helper()
	return benchIn(t, t.TempDir(), vars, outputs...)
}

func benchIn(t testing.TB, dir string, vars []string, outputs ...specs.Output) *bench {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	b := &bench{t: t, dir: dir, root: root}
	b.job = &specs.Job{File: "job.yaml", Dir: ".", Name: "job", Outputs: outputs}
	for _, v := range vars {
		b.job.Axes = append(b.job.Axes, specs.Axis{Name: name(v)})
	}
	b.plan = &pipeline.Plan{Name: "job", Columns: vars, Steps: []pipeline.Step{{ID: "main"}}}
	b.again()
	return b
}

// again makes a new Set, as the next run of the job does.
func (b *bench) again() {
	b.t.Helper()
	set, err := output.New(b.root, b.job, b.plan)
	if err != nil {
		b.t.Fatal(err)
	}
	b.set = set
}

func (b *bench) write(records ...*runner.Record) {
	b.t.Helper()
	for _, rec := range records {
		if err := b.set.Write(rec); err != nil {
			b.t.Fatalf("row %d: %v", rec.Row.Number, err)
		}
	}
}

func (b *bench) commit() []output.Written {
	b.t.Helper()
	written, err := b.set.Commit()
	if err != nil {
		b.t.Fatal(err)
	}
	return written
}

func (b *bench) read(name string) string {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(data)
}

func (b *bench) put(name, text string) {
	b.t.Helper()
	full := filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// files lists every file under the root, with its text, but for the .gitignore that
// Begin writes.
func (b *bench) files() map[string]string {
	b.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(b.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(b.dir, p)
		if rel == filepath.Join(".runner", ".gitignore") {
			return nil
		}
		data, err := os.ReadFile(p)
		all[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

func states(written []output.Written) string {
	var lines []string
	for _, w := range written {
		lines = append(lines, w.String())
	}
	return strings.Join(lines, "\n")
}

func row(n int64, vars map[string]any) *pipeline.Row {
	return &pipeline.Row{Number: n, ID: fmt.Sprint(n), Vars: vars}
}

// ok is a row with an answer.
func ok(n int64, vars map[string]any, response string) *runner.Record {
	return &runner.Record{Row: row(n, vars), Results: []runner.Result{answered("main", n, response)}}
}

func answered(step string, n int64, response string) runner.Result {
	return runner.Result{
		Task:     pipeline.Task{Step: step, Row: n},
		Request:  request("Say it"),
		Answer:   answer(response),
		Attempts: 1,
	}
}

func request(prompt string) *pipeline.Request {
	return &pipeline.Request{Model: "gemma3:12b", Messages: []pipeline.Message{
		{Role: "system", Content: "Be brief"}, {Role: "user", Content: prompt},
	}}
}

func answer(response string) *pipeline.Answer {
	return &pipeline.Answer{
		Response: response, Model: "gemma3:12b", DoneReason: "stop", PromptEvalCount: 31, EvalCount: 12,
		TotalDuration: 500 * time.Millisecond, LoadDuration: 7 * time.Millisecond,
		PromptEvalDuration: 20 * time.Millisecond, EvalDuration: 310 * time.Millisecond,
	}
}

// failed is a row without an answer.
func failed(n int64, vars map[string]any) *runner.Record {
	return &runner.Record{Row: row(n, vars), Results: []runner.Result{{
		Task:     pipeline.Task{Step: "main", Row: n},
		Request:  request("Say it"),
		Err:      &runner.Error{Class: runner.Timeout, Message: "no answer within 30s"},
		Attempts: 5,
	}}}
}

type object = map[string]any

func number(s string) json.Number { return json.Number(s) }

func dataFile(path string) *dataset.Source {
	return &dataset.Source{Path: path, Shown: path, Format: dataset.Format(path)}
}
