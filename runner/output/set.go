// Package output writes the records of a run into the job's output files: one
// file for each distinct name that an output gives, its records in row order.
//
// While a run goes on, records stream into partial files under .runner/partial;
// when it has ended, Commit puts them in the place of the job's files, each one
// whole or not at all, and leaves alone what would not change. Nothing outside the
// root is ever written, and no file that the job reads.
package output

import (
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// Simulated is the Base of simulated runs.
const Simulated = ".runner/simulated"

// Options say where a Set writes.
type Options struct {
	// Base is a folder inside the root, slash-separated, that stands for the root:
	// every file is written below it, partial ones too. Empty: the root itself.
	Base string
	// Stored says that results are kept elsewhere: Keep leaves nothing behind, and what
	// an earlier run left is not set aside.
	Stored bool
}

// A Set is the outputs of one run of a job. Check comes first, for each row that
// is known before the run; Write takes the records in row order; Commit, Keep or
// Discard ends it. It is not safe for concurrent use: what it writes depends only
// on the records and their order.
type Set struct {
	root     *os.Root
	base     string
	stored   bool
	job      *specs.Job
	plan     *pipeline.Plan
	outputs  []*output
	claims   *claims
	partials *partials
	rest     rest
	begun    bool
	answered bool  // a row that is ok was written
	broken   error // the disk is in trouble: what was written is left as it is
	buf      []byte

	problems specs.Diagnostics
	trouble  int64 // rows with problems
	told     int64 // of these, rows of which problems has something
}

// An output is one output of the job, in the run.
type output struct {
	spec    *specs.Output
	form    form
	literal int  // the length of the file name's own beginning
	static  bool // the file's name depends on variables alone
	fixed   *file
	before  []check // what Check renders
	// whole says that a file of this output is replaced only by a complete one: a
	// text or a catalogue does not show that a row is missing from it.
	whole   bool
	unknown int64           // failed rows of which nobody can tell the file, where whole
	told    map[string]bool // what Check has told
}

// New gives the outputs of a job. Nothing is read or written before Check and Begin.
func New(root *os.Root, job *specs.Job, plan *pipeline.Plan) (*Set, error) {
	return NewWith(root, job, plan, Options{})
}

// NewWith is New with options.
func NewWith(root *os.Root, job *specs.Job, plan *pipeline.Plan, opts Options) (*Set, error) {
	if opts.Base != "" && !fs.ValidPath(opts.Base) {
		return nil, errors.New("the folder for outputs must be inside the root")
	}
	s := &Set{root: root, base: opts.Base, stored: opts.Stored, job: job, plan: plan, claims: newClaims(job)}
	s.partials = newPartials(root, opts.Base, ownName(job))
	s.partials.stored = opts.Stored
	s.rest = newRest(root, opts.Base, job, plan)
	columns := columnsOf(job, plan)
	names := answerNames(job)
	for i := range job.Outputs {
		spec := &job.Outputs[i]
		s.outputs = append(s.outputs, &output{
			spec:    spec,
			form:    newForm(spec, columns),
			literal: literalPrefix(spec.File.Text()),
			static:  !reads(spec.File, names),
			whole:   spec.Form == specs.Text || spec.Key != nil,
			before:  checksOf(spec, names),
		})
	}
	return s, nil
}

// Begin sets aside what an earlier run of the job left under .runner: it gets a name
// that ends in .previous, which Commit removes. It makes the folder for partial
// files and a .gitignore for .runner if there is none, and tries whether files can be made where Check saw outputs.
// Write calls it; who calls it before the run learns early that the disk can't be
// written to. Its errors are *Error.
func (s *Set) Begin() error {
	if s.begun {
		return nil
	}
	if err := s.partials.begin(); err != nil {
		return err
	}
	if err := s.ignore(); err != nil {
		return err
	}
	if err := s.rest.setAside(); err != nil {
		return err
	}
	if err := s.probe(); err != nil {
		return err
	}
	for _, f := range s.claims.files {
		f.keys = keys{} // Check's
	}
	s.begun = true
	return nil
}

// Write adds a row's record to every output that wants it. Its errors are *Error:
// the disk is in trouble, and the run can't go on. A row for which part of an
// output can't be made is no error: see Problems.
func (s *Set) Write(rec *runner.Record) error {
	if err := s.Begin(); err != nil {
		return err
	}
	in := newInput(s.plan, rec)
	defer s.tally(in)
	s.answered = s.answered || in.failed == nil
	before := len(in.troubles)
	for _, out := range s.outputs {
		if err := s.writeTo(out, in); err != nil {
			s.broken = err
			return err
		}
		for _, err := range in.troubles[before:] {
			s.note(out, in, err)
		}
		before = len(in.troubles)
	}
	return nil
}

// tally counts a row with problems once, however many it has.
func (s *Set) tally(in *input) {
	if in.noted {
		s.trouble++
	}
	if in.told {
		s.told++
	}
}

func (s *Set) writeTo(out *output, in *input) error {
	wanted, err := out.wants(in)
	if err == nil && !wanted {
		return nil
	}
	f, nameErr := s.fileOf(out, in)
	switch {
	case nameErr != nil && in.failed != nil && out.whole:
		out.unknown++
		return nil
	case nameErr != nil:
		return s.setAside(out, in, nameErr)
	case in.failed != nil && out.whole:
		f.failed++
		return nil
	case err != nil:
		f.unfit++
		return s.setAside(out, in, err)
	}
	return s.writeRecord(out, f, in)
}

// wants says whether the output has a record of this row. A failed row keeps its
// record where its when needs the answer that failed.
func (o *output) wants(in *input) (bool, error) {
	if o.spec.When == nil {
		return true, nil
	}
	wanted, err := in.truth(o.spec.When)
	if err != nil && in.failed != nil {
		return true, nil
	}
	return wanted, err
}

func (s *Set) writeRecord(out *output, f *file, in *input) error {
	text := s.buf[:0]
	var err error
	if !f.made {
		text, err = out.form.begin(text, f, in)
	}
	if err == nil {
		text, err = out.form.record(text, f, in)
	}
	if err != nil {
		f.unfit++
		return s.setAside(out, in, err)
	}
	s.buf = reusable(text)
	err = s.append(f, text)
	if errors.Is(err, fs.ErrExist) {
		s.claims.forget(f)
		return s.setAside(out, in, &nameError{f.path, sameHere})
	}
	return err
}

// sameHere is about names that only this file system takes for equal, as macOS
// does with é in one character and in two.
var sameHere = &badName{"is the name of another output file to this file system", "make the names differ in more"}

// append writes text to a file's partial file, which it makes if there is none,
// and counts the record.
func (s *Set) append(f *file, text []byte) error {
	if !f.made {
		if err := s.partials.create(f); err != nil {
			return err
		}
	}
	if err := s.partials.write(f, text); err != nil {
		return err
	}
	f.rows++
	return nil
}

// fileOf gives the file that a row's record belongs to.
func (s *Set) fileOf(out *output, in *input) (*file, error) {
	if out.fixed != nil {
		return out.fixed, nil
	}
	name, err := in.render("file", out.spec.File)
	if err != nil {
		return nil, err
	}
	full, bad := resolve(s.job.Dir, name, out.literal)
	if bad != nil {
		return nil, &nameError{name, bad}
	}
	f, bad := s.claims.claim(out, full, in.row.Number)
	if bad != nil {
		return nil, &nameError{name, bad}
	}
	if out.spec.File.Constant() {
		out.fixed = f
	}
	return f, nil
}

// setAside keeps the record of a row that has no place in an output, and notes why.
func (s *Set) setAside(out *output, in *input, why error) error {
	d := s.note(out, in, why)
	return s.rest.add(in, d)
}

// maxProblems is how many problems are kept to be told; they are alike, mostly.
const maxProblems = 20

func (s *Set) note(out *output, in *input, why error) specs.Diagnostic {
	in.noted = true
	d := in.diagnostic(out, why)
	if len(s.problems) < maxProblems {
		in.told = true
		s.problems = append(s.problems, d)
	}
	return d
}

// Problems tells about rows of which a part of an output could not be made: a file
// name from an answer that can't be used, a column that asks for what the answer
// lacks, a key twice in one file. The first ones are told in row order, and a row
// may have several; rows is the number of all rows with one. A record without a
// place is in the file at rest, a path inside the root; empty: there is none.
func (s *Set) Problems() (first specs.Diagnostics, rows int64, rest string) {
	return s.problems, s.trouble, s.rest.path()
}

// Untold is the number of rows with problems of which Problems tells none.
func (s *Set) Untold() int64 { return s.trouble - s.told }

// target is the path of a file inside the root.
func (s *Set) target(name string) string { return path.Join(s.base, name) }

// maxBuffer is how large a buffer may become and still be used again: answers are
// short, but for the one that is not.
const maxBuffer = 1 << 20

func reusable(b []byte) []byte {
	if cap(b) > maxBuffer {
		return nil
	}
	return b[:0]
}
