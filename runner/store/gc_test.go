package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// day is the time of a run in tests of what is old: run n of a store is of day n.
func day(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }

// aged gives all that the runs of a store did the time of their days.
func aged(t *testing.T, s *Store) {
	t.Helper()
	execute(t, s, `
		UPDATE runs SET began_ms = 1767268800000 + (id - 1) * 86400000, ended_ms = 1767268800001 + (id - 1) * 86400000;
		UPDATE results SET stored_ms = 1767268800000 + (run - 1) * 86400000 WHERE run IS NOT NULL;
		UPDATE attempts SET started_ms = 1767268800000 + (run - 1) * 86400000`)
}

func execute(t *testing.T, s *Store, statement string) {
	t.Helper()
	if _, err := s.conn.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// ran is a whole run of a job in which these tasks were asked or known.
func ran(t *testing.T, s *Store, job string, outcomes ...*runner.Outcome) *Run {
	t.Helper()
	r := s.Begin(RunInfo{Job: job, File: job + ".yaml", Steps: []string{"a", "b"}, PID: 4711, Host: "gpu1", Version: "1", Server: "localhost"})
	keep(t, r, outcomes...)
	ended(t, r, int64(len(outcomes)))
	return r
}

func failedAttempt(row int64) *runner.FailedAttempt {
	return &runner.FailedAttempt{
		Task: pipeline.Task{Step: "a", Row: row}, RowID: fmt.Sprintf("r%d", row), Attempt: 1, Started: time.UnixMilli(1000), Elapsed: time.Second,
		Err: &runner.Error{Class: runner.Timeout, Message: "no answer within 30s"},
	}
}

// collect removes what is older, after a dry run that must say the same.
func collect(t *testing.T, s *Store, since time.Time) Removed {
	t.Helper()
	before := dump(t, s)
	dry, err := s.GC(t.Context(), Keep{Since: since, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("a dry run has changed the store:\n%s", diff)
	}
	removed, err := s.GC(t.Context(), Keep{Since: since})
	if err != nil {
		t.Fatal(err)
	}
	if (dry.Bytes == 0) != (removed.Results == 0) {
		t.Errorf("a dry run would free %d bytes of %d results", dry.Bytes, removed.Results)
	}
	if dry.Bytes, removed.Bytes = 0, 0; dry != removed {
		t.Errorf("the dry run said %+v, then it was %+v", dry, removed)
	}
	whole(t, s)
	return removed
}

// whole fails the test if the store has a problem.
func whole(t *testing.T, s *Store) {
	t.Helper()
	if found := problems(t, s); found != nil {
		t.Errorf("the store has problems: %q", found)
	}
}

// dump is all that a store has.
func dump(t *testing.T, s *Store) string {
	t.Helper()
	var all strings.Builder
	for _, table := range tables {
		fmt.Fprintf(&all, "%s\n%s", table.name, query(t, s, "SELECT * FROM "+table.name+" ORDER BY "+table.order))
	}
	return all.String()
}

// After three days, of which the second replaced two answers and the third one more.
func threeDays(t *testing.T, s *Store) (first, third []*runner.Outcome) {
	t.Helper()
	first = []*runner.Outcome{answered(0, "a", "x"), answered(1, "a", "x"), answered(2, "a", "x"), failed(3, "a", runner.Timeout)}
	r := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	r.KeepAttempt(failedAttempt(3))
	keep(t, r, first...)
	ended(t, r, 4)
	ran(t, s, "j", answered(0, "a", "y"), answered(1, "a", "y"), known(first[2], 3), failed(3, "a", runner.Timeout))
	third = []*runner.Outcome{answered(0, "a", "z"), known(answered(1, "a", "y"), 6), known(first[2], 3), answered(3, "a", "?")}
	ran(t, s, "j", third...)
	aged(t, s)
	return first, third
}

func TestGC(t *testing.T) {
	tests := []struct {
		name  string
		since time.Time
		want  Removed
	}{
		{"everything is younger", day(1), Removed{}},
		{"what the first day did, and its answers were replaced on the second", day(2), Removed{Attempts: 1}},
		{"what was replaced on the second day", day(3), Removed{Results: 3, Tasks: 3, Attempts: 1}},
		{"all that is no task's", day(4), Removed{Results: 5, Tasks: 5, Attempts: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := opened(t)
			_, third := threeDays(t, s)
			if diff := cmp.Diff(tt.want, collect(t, s, tt.since)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for i, o := range third {
				if finds(t, s, o.Result.Key)[0] == nil {
					t.Errorf("the answer of task %d is gone", i)
				}
			}
			if again := collect(t, s, tt.since); again != (Removed{}) {
				t.Errorf("removed again: %+v", again)
			}
		})
	}
}

// Runs go once nothing of them is left, but for the newest, whose number is nobody else's.
func TestGCRemovesRuns(t *testing.T) {
	s := opened(t)
	ran(t, s, "j", answered(0, "a", "x"))
	ran(t, s, "j", answered(0, "a", "y"))
	r := s.Begin(RunInfo{Job: "other"})
	r.KeepAttempt(failedAttempt(0))
	ended(t, r, 0)
	aged(t, s)
	if diff := cmp.Diff(Removed{Results: 1, Tasks: 1, Runs: 1, Attempts: 1}, collect(t, s, day(9))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := query(t, s, "SELECT id FROM runs ORDER BY id"); got != "2\n3\n" {
		t.Errorf("the runs left are\n%swant 2 and 3", got)
	}
	if next := ran(t, s, "j", answered(0, "a", "z")); next.ID() != 4 {
		t.Errorf("the next run is number %d, want 4", next.ID())
	}
}

// Whatever happened, GC takes no answer from a task, nothing young, and nothing of the
// runs that it leaves young.
func TestGCOfAnyHistory(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s := opened(t)
			random := rand.New(rand.NewPCG(seed, 3))
			const days = 6
			for range days {
				randomRun(t, s, random)
			}
			aged(t, s)
			since := 1 + random.IntN(days+1)
			young := fmt.Sprintf("SELECT id FROM results WHERE run >= %d ORDER BY id", since)
			before, current, seen := query(t, s, young), query(t, s, currentTasks), tasksSince(t, s, since)
			collect(t, s, day(since))
			if diff := cmp.Diff(before, query(t, s, young)); diff != "" {
				t.Errorf("the young results (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(current, query(t, s, currentTasks)); diff != "" {
				t.Errorf("the tasks (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(seen, tasksSince(t, s, since)); diff != "" {
				t.Errorf("the tasks of young runs (-before +after):\n%s", diff)
			}
		})
	}
}

const currentTasks = "SELECT t.*, r.response, r.message FROM tasks t LEFT JOIN results r ON r.id = t.result WHERE t.to_run IS NULL ORDER BY t.job, t.row, t.step"

// randomRun is a run of one of two jobs over some rows, some of which are new.
func randomRun(t *testing.T, s *Store, random *rand.Rand) {
	t.Helper()
	rows := 1 + random.Int64N(5)
	var outcomes []*runner.Outcome
	for row := range rows {
		switch step := string("ab"[random.IntN(2)]); random.IntN(4) {
		case 0:
			outcomes = append(outcomes, failed(row, step, runner.Timeout))
		case 1: // the same question in all runs and jobs
			o := answered(row, step, "same")
			if finds(t, s, o.Result.Key)[0] != nil {
				o = known(o, finds(t, s, o.Result.Key)[0].ID)
			}
			outcomes = append(outcomes, o)
		default:
			outcomes = append(outcomes, answered(row, step, fmt.Sprint(random.Uint32())))
		}
	}
	r := s.Begin(RunInfo{Job: string("jk"[random.IntN(2)]), Steps: []string{"a", "b"}, PID: random.IntN(9999), Host: "gpu1", Partial: random.IntN(3) == 0})
	r.KeepAttempt(failedAttempt(random.Int64N(rows)))
	keep(t, r, outcomes...)
	ended(t, r, rows)
}

// tasksSince is what runs from a number on show of their tasks, without what an older
// run kept of itself.
func tasksSince(t *testing.T, s *Store, from int) string {
	t.Helper()
	runs, err := s.Runs(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for i := range runs {
		if runs[i].ID < int64(from) {
			continue
		}
		for task, err := range s.Tasks(t.Context(), &runs[i], "") {
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&all, runs[i].ID, task.RowID, task.Step, task.Key, task.Run, task.Answer, task.Err)
		}
	}
	return all.String()
}

func TestGCGivesRoomBack(t *testing.T) {
	s := opened(t)
	for _, text := range []string{"x", "y"} {
		var outcomes []*runner.Outcome
		for row := range int64(50) {
			o := answered(row, "a", text)
			o.Result.Answer.Response = strings.Repeat("long ", 2000)
			outcomes = append(outcomes, o)
		}
		ran(t, s, "j", outcomes...)
	}
	aged(t, s)
	dry, err := s.GC(t.Context(), Keep{Since: day(9), DryRun: true})
	if err != nil || dry.Bytes < 500_000 {
		t.Errorf("a dry run says %+v, want at least 500,000 bytes (%v)", dry, err)
	}
	before := s.size()
	removed, err := s.GC(t.Context(), Keep{Since: day(9)})
	if err != nil || removed.Results != 50 || removed.Bytes < 500_000 || s.size() > before-500_000 {
		t.Errorf("removed %+v; the file had %d bytes and has %d (%v)", removed, before, s.size(), err)
	}
	ran(t, s, "j", answered(0, "a", "z")) // the store is still written to
	whole(t, s)
}

func TestGCOfAStoreThatIsReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner.db")
	closed(t, open(t, path))
	s, err := Open(path, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	if _, err := s.GC(t.Context(), Keep{Since: day(1), DryRun: true}); err != nil {
		t.Errorf("a dry run: %v", err)
	}
	if _, err := s.GC(t.Context(), Keep{Since: day(1)}); err == nil || !strings.Contains(err.Error(), "was opened for reading only") {
		t.Errorf("the error is %v", err)
	}
}

// When the file can't be written anew, what was removed is told with the error.
func TestGCThatCannotWriteTheFileAnew(t *testing.T) {
	s := opened(t)
	threeDays(t, s)
	rows, err := s.conn.QueryContext(t.Context(), "SELECT value FROM json_each('[1,2,3]')") // SQLite makes no copy meanwhile
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	rows.Next()
	removed, err := s.GC(t.Context(), Keep{Since: day(9)})
	if removed.Results != 5 || err == nil || !strings.HasPrefix(err.Error(), "the store "+s.path+" was cleaned, but its file is as large as before: it can't be used: ") {
		t.Errorf("removed %+v, the error is %v", removed, err)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	if again, err := s.GC(t.Context(), Keep{Since: day(9)}); err != nil || again.Bytes == 0 {
		t.Errorf("then %+v: %v", again, err)
	}
}
