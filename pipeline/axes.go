package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/dataset"
)

// A data file on the first axis is read once when it is this small, so that the
// number of rows is known before the first; else it is read as a stream.
const (
	smallRows  = 10_000
	smallBytes = 4 << 20
)

// An axis is one dimension of the matrix. It is read by index, or, where size is
// -1, only from its beginning.
type axis struct {
	name string
	size int64
	at   func(int64) any      // by index, from 0; nil for a stream
	each func() iter.Seq[any] // of a stream
}

// A bad is in the place of a value that could not be read. The row it stands in
// can't be asked.
type bad struct{ err error }

// An end is in the place of all values that would have followed: the data can't be
// read any further.
type end struct{ err error }

func (b *builder) axis(a *specs.Axis, first bool) (axis, error) {
	switch {
	case a.File != nil:
		return b.file(a, first)
	case a.Glob != "":
		return b.glob(a, first)
	case a.Count > 0:
		return axis{name: a.Name.Value, size: int64(a.Count), at: func(i int64) any { return number(i + 1) }}, nil
	}
	return values(a, a.List), nil
}

func number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

func values(a *specs.Axis, list []any) axis {
	return axis{name: a.Name.Value, size: int64(len(list)), at: func(i int64) any { return list[i] }}
}

// file reads a data file into memory, but for a large one on the first axis. In
// that file a line that can't be used costs its rows only; in others it is needed by
// all rows.
func (b *builder) file(a *specs.Axis, first bool) (axis, error) {
	stream := axis{name: a.Name.Value, size: -1, each: func() iter.Seq[any] { return b.stream(a.File) }}
	most := -1
	if first && a.File.Streams() {
		most = smallRows
		if info, err := fs.Stat(b.data, a.File.Path); err == nil && info.Size() > smallBytes {
			return stream, nil
		}
	}
	var list []any
	for v, err := range a.File.Rows(b.data) {
		switch {
		case err != nil && first && dataset.IsRow(err):
			v = bad{err}
		case err != nil:
			return axis{}, fromData(nil, err)
		case len(list) == most:
			return stream, nil
		}
		list = append(list, v)
	}
	return values(a, list), nil
}

func (b *builder) stream(file *dataset.Source) iter.Seq[any] {
	return func(yield func(any) bool) {
		for v, err := range file.Rows(b.data) {
			switch {
			case dataset.IsRow(err):
				v = bad{err}
			case err != nil:
				v = end{err}
			}
			if !yield(v) {
				return
			}
		}
	}
}

// glob finds the files at once. Those of the first axis are read when their row
// comes, so that their texts are not all in memory; others are read once.
func (b *builder) glob(a *specs.Axis, first bool) (axis, error) {
	pattern := path.Join(literal(b.job.Dir), a.Glob)
	if pattern == ".." || strings.HasPrefix(pattern, "../") {
		return axis{}, b.wrong(a.Name, fmt.Sprintf("%q leads outside the root", a.Glob), "")
	}
	names, err := dataset.Glob(b.data, pattern)
	if err != nil {
		return axis{}, fromData(nil, err)
	}
	read := axis{name: a.Name.Value, size: int64(len(names)), at: func(i int64) any { return b.document(names[i]) }}
	if first {
		return read, nil
	}
	list := make([]any, len(names))
	for i := range names {
		list[i] = read.at(int64(i))
		if failed, ok := list[i].(bad); ok {
			return axis{}, fromData(nil, failed.err)
		}
	}
	return values(a, list), nil
}

// literal makes a folder's name a pattern that matches nothing else.
func literal(dir string) string {
	var b strings.Builder
	for _, r := range dir {
		if strings.ContainsRune(`*?[]{}\`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// document reads a file that a glob found. Its path is relative to the job file, as
// all paths in a job are.
func (b *builder) document(name string) any {
	doc, err := dataset.Document(b.data, name)
	if err != nil {
		return bad{err}
	}
	if rel, err := filepath.Rel(filepath.FromSlash(b.job.Dir), filepath.FromSlash(name)); err == nil {
		doc["path"] = filepath.ToSlash(rel)
		doc["dir"] = path.Dir(filepath.ToSlash(rel))
	}
	return doc
}

// checkSize wants each axis to have a value, as far as that is known.
func (b *builder) checkSize(a *specs.Axis, x axis) error {
	switch {
	case x.size != 0:
		return nil
	case a.File != nil:
		return b.wrong(a.Name, fmt.Sprintf("axis %q has no values: %s has no rows", a.Name.Value, a.File.Shown), "")
	case a.Glob != "":
		return b.wrong(a.Name, fmt.Sprintf("axis %q has no values: %q matches no file", a.Name.Value, a.Glob), "")
	}
	return b.wrong(a.Name, fmt.Sprintf("axis %q has no values", a.Name.Value), "")
}

func (b *builder) wrong(at specs.String, message, help string) *Error {
	return &Error{File: b.job.File, Pos: at.Pos, Message: message, Help: help}
}

// join gives several mistakes as one error, nil for none.
func join(mistakes []error) error {
	if len(mistakes) == 1 {
		return mistakes[0]
	}
	return errors.Join(mistakes...)
}
