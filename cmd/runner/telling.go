package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"strings"

	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/runner/report"
	"github.com/batchrunner/runner/runner/store"
	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/say"
)

// tell makes the reports of a run that went to its end: the job's files, what a benchmark
// shows on stdout, and what a CI service is told. ended is what the run comes to without
// them; a threshold that was missed makes it exit code 1. A run that asked nothing has
// its thresholds held against what is stored, and leaves the files as they are.
func (r *applying) tell(ctx context.Context, summary *runner.Summary, ended error) error {
	job := r.job.job
	if len(job.Reports) == 0 && len(job.Thresholds) == 0 && !r.measures() && !r.onActions() || r.flags.partial() && !r.measures() {
		return ended
	}
	run, err := r.lastRun(ctx)
	if err != nil || run == nil {
		return errors.Join(ended, err)
	}
	news := summary.Attempts > 0 || r.measures() // a benchmark's report is due, also where all was measured before an interrupt
	if !news {
		if err := r.makeUpFor(ctx, run); err != nil {
			return err
		}
	}
	if r.keeping.run.ID() == 0 {
		run.Since = nothingAsked
	}
	reporting, made, err := reportOn(ctx, r.keeping.Store, run, r.job.loadedJob)
	if err != nil {
		return err
	}
	var unwritten error
	if news {
		unwritten = r.writeReports(ctx, reporting, made)
	}
	judged := r.judged(made, ended, news && r.measures())
	if unwritten != nil {
		if judged != nil {
			r.report(judged) // what was missed is told, though the exit code is another one
		}
		return unwritten
	}
	return judged
}

// makeUpFor writes the reports of the job's last run that are not there: they could not be
// written then, or were not asked for yet.
func (r *applying) makeUpFor(ctx context.Context, run *store.RunRow) error {
	var missing []specs.Report
	for _, to := range r.job.job.Reports {
		if _, err := r.job.folder.Root.Stat(r.reportName(to)); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, to)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	reporting, made, err := reportOn(ctx, r.keeping.Store, run, r.job.loadedJob)
	if err != nil {
		return err
	}
	return r.putReports(ctx, missing, reporting, made)
}

// nothingAsked is after every run: what an earlier one has measured is no figure of a run
// that asked nothing, and its timing thresholds are missed.
const nothingAsked = math.MaxInt64

// lastRun is this run, or, where it changed nothing, the last one that did.
func (r *applying) lastRun(ctx context.Context) (*store.RunRow, error) {
	var run *store.RunRow
	var err error
	if id := r.keeping.run.ID(); id != 0 {
		run, err = r.keeping.RunOf(ctx, id)
	} else {
		run, err = r.keeping.LastRun(ctx, r.keeping.stored.job)
	}
	if err != nil {
		return nil, storeExit(err)
	}
	return run, nil
}

// writeReports writes the job's reports; a benchmark's is also shown. A file that can't be
// written keeps nothing else from being told.
func (r *applying) writeReports(ctx context.Context, from *reporting, made *report.Report) error {
	unwritten := r.putReports(ctx, r.job.job.Reports, from, made)
	if r.measures() {
		if err := report.WriteText(r.out, made, r.textOptions()); err != nil && !isClosedPipe(err) {
			return errors.Join(unwritten, printed(err))
		}
	}
	return cmp.Or(unwritten, r.tellActions(made))
}

func (r *applying) putReports(ctx context.Context, files []specs.Report, from *reporting, made *report.Report) error {
	var failed error
	for _, to := range files {
		name := r.reportName(to)
		write := func(w io.Writer) error { return from.write(ctx, w, made, to.Form) }
		if err := output.WriteWhole(r.job.folder.Root, name, write); err != nil {
			failed = cmp.Or(failed, fail(exitDisk, "%v; what was measured is kept, and can be written with: runner report %d -o FILE", err, from.run.ID))
			continue
		}
		r.info("report -> %s", name)
	}
	return failed
}

func (r *applying) reportName(to specs.Report) string {
	name := path.Join(r.job.job.Dir, to.File.Value)
	if r.flags.simulate {
		name = path.Join(output.Simulated, name)
	}
	return name
}

// write writes a report in a form.
func (r *reporting) write(ctx context.Context, w io.Writer, made *report.Report, form string) error {
	switch form {
	case "html":
		return report.WriteHTML(w, made)
	case "md":
		return report.WriteMarkdown(w, made, 0)
	case "json":
		return report.WriteJSON(w, made)
	case "csv":
		return report.WriteCSV(w, made)
	case "txt":
		return report.WriteText(w, made, report.TextOptions{})
	case "xml":
		return report.WriteJUnit(w, made, r.tasks(ctx))
	case "bench":
		return report.WriteBenchstat(w, made.Run, r.tasks(ctx))
	}
	return fmt.Errorf("no form of report is called %q", form)
}

// textOptions are what a report may show on stdout.
func (a *app) textOptions() report.TextOptions {
	return report.TextOptions{Width: a.width(), Color: a.outTerminal && a.getenv("NO_COLOR") == ""}
}

// judged tells of thresholds and baselines that were missed, each in a line, and makes
// the exit. Where the report was shown on the same terminal the first one is enough.
func (a *app) judged(made *report.Report, ended error, shown bool) error {
	if len(made.Missed) == 0 {
		return ended
	}
	lines := make([]string, len(made.Missed))
	for i, m := range made.Missed {
		lines[i] = m.Message
	}
	if more := len(lines) - 1; more > 0 && shown && a.outTerminal && a.errTerminal {
		lines = []string{lines[0] + "; and " + say.Count(more) + " more, see above"}
	}
	if ended != nil && ended.Error() != "" {
		lines = append(lines, ended.Error())
	}
	return fail(exitFailedRows, "%s", strings.Join(lines, "\n"))
}

// onActions says whether this is a job of GitHub Actions.
func (a *app) onActions() bool { return a.getenv("GITHUB_ACTIONS") == "true" }

// tellActions tells GitHub Actions of what was missed and of what failed, and adds the
// report to the step's summary.
func (a *app) tellActions(made *report.Report) error {
	if !a.onActions() {
		return nil
	}
	if err := report.WriteAnnotations(a.err, made); err != nil {
		return printed(err)
	}
	name := a.getenv("GITHUB_STEP_SUMMARY")
	if name == "" {
		return nil
	}
	if err := appendSummary(name, made); err != nil {
		return fail(exitDisk, "the step's summary can't be written: %s", reason(err))
	}
	return nil
}

// maxSummary is what GitHub takes as the summary of one step; with more it shows none.
const maxSummary = 1 << 20

// appendSummary adds a report to the summary, as much of it as there is still room for.
func appendSummary(name string, made *report.Report) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	room := int64(maxSummary - 16<<10)
	if info, err := file.Stat(); err == nil {
		room -= info.Size()
	}
	if room >= 16<<10 {
		err = report.WriteMarkdown(file, made, int(room))
	}
	return errors.Join(err, file.Close())
}

// thresholdsOf are a job's thresholds as a report judges them.
func thresholdsOf(job *specs.Job) []report.Threshold {
	var limits []report.Threshold
	for _, t := range job.Thresholds {
		limits = append(limits, report.Threshold{Step: t.Step, Figure: t.Figure, Op: t.Op, Value: t.Value, Text: t.Text})
	}
	return limits
}
