package pipeline

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/batchrunner/runner/specs"
	"github.com/google/go-cmp/cmp"
)

func TestCheckFindsAllMistakes(t *testing.T) {
	j := job(t, "{{ .s.text }}", file("s", "s.jsonl"), list(t, "l", "[de, fr]"))
	j.RowID = tmpl(t, "{{ .s.id }}-{{ .l }}")
	j.RowID.Start = specs.Pos{Line: 4, Col: 9}
	j.Exclude = entries(t, "[{l: es}, {l: fr, s: {id: c}}]")
	other := j.Steps[0]
	other.ID.Value = "other"
	other.Model = tmpl(t, "m-{{ .l }}")
	j.Steps = append(j.Steps, other)
	data := fstest.MapFS{"s.jsonl": {Data: []byte(`{"id":"a","text":"x"}` + "\n" + `{"id":"b","text":" "}` + "\n{\n" + `{"id":"a","text":"y"}` + "\n" + `{"id":"c","text":"z"}`)}}
	each := func(row *Row) specs.Diagnostics {
		if row.ID == "c-de" {
			return specs.Diagnostics{{File: "job.yaml", Pos: specs.Pos{Line: 30, Col: 1}, Message: "two rows write one file"}}
		}
		return nil
	}
	got := Check(build(t, j, data), j, each)
	want := &Checked{
		Rows: 9, All: true, AllModels: true,
		Models: []string{"m", "m-de", "m-fr"},
		Steps:  map[string][]string{"m": {"main"}, "m-de": {"other"}, "m-fr": {"other"}},
	}
	var lines []string
	for _, d := range got.Diagnostics {
		lines = append(lines, d.String())
	}
	got.Diagnostics = nil
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Check (-want +got):\n%s", d)
	}
	wantLines := []string{
		`job.yaml:4:9: row 6: its id "a-de" is also that of row 0; ids must be unique: name more variables in row_id`,
		`job.yaml:4:9: row 7: its id "a-fr" is also that of row 1; ids must be unique: name more variables in row_id`,
		`job.yaml:7:11: step "main": row 2 (b-de): the prompt is empty; give the row something to ask, or leave it out with exclude`,
		`job.yaml:7:11: step "other": row 2 (b-de): the prompt is empty; give the row something to ask, or leave it out with exclude`,
		`job.yaml:7:11: step "main": row 3 (b-fr): the prompt is empty; give the row something to ask, or leave it out with exclude`,
		`job.yaml:7:11: step "other": row 3 (b-fr): the prompt is empty; give the row something to ask, or leave it out with exclude`,
		`job.yaml:20:5: warning: this exclude matches no row; values must be spelled as in the data`,
		`job.yaml:30:1: two rows write one file`,
		`s.jsonl:3:1: is not JSON: unexpected end of JSON input`,
	}
	if d := cmp.Diff(wantLines, lines); d != "" {
		t.Errorf("mistakes (-want +got):\n%s", d)
	}
}

// Of many rows with one mistake the first are named and the others counted.
func TestCheckCountsMistakes(t *testing.T) {
	j := job(t, "{{ .s }}", file("s", "s.jsonl"))
	data := fstest.MapFS{"s.jsonl": {Data: []byte(strings.Repeat("{\n", 500) + strings.Repeat("\"\"\n", 21))}}
	got := Check(build(t, j, data), j, nil)
	if len(got.Diagnostics) != 40 {
		t.Fatalf("%d mistakes named, want 20 of each kind", len(got.Diagnostics))
	}
	for i, want := range map[int]string{
		18: `job.yaml:7:11: step "main": row 518: the prompt is empty; give the row something to ask, or leave it out with exclude`,
		19: `job.yaml:7:11: step "main": row 519: the prompt is empty (and 1 more row); give the row something to ask, or leave it out with exclude`,
		38: `s.jsonl:19:1: is not JSON: unexpected end of JSON input`,
		39: `s.jsonl:20:1: is not JSON: unexpected end of JSON input (and 480 more lines)`,
	} {
		if got := got.Diagnostics[i].String(); got != want {
			t.Errorf("mistake %d is %s\nwant %s", i, got, want)
		}
	}
}

