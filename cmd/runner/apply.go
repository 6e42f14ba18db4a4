package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/spf13/cobra"
)

// grace is how long requests in flight may go on after the first interrupt.
const grace = 5 * time.Second

// applyFlags are the flags of apply.
type applyFlags struct {
	jobFlags
	hostFlags
	simulateFlags
	storeFlags
	pull, skipMissing, failFast, stream bool
	redo, retryFailed, offline, locked  bool
	prune                               bool
	saved                               *planDocument // nil: none
	given                               []string      // flags of the command line that a saved plan has its own of
	events                              string
}

func (a *app) applyCommand() *cobra.Command {
	var flags applyFlags
	cmd := &cobra.Command{
		Use:   "apply FILE...|PLAN.json",
		Short: "Ask the models for what is missing or changed, and write the outputs",
		Long: `Checks the job, asks the model for each row, and writes the outputs in row order.
Nothing is asked before all mistakes that can be found are out of the way.

Every answer is kept in .runner/runner.db before it counts. The same command again
asks only for what is missing: after an interrupt or a crash the rest, after a change
of the job, its data or its models the rows that it touches, else nothing. What
failed because of the server is asked again; what the prompt itself caused (too long,
not what format asks for) only when it has changed, or with --retry-failed.

Output files are replaced when the run has ended; without outputs the records go to
stdout. So they do when --only or --limit choose a part of the rows, unless all other
rows have their answers: then the files are written.

The first Ctrl-C lets requests in flight end for up to five seconds; the second
leaves at once.`,
		Example: `  runner apply translate.yaml
  runner apply translate.yaml --limit 3 --stream
  runner apply translate.yaml -m qwen3:8b --only language=German
  runner apply translate.yaml --redo --only language=German
  runner apply translate.yaml --simulate`,
		Args: arguments(1, -1, "a job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.limited, flags.concurrent = cmd.Flags().Changed("limit"), cmd.Flags().Changed("concurrency")
			for _, name := range plannedFlags {
				if cmd.Flags().Changed(name) {
					flags.given = append(flags.given, "--"+name)
				}
			}
			return a.apply(cmd.Context(), args, &flags)
		},
	}
	flags.addRun(cmd)
	fs := cmd.Flags()
	fs.BoolVar(&flags.storeFlags.none, "no-store", false, "keep no results: the next run asks everything again")
	fs.BoolVar(&flags.redo, "redo", false, "ask again what was answered before (with --only: in those rows); an interrupted one goes on")
	fs.BoolVar(&flags.retryFailed, "retry-failed", false, "ask again what failed for a reason of its own, as prompts that are too long")
	fs.BoolVar(&flags.offline, "offline", false, "ask nothing: rows without a stored answer fail")
	fs.BoolVar(&flags.prune, "prune", false, "delete the output files of earlier runs that no row names any more")
	fs.BoolVar(&flags.skipMissing, "skip-missing", false, "go on without models that are not on the server: their rows fail")
	fs.BoolVar(&flags.stream, "stream", false, "show answers as they come, the oldest row's first")
	return cmd
}

// addRun adds the flags of every command that runs a job: apply and bench.
func (f *applyFlags) addRun(cmd *cobra.Command) {
	f.addFile(cmd)
	f.addRows(cmd)
	fs := cmd.Flags()
	f.hostFlags.add(fs)
	f.simulateFlags.add(fs)
	f.storeFlags.add(fs)
	fs.BoolVar(&f.locked, "locked", false, "refuse models other than those that runner.lock pins")
	fs.BoolVar(&f.pull, "pull", false, "fetch models that are not on the server")
	fs.BoolVar(&f.failFast, "fail-fast", false, "start nothing more after the first failed row")
	fs.StringVar(&f.events, "events", "", "write what happens to this `file`, one JSON object a line")
}

// check finds flags that don't go together.
func (f *applyFlags) check() error {
	switch {
	case f.simulate && f.host != "":
		return fail(exitMistake, "--simulate and --host don't go together: a simulated server is one of its own")
	case f.none && (f.offline || f.redo || f.retryFailed || f.store != ""):
		return fail(exitMistake, "--no-store keeps nothing, and goes with none of --store, --offline, --redo, --retry-failed")
	case f.offline && (f.redo || f.retryFailed || f.pull):
		return fail(exitMistake, "--offline asks nothing, and goes with none of --redo, --retry-failed, --pull")
	case f.prune && f.partial():
		return fail(exitMistake, "--prune goes with a run over all rows only: a part of them can't tell which files are needed no more")
	case f.simulate && f.store != "":
		return fail(exitMistake, "--simulate and --store don't go together: simulated answers are kept below .runner/simulated/")
	case f.simulate && f.locked:
		return fail(exitMistake, "--simulate and --locked don't go together: a simulated server has made-up models")
	case f.simulate && f.pull:
		return fail(exitMistake, "--simulate and --pull don't go together: a simulated server has every model")
	}
	return f.simulateFlags.check()
}

// apply runs the jobs of files in turn. All of them are checked before the first
// one runs.
func (a *app) apply(ctx context.Context, files []string, flags *applyFlags) error {
	saved, err := a.openSaved(files, flags)
	if err != nil {
		return err
	}
	if saved != nil {
		files = []string{saved.File}
	}
	if err := flags.check(); err != nil {
		return err
	}
	a.collectLate()
	var server *server // nil: each job has a simulated one, or none is needed
	if !flags.simulate && !flags.offline {
		s, end, err := a.begin(ctx, &flags.hostFlags, flags.none)
		if err != nil {
			return err
		}
		defer end()
		server = s
	}
	flags.saved = saved
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

// openSaved reads a saved plan, if that is what is to be applied: nil where it is not.
func (a *app) openSaved(files []string, flags *applyFlags) (*planDocument, error) {
	if !slices.ContainsFunc(files, isSavedPlan) {
		return nil, nil
	}
	if len(files) > 1 {
		return nil, fail(exitMistake, "a saved plan is applied alone, not with %s", strings.Join(files[1:], ", "))
	}
	if len(flags.given) > 0 {
		return nil, fail(exitMistake, "a saved plan is applied as it was made, without %s", strings.Join(flags.given, ", "))
	}
	saved, err := readSavedPlan(files[0])
	if err == nil {
		saved.use(flags)
	}
	return saved, err
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

// A checkedJob is a job whose first rows were expanded and rendered without a mistake.
type checkedJob struct {
	*loadedJob
	checked *pipeline.Checked
	all     pipeline.Plan // without --only and --limit
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
	all := *j.plan
	err = flags.choose(j.plan)
	var checked *pipeline.Checked
	if err == nil {
		checked, err = a.check(j)
	}
	if err != nil {
		j.close()
		return nil, err
	}
	return &checkedJob{loadedJob: j, checked: checked, all: all}, nil
}
