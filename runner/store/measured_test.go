package store

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// timed is an answer that somebody measured.
func timed(row int64, prompt string, sent time.Time) *runner.Outcome {
	o := answered(row, "a", prompt)
	o.Due, o.Late = sent.Add(-3*time.Millisecond), 2*time.Millisecond
	o.Result.Answer.Timing = pipeline.Timing{
		Sent: sent, First: 80 * time.Millisecond, FirstText: 90 * time.Millisecond,
		Newest: 180 * time.Millisecond, Last: 200 * time.Millisecond, Chunks: 6,
	}
	return o
}

func tasksOf(t *testing.T, s *Store, id int64) []*TaskRow {
	t.Helper()
	var all []*TaskRow
	for task, err := range s.Tasks(t.Context(), runOf(t, s, id), "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, task)
	}
	return all
}

// What was measured is there again, by the run's own clock; an answer that nobody measured
// has nothing.
func TestMeasured(t *testing.T) {
	s := opened(t)
	run := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	sent := time.Now()
	keep(t, run, timed(0, "x", sent))
	keep(t, run, answered(1, "a", "y"))
	all := tasksOf(t, s, 1)
	if len(all) != 2 || all[0].Measured == nil || all[1].Measured != nil {
		t.Fatalf("the tasks are %+v", all)
	}
	want := Measured{Due: sent.Add(-3 * time.Millisecond), Late: 2 * time.Millisecond, Timing: timed(0, "x", sent).Result.Answer.Timing}
	close := cmp.Comparer(func(a, b time.Time) bool { return a.Sub(b).Abs() < 2*time.Microsecond })
	if diff := cmp.Diff(want, *all[0].Measured, close); diff != "" {
		t.Errorf("measured (-want +got):\n%s", diff)
	}
}

// A benchmark finds only its own answers; one that goes on with an interrupted one finds
// those too, and reports both as asked.
func TestBenchFindsItsOwn(t *testing.T) {
	s := opened(t)
	begin := func(since int64) *Run {
		run, err := s.BeginBench(t.Context(), RunInfo{Job: "j", Steps: []string{"a"}, Bench: []byte(`{"runs":1}`), Since: since})
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	finds := func(run *Run, outcomes ...*runner.Outcome) (found []bool) {
		var sought []runner.Sought
		for _, o := range outcomes {
			sought = append(sought, runner.Sought{Task: o.Result.Task, Key: o.Result.Key})
		}
		all, err := run.Find(t.Context(), sought)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			found = append(found, one != nil)
		}
		return found
	}
	x, y := answered(0, "a", "x"), answered(1, "a", "y")
	keep(t, s.Begin(RunInfo{Job: "j", Steps: []string{"a"}}), x) // an ordinary run of before
	first := begin(0)
	if got := finds(first, x); got[0] {
		t.Error("a benchmark found what a run of before it was answered")
	}
	keep(t, first, x)
	if got := finds(first, x, y); !got[0] || got[1] {
		t.Errorf("the benchmark finds %v, want its own answer", got)
	}
	next := begin(first.ID())
	if got := finds(next, x, y); !got[0] || got[1] {
		t.Errorf("the one that goes on finds %v", got)
	}
	keep(t, next, y)
	next.KeepLoaded(Loaded{"m", "d1", 10, 5, 4096})
	if err := next.End(t.Context(), Ending{State: "done", Summary: runner.Summary{Rows: 2}}); err != nil {
		t.Fatal(err)
	}
	for _, task := range tasksOf(t, s, next.ID()) {
		if !task.Asked {
			t.Errorf("row %d counts as not asked", task.Row)
		}
	}
	if got := finds(begin(0), x, y); got[0] || got[1] {
		t.Errorf("a new one finds %v, want nothing", got)
	}
	row := runOf(t, s, next.ID())
	if loaded, err := s.Loaded(t.Context(), row); err != nil || len(loaded) != 1 || loaded[0].SizeVRAM != 5 || string(row.Bench) != `{"runs":1}` || row.Since != first.ID() {
		t.Errorf("the models are %+v (%v), the run %+v", loaded, err, row)
	}
}

