package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// asking is a task with a question, in the form that a store has.
func asking(row int64, model, prompt string) *Task {
	t := timed(row, model, 0, ms(200))
	t.Question = question(prompt, "digest of "+model)
	t.Response = model + " on " + prompt
	return t
}

func TestAnswersSideBySide(t *testing.T) {
	tasks := []*Task{asking(0, "b", "hello"), asking(1, "b", "bye"), asking(2, "a", "hello"), asking(3, "a", "bye"), asking(4, "a", "hello"), asking(5, "a", "hello")}
	for _, task := range tasks {
		task.Vars = map[string]string{"text": strings.TrimPrefix(task.Response, task.Model+" on "), "model": task.Model, "repetition": fmt.Sprint(task.Row)}
	}
	tasks[1].Measured.Last = ms(900) // a is the faster one
	tasks[4].Class, tasks[4].Message, tasks[4].Measured = "schema", "not JSON", nil
	r := mustMake(t, Run{}, Options{Columns: []string{"model", "text", "repetition"}}, tasks...)
	cell := func(model, prompt string, row int64, count int, latency float64) Cell {
		return Cell{
			Row: row, Step: "main", Model: model, Count: count, Prompt: prompt, Response: model + " on " + prompt,
			Latency: latency, TTFT: 0.02, Tokens: 11, Speed: 110,
		}
	}
	failed := Cell{Row: 4, Step: "main", Model: "a", Count: 3, Prompt: "hello", Response: "a on hello", Class: "schema", Message: "not JSON", Tokens: 11}
	want := []Row{
		{Number: 0, ID: "r0", Vars: map[string]string{"text": "hello"}, Cells: []Cell{failed, cell("b", "hello", 0, 1, 0.2)}},
		{Number: 1, ID: "r1", Vars: map[string]string{"text": "bye"}, Cells: []Cell{cell("a", "bye", 3, 1, 0.2), cell("b", "bye", 1, 1, 0.9)}},
	}
	if diff := cmp.Diff(want, r.Answers, near); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if !slices.Equal(r.Columns, []string{"text"}) || r.Dropped != 0 {
		t.Errorf("columns %q, dropped %d; want text, which the cells share, and 0", r.Columns, r.Dropped)
	}
}

func TestAnswersOfWhatCouldNotBeAsked(t *testing.T) {
	tests := []struct {
		name string
		a, b *Task
		rows int
	}{
		{"equal questions", asking(0, "a", "x"), asking(1, "b", "x"), 1},
		{"other questions", asking(0, "a", "x"), asking(1, "b", "y"), 2},
		{"a model that is missing, equal variables but its name", withVars(failing(0, "a", "model_missing", ""), "a", "x"), withVars(asking(1, "b", "x"), "b", "x"), 1},
		{"a model that is missing, the other way round", withVars(asking(0, "b", "x"), "b", "x"), withVars(failing(1, "a", "model_missing", ""), "a", "x"), 1},
		{"a model that is missing, other variables", withVars(failing(0, "a", "model_missing", ""), "a", "x"), withVars(asking(1, "b", "y"), "b", "y"), 2},
		{"neither a question nor variables", failing(0, "a", "input", ""), failing(1, "a", "input", ""), 2},
		{"questions that can't be read", withQuestion(asking(0, "a", "x"), "{"), withQuestion(asking(1, "b", "x"), "{"), 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if r := mustMake(t, Run{}, Options{}, tt.a, tt.b); len(r.Answers) != tt.rows {
				t.Errorf("%d rows; want %d", len(r.Answers), tt.rows)
			}
		})
	}
}

func withVars(t *Task, model, text string) *Task {
	t.Vars = map[string]string{"model": model, "text": text}
	return t
}

func withQuestion(t *Task, text string) *Task {
	t.Question = []byte(text)
	return t
}

func TestAnswersCutLongTexts(t *testing.T) {
	task := asking(0, "a", "x")
	task.Response = strings.Repeat("é", maxText)
	got := mustMake(t, Run{}, Options{}, task).Answers[0].Cells[0].Response
	if len(got) > maxText+100 || !strings.HasSuffix(got, "é\n[... 65536 more bytes are left out of the report]") {
		t.Errorf("a long answer has %d bytes and ends with %q", len(got), got[len(got)-60:])
	}
}

