package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/report"
	"github.com/batchrunner/runner/runner/store"
	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/say"
)

// A measuring is a benchmark on its way: it is carried out stage by stage, and what it
// measures is read from the store when all of it is there.
type measuring struct {
	*applying
	view    *view
	opts    runner.Options
	lag     *lagMeter
	began   time.Time
	sum     runner.Summary
	asked   int64                            // measured tasks that were asked
	unasked map[failedModel]*runner.Error    // why later tasks fail unasked
	last    string                           // id of the last stage's step: its tasks are the rows
	failed  map[runner.Class]int64           // rows of a benchmark that was cut short
	rows    struct{ done, ok, failed int64 } // likewise
}

type failedModel struct{ step, model string }

// measure carries out the stages of a benchmark, then hands on the records of all rows
// in their order. The Summary counts what is measured; warm-ups are in no count.
func (r *applying) measure(ctx context.Context, v *view, opts runner.Options, emit func(*runner.Record) error) (runner.Summary, *measuring, error) {
	m := &measuring{
		applying: r, view: v, opts: opts, lag: newLagMeter(), began: time.Now(),
		unasked: map[failedModel]*runner.Error{}, failed: map[runner.Class]int64{},
	}
	err := m.stages(ctx)
	if err == nil {
		err = m.handOn(ctx, emit)
	} else {
		m.sum.Rows, m.sum.OK, m.sum.Failed, m.sum.Failures = m.rows.done, m.rows.ok, m.rows.failed, m.failed
	}
	m.sum.Elapsed = time.Since(m.began)
	return m.sum, m, err
}

func (m *measuring) stages(ctx context.Context) error {
	stages, err := m.job.plan.Stages()
	if err != nil {
		return err
	}
	if len(stages) > 0 {
		m.last = m.job.plan.Steps[stages[len(stages)-1].Step].ID
	}
	for i := range stages {
		if len(stages) > 1 && !m.quiet {
			m.view.progress.say(m.stageLine(&stages[i], i, len(stages)))
		}
		err := m.stage(ctx, &stages[i])
		m.noteLag() // now, for a report of a run that is killed
		if err != nil {
			return err
		}
		if i+1 == len(stages) || stages[i+1].Model != stages[i].Model {
			m.lookAt(ctx, stages[i].Model)
		}
	}
	return nil
}

func (m *measuring) noteLag() {
	if lag := m.lag.lag(); lag != nil {
		m.keeping.run.KeepLag(*lag)
	}
}

// stageLine says what is measured now.
func (m *measuring) stageLine(s *pipeline.Stage, i, of int) string {
	line := fmt.Sprintf("%d/%d: ", i+1, of)
	if len(m.job.plan.Steps) > 1 {
		line += "step " + m.job.plan.Steps[s.Step].ID + ", "
	}
	return line + fmt.Sprintf("%s, %s, %s", s.Model, loadPhrase(s.Level), say.Plural(s.Rows, "row"))
}

// loadPhrase is a load in words.
func loadPhrase(l specs.Level) string {
	if l.Rate > 0 {
		return "started at " + perSecond(l.Rate)
	}
	return fmt.Sprintf("%d at a time", l.Concurrency)
}

// stage asks what one step asks of one model under one load.
func (m *measuring) stage(ctx context.Context, s *pipeline.Stage) error {
	step := s.Plan.Steps[s.Step].ID
	opts := m.opts
	opts.Only = func(_ *pipeline.Row, i int) bool { return i == s.Step }
	opts.Observe = func(e runner.Event) { m.observe(e, step, s.Model) }
	if why := m.unasked[failedModel{step, s.Model}]; why != nil {
		opts.Missing = map[string]*runner.Error{s.Model: why}
	}
	sum, err := runner.Run(ctx, &s.Plan, m.model(), opts, func(rec *runner.Record) error {
		m.count(rec, step)
		return nil
	})
	m.sum.Retries += sum.Retries
	m.sum.Attempts = m.asked + m.sum.Retries
	m.sum.ModelLoads += sum.ModelLoads
	m.sum.PromptTokens += sum.PromptTokens
	m.sum.OutputTokens += sum.OutputTokens
	return err
}

// observe passes on what a stage does with its own step: the others were done before, or
// come later.
func (m *measuring) observe(e runner.Event, step, model string) {
	switch {
	case e.Kind == runner.RowDone, e.Step != "" && e.Step != step:
		return
	case e.Kind == runner.ModelFailed:
		m.unasked[failedModel{step, model}] = &runner.Error{Class: e.Class, Message: e.Message}
	case e.Kind == runner.ModelLoaded && e.OK && e.Cold:
		m.keeping.run.KeepLoad(store.Load{Model: e.Model, Began: e.Time.Add(-e.After), Took: e.After})
	case e.Kind == runner.TaskDone && e.Warmup:
		if m.view.events != nil {
			m.view.events.write(e)
		}
		return
	case e.Kind == runner.TaskDone && !e.Reused && e.Attempt > 0:
		m.asked++
	}
	m.view.observe(e)
}

