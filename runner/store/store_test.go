package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

func TestKeptIsFound(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j"})
	ok, bad := answered(0, "a", "hello"), failed(1, "a", runner.ContextOverflow)
	keep(t, run, ok, bad)
	found := finds(t, s, bad.Result.Key, pipeline.Key{1}, ok.Result.Key, ok.Result.Key)
	want := []*runner.Stored{
		{ID: 2, Err: bad.Result.Err, Attempts: 1, Run: 1}, nil,
		{ID: 1, Answer: ok.Result.Answer, Attempts: 1, Run: 1}, {ID: 1, Answer: ok.Result.Answer, Attempts: 1, Run: 1},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if found[2].Answer == found[3].Answer || &found[2].Answer.Warnings[0] == &found[3].Answer.Warnings[0] {
		t.Error("two finders share one answer")
	}
}

func TestNewestAnswerStandsBeforeFailures(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j"})
	first, second := answered(0, "a", "hello"), answered(0, "a", "hello")
	second.Result.Answer.Response = "hello again"
	bad := failed(0, "a", runner.Timeout)
	bad.Question, bad.Result.Key = first.Question, first.Result.Key
	keep(t, run, bad)
	if got := finds(t, s, first.Result.Key)[0]; got.Err == nil {
		t.Errorf("found %+v, want the failure", got)
	}
	keep(t, run, first)
	keep(t, run, second)
	keep(t, run, bad)
	if got := finds(t, s, first.Result.Key)[0]; got.Answer == nil || got.Answer.Response != "hello again" {
		t.Errorf("found %+v, want the newest answer", got)
	}
}

// A run writes only what is new of its tasks; each task's past stays to be seen.
// A task keeps its own answer when another one gets a newer answer to the same question,
// and is not what it was when its row has another id or its answer is judged otherwise.
func TestOwnAnswerStandsFirst(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	mine := answered(0, "a", "mine")
	keep(t, run, mine)
	ended(t, run, 1)
	newer := *mine
	result := *mine.Result
	result.Answer = &pipeline.Answer{Response: "newer"}
	newer.Result = &result
	other := s.Begin(RunInfo{Job: "other", Steps: []string{"a"}})
	keep(t, other, &newer)
	ended(t, other, 1)

	for _, tt := range []struct {
		name, job string
		task      pipeline.Task
		want      string
		as        *runner.KeptTask
	}{
		{"its own", "j", mine.Result.Task, "mine", &runner.KeptTask{RowID: "r0"}},
		{"the other's own", "other", mine.Result.Task, "newer", &runner.KeptTask{RowID: "r0"}},
		{"a task that has none", "j", pipeline.Task{Step: "a", Row: 7}, "newer", nil},
		{"a step that has none", "j", pipeline.Task{Step: "b", Row: 0}, "newer", nil},
		{"a job that has none", "third", mine.Result.Task, "newer", nil},
	} {
		found, err := s.Find(t.Context(), tt.job, []runner.Sought{{Task: tt.task, Key: mine.Result.Key}})
		if err != nil {
			t.Fatal(err)
		}
		if got := found[0]; got.Answer.Response != tt.want || !cmp.Equal(got.As, tt.as) {
			t.Errorf("%s: %q as %+v, want %q as %+v", tt.name, got.Answer.Response, got.As, tt.want, tt.as)
		}
	}
}

// A failure that is a task's own gives way to any answer.
func TestOwnFailureGivesWay(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	mine := failed(0, "a", runner.Timeout)
	keep(t, run, mine)
	ended(t, run, 1)
	sought := []runner.Sought{{Task: mine.Result.Task, Key: mine.Result.Key}}
	found, err := s.Find(t.Context(), "j", sought)
	if err != nil || found[0].Err == nil || !cmp.Equal(found[0].As, &runner.KeptTask{RowID: "r0", Class: runner.Timeout, Message: "no"}) {
		t.Errorf("%+v, %v", found[0], err)
	}
	answer := answered(0, "a", "?")
	other := s.Begin(RunInfo{Job: "other", Steps: []string{"a"}})
	keep(t, other, answer)
	ended(t, other, 1)
	if found, err = s.Find(t.Context(), "j", sought); err != nil || found[0].Answer == nil || found[0].As != nil {
		t.Errorf("%+v, %v", found[0], err)
	}
}

func TestTasksOverTime(t *testing.T) {
	s := opened(t)
	a0, a1 := answered(0, "a", "x"), answered(1, "a", "x")
	first := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	keep(t, first, a0, a1)
	ended(t, first, 2)

	same := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	keep(t, same, known(a0, 1), known(a1, 2))
	ended(t, same, 2)
	if same.ID() != 0 {
		t.Error("a run that changed nothing has left a trace")
	}

	changed := answered(1, "a", "y")
	third := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	keep(t, third, known(a0, 1), changed, failed(2, "a", runner.Timeout))
	ended(t, third, 3)

	fourth := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	keep(t, fourth, known(a0, 1))
	ended(t, fourth, 1)

	want := "0 r0 1 - 1 -\n" +
		"1 r1 1 1 2 -\n" +
		"1 r1 2 2 3 -\n" +
		"2 r2 2 2 4 timeout\n"
	if got := query(t, s, "SELECT row, row_id, from_run, to_run, result, class FROM tasks ORDER BY row, from_run"); got != want {
		t.Errorf("the tasks are\n%swant\n%s", got, want)
	}
	var rows []string
	for task, err := range s.Tasks(t.Context(), &RunRow{ID: 2, Job: "j"}, "") {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, fmt.Sprint(task.RowID, " ", task.Asked, " ", task.Err != nil))
	}
	if diff := cmp.Diff([]string{"r0 false false", "r1 true false", "r2 true true"}, rows); diff != "" {
		t.Errorf("the tasks of run 2 (-want +got):\n%s", diff)
	}
}

