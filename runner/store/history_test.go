package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/runner"
)

func TestRuns(t *testing.T) {
	s := opened(t)
	info := RunInfo{
		Job: "j", File: "j.yaml", Steps: []string{"a"}, Version: "1.2", Server: "http://gpu1:11434", ServerVersion: "0.12",
		Simulated: true, Partial: true, PID: 4711, Host: "gpu1", Rows: 9, Hardware: "gpu1, linux/amd64",
	}
	first := s.Begin(info)
	keep(t, first, answered(0, "a", "x"))
	want := RunRow{
		ID: 1, Job: "j", File: "j.yaml", State: "running", Exit: -1, PID: 4711, Host: "gpu1", Version: "1.2",
		Server: "http://gpu1:11434", ServerVersion: "0.12", Simulated: true, Partial: true,
		Steps: []string{"a"}, Hardware: "gpu1, linux/amd64", Since: 1,
	}
	if diff := cmp.Diff(&want, runOf(t, s, 1)); diff != "" {
		t.Errorf("a run under way (-want +got):\n%s", diff)
	}
	first.KeepLag(Lag{Median: 3, P99: 4})
	first.KeepLag(Lag{Median: 1, P99: 2}) // the last one counts
	err := first.End(t.Context(), Ending{
		State: "interrupted", Exit: 130, Asked: 3, Reused: 4,
		Summary: runner.Summary{Rows: 2, OK: 1, Failed: 1, PromptTokens: 5, OutputTokens: 6},
		Inputs:  map[string]string{"j.yaml": "a1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want.Inputs, want.Lag = map[string]string{"j.yaml": "a1"}, &Lag{Median: 1, P99: 2}
	want.State, want.Exit, want.Asked, want.Reused = "interrupted", 130, 3, 4
	want.Rows, want.OK, want.Failed, want.PromptTokens, want.OutputTokens = 2, 1, 1, 5, 6
	if diff := cmp.Diff(&want, runOf(t, s, 1)); diff != "" {
		t.Errorf("one that has ended (-want +got):\n%s", diff)
	}
	for _, job := range []string{"k", "j", "k"} {
		run := s.Begin(RunInfo{Job: job, Steps: []string{"a"}})
		keep(t, run, answered(int64(len(runsOf(t, s, "", 0))), "a", "x"))
		if err := run.End(t.Context(), Ending{State: "failed"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		job   string
		limit int
		want  string
	}{{"", 0, "[4 3 2 1]"}, {"", 2, "[4 3]"}, {"j", 0, "[3 1]"}, {"k", 1, "[4]"}, {"none", 0, "[]"}} {
		if got := fmt.Sprint(runsOf(t, s, tt.job, tt.limit)); got != tt.want {
			t.Errorf("the last %d runs of %q are %s, want %s", tt.limit, tt.job, got, tt.want)
		}
	}
	if last, err := s.LastRun(t.Context(), "j"); err != nil || last.ID != 3 {
		t.Errorf("the last run is %+v (%v)", last, err)
	}
	for _, job := range []string{"none", "'"} {
		if last, err := s.LastRun(t.Context(), job); err != nil || last != nil {
			t.Errorf("the last run of %q is %+v (%v)", job, last, err)
		}
	}
	if none, err := s.RunOf(t.Context(), 99); err != nil || none != nil {
		t.Errorf("run 99 is %+v (%v)", none, err)
	}
}

// runOf is a run without its times, which are looked at here.
func runOf(t *testing.T, s *Store, id int64) *RunRow {
	t.Helper()
	r, err := s.RunOf(t.Context(), id)
	if err != nil || r == nil {
		t.Fatalf("run %d is %v (%v)", id, r, err)
	}
	if r.Began.IsZero() || r.Ended.IsZero() != (r.State == "running") || !r.Ended.IsZero() && r.Ended.Before(r.Began) {
		t.Errorf("it is %s, and went from %s to %s", r.State, r.Began, r.Ended)
	}
	r.Began, r.Ended = time.Time{}, time.Time{}
	return r
}

func runsOf(t *testing.T, s *Store, job string, limit int) (ids []int64) {
	t.Helper()
	runs, err := s.Runs(t.Context(), job, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestAttempts(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j"})
	first, second := failedAttempt(3), failedAttempt(3)
	second.Attempt, second.Elapsed = 2, time.Minute
	second.Key = answered(3, "a", "x").Result.Key
	second.Err = &runner.Error{Class: runner.Busy, Message: "server busy", Status: 503}
	other := failedAttempt(3)
	other.Task.Step = "b"
	for _, a := range []*runner.FailedAttempt{first, second, failedAttempt(4), other} {
		run.KeepAttempt(a)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.Attempts(t.Context(), run.ID(), 3, "a")
	want := []AttemptRow{
		{Run: 1, Row: 3, RowID: "r3", Step: "a", Attempt: 1, Started: first.Started, Elapsed: time.Second, Class: "timeout", Message: "no answer within 30s"},
		{Run: 1, Row: 3, RowID: "r3", Step: "a", Attempt: 2, Started: first.Started, Elapsed: time.Minute, Class: "busy", Message: "server busy", Status: 503},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, tt := range []struct {
		run, row int64
		want     int
	}{{1, 3, 3}, {1, 4, 1}, {1, 5, 0}, {2, 3, 0}} {
		if all, err := s.Attempts(t.Context(), tt.run, tt.row, ""); err != nil || len(all) != tt.want {
			t.Errorf("run %d, row %d: %d attempts, want %d (%v)", tt.run, tt.row, len(all), tt.want, err)
		}
	}
	if got := query(t, s, "SELECT count(*) FROM attempts WHERE key IS NULL"); got != "3\n" {
		t.Errorf("%s attempts without a key, want 3", got)
	}
}

func TestTasksAreReadBackWhole(t *testing.T) {
	s := opened(t)
	ok, bad := answered(0, "b", "x"), failed(0, "a", runner.Timeout)
	keep(t, s.Begin(RunInfo{Job: "j"}), ok, bad, answered(1, "a", "x"))
	var got []*TaskRow
	for task, err := range s.Tasks(t.Context(), &RunRow{ID: 1, Job: "j"}, "r0") {
		if err != nil {
			t.Fatal(err)
		}
		if task.Stored.IsZero() {
			t.Error("nobody knows when it was stored")
		}
		task.Stored = time.Time{}
		got = append(got, task)
	}
	want := []*TaskRow{
		{RowID: "r0", Step: "a", Key: bad.Result.Key, Asked: true, Question: bad.Question, Model: "gemma3:12b", Err: bad.Result.Err, Attempts: 1, Started: bad.Started, Run: 1},
		{RowID: "r0", Step: "b", Key: ok.Result.Key, Asked: true, Question: ok.Question, Model: "gemma3:12b", Answer: ok.Result.Answer, Attempts: 1, Started: ok.Started, Run: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, err := range s.Tasks(t.Context(), &RunRow{ID: 1, Job: "j"}, "") {
		if err != nil {
			t.Error(err)
		}
		break // the connection goes back to its pool: Close waits for it
	}
}

func TestHasJob(t *testing.T) {
	s := opened(t)
	keep(t, s.Begin(RunInfo{Job: "j"}), answered(0, "a", "x"))
	for job, want := range map[string]bool{"j": true, "J": false, "": false, "other": false} {
		if got, err := s.HasJob(t.Context(), job); got != want || err != nil {
			t.Errorf("HasJob(%q) = %v (%v)", job, got, err)
		}
	}
}

// A row that is put before all others moves them; each is still found by its id, with
// what it was.
func TestRowsMove(t *testing.T) {
	s := opened(t)
	kept := []*runner.Outcome{answered(0, "a", "x"), answered(1, "a", "x"), answered(2, "a", "x")}
	first := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	keep(t, first, kept...)
	ended(t, first, 3)

	moved := []*runner.Outcome{answered(7, "a", "new")}
	moved[0].Result.Task.Row = 0
	for i, o := range kept {
		m := known(o, int64(i)+1)
		result := *o.Result
		result.Task.Row++
		m.Result = &result
		moved = append(moved, m)
	}
	second := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	keep(t, second, moved[:3]...) // the last row's turn has not come
	ids := []TaskID{{"r0", "a"}, {"r1", "a"}, {"r2", "a"}, {"r7", "a"}}
	view, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	keep(t, second, moved[3:]...)
	ended(t, second, 4)
	for i, last := range lasts(t, s, ids) {
		if last == nil || last.Row != int64(i+1)%4 || !last.OK {
			t.Errorf("%s is now %+v", ids[i].RowID, last)
		}
	}
	halfway, err := view.Last(t.Context(), "j", ids)
	if err != nil || halfway[0].Row != 1 || halfway[1].Row != 2 || halfway[3].Row != 0 {
		t.Errorf("halfway they were %+v (%v)", halfway, err)
	}
	if err := view.Close(); err != nil {
		t.Error(err)
	}

	// The first two rows go: all stand at two places until the run has ended.
	third := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	for i, m := range moved[2:] {
		m.Result.Task.Row = int64(i)
	}
	keep(t, third, moved[2:]...)
	for i, last := range lasts(t, s, ids[1:3]) {
		if last.Row != int64(i) || last.Run != third.ID() {
			t.Errorf("%s is now %+v", ids[i+1].RowID, last)
		}
	}
	ended(t, third, 2)
	if got := query(t, s, "SELECT row, row_id, result FROM tasks WHERE to_run IS NULL ORDER BY row"); got != "0 r1 2\n1 r2 3\n" {
		t.Errorf("the tasks are\n%s", got)
	}
	if gone := lasts(t, s, []TaskID{{"r0", "a"}, {"r7", "a"}}); gone[0] != nil || gone[1] != nil {
		t.Errorf("rows that the job has no more are %+v and %+v", gone[0], gone[1])
	}
	if got := query(t, s, "SELECT count(*) FROM results"); got != "4\n" {
		t.Errorf("%s results, want 4", got)
	}
}

// While rows move, a row may be known at its new place before another one takes its old.
func TestRowThatIsAtTwoPlaces(t *testing.T) {
	s := opened(t)
	o := answered(0, "a", "x")
	keep(t, s.Begin(RunInfo{Job: "j"}), o)
	moved := known(o, 1)
	result := *o.Result
	result.Task.Row, moved.Result = 1, &result
	second := s.Begin(RunInfo{Job: "j"})
	keep(t, second, moved)
	if last := lasts(t, s, []TaskID{{"r0", "a"}})[0]; last.Row != 1 || last.Run != second.ID() {
		t.Errorf("it is now %+v", last)
	}
}

func lasts(t *testing.T, s *Store, ids []TaskID) []*Last {
	t.Helper()
	last, err := s.Last(t.Context(), "j", ids)
	if err != nil {
		t.Fatal(err)
	}
	return last
}

// What ends a run early says nothing about the rows that it did not come to.
func TestOnlyAWholeRunForgetsTasks(t *testing.T) {
	for _, tt := range []struct {
		name    string
		partial bool
		state   string
		want    string
	}{
		{"whole", false, "done", "0 a\n"},
		{"partial", true, "done", "0 a\n0 b\n5 a\n"},
		{"interrupted", false, "interrupted", "0 a\n0 b\n5 a\n"},
		{"failed", false, "failed", "0 a\n0 b\n5 a\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := opened(t)
			first := s.Begin(RunInfo{Job: "j", Steps: []string{"a", "b"}})
			keep(t, first, answered(0, "a", "x"), answered(0, "b", "x"), answered(5, "a", "x"))
			ended(t, first, 6)
			second := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}, Partial: tt.partial})
			keep(t, second, known(answered(0, "a", "x"), 1))
			if err := second.End(t.Context(), Ending{State: tt.state, Summary: runner.Summary{Rows: 1}}); err != nil {
				t.Fatal(err)
			}
			if got := query(t, s, "SELECT row, step FROM tasks WHERE to_run IS NULL"); got != tt.want {
				t.Errorf("the tasks are\n%swant\n%s", got, tt.want)
			}
		})
	}
}