// count counts a row of the last step, for the case that the benchmark is cut short.
func (m *measuring) count(rec *runner.Record, step string) {
	if rec.Row.Warmup || step != m.last {
		return
	}
	m.rows.done++
	if failure := rec.Failure(); failure != nil {
		m.rows.failed++
		m.failed[failure.Err.Class]++
		return
	}
	m.rows.ok++
}

// lookAt notes how the server has a model in memory, for what its figures mean. A server
// that doesn't tell leaves it unknown.
func (m *measuring) lookAt(ctx context.Context, model string) {
	if m.server == nil || model == "" {
		return
	}
	running, err := m.server.Running(ctx)
	if err != nil {
		return
	}
	digest, err := m.digests.of(model)
	if err != nil {
		return
	}
	for _, info := range running {
		if info.Digest == strings.TrimPrefix(digest, simulatedPrefix) {
			m.keeping.run.KeepLoaded(store.Loaded{Model: model, Digest: info.Digest, Size: info.SizeLoaded, SizeVRAM: info.SizeVRAM, Context: info.ContextLength})
		}
	}
}

// handOn gives the records of all rows from the store. A task that was not asked, since
// its model had failed, has that as its error.
func (m *measuring) handOn(ctx context.Context, emit func(*runner.Record) error) error {
	opts := runner.Options{Store: m.keeping.run, Identify: m.digests.identify, Offline: true, Missing: m.opts.Missing, Observe: m.rowsDone()}
	if err := m.keeping.Flush(ctx); err != nil {
		return &runner.StoreError{Cause: err}
	}
	sum, err := runner.Run(ctx, m.job.plan, nil, opts, func(rec *runner.Record) error {
		m.explain(rec)
		return emit(rec)
	})
	m.sum.Rows, m.sum.OK, m.sum.Failed, m.sum.Failures, m.sum.Warnings = sum.Rows, sum.OK, sum.Failed, sum.Failures, sum.Warnings
	m.sum.Reused = max(0, sum.Reused-m.asked)
	return err
}

func (m *measuring) rowsDone() func(runner.Event) {
	if m.view.events == nil {
		return nil
	}
	return func(e runner.Event) {
		if e.Kind == runner.RowDone {
			m.view.events.write(e)
		}
	}
}

func (m *measuring) explain(rec *runner.Record) {
	for i := range rec.Results {
		res := &rec.Results[i]
		if res.Err == nil || res.Err.Class != runner.NotStored || res.Request == nil {
			continue
		}
		if why := m.unasked[failedModel{res.Task.Step, res.Request.Model}]; why != nil {
			res.Err = why
		}
	}
}

// benchOf is how a plan is measured, as its run keeps it; nil: it is no benchmark.
func benchOf(plan *pipeline.Plan) *report.Bench {
	b := plan.Bench
	if b == nil {
		return nil
	}
	doc := &report.Bench{Runs: b.Runs, Warmup: b.Warmup, Order: "grouped", Goodput: map[string]float64{}}
	if b.Interleaved {
		doc.Order = "interleaved"
	}
	for _, l := range b.Levels {
		doc.Levels = append(doc.Levels, report.Level{Concurrency: l.Concurrency, Rate: l.Rate})
	}
	for name, limit := range map[string]time.Duration{"ttft": b.Goodput.TTFT, "tpot": b.Goodput.TPOT, "latency": b.Goodput.Latency} {
		if limit > 0 {
			doc.Goodput[name] = limit.Seconds()
		}
	}
	return doc
}

func benchJSON(plan *pipeline.Plan) ([]byte, error) {
	doc := benchOf(plan)
	if doc == nil {
		return nil, nil
	}
	return json.Marshal(doc)
}

// redoing is the run with which one that asks everything anew goes on: the job's last one,
// if that was to do the same and did not come to its end. 0: it begins.
func (r *applying) redoing(ctx context.Context, info *store.RunInfo) (int64, error) {
	last, err := r.keeping.LastRun(ctx, info.Job)
	switch {
	case err != nil:
		return 0, storeExit(err)
	case last == nil || !last.Redo || last.State == "done" || last.Partial != info.Partial:
		return 0, nil
	}
	r.info("going on with run %d, which was to ask everything anew and did not come to its end", last.Since)
	return last.Since, nil
}

// resumed is the run with which a benchmark goes on: the job's last one, if that was
// the same benchmark and did not come to its end. 0: it begins anew.
func (r *applying) resumed(ctx context.Context, info *store.RunInfo) (int64, error) {
	last, err := r.keeping.LastRun(ctx, info.Job)
	switch {
	case err != nil:
		return 0, storeExit(err)
	case last == nil || last.State == "done" || r.flags.redo || last.Partial != info.Partial || !bytes.Equal(last.Bench, info.Bench):
		return 0, nil
	case last.Hardware != info.Hardware || !info.Simulated && last.Server != info.Server: // a simulated one has another port each time
		r.info("benchmark %d was not finished, but was measured on another server or machine; this one begins anew", last.Since)
		return 0, nil
	}
	now, err := r.job.inputs(&r.flags.jobFlags)
	if err != nil {
		return 0, err
	}
	if last.Inputs != nil && !sameInputs(now, last.Inputs) {
		return 0, nil
	}
	r.info("going on with benchmark %d, which was not finished; --redo begins it anew", last.Since)
	return last.Since, nil
}
