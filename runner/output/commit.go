package output

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/batchrunner/runner/specs/say"
)

// A State is what became of an output file.
type State string

// What became of it.
const (
	Created   State = "created"   // there was none
	Changed   State = "changed"   // replaced
	Unchanged State = "unchanged" // the bytes are the same: not touched
	Kept      State = "kept"      // stays as it was, since rows of it are missing
)

// A Written tells what became of one file.
type Written struct {
	Path    string // inside the root, slash-separated
	Rows    int64  // records in the new file
	State   State
	Why     string // of a kept file: which of its rows are missing
	Partial string // of a kept file: where the new one is, without the missing rows; empty if it has no rows
	None    bool   // of a kept file: there is none yet
}

func (w Written) String() string {
	if w.State != Kept {
		return fmt.Sprintf("%s: %s, %s", w.Path, w.State, say.Plural(w.Rows, "row"))
	}
	text := w.Path + ": stays as it was: " + w.Why
	if w.None {
		text = w.Path + ": is not written: " + w.Why
	}
	if w.Partial != "" {
		text += "; the others are in " + w.Partial
	}
	return text
}

// Commit puts the partial files in the place of the job's output files, ordered by
// path, and ends the Set. Each file is replaced whole, after its bytes are on disk,
// and not touched where they are the same; a crash at any time leaves the old file
// or the new one. A text file or a catalogue of which rows are missing stays as it
// was. An output whose name is constant has its file even without a record. What
// earlier runs of the job kept is removed, now that there are answers in its place.
//
// Before the first file is replaced, all are finished and looked at. An error (an
// *Unfinished) comes with the files that were done before it; the partial files of
// the others stay where they are.
func (s *Set) Commit() ([]Written, error) {
	written, err := s.commit()
	kept := s.left(written)
	if err = errors.Join(err, s.close()); err != nil {
		return written, &Unfinished{Cause: err, Kept: kept}
	}
	return written, nil
}

