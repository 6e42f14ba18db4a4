package output_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/specs"
)

// story is one job's records with everything that a record can have: objects,
// numbers with their spelling, a globbed file, two steps, thinking, JSON,
// warnings, hostile text, and failures of three kinds.
func story(t testing.TB) (*specs.Job, *pipeline.Plan, []*runner.Record) {
	job := &specs.Job{File: "job.yaml", Dir: ".", Name: "job", Axes: []specs.Axis{
		{Name: name("s"), List: []any{object{"id": "s1", "price": number("1.10")}}, Columns: []string{"price", "id"}},
		{Name: name("doc"), Glob: "docs/*.md"},
	}}
	plan := &pipeline.Plan{
		Name: "job", Columns: []string{"s", "doc", "lang"},
		Steps: []pipeline.Step{{ID: "draft"}, {ID: "judge", Needs: []int{0}}},
	}
	vars := func(id, lang string) map[string]any {
		return map[string]any{
			"tone": "neutral", "lang": lang,
			"s":   object{"id": id, "price": number("1.10"), "note": nil},
			"doc": object{"path": "docs/a.md", "dir": "docs", "stem": "a", "text": "long text of the file"},
		}
	}
	both := func(n int64, lang string, draft, judge runner.Result) *runner.Record {
		r := row(n, vars("s1", lang))
		r.ID = "s1-" + lang
		return &runner.Record{Row: r, Results: []runner.Result{draft, judge}}
	}
	judged := answered("judge", 0, `{"score": 4, "why": "a < b && c"}`)
	judged.Answer.JSON = object{"score": number("4"), "why": "a < b && c", "more": []any{true, nil, number("1e3")}}
	judged.Answer.Thinking = "hm, \"quoted\"\n"
	judged.Answer.Warnings = []string{"the answer ended at num_predict"}
	simulated := answered("judge", 1, "=HYPERLINK(\"http://x\")")
	simulated.Answer.Simulated = true
	broken := runner.Result{Task: pipeline.Task{Step: "draft"}, Request: request("Draft"), Attempts: 3,
		Err: &runner.Error{Class: runner.Server, Message: "the server said: 500"}}
	unasked := runner.Result{Task: pipeline.Task{Step: "judge"},
		Err: &runner.Error{Class: runner.Upstream, Message: `step "draft" failed`}}
	return job, plan, []*runner.Record{
		both(0, "fr", answered("draft", 0, "Bonjour, \"toi\"\nca va ?"), judged),
		both(1, "de", answered("draft", 1, "-5"), simulated),
		both(2, "ja", broken, unasked),
		both(3, "pt", answered("draft", 3, "b\u00e9 bad \xff utf8, \u2028 line, \x1b[31m red\x00"), answered("judge", 3, "ok")),
	}
}

func TestForms(t *testing.T) {
	withTimings := to(t, "timings.jsonl")
	withTimings.Timings = true
	unsafe := to(t, "unsafe.csv")
	unsafe.Safe = false
	shaped := func(file string) specs.Output {
		return columns(t, to(t, file), "lang", "{{ .lang }}", "score", "{{ .json }}", "price", "{{ .s.price }}",
			"draft", "{{ .steps.draft.response }}", "all", "{{ .lang }}: {{ .response }}", "ok", "{{ .success }}")
	}
	catalogue := to(t, "catalogue-{{ .lang }}.json")
	catalogue.Key, catalogue.Value = tmpl(t, "{{ .row.id }}"), tmpl(t, "{{ .steps.draft.response }}")
	typed := to(t, "typed-{{ .lang }}.json")
	typed.Key, typed.Value = tmpl(t, "{{ .row.id }}"), tmpl(t, "{{ .json }}")
	texts := text(t, "text-{{ .lang }}.md", "- {{ .steps.draft.response }}\n")
	texts.Header, texts.Footer = tmpl(t, "# {{ .lang }} ({{ .tone }})\n\n"), tmpl(t, "\nlast: {{ .row.id }}\n")
	only := to(t, "when.jsonl")
	only.When = tmpl(t, "{{ .success }}")

	job, plan, records := story(t)
	job.Outputs = []specs.Output{
		to(t, "default.jsonl"), withTimings, to(t, "default.json"), to(t, "default.csv"), unsafe, to(t, "default.tsv"),
		shaped("shaped.jsonl"), shaped("shaped.json"), shaped("shaped.csv"),
		catalogue, typed, texts, only,
	}
	b := newBench(t, nil)
	b.job, b.plan = job, plan
	b.again()
	b.write(records...)
	written := b.commit()
	if problems, n, rest := b.set.Problems(); n != 0 || rest != "" {
		t.Fatalf("%d problems: %v", n, problems)
	}
	checkGolden(t, "written.txt", states(written)+"\n")
	for _, w := range written {
		if w.State == output.Created {
			checkGolden(t, w.Path, b.read(w.Path))
			checkReadable(t, w, b.read(w.Path))
		}
	}
}

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); go test ./runner/output -update rewrites it\n%s", name, diff)
	}
}

// checkReadable reads the file as others would.
func checkReadable(t *testing.T, w output.Written, text string) {
	t.Helper()
	switch filepath.Ext(w.Path) {
	case ".json":
		if !json.Valid([]byte(text)) {
			t.Errorf("%s is no JSON", w.Path)
		}
	case ".jsonl":
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		for _, line := range lines {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: a line is no JSON: %s", w.Path, line)
			}
		}
		if int64(len(lines)) != w.Rows {
			t.Errorf("%s has %d lines, %d rows", w.Path, len(lines), w.Rows)
		}
	case ".csv", ".tsv":
		r := csv.NewReader(strings.NewReader(text))
		if strings.HasSuffix(w.Path, ".tsv") {
			r.Comma = '\t'
		}
		all, err := r.ReadAll()
		if err != nil || int64(len(all)) != w.Rows+1 {
			t.Errorf("%s: %d lines for %d rows: %v", w.Path, len(all), w.Rows, err)
		}
	}
}

// Streams print what files hold.
func TestStreamIsTheFile(t *testing.T) {
	job, plan, records := story(t)
	job.Outputs = []specs.Output{to(t, "default.jsonl")}
	b := newBench(t, nil)
	b.job, b.plan = job, plan
	b.again()
	var out bytes.Buffer
	s := output.NewStream(&out, job, plan)
	for _, rec := range records {
		b.write(rec)
		if err := s.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	b.commit()
	if diff := cmp.Diff(b.read("default.jsonl"), out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTextStream(t *testing.T) {
	job, plan, records := story(t)
	var out bytes.Buffer
	s := output.NewTextStream(&out, job, plan, 60)
	for _, rec := range records {
		if err := s.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	checkGolden(t, "stream.txt", out.String())
}
