package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/say"
	"github.com/spf13/cobra"
)

// jobFlags are the flags that change what a job file says.
type jobFlags struct {
	root        string
	models      []string
	vars        []string
	env         []string
	only        []string
	limit       int64
	limited     bool   // --limit was given
	concurrent  bool   // --concurrency was given
	rowID       string // plan --row
	backstop    bool   // validate: hold the file against the schema too
	benchmark   bool   // the job is a benchmark, also where it is none itself
	runsWanted  int    // how often its rows are measured, instead of what it says; 0: as it says
	concurrency int
}

// addFile adds the flags that change how a job file is read.
func (f *jobFlags) addFile(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.root, "root", "", "the `folder` that the job reads and writes inside (default: the nearest one upwards with .runner/, else the job file's)")
	flags.StringArrayVarP(&f.models, "model", "m", nil, "the job's `model`, or one step's: -m judge=qwen3:8b")
	flags.StringArrayVar(&f.vars, "var", nil, "replace a constant of vars: --var tone=formal")
	flags.StringArrayVar(&f.env, "env", nil, "let templates read an environment variable as .env.`NAME`")
	flags.IntVar(&f.concurrency, "concurrency", 0, "requests in flight, instead of the job's")
}

// addRows adds the flags that choose among the rows.
func (f *jobFlags) addRows(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.only, "only", nil, "only rows with this value: --only language=French (repeated: all must match)")
	flags.Int64Var(&f.limit, "limit", 0, "only the first `N` rows")
}

// options reads the flags into what specs.Load takes.
func (f *jobFlags) options(a *app) (specs.Options, error) {
	o := specs.Options{
		StepModels:  map[string]string{},
		Vars:        map[string]string{},
		Env:         map[string]string{},
		Concurrency: f.concurrency,
		Backstop:    f.backstop,
		Bench:       f.benchmark,
		Runs:        f.runsWanted,
	}
	if f.concurrency < 0 || f.concurrency == 0 && f.concurrent {
		return o, fail(exitMistake, "--concurrency %d: at least one request must be in flight", f.concurrency)
	}
	for _, m := range f.models {
		if m == "" {
			return o, fail(exitMistake, "-m: name a model, as in -m gemma3:4b")
		}
		if step, model, ok := strings.Cut(m, "="); ok {
			o.StepModels[step] = model
		} else {
			o.Model = m
		}
	}
	for _, v := range f.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return o, fail(exitMistake, "--var %s: write it as --var NAME=VALUE", v)
		}
		o.Vars[name] = value
	}
	for _, name := range f.env {
		if name, _, ok := strings.Cut(name, "="); ok {
			return o, fail(exitMistake, "--env takes a name alone: --env %s, with its value in the environment", name)
		}
		value, ok := a.lookupEnv(name)
		if !ok {
			return o, fail(exitMistake, "--env %s: there is no such environment variable", name)
		}
		o.Env[name] = value
	}
	return o, nil
}

// A loadedJob is a job file that is right, ready to run.
type loadedJob struct {
	file   string // as the user named it
	folder *folder
	job    *specs.Job
	plan   *pipeline.Plan
}

func (j *loadedJob) close() { _ = j.folder.Close() } // it was only read through

// load reads and checks one job file and prints all its mistakes and warnings.
// Its error is an exit that has said what there is to say.
func (a *app) load(file string, flags *jobFlags) (*loadedJob, error) {
	opts, err := flags.options(a)
	if err != nil {
		return nil, err
	}
	folder, err := openFolder(file, flags.root)
	if err != nil {
		return nil, err
	}
	j, err := a.loadIn(folder, file, opts)
	if err != nil {
		_ = folder.Close()
	}
	return j, err
}

func (a *app) loadIn(folder *folder, file string, opts specs.Options) (*loadedJob, error) {
	path, err := folder.inside(file)
	if err != nil {
		return nil, err
	}
	opts.Shown = file
	job, found := specs.Load(folder.FS(), path, opts)
	if model := a.getenv("RUNNER_MODEL"); job != nil && opts.Model == "" && model != "" && namesNoModel(job) {
		opts.Model = model
		job, found = specs.Load(folder.FS(), path, opts)
	}
	a.diagnose(found)
	if job == nil || len(found.Errors()) > 0 {
		return nil, mistakes()
	}
	plan, err := pipeline.Build(job, folder.FS())
	if err != nil {
		return nil, a.mistaken(job, err)
	}
	return &loadedJob{file: file, folder: folder, job: job, plan: plan}, nil
}

// mistaken prints the mistakes that pipeline found in a job and its data, each at its
// place, and returns the exit.
func (a *app) mistaken(job *specs.Job, err error) error {
	var found specs.Diagnostics
	for _, one := range joined(err) {
		var e *pipeline.Error
		if !errors.As(one, &e) {
			return fail(exitMistake, "%v", err)
		}
		d := e.Diagnostic()
		d.Source = job.Line(d.File, d.Pos.Line)
		found = append(found, d)
	}
	a.diagnose(found)
	return mistakes()
}

// joined takes errors.Join apart.
func joined(err error) []error {
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		return several.Unwrap()
	}
	return []error{err}
}

// mistakes ends a command after its mistakes were printed.
func mistakes() error {
	return &exit{code: exitMistake}
}

// diagnose prints diagnostics, on a terminal each with its line and a caret.
// Beside mistakes it leaves warnings out: a mistake is often the cause of some.
func (a *app) diagnose(found specs.Diagnostics) {
	mistaken := len(found.Errors()) > 0
	for _, d := range found {
		if d.Warning && (a.quiet || mistaken) {
			continue
		}
		line := say.Clean(d.String())
		if d.Pos.Line == 0 {
			line = "runner: " + line
		}
		if a.color {
			line = colorDiagnostic(line, d.Warning)
		}
		fmt.Fprintln(a.err, line)
		if a.errTerminal && d.Source != "" {
			fmt.Fprintln(a.err, say.Clean(d.Excerpt()))
		}
	}
}

// colorDiagnostic makes the message stand out after its place.
func colorDiagnostic(line string, warning bool) string {
	place, rest, ok := strings.Cut(line, ": ")
	if !ok {
		return line
	}
	color := red
	if warning {
		color = yellow
	}
	return bold(place+":") + " " + color(rest)
}