func TestCheckLimits(t *testing.T) {
	count := func(name string, n int) specs.Axis {
		return specs.Axis{Name: specs.String{Value: name}, Count: n}
	}
	data := fstest.MapFS{
		"short.txt": {Data: numbered("", 3_000, "#")},
		"long.txt":  {Data: numbered("", 30_000, "#")},
	}
	tests := []struct {
		name           string
		axes           []specs.Axis
		model          string
		rows           int64
		all, allModels bool
		models         int
	}{
		{"a small job is checked whole", []specs.Axis{count("n", 10_000)}, "m", 10_000, true, true, 1},
		{"of a larger one the first rows", []specs.Axis{count("n", 10_001)}, "m", 1_000, false, true, 1},
		{"its models are all looked at", []specs.Axis{list(t, "m", "[a, b, c]"), count("n", 10_001)}, "{{ .m }}", 1_000, false, true, 3},
		{"a small file is checked whole", []specs.Axis{file("n", "short.txt")}, "m", 3_000, true, true, 1},
		{"a stream's first rows", []specs.Axis{file("n", "long.txt")}, "m", 10_000, false, true, 1},
		{"models of further axes are seen with the first row of a stream", []specs.Axis{file("n", "long.txt"), list(t, "m", "[a, b]"), count("k", 20_000)}, "{{ .m }}", 10_000, false, false, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			j := job(t, "x", test.axes...)
			j.Steps[0].Model = tmpl(t, test.model)
			got := Check(build(t, j, data), j, nil)
			if got.Rows != test.rows || got.All != test.all || got.AllModels != test.allModels || len(got.Models) != test.models {
				t.Errorf("Check = rows %d, all %v, all models %v, models %v; want %d, %v, %v, %d models",
					got.Rows, got.All, got.AllModels, got.Models, test.rows, test.all, test.allModels, test.models)
			}
			if len(got.Diagnostics) > 0 {
				t.Error(got.Diagnostics)
			}
		})
	}
}

// A step that reads answers is checked as far as it does not.
func TestCheckOfLaterSteps(t *testing.T) {
	j := chain(t)
	j.Steps[1].Model = tmpl(t, "m-{{ .w }}")
	j.Steps[1].Messages = append(j.Steps[1].Messages, specs.Message{Role: "user", Content: tmpl(t, " ")})
	j.Steps[1].Options = append(options(t, "num_ctx", "{{ .w }}"), options(t, "seed", "{{ .steps.first.eval_count }}")...)
	got := Check(build(t, j, nil), j, nil)
	if d := cmp.Diff([]string{"m", "m-x"}, got.Models); d != "" {
		t.Error(d)
	}
	want := `job.yaml:7:11: step "second": row 0: message 2 (user) is empty; give the row something to ask, or leave it out with exclude
job.yaml:7:11: step "second": row 0: option "num_ctx" must be a whole number, but is "x"`
	if d := cmp.Diff(want, got.Diagnostics.String()); d != "" {
		t.Errorf("mistakes (-want +got):\n%s", d)
	}
}

func TestCheckOfUnreadableRest(t *testing.T) {
	j := job(t, "x", file("n", "n.txt"))
	j.Steps[0].Model = tmpl(t, "{{ .n }}")
	data := fstest.MapFS{"n.txt": {Data: []byte("a\nb\n")}}
	p := build(t, j, data)
	p.Rows = func(yield func(*Row, error) bool) {
		_ = yield(&Row{ID: "0", Vars: object{"n": "a"}}, nil) && yield(nil, fmt.Errorf("the disk is gone"))
	}
	got := Check(p, j, nil)
	if got.All || got.AllModels || got.Rows != 1 || got.Diagnostics.String() != "the disk is gone" {
		t.Errorf("Check = %+v", got)
	}
}

// CheckAll finds what stands behind the rows that a run looks at before it begins.
func TestCheckAll(t *testing.T) {
	data := fstest.MapFS{"s.jsonl": {Data: []byte(strings.Repeat("\"x\"\n", 12_000) + "\"\"\n{\n")}}
	j := job(t, "{{ .s }}", file("s", "s.jsonl"))
	if got := Check(build(t, j, data), j, nil); len(got.Diagnostics) > 0 || got.All {
		t.Errorf("the first rows: %v, all %v", got.Diagnostics, got.All)
	}
	got := CheckAll(build(t, j, data), j, nil)
	want := []string{
		`job.yaml:7:11: step "main": row 12000: the prompt is empty; give the row something to ask, or leave it out with exclude`,
		`s.jsonl:12002:1: is not JSON: unexpected end of JSON input`,
	}
	var found []string
	for _, d := range got.Diagnostics {
		found = append(found, d.String())
	}
	if d := cmp.Diff(want, found); d != "" || !got.All || got.Rows != 12_002 {
		t.Errorf("%d rows, all %v; mistakes (-want +got):\n%s", got.Rows, got.All, d)
	}
}
