package pipeline_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
)

// stages gives for each stage of a job's benchmark its step, model and load, and the rows
// in the order in which they are asked: warm-ups with a *.
func stages(t *testing.T, text string) []string {
	t.Helper()
	plan, _ := load(t, map[string]string{"translate.yaml": text})
	found, err := plan.Stages()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range found {
		s := &found[i]
		var rows []string
		var measured int64
		for row, err := range s.Plan.Rows {
			if err != nil {
				t.Fatal(err)
			}
			id := row.ID
			if row.Warmup {
				id += "*"
			} else {
				measured++
			}
			rows = append(rows, id)
		}
		if measured != s.Rows {
			t.Errorf("stage %d says %d rows and has %d", i, s.Rows, measured)
		}
		all = append(all, fmt.Sprintf("%s %s %s: %s", s.Plan.Steps[s.Step].ID, s.Model, s.Level.Text, strings.Join(rows, " ")))
	}
	return all
}

func TestStages(t *testing.T) {
	const head = `model: "{{ .model }}"
prompt: Say {{ .word }} {{ .repetition }}
matrix: {word: [x, y], model: [a, b]}
row_id: "{{ .word }}{{ .model }}"
`
	for _, tt := range []struct {
		name, bench string
		want        []string
	}{
		{"grouped: a model's rows together, after its own warm-up", "bench: {runs: 2}", []string{
			"main a 5: xa#1* ya#1* xa#1 xa#2 ya#1 ya#2",
			"main b 5: xb#1* yb#1* xb#1 xb#2 yb#1 yb#2",
		}},
		{"interleaved: each repetition over all models, warmed up once", "bench: {runs: 2, order: interleaved}", []string{
			"main a 5: xa#1* ya#1* xa#1 ya#1", "main b 5: xb#1* yb#1* xb#1 yb#1",
			"main a 5: xa#2 ya#2", "main b 5: xb#2 yb#2",
		}},
		{"several loads: a model's one after the other", "bench: {runs: 1, warmup: 2, concurrency: [1, 4]}", []string{
			"main a 1: xa@1* ya@1* xa@1* ya@1* xa@1 ya@1", "main a 4: xa@4* ya@4* xa@4* ya@4* xa@4 ya@4",
			"main b 1: xb@1* yb@1* xb@1* yb@1* xb@1 yb@1", "main b 4: xb@4* yb@4* xb@4* yb@4* xb@4 yb@4",
		}},
		{"without a warm-up", "bench: {runs: 1, warmup: 0, rate: 2/s}", []string{"main a 2/s: xa@2/s ya@2/s", "main b 2/s: xb@2/s yb@2/s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, stages(t, head+tt.bench+"\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A step's stages come after those of the steps whose answers it reads, also where the
// file has them the other way round.
func TestStagesOfSteps(t *testing.T) {
	got := stages(t, `steps:
  - {id: judge, model: j, prompt: "Rate {{ .steps.draft.response }}"}
  - {id: draft, model: "{{ .model }}", prompt: Say hi}
matrix: {model: [a, b]}
bench: {runs: 1, warmup: 0}
`)
	want := []string{"draft a 5: 0", "draft b 5: 1", "judge j 5: 0 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Rows of a benchmark are the combinations in order, in each the loads, in each the
// repetitions; numbers have no gaps, and every request is a question of its own.
func TestRowsOfABenchmark(t *testing.T) {
	plan, _ := load(t, map[string]string{"translate.yaml": `model: m
prompt: Say hi
matrix: {word: [x, y]}
row_id: "{{ .word }}-{{ .load }}-{{ .repetition }}"
bench: {runs: 2, concurrency: [1, 4]}
`})
	if plan.Total != 8 {
		t.Errorf("%d rows in all, want 8", plan.Total)
	}
	if want := []string{"word", "load", "repetition"}; !slices.Equal(plan.Columns, want) {
		t.Errorf("the variables are %q, want %q", plan.Columns, want)
	}
	keys := map[pipeline.Key]bool{}
	var ids []string
	for row, err := range plan.Rows {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, row.ID)
		if int(row.Number) != len(ids)-1 || row.Repetition != int(row.Number)%2+1 || row.Level != int(row.Number)/2%2 {
			t.Errorf("row %d is repetition %d under load %d", row.Number, row.Repetition, row.Level)
		}
		req, err := plan.Steps[0].Request(&pipeline.Scope{Row: row})
		if err != nil {
			t.Fatal(err)
		}
		text, err := req.Canonical(pipeline.Identity{Digest: "a1"})
		if err != nil {
			t.Fatal(err)
		}
		keys[pipeline.KeyOf(text)] = true
	}
	if want := "x-1-1 x-1-2 x-4-1 x-4-2 y-1-1 y-1-2 y-4-1 y-4-2"; strings.Join(ids, " ") != want {
		t.Errorf("the ids are %q, want %q", ids, want)
	}
	if len(keys) != 8 {
		t.Errorf("%d different questions, want 8: each row is measured", len(keys))
	}
}
