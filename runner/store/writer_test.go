package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

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

// A disk that fills up breaks the store: what was reported durable is there, also for who
// opens it again, and nothing else is ever reported so.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner.db")
	s := open(t, path)
	if _, err := s.conn.ExecContext(t.Context(), "PRAGMA max_page_count = 40"); err != nil {
		t.Fatal(err)
	}
	run := s.Begin(RunInfo{Job: "j"})
	keys, durable := fill(t, run, 500)
	if n := len(slices.DeleteFunc(slices.Clone(durable), func(ok bool) bool { return !ok })); n == 0 || n == len(keys) {
		t.Fatalf("%d of %d reported durable", n, len(keys))
	}
	late := make(chan error, 1)
	run.Keep(answered(1000, "a", "x"), func(err error) { late <- err })
	run.KeepAttempt(failedAttempt(0))
	for what, err := range map[string]error{
		"Keep": <-late, "Flush": s.Flush(t.Context()), "End": run.End(t.Context(), Ending{State: "failed"}),
		"SawModels": s.SawModels(t.Context(), map[string]string{"m": "1"}), "SetFiles": s.SetFiles(t.Context(), "j", 1, []File{{"a", "1"}}),
	} {
		if err == nil || !strings.HasSuffix(err.Error(), " can't be written: the disk is full") {
			t.Errorf("%s after it: %v", what, err)
		}
	}
	closed(t, s)
	again := open(t, path)
	defer closed(t, again)
	for i, found := range finds(t, again, keys...) {
		if (found != nil) != durable[i] {
			t.Errorf("result %d is there: %v, and was reported durable: %v", i, found != nil, durable[i])
		}
	}
	keep(t, again.Begin(RunInfo{Job: "j"}), answered(0, "a", "the disk has room again"))
}

// fill keeps n long answers and tells which of them became durable.
func fill(t *testing.T, run *Run, n int) (keys []pipeline.Key, durable []bool) {
	t.Helper()
	keys, durable = make([]pipeline.Key, n), make([]bool, n)
	told := make([]int, n)
	var wait sync.WaitGroup
	wait.Add(n)
	for i := range n {
		o := answered(int64(i), "a", strings.Repeat("long ", 100))
		keys[i] = o.Result.Key
		run.Keep(o, func(err error) {
			defer wait.Done()
			told[i]++
			if durable[i] = err == nil; !durable[i] && !strings.HasSuffix(err.Error(), " can't be written: the disk is full") {
				t.Errorf("the error is %v", err)
			}
		})
	}
	wait.Wait()
	if slices.ContainsFunc(told, func(n int) bool { return n != 1 }) {
		t.Errorf("told %v times", told)
	}
	return keys, durable
}

// A group waits for others ten milliseconds, and not at all once it has 64 results.
func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t)
		run := s.Begin(RunInfo{Job: "j"})
		row := int64(0)
		waited := func(n int) time.Duration {
			began := time.Now()
			var wait sync.WaitGroup
			wait.Add(n)
			for range n {
				row++
				run.Keep(answered(row, "a", "x"), func(err error) {
					if err != nil {
						t.Error(err)
					}
					wait.Done()
				})
			}
			wait.Wait()
			return time.Since(began)
		}
		for _, tt := range []struct {
			results int
			want    time.Duration
		}{{1, groupWait}, {groupResults - 1, groupWait}, {groupResults, 0}, {5 * groupResults, 0}, {2*groupResults + 1, groupWait}} {
			if got := waited(tt.results); got != tt.want {
				t.Errorf("%d results became durable after %s, want %s", tt.results, got, tt.want)
			}
		}
		began := time.Now()
		run.Keep(answered(0, "a", "y"), nil)
		if err := s.Flush(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("a flush took %s (%v)", time.Since(began), err)
		}
	})
}

