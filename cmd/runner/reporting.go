package main

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/runner/report"
	"github.com/batchrunner/runner/runner/store"
)

// A reporting makes reports of one run from what the store kept of it.
type reporting struct {
	store *store.Store
	run   *store.RunRow
	job   *loadedJob    // as it was in the run; nil where it is not at hand or has changed since
	bench *report.Bench // nil: the run was no benchmark
}

// newReporting reads how a run was carried out.
func newReporting(s *store.Store, run *store.RunRow, job *loadedJob) (*reporting, error) {
	r := &reporting{store: s, run: run, job: job}
	if run.Bench != nil {
		r.bench = &report.Bench{}
		if err := json.Unmarshal(run.Bench, r.bench); err != nil {
			return nil, fail(exitDisk, "how run %d was measured can't be read: %v", run.ID, err)
		}
	}
	return r, nil
}

// reportOn makes the report of a run, with what its job adds; job may be nil.
func reportOn(ctx context.Context, s *store.Store, run *store.RunRow, job *loadedJob) (*reporting, *report.Report, error) {
	r, err := newReporting(s, run, job)
	if err != nil {
		return nil, nil, err
	}
	made, err := r.make(ctx)
	return r, made, err
}

// make makes the report.
func (r *reporting) make(ctx context.Context) (*report.Report, error) {
	head, err := r.head(ctx)
	if err != nil {
		return nil, err
	}
	opts := report.Options{Bench: r.bench, Steps: r.run.Steps}
	loads, err := r.store.Loads(ctx, r.run)
	if err != nil {
		return nil, storeExit(err)
	}
	for _, l := range loads {
		opts.Loads = append(opts.Loads, report.Load(l))
	}
	if r.job != nil {
		opts.Columns = r.job.plan.Columns
	}
	made, err := report.Make(head, opts, r.tasks(ctx))
	if err != nil {
		return nil, storeExit(err)
	}
	if r.job != nil {
		made.Judge(thresholdsOf(r.job.job))
	}
	return made, nil
}

// head says which run it was.
func (r *reporting) head(ctx context.Context) (report.Run, error) {
	run := r.run
	head := report.Run{
		ID: run.ID, Job: run.Job, File: run.File, Began: run.Began, Ended: run.Ended, State: run.State, Host: run.Host, Runner: run.Version,
		Server: run.Server, ServerVersion: run.ServerVersion, Simulated: run.Simulated, Partial: run.Partial, Hardware: run.Hardware,
	}
	if run.Lag != nil {
		head.Lag = &report.Lag{Median: run.Lag.Median.Seconds(), P99: run.Lag.P99.Seconds()}
	}
	loaded, err := r.store.Loaded(ctx, run)
	if err != nil {
		return head, storeExit(err)
	}
	for _, m := range loaded {
		head.Models = append(head.Models, modelOf(m))
	}
	return head, nil
}

func modelOf(m store.Loaded) report.Model {
	model := report.Model{Name: m.Model, Digest: m.Digest, Context: m.Context}
	if m.Size > 0 {
		share := min(1, float64(m.SizeVRAM)/float64(m.Size))
		model.Accelerated = &share
	}
	return model
}

// tasks gives the run's tasks in the order of its rows, with what the job adds to each.
func (r *reporting) tasks(ctx context.Context) iter.Seq2[*report.Task, error] {
	return func(yield func(*report.Task, error) bool) {
		details := r.details()
		defer details.stop()
		for row, err := range r.rows(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, t := range details.add(row) {
				if !yield(t, nil) {
					return
				}
			}
		}
	}
}

// rows gives the tasks of each row together.
func (r *reporting) rows(ctx context.Context) iter.Seq2[[]*store.TaskRow, error] {
	return func(yield func([]*store.TaskRow, error) bool) {
		var row []*store.TaskRow
		for t, err := range r.store.Tasks(ctx, r.run, "") {
			if err != nil {
				yield(nil, err)
				return
			}
			if r.run.Bench != nil && t.Run != 0 && !t.Asked {
				continue // an earlier benchmark measured it; this one did not, or has not yet
			}
			if len(row) > 0 && row[0].Row != t.Row {
				if !yield(row, nil) {
					return
				}
				row = nil
			}
			row = append(row, t)
		}
		if len(row) > 0 {
			yield(row, nil)
		}
	}
}

