package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/say"
)

// A sink takes a run's records in row order.
type sink interface {
	write(*runner.Record) error
	// commit ends a run that went to its end, and says where the records are and how
	// many rows have no place there.
	commit() (where string, misplaced int64, err error)
	// keep ends a run that was cut short, and says where the finished records are.
	keep() (string, error)
}

// openSink chooses where records go: the job's output files, or stdout where
// there are none, or where only a part of the rows has records.
func (a *app) openSink(j *loadedJob, flags *applyFlags, part bool) (sink, error) {
	if j.plan.Bench != nil && (!j.writesOutputs() || part) {
		return nowhere{}, nil // its report is what is shown
	}
	if len(j.job.Outputs) == 0 || part {
		return a.printer(j, flags), nil
	}
	set, err := j.outputs(flags.simulate, !flags.none)
	if err != nil {
		return nil, err
	}
	if err := set.Begin(); err != nil {
		return nil, diskExit(err)
	}
	return &fileSink{app: a, set: set, job: j}, nil
}

// writesOutputs says whether a run writes the job's output files. They have a record for
// each repetition only where the job itself is a benchmark: of another one that is measured
// they stay what apply made of them.
func (j *loadedJob) writesOutputs() bool {
	return len(j.job.Outputs) > 0 && (j.job.Bench == nil || j.job.Bench.Pos != specs.Pos{})
}

// outputs makes the job's output files, below .runner/simulated of a simulated run.
func (j *loadedJob) outputs(simulated, stored bool) (*output.Set, error) {
	opts := output.Options{Stored: stored}
	if simulated {
		opts.Base = output.Simulated
	}
	set, err := output.NewWith(j.folder.Root, j.job, j.plan, opts)
	if err != nil {
		return nil, fail(exitMistake, "%v", err)
	}
	return set, nil
}

// outputNames is the check of the names and texts of outputs, row by row.
func (j *loadedJob) outputNames() (func(*pipeline.Row) specs.Diagnostics, error) {
	if !j.writesOutputs() {
		return nil, nil
	}
	set, err := j.outputs(false, false)
	if err != nil {
		return nil, err
	}
	return set.Check, nil
}

// diskExit makes the exit of a disk that can't be written to.
func diskExit(err error) error { return fail(exitDisk, "%v", err) }

// A fileSink writes the job's output files.
type fileSink struct {
	app *app
	set *output.Set
	job *loadedJob

	committed bool // every file is in its place
	written   []output.Written
}

func (s *fileSink) write(rec *runner.Record) error { return s.set.Write(rec) }

func (s *fileSink) commit() (string, int64, error) {
	files, err := s.set.Commit()
	where := s.places(files)
	misplaced := s.tellProblems()
	if err == nil {
		s.committed, s.written = true, files
		return where, misplaced, nil
	}
	var rest *output.Unfinished
	if where != "" {
		err = fmt.Errorf("%w; written before that: %s", err, where)
	}
	if errors.As(err, &rest) && rest.Kept != "" {
		err = fmt.Errorf("%w; the finished rows are in %s", err, s.shown(rest.Kept))
	}
	return "", misplaced, err
}

// places lists the files that are in their place, and tells of those that stay as
// they were.
func (s *fileSink) places(files []output.Written) string {
	var names []string
	same := true
	for _, f := range files {
		if f.State == output.Kept {
			s.app.info("%s", f)
			continue
		}
		names = append(names, s.shown(f.Path))
		same = same && f.State == output.Unchanged
	}
	where := fileList(names)
	if same && where != "" {
		where += " (unchanged)"
	}
	return where
}

func (s *fileSink) keep() (string, error) {
	where, err := s.set.Keep()
	if where == "" {
		return "", err
	}
	return s.shown(where), err
}

// tellProblems says which rows have no place in an output, and where they are. It
// returns their number.
func (s *fileSink) tellProblems() int64 {
	first, n, rest := s.set.Problems()
	s.app.diagnose(first)
	if more := s.set.Untold(); more > 0 {
		s.app.say("and %s more", say.Plural(more, "row"))
	}
	if rest != "" {
		s.app.say("records without a place are in %s", s.shown(rest))
	}
	return n
}

// shown is a path of the root as the user sees it: from the job file's folder
// where it lies below, as the job file names it.
func (s *fileSink) shown(name string) string {
	return path.Join(filepath.ToSlash(filepath.Dir(s.job.file)), relative(s.job.job.Dir, name))
}

// relative is name seen from dir, both inside the root and slash-separated.
func relative(dir, name string) string {
	rel, err := filepath.Rel(filepath.FromSlash(dir), filepath.FromSlash(name))
	if err != nil {
		return name
	}
	return filepath.ToSlash(rel)
}

// fileList names one to three files, or counts them.
func fileList(names []string) string {
	if len(names) <= 3 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more files", names[0], len(names)-1)
}

// A printSink prints records: JSON lines, or readable text on a terminal. Once
// stdout is closed it prints no more, and the run goes on.
type printSink struct {
	stream *output.Stream
	closed bool
}

func (a *app) printer(j *loadedJob, flags *applyFlags) sink {
	switch {
	case a.outTerminal && a.errTerminal && flags.stream: // the answers are on the screen already
		return &printSink{stream: output.NewStream(io.Discard, j.job, j.plan)}
	case a.outTerminal:
		return &printSink{stream: output.NewTextStream(&a.screen, j.job, j.plan, a.width())}
	}
	return &printSink{stream: output.NewStream(a.out, j.job, j.plan)}
}

func (s *printSink) write(rec *runner.Record) error {
	if s.closed {
		return nil
	}
	err := s.stream.Write(rec)
	if isClosedPipe(err) {
		s.closed = true
		return nil
	}
	if err != nil {
		return &printError{err}
	}
	return nil
}

// A printError is why records can't be printed.
type printError struct{ cause error }

func (e *printError) Error() string { return "the records can't be printed: " + reason(e.cause) }

func (e *printError) Unwrap() error { return e.cause }

func (s *printSink) commit() (string, int64, error) { return "", 0, nil }

func (s *printSink) keep() (string, error) { return "", nil }

func isClosedPipe(err error) bool {
	return errors.Is(err, io.ErrClosedPipe) || errors.Is(err, errBrokenPipe)
}
