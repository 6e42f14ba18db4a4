package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/runner/report"
	"github.com/batchrunner/runner/runner/store"
	"github.com/batchrunner/runner/specs"
)

// reportFlags are the flags of report.
type reportFlags struct {
	historyFlags
	form        string
	output      string
	baseline    string
	failOn      string
	anyHardware bool
	anyModel    bool
}

// formNames are what --format takes, with the extension that stands for each.
var formNames = map[string]string{
	"text": "txt", "markdown": "md", "html": "html", "json": "json", "csv": "csv", "benchstat": "bench", "junit": "xml",
}

func (a *app) reportCommand() *cobra.Command {
	var flags reportFlags
	cmd := &cobra.Command{
		Use:   "report [RUN]",
		Short: "Make a report of a run from what is stored, in any form",
		Long: `Makes the report of a run, by default of the last one, from what is stored: as a table
on the terminal, or with --format or by the extension of -o as text, markdown, html, json,
csv, benchstat or junit.

--baseline compares with another run, or with the JSON report of one, and --fail-on 10%
makes the exit code 1 where a figure is worse by more than that. Runs on different
hardware or of different models are not compared, unless --any-hardware or --any-model
say so. The job's thresholds are held against the figures too, if the job is what it was.`,
		Example: `  runner report
  runner report -o report.html
  runner report --format markdown >> "$GITHUB_STEP_SUMMARY"
  runner report --baseline main.json --fail-on 10%
  runner report 17 --baseline 12`,
		Args: arguments(0, 1, "one run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.reportRun(cmd.Context(), args, &flags)
		},
	}
	flags.add(cmd.Flags())
	fs := cmd.Flags()
	fs.StringVar(&flags.job, "job", "", "the last run of this job, by its `name`")
	fs.StringVar(&flags.form, "format", "", "the form: "+strings.Join(slices.Sorted(maps.Keys(formNames)), ", ")+" (default: by the extension of -o, else text)")
	fs.StringVarP(&flags.output, "output", "o", "", "write it to this `file`")
	fs.StringVar(&flags.baseline, "baseline", "", "compare with this `run`, or with the JSON report in this file")
	fs.StringVar(&flags.failOn, "fail-on", "", "exit code 1 where a figure is worse than the baseline's by more than this `share`: 10%")
	fs.BoolVar(&flags.anyHardware, "any-hardware", false, "compare runs on different hardware")
	fs.BoolVar(&flags.anyModel, "any-model", false, "compare models of one name and different content")
	return cmd
}

// extension is the form that the flags ask for.
func (f *reportFlags) extension() (string, error) {
	if f.form != "" {
		ext, ok := formNames[f.form]
		if !ok {
			return "", fail(exitMistake, "--format %s: no form is called that; %s", f.form, suggest(f.form, slices.Sorted(maps.Keys(formNames))))
		}
		return ext, nil
	}
	if f.output == "" {
		return "txt", nil
	}
	ext := strings.TrimPrefix(strings.ToLower(filepath.Ext(f.output)), ".")
	if !slices.Contains(specs.ReportForms(), ext) {
		return "", fail(exitMistake, "-o %s: no form has this extension; use .%s, or --format", f.output, strings.Join(specs.ReportForms(), ", ."))
	}
	return ext, nil
}

// allowance is the share by which a figure may be worse.
func (f *reportFlags) allowance() (float64, error) {
	if f.failOn == "" {
		return -1, nil
	}
	number, ok := strings.CutSuffix(f.failOn, "%")
	share, err := strconv.ParseFloat(number, 64)
	switch {
	case f.baseline == "":
		return 0, fail(exitMistake, "--fail-on goes with --baseline")
	case !ok || err != nil || share < 0 || share > 1000:
		return 0, fail(exitMistake, "--fail-on %s: write a share, as 10%%", f.failOn)
	}
	return share / 100, nil
}

