package output

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/specs"
)

// rest keeps the records that have no place in an output, so that no answer is
// lost: default records, one a line, with the output and what was wrong.
type rest struct {
	root   *os.Root
	name   string
	record *recorder
	handle *os.File // nil: there was none yet
	size   int64
}

func newRest(root *os.Root, base string, job *specs.Job, plan *pipeline.Plan) rest {
	return rest{
		root:   root,
		name:   path.Join(base, ".runner/unplaced", folderName(ownName(job))+".jsonl"),
		record: &recorder{columns: columnsOf(job, plan)},
	}
}

// setAside renames the records of an earlier run, in the place of still older ones.
func (r *rest) setAside() error {
	if err := r.root.Rename(r.name, r.older()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failure("renaming", r.name, err)
	}
	return nil
}

// clearOlder removes the records of earlier runs.
func (r *rest) clearOlder() error {
	if err := r.root.Remove(r.older()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failure("removing", r.older(), err)
	}
	return nil
}

func (r *rest) older() string { return strings.TrimSuffix(r.name, ".jsonl") + previous + ".jsonl" }

func (r *rest) add(in *input, d specs.Diagnostic) error {
	if r.handle == nil {
		if err := r.open(); err != nil {
			return failure("opening", r.name, err)
		}
	}
	line := r.record.appendFields([]byte{'{'}, in.rec)
	line = appendField(line, `,"problem":`, d.Message)
	n, err := r.handle.Write(append(line, "}\n"...))
	if err != nil {
		return failure("writing", r.name, errors.Join(err, r.handle.Truncate(r.size)))
	}
	r.size += int64(n)
	return nil
}

func (r *rest) open() (err error) {
	if err := r.root.MkdirAll(path.Dir(r.name), 0o777); err != nil {
		return err
	}
	r.handle, err = r.root.OpenFile(r.name, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o666)
	return err
}

// path is where the records are; empty: there are none.
func (r *rest) path() string {
	if r.size == 0 {
		return ""
	}
	return r.name
}

func (r *rest) close() error {
	if r.handle == nil {
		return nil
	}
	handle := r.handle
	r.handle = nil
	if err := errors.Join(handle.Sync(), handle.Close()); err != nil {
		return failure("writing", r.name, err)
	}
	return nil
}