// What is as it was is not written: no other connection sees a change.
func TestNothingNewIsNotWritten(t *testing.T) {
	s := opened(t)
	ctx := t.Context()
	lost := &runner.Outcome{RowID: "r2", Result: &runner.Result{
		Task: pipeline.Task{Step: "a", Row: 2}, Err: &runner.Error{Class: runner.Input, Message: "no such field"},
	}}
	ok, bad := answered(0, "a", "x"), failed(1, "a", runner.ContextOverflow)
	info := RunInfo{Job: "j", Steps: []string{"a"}}
	files, models := []File{{"out/a.csv", "11"}, {"out/b.csv", "22"}}, map[string]string{"m": "1", "n": "2"}
	use := func(outcomes ...*runner.Outcome) *Run {
		run := s.Begin(info)
		keep(t, run, outcomes...)
		ended(t, run, 3)
		n, err := s.Adopt(ctx, func(yield func(*Adopted, error) bool) {})
		if err := errors.Join(err, s.SetFiles(ctx, "j", run.ID(), files), s.SawModels(ctx, models)); err != nil || n != 0 {
			t.Fatal(n, err)
		}
		return run
	}
	use(ok, bad, lost)
	conn, err := s.reading.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() // only read from
	version := func() (n int) {
		if err := conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := version()
	slices.Reverse(files)
	if run := use(known(ok, 1), known(bad, 2), lost); run.ID() != 0 || version() != before {
		t.Errorf("run %d has written something", run.ID())
	}
	if run := use(known(ok, 0)); run.ID() != 0 { // its result has to be found first
		t.Errorf("run %d has written something", run.ID())
	}
	changed := *lost
	changed.RowID = "r2b"
	if run := use(&changed); run.ID() == 0 || version() == before {
		t.Error("a change was not written")
	}
}

func TestSpans(t *testing.T) {
	for _, tt := range []struct {
		rows []int64
		want []span
	}{
		{nil, nil},
		{[]int64{7}, []span{{7, 7}}},
		{[]int64{9, 7, 8, 7}, []span{{7, 9}}},
		{[]int64{0, 32, 65, 64, 1_000_000}, []span{{0, 65}, {1_000_000, 1_000_000}}},
		{[]int64{100, 0, 33}, []span{{0, 0}, {33, 33}, {100, 100}}},
	} {
		if diff := cmp.Diff(tt.want, spans(tt.rows), cmp.AllowUnexported(span{})); diff != "" {
			t.Errorf("of %v (-want +got):\n%s", tt.rows, diff)
		}
	}
}

// Rows that were chosen here and there, and jobs of other names, keep what they were.
func TestScatteredRows(t *testing.T) {
	s := opened(t)
	var all, again []*runner.Outcome
	for i := range int64(100) {
		o := answered(i*i*7, "a", "x")
		all, again = append(all, o), append(again, known(o, i+1))
	}
	keep(t, s.Begin(RunInfo{Job: "j"}), all...)
	keep(t, s.Begin(RunInfo{Job: "k"}), again...)
	third := s.Begin(RunInfo{Job: "j"})
	slices.Reverse(again)
	keep(t, third, again...)
	if third.ID() != 0 {
		t.Error("tasks that are as they were have been written")
	}
	want := "j 1 100 100\nk 2 100 100\n"
	if got := query(t, s, "SELECT job, min(from_run), count(*), sum(to_run IS NULL) FROM tasks GROUP BY job"); got != want {
		t.Errorf("the tasks are\n%swant\n%s", got, want)
	}
}

func TestKeepAfterClose(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "runner.db"))
	run := s.Begin(RunInfo{Job: "j"})
	const n = 1000
	told := make(chan error, n+1)
	for i := range int64(n) {
		run.Keep(answered(i, "a", "x"), func(err error) { told <- err })
	}
	closed(t, s)
	if len(told) != n {
		t.Errorf("%d told before Close returned, want %d", len(told), n)
	}
	for range n {
		if err := <-told; err != nil {
			t.Fatal(err)
		}
	}
	run.Keep(answered(n, "a", "x"), func(err error) { told <- err })
	if err := <-told; err == nil || !strings.Contains(err.Error(), "it is closed") {
		t.Errorf("the error is %v", err)
	}
}

// Finding, keeping, planning and looking at runs may all go on at once.
func TestManyAtOnce(t *testing.T) {
	s := opened(t)
	const each = 200
	var wait sync.WaitGroup
	for n := range 3 {
		wait.Go(func() {
			run := s.Begin(RunInfo{Job: fmt.Sprint("job", n), Steps: []string{"a"}})
			for i := range int64(each) {
				o := answered(i, "a", fmt.Sprint("x", n))
				run.Keep(o, nil)
				run.KeepAttempt(failedAttempt(i))
				if _, err := run.Find(t.Context(), soughtKeys(o.Result.Key, pipeline.Key{1})); err != nil {
					t.Error(err)
				}
			}
			if err := run.End(t.Context(), Ending{State: "done", Summary: runner.Summary{Rows: each}}); err != nil {
				t.Error(err)
			}
		})
		wait.Go(func() {
			for i := range 20 {
				if err := look(t, s, fmt.Sprint("r", i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if got := query(t, s, "SELECT count(*), count(DISTINCT key) FROM results"); got != "600 600\n" {
		t.Errorf("the results are %s", got)
	}
	if got := query(t, s, "SELECT state, rows FROM runs"); got != "done 200\ndone 200\ndone 200\n" {
		t.Errorf("the runs are\n%s", got)
	}
}

func look(t *testing.T, s *Store, id string) error {
	view, err := s.Snapshot(t.Context())
	if err != nil {
		return err
	}
	_, err = view.Last(t.Context(), "job0", []TaskID{{id, "a"}})
	err = errors.Join(err, view.Close(), s.SawModels(t.Context(), map[string]string{"m": id}))
	if err != nil {
		return err
	}
	for _, err := range s.Tasks(t.Context(), &RunRow{ID: 1, Job: "job0"}, "") {
		if err != nil {
			return err
		}
	}
	_, err = s.Runs(t.Context(), "", 0)
	return err
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