// TestAnswersAreASample draws rows of up to three models, in blocks as a matrix with its
// models first has them. Failed questions come first and no more rows are kept than the
// limit; a row that is kept while nothing fails has the cells of all its models.
func TestAnswersAreASample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prompts := rapid.IntRange(1, 30).Draw(t, "prompts")
		failures := rapid.SliceOfN(rapid.IntRange(0, 3*prompts-1), 0, 10).Draw(t, "failures")
		limit := rapid.IntRange(1, 30).Draw(t, "limit")
		seed := rapid.Uint64().Draw(t, "seed")
		failed := make(map[string]bool)
		var tasks []*Task
		for m, model := range []string{"a", "b", "c"} {
			for p := range prompts {
				task := asking(int64(m*prompts+p), model, fmt.Sprint(p))
				if slices.Contains(failures, int(task.Row)) {
					task.Class = "timeout"
					failed[fmt.Sprint(p)] = true
				}
				tasks = append(tasks, task)
			}
		}
		r := mustMake(t, Run{}, Options{MaxRows: limit, Seed: seed}, tasks...)
		if len(r.Answers) != min(limit, prompts) || r.Dropped != int64(prompts-len(r.Answers)) {
			t.Fatalf("%d rows and %d dropped of %d, at most %d", len(r.Answers), r.Dropped, prompts, limit)
		}
		checkSample(t, r.Answers, min(len(failed), limit), failed)
	})
}

func checkSample(t *rapid.T, rows []Row, wantFailed int, failed map[string]bool) {
	for i, row := range rows {
		isFailed := slices.ContainsFunc(row.Cells, func(c Cell) bool { return c.Class != "" })
		if isFailed != (i < wantFailed) {
			t.Fatalf("row %d of the report is failed: %t; want the first %d to be", i, isFailed, wantFailed)
		}
		if i > 0 && i != wantFailed && rows[i-1].Number >= row.Number {
			t.Fatalf("row %d comes after row %d", row.Number, rows[i-1].Number)
		}
		if !failed[row.Cells[0].Prompt] && len(row.Cells) != 3 {
			t.Fatalf("row %d has %d cells of 3", row.Number, len(row.Cells))
		}
	}
}

func TestAnswersSampleIsSeeded(t *testing.T) {
	var tasks []*Task
	for row := range int64(200) {
		tasks = append(tasks, asking(row, "a", fmt.Sprint(row)))
	}
	numbers := func(seed uint64) []int64 {
		var list []int64
		for _, row := range mustMake(t, Run{}, Options{MaxRows: 20, Seed: seed}, tasks...).Answers {
			list = append(list, row.Number)
		}
		return list
	}
	if a, b := numbers(1), numbers(1); !slices.Equal(a, b) {
		t.Errorf("one seed draws %v and %v", a, b)
	}
	a, b := numbers(1), numbers(2)
	if slices.Equal(a, b) {
		t.Errorf("two seeds draw the same rows %v", a)
	}
	if a[len(a)-1] < 100 {
		t.Errorf("a sample of 200 rows is %v", a)
	}
}

// TestAnswersKeepWhatFailsLater has two places. Of two good rows one fails later, and then
// a third one fails: the failed ones stay, whichever of them the draw had to go first.
func TestAnswersKeepWhatFailsLater(t *testing.T) {
	for _, later := range []string{"x", "y"} {
		again, third := asking(2, "b", later), asking(3, "a", "z")
		again.Class, third.Class = "timeout", "timeout"
		var got []string
		for _, row := range mustMake(t, Run{}, Options{MaxRows: 2}, asking(0, "a", "x"), asking(1, "a", "y"), again, third).Answers {
			got = append(got, row.Cells[0].Prompt)
		}
		if want := []string{later, "z"}; !slices.Equal(got, want) {
			t.Errorf("rows %q are kept; want %q", got, want)
		}
	}
}

func TestAnswersJoinRepetitionsOfAMissingModel(t *testing.T) {
	first, second := withVars(failing(0, "a", "model_missing", ""), "a", "x"), withVars(failing(1, "a", "model_missing", ""), "a", "x")
	first.Vars["repetition"], second.Vars["repetition"] = "1", "2"
	if got := mustMake(t, Run{}, Options{}, first, second).Answers; len(got) != 1 || got[0].Cells[0].Count != 2 {
		t.Errorf("rows %+v; want one of two tasks", got)
	}
}
