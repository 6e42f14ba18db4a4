package pipeline

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/dataset"
	"github.com/batchrunner/runner/templates"
	"gopkg.in/yaml.v3"
)

type object = map[string]any

// tmpl is a template of a job that stands on line 7 of its file, from column 11.
func tmpl(t testing.TB, text string) *specs.Template {
	t.Helper()
	parsed, err := templates.Parse(text)
	if err != nil {
		t.Fatalf("parsing %q: %v", text, err)
	}
	return &specs.Template{Template: parsed, File: "job.yaml", Start: specs.Pos{Line: 7, Col: 11}, Exact: true}
}

// job is one with a step "main" that asks a model with a constant name.
func job(t testing.TB, prompt string, axes ...specs.Axis) *specs.Job {
	t.Helper()
	return &specs.Job{
		File: "job.yaml", Dir: ".", Name: "job", Axes: axes, Concurrency: 5,
		Steps: []specs.Step{{
			ID:       specs.String{Value: "main"},
			Model:    tmpl(t, "m"),
			Messages: []specs.Message{{Role: "user", Content: tmpl(t, prompt)}},
			Options:  []specs.Option{{Name: specs.String{Value: "num_predict"}, Value: json.Number("64")}},
		}},
	}
}

// value reads YAML as the job file's values are read.
func value(t testing.TB, text string) any {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	v, err := dataset.FromYAML(&n)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func list(t testing.TB, name, text string) specs.Axis {
	t.Helper()
	values, _ := value(t, text).([]any)
	return specs.Axis{Name: specs.String{Value: name, Pos: specs.Pos{Line: 3, Col: 3}}, List: values}
}

func file(name, path string) specs.Axis {
	return specs.Axis{Name: specs.String{Value: name, Pos: specs.Pos{Line: 3, Col: 3}},
		File: &dataset.Source{Path: path, Shown: path, Format: dataset.Format(path)}}
}

// entries reads a list of exclude or include entries; each stands on a line of its
// own, from line 20.
func entries(t testing.TB, text string) []specs.Entry {
	t.Helper()
	var list []specs.Entry
	all, _ := value(t, text).([]any)
	for i, v := range all {
		values, _ := v.(object)
		e := specs.Entry{Pos: specs.Pos{Line: 20 + i, Col: 5}, Values: values}
		for name := range values {
			e.Names = append(e.Names, specs.String{Value: name})
		}
		slices.SortFunc(e.Names, func(a, b specs.String) int { return strings.Compare(a.Value, b.Value) })
		list = append(list, e)
	}
	return list
}

func build(t testing.TB, j *specs.Job, data fs.FS) *Plan {
	t.Helper()
	if data == nil {
		data = fstest.MapFS{}
	}
	p, err := Build(j, data)
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	return p
}

// rows reads all rows as lines: the variables as JSON (which sorts them), or the error.
func rows(t testing.TB, p *Plan) []string {
	t.Helper()
	var lines []string
	var n int64
	for row, err := range p.Rows {
		switch {
		case err != nil:
			lines = append(lines, "! "+err.Error())
		default:
			text, jsonErr := json.Marshal(row.Vars)
			if jsonErr != nil {
				t.Fatal(jsonErr)
			}
			lines = append(lines, string(text))
		}
		if row != nil {
			if row.Number != n {
				t.Errorf("row %d has the number %d", n, row.Number)
			}
			n++
		}
	}
	return lines
}

// numbered is a data file's text: a header, if any, then n lines made of their number.
func numbered(header string, n int, line string) []byte {
	var b strings.Builder
	b.WriteString(header)
	for i := range n {
		fmt.Fprintln(&b, strings.ReplaceAll(line, "#", strconv.Itoa(i)))
	}
	return []byte(b.String())
}
