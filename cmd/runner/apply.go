package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/spf13/cobra"
)

// grace is how long requests in flight may go on after the first interrupt.
const grace = 5 * time.Second

// applyFlags are the flags of apply.
type applyFlags struct {
	jobFlags
	hostFlags
	simulateFlags
	pull, skipMissing, failFast, stream bool
	events                              string
}

func (a *app) applyCommand() *cobra.Command {
	var flags applyFlags
	cmd := &cobra.Command{
		Use:   "apply FILE...",
		Short: "Ask the models, and write the outputs",
		Long: `Checks the job, asks the model for each row, and writes the outputs in row order.
Nothing is asked before all mistakes that can be found are out of the way. Output
files are replaced when the run has ended; without outputs the records go to
stdout, as they do when --only or --limit choose a part of the rows.

The first Ctrl-C lets requests in flight end for up to five seconds; the second
leaves at once.`,
		Example: `  runner apply translate.yaml
  runner apply translate.yaml --limit 3 --stream
  runner apply translate.yaml -m qwen3:8b --only language=German
  runner apply translate.yaml --simulate`,
		Args: arguments(1, -1, "a job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.limited, flags.concurrent = cmd.Flags().Changed("limit"), cmd.Flags().Changed("concurrency")
			return a.apply(cmd.Context(), args, &flags)
		},
	}
	flags.addFile(cmd)
	flags.addRows(cmd)
	fs := cmd.Flags()
	flags.hostFlags.add(fs)
	flags.simulateFlags.add(fs)
	fs.BoolVar(&flags.pull, "pull", false, "fetch models that are not on the server")
	fs.BoolVar(&flags.skipMissing, "skip-missing", false, "go on without models that are not on the server: their rows fail")
	fs.BoolVar(&flags.failFast, "fail-fast", false, "start nothing more after the first failed row")
	fs.BoolVar(&flags.stream, "stream", false, "show answers as they come, the oldest row's first")
	fs.StringVar(&flags.events, "events", "", "write what happens to this `file`, one JSON object a line")
	return cmd
}

// check finds flags that don't go together.
func (f *applyFlags) check() error {
	switch {
	case f.simulate && f.host != "":
		return fail(exitMistake, "--simulate and --host don't go together: a simulated server is one of its own")
	case f.simulate && f.pull:
		return fail(exitMistake, "--simulate and --pull don't go together: a simulated server has every model")
	}
	return f.simulateFlags.check()
}

