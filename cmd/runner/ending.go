package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/say"
)

// An ending is the end of a run: what it takes to put the outputs in their place,
// to say what matters and to choose the exit.
type ending struct {
	app       *app
	records   sink
	summary   *runner.Summary
	limit     specs.Share
	simulated bool   // its pace says nothing
	noRows    string // what to say of a run without rows
	total     int64  // rows of the run, -1 where nobody knows
	kept      bool   // the results are in the store
}

// finish ends a run; err is runner.Run's.
func (e *ending) finish(err error) error {
	var stopped *runner.Stopped
	var disk *output.Error
	switch {
	case err == nil:
		return e.whole()
	case errors.As(err, &disk):
		return e.cut(exitDisk, disk.Error())
	case errors.As(err, &stopped):
		return e.stopped(stopped)
	}
	var trouble *runner.StoreError
	if errors.As(err, &trouble) {
		return e.cut(exitDisk, trouble.Error())
	}
	var printing *printError
	if errors.As(err, &printing) {
		return e.cut(exitDisk, printing.Error())
	}
	var data *pipeline.Error
	if errors.As(err, &data) {
		return e.cutUntil(exitFailedRows, "the rows end early: "+err.Error(), goesOn+" once the data is mended")
	}
	return e.cut(exitDisk, err.Error())
}

// whole ends a run that went to its end.
func (e *ending) whole() error {
	where, misplaced, err := e.records.commit()
	if err != nil {
		return diskExit(err)
	}
	if e.summary.Rows == 0 {
		return fail(exitMistake, "%s", e.noRows)
	}
	e.app.info("%s", e.lastLine(where, false))
	if e.unusable() {
		return fail(exitServer, "no row was answered, since its model can't be used there")
	}
	if !e.summary.Exceeds(e.limit) {
		if misplaced > 0 {
			return fail(exitFailedRows, "%s could not be written as the outputs ask", say.Plural(misplaced, "row"))
		}
		return nil
	}
	if allowed := allowance(e.limit); allowed != "" {
		return fail(exitFailedRows, "%s failed; max_failures allows %s", say.Plural(e.summary.Failed, "row"), allowed)
	}
	return &exit{code: exitFailedRows}
}

// unusable says whether no row was ok because the models can't be used on the server.
func (e *ending) unusable() bool {
	s := e.summary
	return s.OK == 0 && s.Failures[runner.DoesNotFit]+s.Failures[runner.ModelMissing]+s.Failures[runner.Capability] == s.Failed
}

// stopped ends a run that was cut short by a person or by the server.
func (e *ending) stopped(stopped *runner.Stopped) error {
	message := stopped.Error()
	switch stopped.Class {
	case runner.Interrupted:
		return e.cut(exitInterrupted, "interrupted")
	case runner.Unreachable, runner.Unauthorized, runner.Busy, runner.RateLimited:
		return e.cut(exitServer, message)
	}
	return e.cut(exitFailedRows, message)
}

// cut ends a run before its end: outputs stay as they were, and what had
// finished is kept beside them.
func (e *ending) cut(code int, why string) error { return e.cutUntil(code, why, goesOn) }

// goesOn is how to come to the end of a run that was cut short.
const goesOn = "the same command goes on"

// cutUntil is cut of a run whose rest takes what next says.
func (e *ending) cutUntil(code int, why, next string) error {
	where, err := e.records.keep()
	line := why + "; " + e.doneLine() + e.lastLine("", true)
	switch {
	case where != "":
		line += "; output files stay as they were, the finished rows are in " + where
	case e.kept && code != exitDisk:
		line += "; output files stay as they were, what was answered is kept, and " + next
	}
	if err != nil {
		line += "; " + err.Error()
	}
	return fail(code, "%s", line)
}

// doneLine says how far a run came that was cut short.
func (e *ending) doneLine() string {
	if e.total < 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s done: ", say.Count(e.summary.Rows), say.Plural(e.total, "row"))
}

// lastLine says how a run went: 98 of 100 ok, 2 failed (1 cut, 1 timeout) in 41.3s,
// 212 tok/s, 1 model load -> answers.jsonl.
func (e *ending) lastLine(where string, cut bool) string {
	s := e.summary
	ok := fmt.Sprintf("%s of %s ok", say.Count(s.OK), say.Count(s.Rows))
	if s.Failed > 0 {
		ok += fmt.Sprintf(", %s failed (%s)", say.Count(s.Failed), failureList(s.Failures))
	}
	if s.Warnings > 0 {
		ok += ", " + say.Plural(s.Warnings, "row") + " with warnings"
	}
	if s.Retries > 0 {
		ok += ", " + say.Plural(s.Retries, "retry")
	}
	line := ok + e.askedPart(cut) + " in " + span(s.Elapsed)
	if seconds := s.Elapsed.Seconds(); s.OutputTokens > 0 && seconds > 0 && !e.simulated {
		line += fmt.Sprintf(", %.0f tok/s", float64(s.OutputTokens)/seconds)
	}
	if s.ModelLoads > 0 {
		line += ", " + say.Plural(s.ModelLoads, "model load")
	}
	if where != "" {
		line += " -> " + where
	}
	return line
}

// askedPart says how many tasks were asked and how many were known, where some were. Of
// those asked a run that was cut short has left some.
func (e *ending) askedPart(cut bool) string {
	s := e.summary
	switch asked := s.Attempts - s.Retries; {
	case s.Reused == 0:
		return ""
	case asked == 0 && s.Failed > 0 && !cut:
		return ", nothing was asked (--retry-failed asks what failed)"
	case asked == 0:
		return ", nothing was asked"
	case cut:
		return fmt.Sprintf(", %s known", say.Count(s.Reused))
	default:
		return fmt.Sprintf(", %s asked and %s known", say.Count(asked), say.Count(s.Reused))
	}
}

// failureList counts failures by class, the most frequent first.
func failureList(failures map[runner.Class]int64) string {
	classes := make([]runner.Class, 0, len(failures))
	for c := range failures {
		classes = append(classes, c)
	}
	slices.SortFunc(classes, func(a, b runner.Class) int {
		if failures[a] != failures[b] {
			return int(max(-1, min(1, failures[b]-failures[a])))
		}
		return strings.Compare(string(a), string(b))
	})
	var parts []string
	for _, c := range classes {
		parts = append(parts, say.Count(failures[c])+" "+string(c))
	}
	return strings.Join(parts, ", ")
}

// allowance is how many failed rows a job allows, empty where it allows none.
func allowance(limit specs.Share) string {
	switch {
	case limit.IsPercent:
		return fmt.Sprintf("%g%%", limit.Percent)
	case limit.Count > 0:
		return say.Count(limit.Count)
	}
	return ""
}
