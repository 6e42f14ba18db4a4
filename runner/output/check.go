package output

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/say"
)

// A check is a template of an output that depends on variables alone.
type check struct {
	what string
	tmpl *specs.Template
	key  bool // its texts must be unique in a file
}

// checksOf gives what can be checked of an output's records before the run.
func checksOf(spec *specs.Output, answers []string) []check {
	all := []check{
		{what: "template", tmpl: spec.Template}, {what: "header", tmpl: spec.Header}, {what: "footer", tmpl: spec.Footer},
		{what: "key", tmpl: spec.Key, key: true}, {what: "value", tmpl: spec.Value},
	}
	for _, c := range spec.Columns {
		all = append(all, check{what: fmt.Sprintf("column %q", c.Name.Value), tmpl: c.Value})
	}
	var known []check
	for _, c := range all {
		if c.tmpl != nil && !reads(c.tmpl, answers) {
			known = append(known, c)
		}
	}
	return known
}

// Check tells what is wrong with the outputs of a row, as far as its variables
// tell: names that leave the root or that some system can't have, collisions of
// outputs with each other and with the job's inputs, keys that one file has twice,
// templates that can't be rendered. Rows are checked in order, before Begin.
func (s *Set) Check(row *pipeline.Row) specs.Diagnostics {
	var found specs.Diagnostics
	in := &input{plan: s.plan, row: row}
	for _, out := range s.outputs {
		if err := s.checkOutput(out, in); err != nil && out.tell(err) {
			found = append(found, in.diagnostic(out, err))
		}
	}
	return found
}

// maxTold is how many mistakes Check tells of one output: more rows have the same
// mistake, mostly, in other words.
const maxTold = 10

// tell says whether a mistake is to be told: it is a new one, and not one of many.
func (o *output) tell(err error) bool {
	if o.told == nil {
		o.told = map[string]bool{}
	}
	if len(o.told) >= maxTold || o.told[err.Error()] {
		return false
	}
	o.told[err.Error()] = true
	return true
}

// checkOutput gives the first thing that is wrong.
func (s *Set) checkOutput(out *output, in *input) error {
	if wanted, err := s.wantsBefore(out, in); !wanted {
		return err
	}
	var f *file
	if out.static {
		var err error
		if f, err = s.fileOf(out, in); err == nil {
			err = s.checkTarget(f)
		}
		if err != nil {
			return err
		}
	}
	for _, c := range out.before {
		text, err := in.render(c.what, c.tmpl)
		if err != nil {
			return err
		}
		if !c.key || f == nil {
			continue
		}
		if row, taken := f.keys.take(text, in.row.Number); taken {
			return &rowError{c.tmpl, c.what, duplicate(text, row, f)}
		}
	}
	return nil
}

// wantsBefore says whether the output surely has a record of this row. What its
// answers decide is not sure.
func (s *Set) wantsBefore(out *output, in *input) (bool, error) {
	when := out.spec.When
	if when == nil {
		return true, nil
	}
	if reads(when, answerNames(s.job)) {
		return false, nil
	}
	return in.truth(when)
}

// checkTarget looks at what stands where a file is to be written.
func (s *Set) checkTarget(f *file) error {
	if f.seen {
		return nil
	}
	f.seen = true
	info, err := s.root.Lstat(s.target(f.path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &nameError{f.path, &badName{fmt.Sprintf("can't be used: %v", say.Cause(err)), "write the output elsewhere"}}
	}
	if bad := s.replaceable(info); bad != nil {
		return &nameError{f.path, bad}
	}
	return nil
}

// replaceable says why an existing file must not be replaced: only regular files
// are, and none that the job reads under another name, through a folder that is a
// link.
func (s *Set) replaceable(info fs.FileInfo) *badName {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return s.claims.isInput(s.root, info)
	case mode&fs.ModeSymlink != 0:
		return &badName{"is a symbolic link, which outputs never replace", "remove the link, or write the output elsewhere"}
	case mode.IsDir():
		return &badName{"is a folder", fmt.Sprintf("write the output elsewhere, as in %s/...", path.Base(info.Name()))}
	}
	return &badName{"is no regular file", "write the output elsewhere"}
}
