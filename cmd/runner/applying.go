package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/ollama"
	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/runner/store"
	"github.com/batchrunner/runner/specs/say"
)

// An applying is one job on its way from a checked file to its outputs.
type applying struct {
	*app
	job     *checkedJob
	flags   *applyFlags
	events  *eventFile
	server  *server  // nil where nothing may be asked
	keeping *keeping // nil with --no-store
	digests *digests // nil with --no-store
	offline bool     // nothing is asked
	only    func(*pipeline.Row) bool
	records sink
	about   store.RunInfo // of a run that has not begun
}

// applyOne runs one job, against a simulated server of its own where s is nil.
func (a *app) applyOne(ctx context.Context, j *checkedJob, s *server, flags *applyFlags, events *eventFile) (err error) {
	if j.plan.Bench != nil && (flags.none || flags.offline) {
		return fail(exitMistake, "a benchmark is measured anew and read from the store: it goes with neither --offline nor --no-store")
	}
	if flags.none && len(j.job.Reports)+len(j.job.Thresholds) > 0 {
		return fail(exitMistake, "the reports and thresholds of %s are made of what is kept, and --no-store keeps nothing", j.file)
	}
	if namesNoModel(j.job) {
		return a.noModel(ctx, j.file, &flags.hostFlags)
	}
	r := &applying{app: a, job: j, flags: flags, events: events, server: s, offline: flags.offline}
	unlock, err := lockOutputs(j.loadedJob, flags)
	if err != nil {
		return err
	}
	defer func() {
		if failed := unlock(); failed != nil && err == nil {
			err = fail(exitDisk, "%v", failed)
		}
	}()
	if !flags.none {
		if r.keeping, err = a.keep(j.loadedJob, flags.storeFlags.of(j.loadedJob, flags.simulate)); err != nil {
			return err
		}
		defer func() {
			if failed := r.keeping.close(); failed != nil && err == nil {
				err = storeExit(failed)
			}
		}()
	}
	if s == nil && !flags.offline {
		simulated, end, err := a.simulated(ctx, j, flags)
		if err != nil {
			return err
		}
		defer end()
		r.server = simulated
	}
	return r.apply(ctx)
}

func (r *applying) apply(ctx context.Context) error {
	if err := r.describe(); err != nil {
		return err
	}
	if err := r.connect(ctx); err != nil {
		return err
	}
	if err := r.holdToPlan(); err != nil {
		return err
	}
	if err := r.openRecords(ctx); err != nil {
		return err
	}
	return r.run(ctx)
}

// describe makes what the store is to know of the run before it begins.
func (r *applying) describe() error {
	if r.keeping == nil {
		return nil
	}
	bench, err := benchJSON(r.job.plan)
	if err != nil {
		return err
	}
	file, err := r.job.folder.inside(r.job.file)
	if err != nil {
		return err
	}
	host, _ := os.Hostname() // for people: without one they have the process
	r.about = store.RunInfo{
		Job: r.keeping.job, File: file, Version: versionName(), Simulated: r.flags.simulate,
		Hardware: hardware(r.server, r.flags.simulate), Bench: bench, Redo: r.flags.redo && bench == nil,
		Steps: stepIDs(r.job.plan), Partial: r.flags.partial(), PID: os.Getpid(), Host: host, Rows: r.job.plan.Total,
	}
	if r.server != nil {
		r.about.Server = r.server.name
	}
	return nil
}

// begin begins the run in the store, which has no trace of it before it keeps something.
func (r *applying) begin(ctx context.Context) (err error) {
	if r.about.Redo {
		if r.about.Since, err = r.redoing(ctx, &r.about); err != nil {
			return err
		}
	}
	r.keeping.run = r.keeping.Begin(r.about)
	return nil
}

// beginBench begins a benchmark, or goes on with one that was interrupted.
func (r *applying) beginBench(ctx context.Context) (err error) {
	if r.about.Since, err = r.resumed(ctx, &r.about); err != nil {
		return err
	}
	if r.keeping.run, err = r.keeping.BeginBench(ctx, r.about); err != nil {
		return storeExit(err)
	}
	return nil
}