func (a *app) reportRun(ctx context.Context, args []string, flags *reportFlags) error {
	form, err := flags.extension()
	if err != nil {
		return err
	}
	allowed, err := flags.allowance()
	if err != nil {
		return err
	}
	s, err := flags.openStore(store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer s.Close() // only read from
	run, err := theRun(ctx, s, flags.job, args)
	if err != nil {
		return err
	}
	reporting, made, end, err := a.reportOf(ctx, s, run, flags)
	if err != nil {
		return err
	}
	defer end()
	if err := a.compare(ctx, s, made, flags, allowed); err != nil {
		return err
	}
	if err := a.putReport(ctx, reporting, made, form, flags.output); err != nil {
		return err
	}
	if err := a.tellActionsOf(made, flags); err != nil {
		return err
	}
	return a.judged(made, nil, flags.output == "" && form == "txt")
}

// reportOf makes the report of a run, with what its job adds if that is what it was. The
// caller calls end when it needs them no more.
func (a *app) reportOf(ctx context.Context, s *store.Store, run *store.RunRow, flags *reportFlags) (*reporting, *report.Report, func(), error) {
	job, end := a.jobOf(run, flags)
	reporting, made, err := reportOn(ctx, s, run, job)
	if err != nil {
		end()
		return nil, nil, nil, err
	}
	switch {
	case job == nil && run.Inputs == nil:
		made.Warnings = append(made.Warnings, errUnknownJob.Error())
	case job == nil:
		made.Warnings = append(made.Warnings, errChanged.Error())
	}
	return reporting, made, end, nil
}

// jobOf is the job of a run as it was then, nil where it is not at hand, or not the same
// any more.
func (a *app) jobOf(run *store.RunRow, flags *reportFlags) (*loadedJob, func()) {
	none := func() {}
	root, err := flags.rootFolder()
	if err != nil || run.Inputs == nil {
		return nil, none
	}
	quiet := *a
	quiet.err = io.Discard
	opened := &jobFlags{root: root, benchmark: run.Bench != nil}
	bench, err := benchOfRun(run)
	if err != nil {
		return nil, none
	}
	if bench != nil {
		opened.runsWanted = bench.Runs
	}
	if bench != nil && len(bench.Levels) == 1 { // it may be that of --concurrency; a rate has none
		opened.concurrency = bench.Levels[0].Concurrency
	}
	job, err := quiet.load(filepath.Join(root, filepath.FromSlash(run.File)), opened)
	if err != nil {
		return nil, none
	}
	if !sameJob(job, run) {
		job.close()
		return nil, none
	}
	return job, job.close
}

// benchOfRun is how a run's benchmark was measured, nil where it was none.
func benchOfRun(run *store.RunRow) (*report.Bench, error) {
	r, err := newReporting(nil, run, nil)
	if err != nil {
		return nil, err
	}
	return r.bench, nil
}

// sameJob says whether a job is made of the same files as in a run, and measured the same way.
func sameJob(job *loadedJob, run *store.RunRow) bool {
	for _, err := range job.plan.Rows { // opens what is read with the rows
		if err != nil {
			return false
		}
		break
	}
	now, err := job.inputs(&jobFlags{})
	if err != nil || !sameInputs(now, run.Inputs) {
		return false
	}
	bench, err := benchJSON(job.plan)
	return err == nil && string(bench) == string(run.Bench)
}

// rootFolder is the folder of the store's root.
func (f *reportFlags) rootFolder() (string, error) {
	if f.root != "" {
		return f.root, nil
	}
	return findRoot(".")
}

// compare holds a report against its baseline.
func (a *app) compare(ctx context.Context, s *store.Store, made *report.Report, flags *reportFlags, allowed float64) error {
	if flags.baseline == "" {
		return nil
	}
	base, err := a.baseline(ctx, s, flags)
	if err != nil {
		return err
	}
	_, err = made.Against(base, report.AgainstOptions{FailOn: allowed, AnyHardware: flags.anyHardware, AnyModel: flags.anyModel})
	if err != nil {
		return fail(exitMistake, "--baseline %s: %v", flags.baseline, err)
	}
	return nil
}

// baseline is the report of the run with that number, or the one in that file.
func (a *app) baseline(ctx context.Context, s *store.Store, flags *reportFlags) (*report.Report, error) {
	if _, err := strconv.ParseInt(flags.baseline, 10, 64); err == nil {
		run, err := theRun(ctx, s, "", []string{flags.baseline})
		if err != nil {
			return nil, err
		}
		_, made, end, err := a.reportOf(ctx, s, run, flags)
		if err != nil {
			return nil, err
		}
		end()
		return made, nil
	}
	file, err := os.Open(flags.baseline)
	if err != nil {
		return nil, fail(exitMistake, "--baseline %s: %s", flags.baseline, reason(err))
	}
	defer file.Close() // only read from
	base, err := report.ReadJSON(file)
	if err != nil {
		return nil, fail(exitMistake, "--baseline %s: %v", flags.baseline, err)
	}
	return base, nil
}

// putReport writes a report to a file, or to stdout.
func (a *app) putReport(ctx context.Context, from *reporting, made *report.Report, form, name string) error {
	if name == "" {
		if form == "txt" {
			return printed(unbroken(report.WriteText(a.out, made, a.textOptions())))
		}
		return printed(unbroken(from.write(ctx, a.out, made, form)))
	}
	dir, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return fail(exitDisk, "-o %s: %s", name, reason(err))
	}
	write := func(w io.Writer) error { return from.write(ctx, w, made, form) }
	if err := errors.Join(output.WriteWhole(dir, filepath.Base(name), write), dir.Close()); err != nil {
		return fail(exitDisk, "-o %s: %s", name, reason(err))
	}
	a.info("report of run %d -> %s", made.Run.ID, name)
	return nil
}

// unbroken takes a closed stdout for the end of the printing.
func unbroken(err error) error {
	if isClosedPipe(err) {
		return nil
	}
	return err
}

// tellActionsOf tells GitHub Actions of a report that goes to no summary of its own.
func (a *app) tellActionsOf(made *report.Report, flags *reportFlags) error {
	if !a.onActions() || flags.output == "" && flags.form != "" {
		return nil
	}
	return a.tellActions(made)
}