// An export keeps what was measured and how, and the run that a benchmark went on with.
func TestExportOfBench(t *testing.T) {
	s := opened(t)
	first, err := s.BeginBench(t.Context(), RunInfo{Job: "j", Steps: []string{"a"}, Bench: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	keep(t, first, timed(0, "x", time.Now()))
	next, err := s.BeginBench(t.Context(), RunInfo{Job: "j", Steps: []string{"a"}, Bench: []byte(`{}`), Since: first.ID()})
	if err != nil {
		t.Fatal(err)
	}
	next.KeepLoaded(Loaded{"m", "d1", 10, 5, 4096})
	next.KeepLoad(Load{"m", time.Now(), time.Second})
	if err := next.End(t.Context(), Ending{State: "done", Summary: runner.Summary{Rows: 2}}); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if _, err := s.Export(t.Context(), &text, Selection{}); err != nil {
		t.Fatal(err)
	}
	other, err := Open(filepath.Join(t.TempDir(), "other.db"), Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	keep(t, other.Begin(RunInfo{Job: "elsewhere", Steps: []string{"a"}}), answered(0, "a", "z"))                 // numbers differ there
	for _, file := range []*strings.Reader{strings.NewReader(text.String()), strings.NewReader(text.String())} { // the second adds nothing
		if _, err := other.Import(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	last := runOf(t, other, 3)
	loaded, err := other.Loaded(t.Context(), last)
	if err != nil || len(loaded) != 1 || last.Since != 2 {
		t.Errorf("the run is %+v with the models %+v (%v)", last, loaded, err)
	}
	if loads, err := other.Loads(t.Context(), last); err != nil || len(loads) != 1 || loads[0].Took != time.Second {
		t.Errorf("the loads are %+v (%v)", loads, err)
	}
	if all := tasksOf(t, other, 3); len(all) != 1 || all[0].Measured == nil || !all[0].Asked {
		t.Errorf("the tasks are %+v", all)
	}
}

// What another job measures meanwhile is nobody else's, though it asks the same.
func TestBenchesOfTwoJobs(t *testing.T) {
	s := opened(t)
	begin := func(job string, since int64) *Run {
		run, err := s.BeginBench(t.Context(), RunInfo{Job: job, Steps: []string{"a"}, Bench: []byte(`{}`), Since: since})
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	first := begin("j", 0)
	other := begin("other", 0)
	x := answered(0, "a", "x")
	keep(t, other, x)
	end := func(run *Run, model string) {
		run.KeepLoaded(Loaded{model, "d", 10, 5, 4096})
		run.KeepLoad(Load{model, time.Now(), time.Second})
		if err := run.End(t.Context(), Ending{State: "done", Summary: runner.Summary{Rows: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	end(other, "theirs")
	found, err := first.Find(t.Context(), []runner.Sought{{Task: x.Result.Task, Key: x.Result.Key}})
	if err != nil || found[0] != nil {
		t.Errorf("a benchmark found what another job measured: %+v (%v)", found[0], err)
	}
	next := begin("j", first.ID())
	end(next, "ours")
	row := runOf(t, s, next.ID())
	if loaded, err := s.Loaded(t.Context(), row); err != nil || len(loaded) != 1 || loaded[0].Model != "ours" {
		t.Errorf("the models are %+v (%v)", loaded, err)
	}
	if loads, err := s.Loads(t.Context(), row); err != nil || len(loads) != 1 || loads[0].Model != "ours" {
		t.Errorf("the loads are %+v (%v)", loads, err)
	}
}

// A benchmark that is killed, and never ends, keeps what it noted of its circumstances.
func TestBenchKeepsItsNotes(t *testing.T) {
	s := opened(t)
	run, err := s.BeginBench(t.Context(), RunInfo{Job: "j", Steps: []string{"a"}, Bench: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	run.KeepLoad(Load{"m", time.Now(), time.Second})
	run.KeepLoaded(Loaded{"m", "d1", 10, 0, 4096})
	run.KeepLoaded(Loaded{"m", "d1", 10, 5, 4096}) // the last one counts
	run.KeepLag(Lag{Median: 1, P99: 2})
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	row := runOf(t, s, run.ID())
	loads, err := s.Loads(t.Context(), row)
	if err != nil || len(loads) != 1 || loads[0].Model != "m" || loads[0].Took != time.Second {
		t.Errorf("the loads are %+v (%v)", loads, err)
	}
	loaded, err := s.Loaded(t.Context(), row)
	if err != nil || len(loaded) != 1 || loaded[0].SizeVRAM != 5 {
		t.Errorf("the models are %+v (%v)", loaded, err)
	}
	if row.State != "running" || row.Lag == nil || *row.Lag != (Lag{1, 2}) {
		t.Errorf("the run is %+v", row)
	}
}
