package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/batchrunner/runner/runner"
)

// maxFailuresShown is how many failed rows are told one by one without --verbose;
// the records have them all.
const maxFailuresShown = 10

// A view shows a run to a person, and its events to programs.
type view struct {
	app      *app
	meter    *meter
	progress progress
	events   *eventFile // nil: none
	live     *live      // nil: no --stream
	failures int64
	warned   warned
}

// observe takes the run's events; the runner calls it one at a time.
func (v *view) observe(e runner.Event) {
	if v.events != nil {
		v.events.write(e)
	}
	if v.live != nil {
		v.live.observe(e)
	}
	switch e.Kind {
	case runner.TaskDone:
		step, done := v.meter.count(e)
		v.progress.ended(step, done)
		v.warned.observe(e)
	case runner.AttemptFailed:
		if v.app.verbose && e.Retry {
			v.progress.say(retryLine(e))
		}
	default:
		if line := hostLine(e); line != "" && !v.app.quiet {
			v.progress.say(line)
		}
	}
}

func retryLine(e runner.Event) string {
	line := fmt.Sprintf("%s, step %q: %s (attempt %d); asking again", rowName(*e.Row, e.ID), e.Step, e.Message, e.Attempt)
	if e.Wait > 0 {
		line += " in " + span(e.Wait)
	}
	return line
}

// hostLine says what happened to the server or a model, empty for other events.
func hostLine(e runner.Event) string {
	switch e.Kind {
	case runner.ModelLoaded:
		if e.Class == "" && e.After >= time.Second {
			return fmt.Sprintf("%s is loaded, which took %s", e.Model, span(e.After))
		}
	case runner.ModelFailed:
		return fmt.Sprintf("model %q: %s; its other rows are not asked", e.Model, e.Message)
	case runner.HostPaused:
		return "waiting for the server: " + e.Message
	case runner.HostResumed:
		return "the server answers again after " + span(e.After)
	case runner.ConcurrencyChanged:
		return fmt.Sprintf("now %d at a time: %s", e.Concurrency, e.Message)
	}
	return ""
}

// rowName names a row in messages: by its number, and its id where it has one of its own.
func rowName(number int64, id string) string {
	if id == fmt.Sprint(number) || id == "" {
		return fmt.Sprintf("row %d", number)
	}
	return fmt.Sprintf("row %d (%s)", number, id)
}

// record tells of a failed row.
func (v *view) record(rec *runner.Record) {
	failure := rec.Failure()
	if failure == nil {
		return
	}
	v.failures++
	switch {
	case v.live != nil && !failure.Reused: // it is shown in the row's place
	case v.app.verbose || v.failures <= maxFailuresShown:
		v.progress.say(failureLine(rec, failure))
	case v.failures == maxFailuresShown+1:
		v.progress.say("more rows fail; --verbose tells of each, and the records have them all")
	}
}

func failureLine(rec *runner.Record, failure *runner.Result) string {
	line := rowName(rec.Row.Number, rec.Row.ID)
	if len(rec.Results) > 1 {
		line += fmt.Sprintf(", step %q", failure.Task.Step)
	}
	line += ": " + failure.Err.Message
	if failure.Attempts > 1 {
		line += fmt.Sprintf(" (after %d attempts)", failure.Attempts)
	}
	return line
}

// An eventFile takes events as JSON lines, for programs. The first error of writing ends it and is returned by close: the run goes
// on, since its results are worth more.
type eventFile struct {
	file io.WriteCloser
	name string
	err  error
}

func (a *app) openEvents(name string, jobs []*checkedJob) (*eventFile, error) {
	if name == "" {
		return nil, nil
	}
	if name == "-" {
		return nil, fail(exitMistake, "--events -: name a file; records go to stdout, and what a person reads to stderr")
	}
	if what := readBy(jobs, name); what != "" {
		return nil, fail(exitMistake, "--events %s: that is %s; choose another file", name, what)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fail(exitDisk, "--events %s: %s", name, reason(err))
	}
	return &eventFile{file: f, name: name}, nil
}

// readBy says which file of a job this is, empty where it is none.
func readBy(jobs []*checkedJob, name string) string {
	file, err := os.Stat(name)
	if err != nil {
		return "" // there is no such file yet
	}
	for _, j := range jobs {
		if info, err := os.Stat(j.file); err == nil && os.SameFile(file, info) {
			return "the job file"
		}
		for _, axis := range j.job.Axes {
			if axis.File == nil {
				continue
			}
			if info, err := j.folder.Stat(axis.File.Path); err == nil && os.SameFile(file, info) {
				return "a data file of " + j.file
			}
		}
	}
	return ""
}

// begin writes that a job's run begins: the events up to end are about it.
func (e *eventFile) begin(j *checkedJob) {
	if e != nil {
		e.line(map[string]any{
			"v": runner.EventVersion, "event": "run_started", "time": time.Now(),
			"job": j.job.Name, "file": j.file, "runner": versionName(),
		})
	}
}

// end writes how a run has ended; err is runner.Run's.
func (e *eventFile) end(s *runner.Summary, err error) {
	if e == nil {
		return
	}
	line := map[string]any{
		"v": runner.EventVersion, "event": "run_ended", "time": time.Now(),
		"rows": s.Rows, "ok_rows": s.OK, "failed_rows": s.Failed, "attempts": s.Attempts, "after": s.Elapsed,
	}
	if err != nil {
		line["message"] = err.Error()
	}
	e.line(line)
}

func (e *eventFile) write(event runner.Event) { e.line(event) }

func (e *eventFile) line(value any) {
	if e.err != nil {
		return
	}
	text, err := json.Marshal(value)
	if err == nil {
		_, err = e.file.Write(append(text, '\n'))
	}
	e.err = err
}

func (e *eventFile) close() error {
	err := e.file.Close()
	if e.err != nil {
		err = e.err
	}
	if err != nil {
		return fail(exitDisk, "--events %s: %s", e.name, reason(err))
	}
	return nil
}
