package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opened is a store in a folder of its own that the test's end closes.
func opened(t *testing.T) *Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "runner.db"))
	t.Cleanup(func() { closed(t, s) })
	return s
}

func closed(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// answered is the outcome of a task that got an answer.
func answered(row int64, step, text string) *runner.Outcome {
	question := fmt.Appendf(nil, `{"v":1,"digest":"a1b2","messages":[{"role":"user","content":"%s %s %d"}]}`, text, step, row)
	return &runner.Outcome{
		Result: &runner.Result{
			Task: pipeline.Task{Step: step, Row: row}, Key: pipeline.KeyOf(question), Attempts: 1,
			Request: &pipeline.Request{Model: "gemma3:12b"},
			Answer: &pipeline.Answer{
				Response: text, Thinking: "hm", DoneReason: "stop", Model: "gemma3:12b", PromptEvalCount: 3, EvalCount: 2, Warnings: []string{"odd"},
				TotalDuration: 4, LoadDuration: 1, PromptEvalDuration: 2, EvalDuration: 1, Simulated: true,
			},
		},
		RowID: fmt.Sprintf("r%d", row), Question: question, Started: time.UnixMilli(1000),
	}
}

func failed(row int64, step string, class runner.Class) *runner.Outcome {
	o := answered(row, step, "?")
	o.Result.Answer, o.Result.Err = nil, &runner.Error{Class: class, Message: "no", Status: 503}
	return o
}

// known is the outcome of a task whose result was there.
func known(o *runner.Outcome, id int64) *runner.Outcome {
	k := *o
	k.Question, k.Stored, k.Started = nil, id, time.Time{}
	return &k
}

// keep keeps outcomes in a run and waits until they are durable.
func keep(t *testing.T, r *Run, outcomes ...*runner.Outcome) {
	t.Helper()
	var wait sync.WaitGroup
	for _, o := range outcomes {
		if o.Question == nil {
			r.Keep(o, nil)
			continue
		}
		wait.Add(1)
		r.Keep(o, func(err error) {
			if err != nil {
				t.Error(err)
			}
			wait.Done()
		})
	}
	wait.Wait()
	if err := r.store.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

func ended(t *testing.T, r *Run, rows int64) {
	t.Helper()
	if err := r.End(t.Context(), Ending{State: "done", Summary: runner.Summary{Rows: rows, OK: rows}}); err != nil {
		t.Fatal(err)
	}
}

func finds(t *testing.T, s *Store, keys ...pipeline.Key) []*runner.Stored {
	t.Helper()
	found, err := s.Find(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// query gives what a query says, a line a row.
func query(t *testing.T, s *Store, text string) string {
	t.Helper()
	rows, err := s.reading.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(sql.NullString)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if i > 0 {
				out.WriteByte(' ')
			}
			if s := v.(*sql.NullString); s.Valid {
				out.WriteString(s.String)
			} else {
				out.WriteByte('-')
			}
		}
		out.WriteByte('\n')
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestKeptIsFound(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j"})
	ok, bad := answered(0, "a", "hello"), failed(1, "a", runner.ContextOverflow)
	keep(t, run, ok, bad)
	found := finds(t, s, bad.Result.Key, pipeline.Key{1}, ok.Result.Key, ok.Result.Key)
	want := []*runner.Stored{
		{ID: 2, Err: bad.Result.Err, Attempts: 1}, nil,
		{ID: 1, Answer: ok.Result.Answer, Attempts: 1}, {ID: 1, Answer: ok.Result.Answer, Attempts: 1},
	}
	if diff := cmp.Diff(want, found, cmpopts.IgnoreFields(pipeline.Answer{}, "Warnings")); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if found[2].Answer == found[3].Answer {
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
	if found, err := view.Find(t.Context(), []pipeline.Key{later.Result.Key}); err != nil || found[0] != nil {
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

// done is told only when the result can be read by somebody who opens the file anew.
func TestDoneMeansDurable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner.db")
	s := open(t, path)
	defer closed(t, s)
	run := s.Begin(RunInfo{Job: "j"})
	var wait sync.WaitGroup
	for i := range int64(300) {
		o := answered(i, "a", "x")
		wait.Add(1)
		run.Keep(o, func(err error) {
			defer wait.Done()
			if err != nil {
				t.Error(err)
			}
		})
		if i%50 == 0 {
			wait.Wait()
			other, err := Open(path, Options{ReadOnly: true})
			if err != nil {
				t.Error(err)
				return
			}
			if finds(t, other, o.Result.Key)[0] == nil {
				t.Errorf("result %d is reported durable and not there", i)
			}
			closed(t, other)
		}
	}
	wait.Wait()
}

// What a process leaves that dies in the middle is whole: its file with the log beside it.
func TestCopyOfAStoreInUse(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "runner.db"))
	defer closed(t, s)
	o := answered(0, "a", "x")
	keep(t, s.Begin(RunInfo{Job: "j"}), o)
	crashed := filepath.Join(dir, "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(s.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(crashed+suffix, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again := open(t, crashed)
	defer closed(t, again)
	if finds(t, again, o.Result.Key)[0] == nil {
		t.Error("a durable result is lost")
	}
}

func TestFullDisk(t *testing.T) {
	s := opened(t)
	if _, err := s.conn.ExecContext(t.Context(), "PRAGMA max_page_count = 40"); err != nil {
		t.Fatal(err)
	}
	run := s.Begin(RunInfo{Job: "j"})
	results := make(chan error, 500)
	keys := make([]pipeline.Key, 500)
	for i := range int64(500) {
		o := answered(i, "a", strings.Repeat("long ", 100))
		keys[i] = o.Result.Key
		run.Keep(o, func(err error) { results <- err })
	}
	durable, refused := 0, 0
	for range 500 {
		if err := <-results; err == nil {
			durable++
		} else if refused++; !strings.Contains(err.Error(), "the disk is full") {
			t.Fatalf("the error is %v", err)
		}
	}
	there := 0
	for _, found := range finds(t, s, keys...) {
		if found != nil {
			there++
		}
	}
	if refused == 0 || there != durable {
		t.Errorf("%d reported durable, %d there, %d refused", durable, there, refused)
	}
	late := answered(1000, "a", "x")
	run.Keep(late, func(err error) { results <- err })
	if err := <-results; err == nil {
		t.Error("a store that broke takes more")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	newer := filepath.Join(dir, "newer.db")
	s := open(t, newer)
	if _, err := s.conn.ExecContext(context.Background(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	foreign := filepath.Join(dir, "foreign.db")
	db, err := connect(foreign, "rwc")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(context.Background(), "CREATE TABLE t (x)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"a newer file", newer, "was written by a newer runner; update runner, or name another file with --store"},
		{"another program's", foreign, "is no store of runner; name another file with --store"},
		{"no database", write("text.db", strings.Repeat("no database, but text\n", 100)), "is no SQLite database; move it away, or name another file with --store"},
		{"a folder that is not there", filepath.Join(dir, "none", "runner.db"), "can't be opened; see whether its folder is there and may be written to"},
		{"a folder", dir, "can't be opened; see whether its folder is there and may be written to"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(tt.path, Options{Create: true})
			var e *Error
			if !errors.As(err, &e) || e.Message != tt.want {
				t.Errorf("the error is %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := Open(filepath.Join(dir, "none.db"), Options{ReadOnly: true}); err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Errorf("reading a file that is not there: %v", err)
	}
}

func TestNamesThatURLsWouldChange(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "50% of #1 & what?")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Skip("this file system has no such names")
	}
	path := filepath.Join(dir, "run ner.db")
	closed(t, open(t, path))
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// Several processes may work on jobs of one file.
func TestSeveralWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner.db")
	var wait sync.WaitGroup
	for n := range 4 {
		wait.Go(func() {
			s := open(t, path)
			defer closed(t, s)
			run := s.Begin(RunInfo{Job: fmt.Sprint("job", n)})
			for i := range int64(40) {
				keep(t, run, answered(i, fmt.Sprint("s", n), "x"))
			}
			ended(t, run, 40)
		})
	}
	wait.Wait()
	s := open(t, path)
	defer closed(t, s)
	want := "done 40\ndone 40\ndone 40\ndone 40\n"
	if got := query(t, s, "SELECT state, (SELECT count(*) FROM results WHERE run = runs.id) FROM runs"); got != want {
		t.Errorf("the runs are\n%swant\n%s", got, want)
	}
}

func TestReadOnlyStoreKeepsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner.db")
	closed(t, open(t, path))
	s, err := Open(path, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	if err := s.SawModels(t.Context(), map[string]string{"m": "1"}); err == nil {
		t.Error("a store that is read only was written")
	}
}