// details adds to stored tasks what only the job tells: the variables of their rows, and
// the numbers in the columns of its outputs.
type details struct {
	*reporting
	numbers *output.Numbers
	next    func() (*pipeline.Row, error, bool) // the rows of the job, which are read along
	stop    func()
}

func (r *reporting) details() *details {
	d := &details{reporting: r, stop: func() {}}
	if r.job != nil {
		d.numbers = output.NumbersOf(r.job.job, r.job.plan)
		d.next, d.stop = iter.Pull2(r.job.plan.Rows)
	}
	return d
}

// add makes the tasks of one row.
func (d *details) add(stored []*store.TaskRow) []*report.Task {
	var vars map[string]string
	var columns map[string]float64
	if row := d.find(stored[0].Row); row != nil {
		vars, columns = d.numbers.Variables(row), d.numbers.Of(d.record(row, stored))
	}
	tasks := make([]*report.Task, len(stored))
	for i, s := range stored {
		tasks[i] = taskOf(s)
		tasks[i].Vars, tasks[i].Columns = vars, columns
		d.place(tasks[i])
	}
	return tasks
}

// find reads the job's rows up to one; nil where there is none.
func (d *details) find(number int64) *pipeline.Row {
	for d.next != nil {
		row, _, ok := d.next()
		if !ok || row == nil {
			d.next = nil
			break
		}
		if row.Number == number {
			return row
		}
		if row.Number > number {
			return nil
		}
	}
	return nil
}

// record makes the row's record again of what is stored.
func (d *details) record(row *pipeline.Row, stored []*store.TaskRow) *runner.Record {
	steps := d.job.plan.Steps
	rec := &runner.Record{Row: row, Results: make([]runner.Result, len(steps))}
	for i := range steps {
		res := &rec.Results[i]
		res.Task = pipeline.Task{Step: steps[i].ID, Row: row.Number}
		at := slices.IndexFunc(stored, func(t *store.TaskRow) bool { return t.Step == steps[i].ID })
		if at < 0 {
			res.Err = &runner.Error{Class: runner.NotStored}
			continue
		}
		res.Answer, res.Err = stored[at].Answer, stored[at].Err
		if res.Err == nil && steps[i].Check != nil && steps[i].Check(res.Answer) != nil { // fills in .json
			res.Err = &runner.Error{Class: runner.Schema}
		}
	}
	return rec
}

// place says under which load a task of a benchmark was measured: its rows are the loads,
// in each the repetitions, of every combination in turn.
func (d *details) place(t *report.Task) {
	if d.bench == nil || len(d.bench.Levels) == 0 || d.bench.Runs < 1 {
		return
	}
	runs, levels := int64(d.bench.Runs), int64(len(d.bench.Levels))
	t.Repetition = int(t.Row%runs) + 1
	t.Level = d.bench.Levels[t.Row/runs%levels]
}

// taskOf is a stored task as a report reads it.
func taskOf(s *store.TaskRow) *report.Task {
	t := &report.Task{
		Row: s.Row, RowID: s.RowID, Step: s.Step, Model: s.Model, Asked: s.Asked, Attempts: s.Attempts, Question: s.Question, Run: s.Run,
	}
	if s.Err != nil {
		t.Class, t.Message = string(s.Err.Class), s.Err.Message
		t.Asked = t.Asked || s.Run == 0 // its model failed before it was asked
		return t
	}
	a := s.Answer
	t.Response, t.Thinking, t.DoneReason = a.Response, a.Thinking, a.DoneReason
	t.PromptTokens, t.OutputTokens = a.PromptEvalCount, a.EvalCount
	t.Total, t.Load, t.Prompt, t.Generate = a.TotalDuration, a.LoadDuration, a.PromptEvalDuration, a.EvalDuration
	if m := s.Measured; m != nil && s.Asked {
		t.Measured = &report.Measured{
			Due: m.Due, Late: m.Late, Sent: m.Timing.Sent, First: m.Timing.First, FirstText: m.Timing.FirstText,
			Newest: m.Timing.Newest, Last: m.Timing.Last, Chunks: m.Timing.Chunks,
		}
	}
	return t
}

// errChanged says that a run's job is not what it was then.
var errChanged = errors.New("the job, its data or the flags are not what they were in this run, so the report does not tell variables, columns and thresholds")

// errUnknownJob says that nobody noted of which files a run's job was made.
var errUnknownJob = errors.New("the run has not come to its end, or is of an older runner, so the report does not tell variables, columns and thresholds")