// connect finds out whether the server can do what the job needs, and which models its
// names stand for.
func (r *applying) connect(ctx context.Context) error {
	if r.offline {
		if err := r.begin(ctx); err != nil {
			return err
		}
		return r.remember(ctx)
	}
	failed := r.preflight(ctx)
	if r.keeping == nil {
		return failed
	}
	if failed != nil && r.measures() {
		return failed
	}
	if failed != nil {
		if err := r.begin(ctx); err != nil {
			return err
		}
		return r.goOnWithout(ctx, failed)
	}
	r.about.ServerVersion = r.server.report.Version
	r.digests = r.server.digests(ctx)
	if r.flags.locked {
		if err := r.holdToLock(); err != nil {
			return err
		}
	}
	if err := r.keeping.SawModels(ctx, r.digests.all()); err != nil {
		return storeExit(err)
	}
	if r.measures() {
		return r.beginBench(ctx)
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	return r.adopt(ctx)
}

// measures says whether the run is a benchmark.
func (r *applying) measures() bool { return r.job.plan.Bench != nil }

// holdToPlan refuses a saved plan of which something has changed since.
func (r *applying) holdToPlan() error {
	if r.flags.saved == nil || r.digests == nil {
		return nil
	}
	now, err := r.job.folder.fingerprints()
	if err != nil {
		return err
	}
	// The plan has read all rows, this run the first ones only: what it did not come to is
	// looked at now.
	for name := range r.flags.saved.Fingerprints {
		if _, read := now[name]; read {
			continue
		}
		if now[name], err = r.job.folder.fingerprint(name); err != nil {
			return fail(exitMistake, "%s can't be read: %s", name, reason(err))
		}
	}
	why := r.flags.saved.changed(now, r.digests.all())
	if rows := r.job.plan.Total; why == "" && rows >= 0 && rows != r.flags.saved.Rows {
		why = fmt.Sprintf("the number of rows has changed from %s to %s", say.Count(r.flags.saved.Rows), say.Count(rows))
	}
	if why != "" {
		return fail(exitMistake, "the plan is out of date: %s since it was made; make it anew with: runner plan %s -o FILE", why, r.job.file)
	}
	return nil
}

// preflight looks at the server and fetches or leaves out what is missing if told to.
func (r *applying) preflight(ctx context.Context) error {
	wanted := needs(r.job.checked, r.job.job)
	if err := r.known(ctx, wanted); err != nil {
		return err
	}
	skip := r.flags.skipMissing || r.measures() // a benchmark's line of a missing model says so
	report, err := r.server.Preflight(ctx, wanted)
	if err != nil && r.flags.pull && worthPulling(report, skip) {
		if err := r.pull(ctx, r.server, report.Missing()); err != nil {
			return err
		}
		report, err = r.server.Preflight(ctx, wanted)
	}
	if report != nil {
		for _, w := range report.Warnings {
			r.info("warning: %s", w)
		}
	}
	if err != nil && (report == nil || !skip || len(report.Models) == 0) {
		return fail(exitServer, "%v", err)
	}
	if err != nil && r.measures() {
		r.info("warning: %v", err)
	}
	r.server.report = report
	return nil
}

// known notes which models earlier runs have looked at.
func (r *applying) known(ctx context.Context, wanted []ollama.Need) error {
	if r.keeping == nil {
		return nil
	}
	models, err := r.keeping.Models(ctx)
	if err != nil {
		return storeExit(err)
	}
	for i := range wanted {
		wanted[i].Known = strings.TrimPrefix(models[wanted[i].Model].Digest, simulatedPrefix)
	}
	return nil
}

// worthPulling says whether the missing models are all that is in the way, or all that
// are wanted: gigabytes are not fetched for a run that is refused.
func worthPulling(report *ollama.Report, skip bool) bool {
	if report == nil {
		return false
	}
	n := len(report.Missing())
	return n > 0 && (skip || n == len(report.Unusable))
}

// remember takes the models' digests from where they were last seen.
func (r *applying) remember(ctx context.Context) error {
	known, err := rememberedDigests(ctx, r.job.folder, r.keeping.Store)
	if err != nil {
		return err
	}
	r.digests = known
	if r.flags.locked {
		if err := r.holdToLock(); err != nil {
			return err
		}
	}
	if missing := known.lacking(r.job.checked.Models); len(missing) > 0 {
		return fail(exitMistake, "nothing tells the digest of %s; with the server at hand, run once: runner lock %s", quoted(missing), r.job.file)
	}
	return r.adopt(ctx)
}

// goOnWithout lets a run go on whose server can't be used, if every answer is there
// already. Otherwise it returns why the server can't be used.
func (r *applying) goOnWithout(ctx context.Context, failed error) error {
	err := r.remember(ctx)
	switch {
	case err != nil && r.flags.locked:
		return err // which models may be asked is to be mended first
	case err != nil || r.flags.redo || r.flags.retryFailed:
		return failed
	}
	known, err := r.knows(ctx, r.job.plan.Rows)
	if err != nil {
		return err
	}
	if !known {
		return failed
	}
	r.info("warning: %v", failed)
	r.info("every task has its result, so nothing is asked")
	r.offline = true
	return nil
}

// errUnknown ends a look at rows that finds one without an answer.
var errUnknown = errors.New("a row has no stored answer")

// knows says whether each of the rows has its results in the store.
func (r *applying) knows(ctx context.Context, rows iter.Seq2[*pipeline.Row, error]) (bool, error) {
	plan := *r.job.plan
	plan.Rows = rows
	opts := runner.Options{Store: r.keeping.run, Identify: r.digests.identify, Offline: true}
	_, err := runner.Run(ctx, &plan, nil, opts, func(rec *runner.Record) error {
		failure := rec.Failure()
		if failure != nil && (failure.Err.Class == runner.NotStored || failure.Err.Class == runner.ModelMissing && failure.Key.IsZero()) {
			return errUnknown // its key is not known where nothing tells its model's digest
		}
		return nil
	})
	var trouble *runner.StoreError
	switch {
	case errors.Is(err, errUnknown):
		return false, nil
	case errors.As(err, &trouble):
		return false, storeExit(err)
	}
	return err == nil, nil
}

// adopt takes in the records of the job's own output files where the store knows
// nothing of the job: outputs in git are answers too.
func (r *applying) adopt(ctx context.Context) error {
	if r.flags.redo || len(r.job.job.Outputs) == 0 {
		return nil
	}
	known, err := r.keeping.HasJob(ctx, r.keeping.stored.job)
	if err != nil {
		return storeExit(err)
	}
	if known {
		return nil
	}
	found := output.Adopt(r.job.folder.Root, r.job.job, &r.job.all, output.Options{Base: r.keeping.base})
	n, err := r.keeping.Adopt(ctx, adopted(found))
	if err != nil {
		return storeExit(err)
	}
	if n > 0 {
		r.info("%s taken over from the output files", say.Plural(n, "answer"))
	}
	return nil
}

// adopted gives the store what was found in output files.
func adopted(found iter.Seq2[*output.Adopted, error]) iter.Seq2[*store.Adopted, error] {
	return func(yield func(*store.Adopted, error) bool) {
		for a, err := range found {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&store.Adopted{Key: a.Key, Answer: a.Answer, Err: a.Err, Attempts: a.Attempts, Model: a.Model}, nil) {
				return
			}
		}
	}
}