func (s *Set) commit() ([]Written, error) {
	if s.broken != nil {
		return nil, s.broken
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	files := s.written()
	for _, f := range files {
		if err := s.lookAt(f); err != nil {
			return nil, err
		}
	}
	written, err := s.replaceAll(files)
	if err != nil {
		return written, err
	}
	return written, errors.Join(s.tidy(written), s.forget())
}

// left gives the folder with the partial files if one of them has records that are
// not in their place; empty: none has.
func (s *Set) left(written []Written) string {
	done := map[string]bool{}
	for _, w := range written {
		done[w.Path] = w.State != Kept
	}
	for _, f := range s.written() {
		if f.rows > 0 && !done[s.target(f.path)] {
			return s.partials.where()
		}
	}
	return ""
}

// Keep ends the Set of a run that was cut short: the job's files stay as they are.
// It gives the folder with the partial files, a path inside the root; empty: there
// are none. Each is what the output would be with the records so far, unless Write
// met an error: then it ends with the last record that could be written. Where not
// one row was answered and an earlier run's files are there, only those are kept. Where
// results are stored elsewhere, nothing is.
func (s *Set) Keep() (string, error) {
	if s.stored || !s.begun || !s.worthKeeping() {
		return "", s.Discard()
	}
	var err error
	if s.broken == nil {
		err = s.finish()
	}
	where := s.partials.where()
	return where, errors.Join(err, s.close())
}

// Discard ends the Set and removes its partial files.
func (s *Set) Discard() error {
	if !s.begun {
		return nil
	}
	ours := s.partials.ours()
	err := s.close()
	if ours == nil {
		err = errors.Join(err, s.partials.clear())
	}
	return err
}

func (s *Set) worthKeeping() bool {
	records := slices.ContainsFunc(s.written(), func(f *file) bool { return f.rows > 0 })
	return records && (s.answered || !s.partials.older)
}

func (s *Set) close() error {
	return errors.Join(s.partials.close(), s.rest.close())
}

// written gives the files that the run wrote or would have, by path.
func (s *Set) written() []*file {
	files := make([]*file, 0, len(s.claims.files))
	for _, f := range s.claims.files {
		if f.made || f.failed > 0 || f.unfit > 0 {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b *file) int { return cmp.Compare(a.path, b.path) })
	return files
}

// finish completes the partial files: each ends as its form asks, and has all
// columns. Only what is still open stays open.
func (s *Set) finish() error {
	if err := s.Begin(); err != nil {
		return err
	}
	if err := s.addEmpty(); err != nil {
		return err
	}
	for _, f := range s.written() {
		if !f.made {
			continue
		}
		if text := f.out.form.end(nil, f); len(text) > 0 {
			if err := s.partials.write(f, text); err != nil {
				return err
			}
		}
		if err := s.widen(f); err != nil {
			return err
		}
	}
	return s.partials.ours()
}

// addEmpty makes the files of outputs with a constant name that have no record.
func (s *Set) addEmpty() error {
	for _, out := range s.outputs {
		if out.fixed != nil && (out.fixed.made || out.fixed.failed > 0 || out.fixed.unfit > 0) || !out.spec.File.Constant() {
			continue
		}
		full, bad := resolve(s.job.Dir, out.spec.File.Text(), out.literal)
		if bad != nil {
			continue // told by Check, and its records are set aside
		}
		f, bad := s.claims.claim(out, full, 0)
		if bad != nil {
			continue
		}
		text, err := out.form.begin(nil, f, nil)
		if err != nil {
			return err
		}
		if err := errors.Join(s.partials.create(f), s.partials.write(f, text)); err != nil {
			return err
		}
	}
	return nil
}

// lookAt finds what forbids replacing a file before any is replaced.
func (s *Set) lookAt(f *file) error {
	if why := f.missing(); why != "" {
		return nil
	}
	target := s.target(f.path)
	info, err := s.root.Lstat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return failure("replacing", target, err)
	}
	if bad := s.replaceable(info); bad != nil {
		return &Error{Doing: "replacing", Path: target, Cause: errors.New("it " + bad.message), Help: bad.help}
	}
	return nil
}

// missing says which rows a file lacks that must not be replaced without them.
func (f *file) missing() string {
	if !f.out.whole {
		return ""
	}
	var why []string
	switch all := f.failed + f.rows + f.unfit; {
	case f.failed > 0 && all == 1:
		why = append(why, "its only row failed")
	case f.failed > 0:
		why = append(why, fmt.Sprintf("%s of its %s failed", say.Count(f.failed), say.Plural(all, "row")))
	}
	if f.unfit > 0 {
		why = append(why, fmt.Sprintf("%s could not be written", say.Plural(f.unfit, "row")))
	}
	if f.out.unknown > 0 {
		why = append(why, fmt.Sprintf("%s failed whose file only the answer tells", say.Plural(f.out.unknown, "row")))
	}
	return strings.Join(why, ", ")
}

// tidy removes the partial files that nobody needs: all but those of kept files.
func (s *Set) tidy(written []Written) error {
	needed := slices.ContainsFunc(written, func(w Written) bool { return w.Partial != "" })
	if !needed {
		return errors.Join(s.partials.close(), s.partials.clear())
	}
	for _, w := range written {
		if w.State != Unchanged {
			continue
		}
		name := strings.TrimPrefix(strings.TrimPrefix(w.Path, s.base), "/")
		if f := s.claims.files[name]; f != nil {
			if err := errors.Join(s.partials.shut(f), s.partials.dir.Remove(f.path)); err != nil {
				return failure("removing", s.partials.at(f.path), err)
			}
		}
	}
	return nil
}

// forget removes what earlier runs left, unless this one has no answer at all.
func (s *Set) forget() error {
	if !s.answered {
		return nil
	}
	return errors.Join(s.partials.clearOlder(), s.rest.clearOlder())
}