// apply runs the jobs of files in turn. All of them are checked before the first
// one runs.
func (a *app) apply(ctx context.Context, files []string, flags *applyFlags) error {
	if err := flags.check(); err != nil {
		return err
	}
	a.collectLate()
	var server *server // nil: each job has a simulated one
	if !flags.simulate {
		s, end, err := a.begin(ctx, &flags.hostFlags)
		if err != nil {
			return err
		}
		defer end()
		server = s
	}
	jobs, err := a.loadAll(files, flags)
	defer func() {
		for _, j := range jobs {
			j.close()
		}
	}()
	if err != nil {
		return err
	}
	if err := clash(jobs); err != nil && !flags.partial() {
		return err
	}
	events, err := a.openEvents(flags.events, jobs)
	if err != nil {
		return err
	}
	ignoreBrokenPipes()
	failed := a.runAll(ctx, jobs, server, flags, events)
	if events != nil {
		if err := events.close(); err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// runAll runs jobs in turn. Failed rows of one don't keep the next from running;
// all else does.
func (a *app) runAll(ctx context.Context, jobs []*checkedJob, s *server, flags *applyFlags, events *eventFile) error {
	var failed error
	for _, j := range jobs {
		err := a.applyOne(ctx, j, s, flags, events)
		var e *exit
		switch {
		case err == nil:
		case errors.As(err, &e) && e.code == exitFailedRows:
			failed = a.remember(failed, err)
		default:
			if failed != nil {
				a.report(failed)
			}
			return err
		}
	}
	return failed
}

// clash finds two jobs that write one file: the later one would replace the earlier
// one's answers without a word.
func clash(jobs []*checkedJob) error {
	writers := map[string]string{}
	for _, j := range jobs {
		mine := map[string]bool{}
		for _, out := range j.job.Outputs {
			if out.File.Constant() {
				name := filepath.Join(j.folder.path, j.job.Dir, filepath.FromSlash(out.File.Text()))
				mine[strings.ToLower(name)] = true
			}
		}
		for name := range mine {
			if other, ok := writers[name]; ok {
				return fail(exitMistake, "%s and %s write the same file, %s; run them one after the other, or name it differently", other, j.file, filepath.Base(name))
			}
			writers[name] = j.file
		}
	}
	return nil
}

// A checkedJob is a job whose first rows were expanded and rendered without a mistake.
type checkedJob struct {
	*loadedJob
	checked *pipeline.Checked
	whole   int64 // rows of the job without --only and --limit, -1 where nobody knows
}

// loadAll loads and checks every file, and tells all mistakes of all of them.
func (a *app) loadAll(files []string, flags *applyFlags) ([]*checkedJob, error) {
	var jobs []*checkedJob
	var failed error
	for _, file := range files {
		j, err := a.loadChecked(file, &flags.jobFlags)
		if err != nil {
			failed = a.remember(failed, err)
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs, failed
}

func (a *app) loadChecked(file string, flags *jobFlags) (*checkedJob, error) {
	j, err := a.load(file, flags)
	if err != nil {
		return nil, err
	}
	whole := j.plan.Total
	err = flags.choose(j.plan)
	var checked *pipeline.Checked
	if err == nil {
		checked, err = a.check(j)
	}
	if err != nil {
		j.close()
		return nil, err
	}
	return &checkedJob{loadedJob: j, checked: checked, whole: whole}, nil
}

// applyOne runs one job, against a simulated server of its own where s is nil.
func (a *app) applyOne(ctx context.Context, j *checkedJob, s *server, flags *applyFlags, events *eventFile) error {
	if namesNoModel(j.job) {
		return a.noModel(ctx, j.file, &flags.hostFlags)
	}
	if s == nil {
		simulated, end, err := a.simulated(ctx, j, flags)
		if err != nil {
			return err
		}
		defer end()
		s = simulated
	}
	if err := a.preflight(ctx, s, j, flags); err != nil {
		return err
	}
	records, err := a.openSink(j.loadedJob, flags)
	if err != nil {
		return err
	}
	return a.run(ctx, j, s, records, flags, events)
}

// preflight finds out whether the server can do what the job needs, and fetches
// or leaves out what is missing if told to.
func (a *app) preflight(ctx context.Context, s *server, j *checkedJob, flags *applyFlags) error {
	wanted := needs(j.checked, j.job)
	report, err := s.Preflight(ctx, wanted)
	if err != nil && report != nil && flags.pull && len(report.Missing()) > 0 {
		if err := a.pull(ctx, s, report.Missing()); err != nil {
			return err
		}
		report, err = s.Preflight(ctx, wanted)
	}
	if report != nil {
		for _, w := range report.Warnings {
			a.info("warning: %s", w)
		}
	}
	if err != nil && (report == nil || !flags.skipMissing || len(report.Models) == 0) {
		return fail(exitServer, "%v", err)
	}
	s.report = report
	return nil
}

// run carries out a job whose server and outputs are ready.
func (a *app) run(ctx context.Context, j *checkedJob, s *server, records sink, flags *applyFlags, events *eventFile) error {
	a.info("%s", firstLine(j, s, flags))
	a.collectFor(j.checked.Rows, j.checked.All)
	events.begin(j)
	v := a.newView(j, flags, events)
	ctx, signals := watchInterrupts(ctx, func() { v.progress.say(interruptedLine) }, func() { a.leave(exitInterrupted) })
	defer signals.close()
	summary, err := runner.Run(ctx, j.plan, s, runner.Options{
		Stop: signals.stop, Grace: grace, FailFast: flags.failFast,
		Missing: s.report.Unusable, Observe: v.observe, Chunks: flags.stream,
	}, func(rec *runner.Record) error {
		v.record(rec)
		return records.write(rec)
	})
	events.end(&summary, err)
	if v.live != nil {
		v.live.close()
	}
	v.progress.close()
	end := &ending{app: a, records: records, summary: &summary, limit: j.plan.MaxFailures, simulated: s.report.Simulated, noRows: noRows(&flags.jobFlags), total: v.meter.total()}
	return end.finish(err)
}

const interruptedLine = "interrupted: requests in flight get 5 seconds; Ctrl-C again leaves at once"

func (a *app) newView(j *checkedJob, flags *applyFlags, events *eventFile) *view {
	var ids []string
	for _, s := range j.plan.Steps {
		ids = append(ids, s.ID)
	}
	rows := j.plan.Total
	if rows < 0 && j.checked.All {
		rows = j.checked.Rows
	}
	v := &view{app: a, meter: newMeter(time.Now(), ids, rows), events: events}
	if flags.stream {
		v.live = newLive(a.err, a.errTerminal)
		v.progress = silent{a.err}
		return v
	}
	v.progress = a.newProgress(v.meter)
	return v
}

// partOf says that only some rows are asked.
func partOf(rows string, whole int64) string {
	if whole < 0 {
		return rows + " of the job's rows"
	}
	return fmt.Sprintf("%s of %s", strings.TrimSuffix(strings.TrimSuffix(rows, "s"), " row"), plural(whole, "row"))
}

// firstLine says what is about to run.
func firstLine(j *checkedJob, s *server, flags *applyFlags) string {
	rows := rowsPhrase(j.plan, j.checked)
	if flags.partial() {
		rows = partOf(rows, j.whole)
	}
	where := s.name
	if s.report.Simulated {
		where = "a simulated server"
	}
	line := fmt.Sprintf("%s, %s, %s on %s, %d at a time", rows, plural(int64(len(j.plan.Steps)), "step"), modelNames(j.checked), where, j.plan.Concurrency)
	if j.plan.Rate > 0 {
		line += ", at most " + perSecond(j.plan.Rate)
	}
	return line
}
