package specs_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/batchrunner/runner/specs"
	"github.com/google/go-cmp/cmp"
)

// text loads a job that stands in a root of its own, beside other files.
func text(t *testing.T, job string, opts specs.Options, files ...string) (*specs.Job, specs.Diagnostics) {
	t.Helper()
	root := fstest.MapFS{"job.yaml": {Data: []byte(job)}}
	for i := 0; i < len(files); i += 2 {
		root[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return specs.Load(root, "job.yaml", opts)
}

// good loads a job that must be silent.
func good(t *testing.T, job string, opts specs.Options, files ...string) *specs.Job {
	t.Helper()
	loaded, diags := text(t, job, opts, files...)
	if len(diags) > 0 {
		t.Fatalf("%s", diags)
	}
	return loaded
}

// one wants exactly this diagnostic.
func one(t *testing.T, want string, diags specs.Diagnostics) {
	t.Helper()
	if got := diags.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestDefaults(t *testing.T) {
	job := good(t, "prompt: hi", specs.Options{})
	step := job.Steps[0]
	if job.Name != "job" || job.Concurrency != specs.DefaultConcurrency || job.Rate != 0 || len(job.Outputs) != 0 {
		t.Errorf("job: %+v", job)
	}
	if step.ID.Value != "main" || step.Model != nil || !step.OwnLimit || step.Timeout != specs.DefaultTimeout || step.Retry != specs.DefaultRetry {
		t.Errorf("step: %+v", step)
	}
	want := []specs.Option{{Name: specs.String{Value: "num_predict"}, Value: json.Number("4096")}}
	if diff := cmp.Diff(want, step.Options); diff != "" {
		t.Error(diff)
	}
}

func TestStepsInherit(t *testing.T) {
	job := good(t, `
model: base
system: Be kind.
options: {temperature: 0, seed: 7, num_ctx: 2048}
format: json
think: low
keep_alive: 300
timeout: {total: 10m, idle: none}
retry: {attempts: 3}
steps:
  - id: a
    prompt: hi
  - id: b
    model: own
    system: Be brief.
    options: {seed: 8, num_ctx: 2048, num_predict: 5}
    format: {type: object, properties: {z: {type: string}, a: {type: integer}}}
    think: false
    keep_alive: 1h
    timeout: 5m
    retry: {backoff: {initial: 1m}}
    prompt: hi
`, specs.Options{})
	a, b := job.Steps[0], job.Steps[1]
	if a.Model.Text() != "base" || string(a.Format) != `"json"` || !a.JSON || a.Schema != nil || a.Think != "low" || a.KeepAlive != "300" {
		t.Errorf("a: %+v", a)
	}
	if a.Timeout != (specs.Timeout{Total: 10 * time.Minute, Load: 10 * time.Minute}) || a.Retry.Attempts != 3 || a.Retry.Max != 30*time.Second {
		t.Errorf("a: %+v %+v", a.Timeout, a.Retry)
	}
	// a model that is held to a schema answers in its order
	if want := `{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"integer"}}}`; string(b.Format) != want {
		t.Errorf("format: %s", b.Format)
	}
	if b.Model.Text() != "own" || b.Schema == nil || b.Think != false || b.KeepAlive != "1h" || b.OwnLimit {
		t.Errorf("b: %+v", b)
	}
	if b.Timeout != (specs.Timeout{Total: 5 * time.Minute, Load: 10 * time.Minute}) || b.Retry != (specs.Retry{Attempts: 3, Initial: time.Minute, Max: time.Minute}) {
		t.Errorf("b: %+v %+v", b.Timeout, b.Retry)
	}
	if got := sent(t, a) + " / " + sent(t, b); got != "num_ctx=2048 num_predict=4096 seed=7 temperature=0 / num_ctx=2048 num_predict=5 seed=8 temperature=0" {
		t.Error(got)
	}
	if len(b.Messages) != 2 || b.Messages[0].Role != "system" || b.Messages[0].Content.Text() != "Be brief." || b.Messages[1].Role != "user" {
		t.Errorf("b: %+v", b.Messages)
	}
}

func sent(t *testing.T, s specs.Step) string {
	t.Helper()
	var parts []string
	for _, o := range s.Options {
		value, err := json.Marshal(o.Value)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, o.Name.Value+"="+string(value))
	}
	return strings.Join(parts, " ")
}

// A step's own conversation with a system message has one such message, not two.
func TestOwnSystemMessageReplacesTheInherited(t *testing.T) {
	job := good(t, `
system: Be kind.
steps:
  - id: a
    messages: [{role: system, content: Be brief.}, {role: user, content: hi}]
`, specs.Options{})
	if m := job.Steps[0].Messages; len(m) != 2 || m[0].Content.Text() != "Be brief." {
		t.Errorf("%+v", m)
	}
}

func TestNeeds(t *testing.T) {
	job := good(t, `
steps:
  - {id: a, prompt: hi}
  - {id: b, prompt: "{{ .steps.c.response }}"}
  - {id: c, prompt: hi, needs: [a]}
  - {id: d, prompt: hi, options: {seed: "{{ .steps.a.eval_count }}"}}
  - {id: e, messages: [{role: user, content: "{{ with .steps.d }}{{ .response }}{{ end }}"}]}
  - {id: f, prompt: "{{ range $id, $step := .steps }}{{ $id }}{{ end }}"}
  - {id: g, prompt: "{{ toJson . }}"}
`, specs.Options{})
	want := [][]int{nil, {2}, {0}, {0}, {3}, {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4, 5}}
	for i, step := range job.Steps {
		if diff := cmp.Diff(want[i], step.Needs); diff != "" {
			t.Errorf("step %q: %s", step.ID.Value, diff)
		}
	}
}

func TestValuesKeepTheirSpelling(t *testing.T) {
	job := good(t, `
prompt: "{{ .v }} {{ .x }}"
vars: {v: [1.10, 007, 0x1F, 1_000, 2026-01-01, 0o17, yes, true, null, 12345678901234567890123, "5"]}
matrix: {x: [1.10, 007, {a: 2026-01-01T10:00:00Z}]}
`, specs.Options{})
	want := []any{json.Number("1.10"), "007", "0x1F", "1_000", "2026-01-01", "0o17", "yes", true, nil, json.Number("12345678901234567890123"), "5"}
	if diff := cmp.Diff(any(want), job.Vars[0].Value); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{json.Number("1.10"), "007", map[string]any{"a": "2026-01-01T10:00:00Z"}}, job.Axes[0].List); diff != "" {
		t.Error(diff)
	}
}

func TestVarsOfTheCommandLine(t *testing.T) {
	for given, want := range map[string]any{
		"formal": "formal", "5": json.Number("5"), "1.10": json.Number("1.10"), "007": "007", "true": true, "": "",
		"a: b": "a: b", "[a, b]": "[a, b]", "{{ .x }}": "{{ .x }}", "it's": "it's", "# no comment": "# no comment",
		"a # b": "a # b", "two\nlines": "two\nlines", `"5"`: "5", "*bold*": "*bold*", "- a": "- a", "2026-01-01": "2026-01-01", " padded ": " padded ",
	} {
		job := good(t, "prompt: \"{{ .tone }}\"\nvars: {tone: neutral}", specs.Options{Vars: map[string]string{"tone": given}})
		if diff := cmp.Diff(want, job.Vars[0].Value); diff != "" {
			t.Errorf("--var tone=%s: %s", given, diff)
		}
	}
	_, diags := text(t, "prompt: \"{{ .tone }}\"\nvars: {tone: neutral}", specs.Options{Vars: map[string]string{"tune": "x"}})
	one(t, `job.yaml: --var tune=x: the job has no constant of this name; did you mean "tone"?`, diags)
	_, diags = text(t, "prompt: hi", specs.Options{Vars: map[string]string{"tune": "x"}})
	one(t, `job.yaml: --var tune=x: the job has no constant of this name; name the constant under vars, with the value it has without --var`, diags)
}

func TestModelsOfTheCommandLine(t *testing.T) {
	const two = "model: base\nsteps:\n  - {id: a, prompt: hi}\n  - {id: b, model: own, prompt: hi}\n"
	models := func(job *specs.Job) string {
		var names []string
		for _, s := range job.Steps {
			names = append(names, s.Model.Text())
		}
		return strings.Join(names, " ")
	}
	for want, opts := range map[string]specs.Options{
		"base own":  {},
		"flag own":  {Model: "flag"},
		"flag step": {Model: "flag", StepModels: map[string]string{"b": "step"}},
		"base step": {StepModels: map[string]string{"b": "step"}},
	} {
		if got := models(good(t, two, opts)); got != want {
			t.Errorf("%+v: %s", opts, got)
		}
	}
	if got := models(good(t, "model: base\nprompt: hi", specs.Options{Model: "flag"})); got != "flag" {
		t.Error(got)
	}
	_, diags := text(t, two, specs.Options{StepModels: map[string]string{"c": "x"}})
	one(t, `job.yaml: -m c=x: the job has no step of this id; the steps are "a" and "b"`, diags)
	job, diags := text(t, "steps:\n  - {id: a, model: own, prompt: hi}\n", specs.Options{Model: "flag"})
	one(t, `job.yaml: warning: -m flag changes nothing, since every step has a model of its own; name the step: -m STEP=flag`, diags)
	if job == nil {
		t.Error("a warning must not keep the job back")
	}
}

// Words that mean something elsewhere in a job are plain data under vars.
func TestDataMaySayAnything(t *testing.T) {
	good(t, "prompt: \"{{ .concurrency }} {{ .id }} {{ .version }} {{ .max_failures }}\"\nvars: {concurrency: auto, id: a-b, version: 2, max_failures: few}", specs.Options{})
}

func TestConcurrencyOfTheCommandLine(t *testing.T) {
	if job := good(t, "prompt: hi\nconcurrency: 2", specs.Options{Concurrency: 9}); job.Concurrency != 9 {
		t.Error(job.Concurrency)
	}
}

func TestPathsAreRelativeToTheJob(t *testing.T) {
	root := fstest.MapFS{
		"jobs/[a]/job.yaml": {Data: []byte("prompt: {file: ../p.tmpl}\nmatrix: {s: {file: ../../data/s.csv}, d: {glob: \"*.md\"}}\noutput: ../out.jsonl\n")},
		"jobs/p.tmpl":       {Data: []byte("Say\r\n{{ .s.text }} {{ .d.text }}")},
		"data/s.csv":        {Data: []byte("text\nhello\n")},
		"jobs/[a]/x.md":     {Data: []byte("x")},
	}
	job, diags := specs.Load(root, "jobs/[a]/job.yaml", specs.Options{Shown: "work/job.yaml"})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if job.Dir != "jobs/[a]" || job.Axes[0].File.Path != "data/s.csv" || job.Axes[0].File.Shown != "../data/s.csv" {
		t.Errorf("%s %+v", job.Dir, job.Axes[0].File)
	}
	if got := job.Line("work/job.yaml", 1) + job.Line("p.tmpl", 2) + job.Line("p.tmpl", 3) + job.Line("none", 1); got != "prompt: {file: ../p.tmpl}{{ .s.text }} {{ .d.text }}" {
		t.Error(got)
	}
	prompt := job.Steps[0].Messages[0].Content
	if prompt.File != "p.tmpl" || prompt.Text() != "Say\n{{ .s.text }} {{ .d.text }}" {
		t.Errorf("%s %q", prompt.File, prompt.Text())
	}
}

func TestLimits(t *testing.T) {
	many := func(n int, each string) string { return strings.Repeat(each, n) }
	for _, c := range []struct{ want, job string }{
		{"job.yaml: the file is larger than 1 MiB; long lists belong in data files, which have no such limit", "prompt: hi\n#" + many(1<<20, "x")},
		{`job.yaml:2:3: "steps" has 201 elements, and the most is 200`, "steps:\n" + many(201, "  - {id: a, prompt: hi}\n")},
		{"job.yaml:2:1012: lists and objects are nested deeper than 1,000 levels, or an alias names what it stands in", "prompt: hi\nvars: {x: " + many(1100, "[") + many(1100, "]") + "}"},
	} {
		_, diags := text(t, c.job, specs.Options{})
		one(t, c.want, diags)
	}
}

// Work must not grow with the square of a file's size: these take seconds at most.
func TestLargeFilesEnd(t *testing.T) {
	var keys, entries strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&keys, "k%d: 1\n", i)
	}
	for i := range 9_000 {
		fmt.Fprintf(&entries, "    - {n%d: 1, m%d: 2}\n", i, i)
	}
	for name, job := range map[string]string{
		"unknown keys":  keys.String(),
		"duplicates":    "vars:\n" + strings.Repeat("  a: 1\n", 900) + "prompt: hi",
		"brackets":      "prompt: hi\nvars: {x: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + "}",
		"open brackets": "prompt: hi\nvars: {x: " + strings.Repeat("[", 100_000),
		"include":       "prompt: hi\nmatrix:\n  a: [1]\n  include:\n" + entries.String(),
		"lines":         strings.Repeat("prompt: a: b\n", 50_000),
		"references":    "prompt: \"" + strings.Repeat("{{ .x }}", 3_000) + "\"\nmatrix: {a: [1]}",
	} {
		t.Run(name, func(t *testing.T) {
			if _, diags := text(t, job, specs.Options{}); len(diags) == 0 || len(diags) > 1000 {
				t.Errorf("%d diagnostics", len(diags))
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	_, diags := specs.Load(fstest.MapFS{}, "job.yaml", specs.Options{})
	one(t, "job.yaml: there is no such file", diags)
	_, diags = specs.Load(fstest.MapFS{"job.yaml": {Mode: fs.ModeDir}}, "job.yaml", specs.Options{})
	one(t, "job.yaml: it is a folder, not a file", diags)
}