// A task that shares another one's question gets the result that the other one gets.
func TestTaskWithoutAResultOfItsOwn(t *testing.T) {
	s := opened(t)
	first := answered(0, "a", "x")
	twin := known(first, 0)
	result := *first.Result
	result.Task.Row = 7
	twin.Result, twin.RowID = &result, "r7"
	lost := &runner.Outcome{RowID: "r8", Result: &runner.Result{
		Task: pipeline.Task{Step: "a", Row: 8}, Err: &runner.Error{Class: runner.Input, Message: "no such field"},
	}}
	run := s.Begin(RunInfo{Job: "j"})
	keep(t, run, first, twin, lost)
	want := "0 1 -\n7 1 -\n8 - input\n"
	if got := query(t, s, "SELECT row, result, class FROM tasks ORDER BY row"); got != want {
		t.Errorf("the tasks are\n%swant\n%s", got, want)
	}
	if got := query(t, s, "SELECT count(*) FROM results"); got != "1\n" {
		t.Errorf("%s results, want 1", got)
	}
}

func TestLast(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j"})
	ok, bad := answered(0, "a", "x"), failed(1, "a", runner.Timeout)
	keep(t, run, ok, bad)
	got, err := s.Last(t.Context(), "j", []TaskID{{"r1", "a"}, {"r0", "b"}, {"r0", "a"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []*Last{
		{Row: 1, Key: bad.Result.Key, Question: bad.Question, Model: "gemma3:12b", Class: runner.Timeout, Message: "no", Run: 1}, nil,
		{Row: 0, Key: ok.Result.Key, Question: ok.Question, Model: "gemma3:12b", OK: true, Run: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if other, err := s.Last(t.Context(), "another job", []TaskID{{"r0", "a"}}); err != nil || other[0] != nil {
		t.Errorf("another job's task is %v (%v)", other, err)
	}
}

func TestSnapshotStaysAsItIs(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j"})
	keep(t, run, answered(0, "a", "x"))
	view, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	later := answered(1, "a", "x")
	keep(t, run, later)
	if found, err := view.Find(t.Context(), "another job", soughtKeys(later.Result.Key)); err != nil || found[0] != nil {
		t.Errorf("the snapshot sees what came after it (%v)", err)
	}
	if err := view.Close(); err != nil {
		t.Error(err)
	}
	if finds(t, s, later.Result.Key)[0] == nil {
		t.Error("the store does not see it")
	}
}

func TestModelsAndFiles(t *testing.T) {
	s := opened(t)
	ctx := t.Context()
	if err := errors.Join(s.SawModels(ctx, map[string]string{"a": "1", "b": "2", "c": ""}), s.SawModels(ctx, map[string]string{"b": "3"})); err != nil {
		t.Fatal(err)
	}
	models, err := s.Models(ctx)
	if err != nil || len(models) != 2 || models["a"].Digest != "1" || models["b"].Digest != "3" {
		t.Errorf("the models are %v (%v)", models, err)
	}
	files := []File{{"out/b.csv", "22"}, {"out/a.csv", "11"}}
	if err := errors.Join(s.SetFiles(ctx, "j", 0, files), s.SetFiles(ctx, "other", 0, files[:1])); err != nil {
		t.Fatal(err)
	}
	got, err := s.Files(ctx, "j")
	if diff := cmp.Diff([]File{files[1], files[0]}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestAdopt(t *testing.T) {
	s := opened(t)
	there, news := answered(0, "a", "x"), answered(1, "a", "x")
	keep(t, s.Begin(RunInfo{Job: "j"}), there)
	n, err := s.Adopt(t.Context(), func(yield func(*Adopted, error) bool) {
		_ = yield(&Adopted{Key: there.Result.Key, Model: "m", Answer: &pipeline.Answer{Response: "other"}}, nil) &&
			yield(&Adopted{Key: news.Result.Key, Model: "m", Answer: news.Result.Answer, Attempts: 2}, nil)
	})
	if err != nil || n != 1 {
		t.Fatalf("%d taken over, want 1 (%v)", n, err)
	}
	found := finds(t, s, there.Result.Key, news.Result.Key)
	if found[0].Answer.Response != "x" || found[1].Answer.Response != "x" || found[1].Attempts != 2 {
		t.Errorf("found %+v and %+v", found[0], found[1])
	}
}

// Text is kept byte for byte, whatever it is.
func TestOddText(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j\xff\x00"})
	var texts []string
	var keys []pipeline.Key
	for i, text := range []string{"", "\x00", "a\x00b", "\xff\xfe", "half \xe2\x82", "\ufeff\r\n", strings.Repeat("\U0001f600", 5000)} {
		o := answered(int64(i), "s\xff", "x")
		o.RowID = "r" + text
		o.Result.Answer.Response, o.Result.Answer.Thinking = text, text
		keep(t, run, o)
		texts, keys = append(texts, text), append(keys, o.Result.Key)
	}
	for i, found := range finds(t, s, keys...) {
		if found.Answer.Response != texts[i] || found.Answer.Thinking != texts[i] {
			t.Errorf("%q became %q and %q", texts[i], found.Answer.Response, found.Answer.Thinking)
		}
		last, err := s.Last(t.Context(), "j\xff\x00", []TaskID{{"r" + texts[i], "s\xff"}})
		if err != nil || last[0] == nil || last[0].Row != int64(i) {
			t.Errorf("the row %q is not found (%v)", "r"+texts[i], err)
		}
	}
}

// One call finds more keys than one statement does.
func TestFindInBatches(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j"})
	var outcomes []*runner.Outcome
	var keys []pipeline.Key
	for i := range int64(2*findAtOnce + 1) {
		o := answered(i, "a", fmt.Sprint("x", i))
		outcomes, keys = append(outcomes, o), append(keys, o.Result.Key)
	}
	keep(t, run, outcomes...)
	for i, found := range finds(t, s, keys...) {
		if found == nil || found.Answer.Response != fmt.Sprint("x", i) {
			t.Fatalf("of key %d found %+v", i, found)
		}
	}
	if found := finds(t, s); len(found) != 0 {
		t.Errorf("of no keys found %v", found)
	}
}

// Every question of a run that is asked for each of its tasks is answered from an index:
// what it costs does not grow with the job.
func TestQueriesUseIndexes(t *testing.T) {
	s := opened(t)
	for _, tt := range []struct {
		query, want string
		args        int
	}{
		{fullQuery, "SEARCH r USING INDEX results_key (key=?)", findAtOnce},
		{ownQuery, "SEARCH t USING PRIMARY KEY (job=? AND row>? AND row<?)", 3},
		{lastQuery, "SEARCH t USING INDEX tasks_row_id (job=? AND row_id=? AND step=?)", 3},
		{newestQuery, "SEARCH results USING COVERING INDEX results_key (key=?)", 1},
		{currentQuery, "SEARCH tasks USING PRIMARY KEY (job=? AND row>? AND row<?)", 3},
	} {
		got := query(t, s, "EXPLAIN QUERY PLAN "+tt.query, make([]any, tt.args)...)
		if !strings.Contains(got, tt.want) || strings.Contains(got, "SCAN") {
			t.Errorf("%s\nis planned as\n%swant %s", tt.query, got, tt.want)
		}
	}
}

func TestAdoptInBatches(t *testing.T) {
	s := opened(t)
	torn := errors.New("line 1201: it is cut")
	n, err := s.Adopt(t.Context(), func(yield func(*Adopted, error) bool) {
		for i := range 1200 {
			bad := &runner.Error{Class: runner.ContextOverflow, Message: "too long", Status: 400}
			if !yield(&Adopted{Key: pipeline.Key{byte(i), byte(i >> 8)}, Model: "m", Err: bad}, nil) {
				return
			}
		}
		yield(nil, torn)
	})
	if n != 2*adoptAtOnce || !errors.Is(err, torn) {
		t.Errorf("%d taken over (%v), want the whole batches before the error", n, err)
	}
	if got := query(t, s, "SELECT count(*), min(question IS NULL), min(run IS NULL) FROM results"); got != "1000 1 1\n" {
		t.Errorf("the results are %s", got)
	}
	found := finds(t, s, pipeline.Key{0xe7, 0x03}, pipeline.Key{0xe8, 0x03})
	if found[0] == nil || found[0].Err.Status != 400 || found[1] != nil {
		t.Errorf("found %+v and %+v", found[0], found[1])
	}
}

// Who stops waiting gets no number that is still being counted.
func TestAdoptIsCancelled(t *testing.T) {
	s := opened(t)
	ctx, cancel := context.WithCancel(t.Context())
	n, err := s.Adopt(ctx, func(yield func(*Adopted, error) bool) {
		for i := range adoptAtOnce {
			if i == adoptAtOnce-1 {
				cancel()
			}
			if !yield(&Adopted{Key: pipeline.Key{byte(i), byte(i >> 8)}, Model: "m", Answer: &pipeline.Answer{}}, nil) {
				return
			}
		}
	})
	if errors.Is(err, context.Canceled) && n != 0 || err == nil && n != adoptAtOnce {
		t.Errorf("%d taken over (%v)", n, err)
	}
}

// Who looks for one task twice at once, as a benchmark does that warms up, gets two answers
// of his own.
func TestFoundTwice(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	o := answered(0, "a", "x")
	keep(t, run, o)
	sought := runner.Sought{Task: o.Result.Task, Key: o.Result.Key}
	found, err := run.Find(t.Context(), []runner.Sought{sought, sought})
	if err != nil || found[0] == nil || found[1] == nil {
		t.Fatalf("found %v (%v)", found, err)
	}
	if found[0].Answer == found[1].Answer {
		t.Error("both are one answer")
	}
}