// openRecords chooses where the records go. A run over a part of the rows writes the
// output files if all other rows have their results: then it goes over all rows, and
// asks in its own ones.
func (r *applying) openRecords(ctx context.Context) error {
	if r.flags.partial() && r.job.checked.All && r.job.checked.Rows == 0 {
		return fail(exitMistake, "%s", noRows(&r.flags.jobFlags))
	}
	if r.flags.partial() && r.keeping != nil && len(r.job.job.Outputs) > 0 {
		only, err := r.flags.membership(r.job)
		if err != nil {
			return err
		}
		complete, err := r.knows(ctx, without(r.job.all.Rows, only))
		if err != nil {
			return err
		}
		if complete {
			r.only = only
			*r.job.plan = r.job.all
		}
	}
	records, err := r.openSink(r.job.loadedJob, r.flags, r.flags.partial() && r.only == nil)
	r.records = records
	return err
}

// without gives the rows that are not chosen.
func without(rows iter.Seq2[*pipeline.Row, error], chosen func(*pipeline.Row) bool) iter.Seq2[*pipeline.Row, error] {
	return func(yield func(*pipeline.Row, error) bool) {
		for row, err := range rows {
			if row != nil && chosen(row) {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// run carries out a job whose server and outputs are ready.
func (r *applying) run(ctx context.Context) error {
	r.info("%s", r.firstLine())
	r.collectFor(r.job.checked.Rows, r.job.checked.All)
	r.events.begin(r.job)
	v := r.newView(r.job, r.flags, r.events)
	endPlanning := r.planAlongside(ctx, v)
	defer endPlanning()
	ctx, signals := watchInterrupts(ctx, func() { endPlanning(); v.progress.say(interruptedLine) }, func() { r.leave(exitInterrupted) })
	defer signals.close()
	opts := r.options(v)
	opts.Stop = signals.stop
	emit := func(rec *runner.Record) error {
		if !r.measures() { // a benchmark's report tells of failures, by cause
			v.record(rec)
		}
		return r.records.write(rec)
	}
	var o ran
	if r.measures() {
		o.summary, o.measured, o.cut = r.measure(ctx, v, opts, emit)
	} else {
		o.summary, o.cut = runner.Run(ctx, r.job.plan, r.model(), opts, emit)
	}
	endPlanning()
	r.events.end(&o.summary, o.cut)
	if v.live != nil {
		v.live.close()
	}
	v.progress.close()
	for _, line := range v.warned.lines() {
		r.info("%s", line)
	}
	return r.end(ctx, &o, v.meter.total())
}

// model is what is asked, nil where nothing is.
func (r *applying) model() runner.Model {
	if r.offline {
		return nil
	}
	return r.server
}

func (r *applying) options(v *view) runner.Options {
	opts := runner.Options{
		Grace: grace, FailFast: r.flags.failFast, Observe: v.observe, Chunks: r.flags.stream,
		Redo: r.flags.redo, RedoSince: r.about.Since, RetryFailed: r.flags.retryFailed, Offline: r.offline,
	}
	if r.server != nil && r.server.report != nil {
		opts.Missing = r.server.report.Unusable
	}
	if r.keeping != nil {
		opts.Store, opts.Identify = r.keeping.run, r.digests.identify
	}
	if r.only != nil {
		opts.Only = func(row *pipeline.Row, _ int) bool { return r.only(row) }
	}
	return opts
}
