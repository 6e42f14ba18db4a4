package output

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/batchrunner/runner/specs"
)

// claims knows which file belongs to which output, and which paths no output may
// have. It grows with the number of distinct files, not with that of rows.
type claims struct {
	files   map[string]*file  // by path
	folded  map[string]*file  // by folded path
	folders map[string]*file  // by folded path of a folder: a file in it
	inputs  map[string]string // by folded path: what the job reads there
	read    []read            // the same, as they are
	globs   []glob
}

// A read is a file that the job reads.
type read struct {
	path, what string
	info       fs.FileInfo // nil: not looked at yet, or not there
}

// A glob is a pattern for the job's input files, inside the root.
type glob struct{ axis, pattern string }

func newClaims(job *specs.Job) *claims {
	c := &claims{
		files:   map[string]*file{},
		folded:  map[string]*file{},
		folders: map[string]*file{},
		inputs:  map[string]string{},
	}
	c.reads(path.Join(job.Dir, path.Base(filepath.ToSlash(job.File))), "the job file")
	for _, axis := range job.Axes {
		if axis.File != nil {
			c.reads(axis.File.Path, fmt.Sprintf("the data file of %s", axis.Name.Value))
		}
		if axis.Glob != "" {
			c.globs = append(c.globs, glob{axis.Name.Value, path.Join(job.Dir, axis.Glob)})
		}
	}
	for _, shown := range promptFiles(job) {
		if rel, err := filepath.Rel(filepath.Dir(job.File), shown); err == nil {
			c.reads(path.Join(job.Dir, filepath.ToSlash(rel)), "a prompt file of the job")
		}
	}
	return c
}

func (c *claims) reads(name, what string) {
	c.inputs[fold(name)] = what
	c.read = append(c.read, read{path: name, what: what})
}

// isInput says whether an existing file is one that the job reads.
func (c *claims) isInput(root *os.Root, info fs.FileInfo) *badName {
	for i := range c.read {
		in := &c.read[i]
		if in.info == nil {
			in.info, _ = root.Stat(in.path) // what is not there can't be replaced
		}
		if in.info != nil && os.SameFile(in.info, info) {
			return &badName{fmt.Sprintf("is %s, %s", in.what, in.path), "outputs never replace what the job reads: choose another name"}
		}
	}
	return nil
}

// promptFiles gives the files besides the job file that hold the job's templates,
// as messages name them.
func promptFiles(job *specs.Job) []string {
	var files []string
	for _, step := range job.Steps {
		for _, m := range step.Messages {
			if m.Content != nil && m.Content.File != job.File {
				files = append(files, m.Content.File)
			}
		}
	}
	return files
}

// claim gives the file at a path to an output, which may have it already. row is
// the row that names it.
func (c *claims) claim(out *output, full string, row int64) (*file, *badName) {
	if f := c.files[full]; f != nil {
		if f.out == out {
			return f, nil
		}
		return nil, &badName{fmt.Sprintf("is also that of %s, for row %d", f.out.place(), f.first), "give each output names of its own"}
	}
	if bad := c.check(out, full); bad != nil {
		return nil, bad
	}
	f := &file{out: out, path: full, first: row}
	c.files[full] = f
	c.folded[fold(full)] = f
	for dir := path.Dir(full); dir != "."; dir = path.Dir(dir) {
		c.folders[fold(dir)] = f
	}
	return f, nil
}

// check holds a path that nothing has claimed yet against all others.
func (c *claims) check(out *output, full string) *badName {
	folded := fold(full)
	if what := c.inputs[folded]; what != "" {
		return &badName{"is " + what, "outputs never replace what the job reads: choose another name"}
	}
	for _, g := range c.globs {
		if ok, _ := doublestar.Match(g.pattern, full); ok {
			return &badName{fmt.Sprintf("matches the glob of %s, so that the next run would read it", g.axis), "write to a folder outside the pattern"}
		}
	}
	if f := c.folded[folded]; f != nil {
		return &badName{fmt.Sprintf("differs only in case from %q of row %d%s", f.path, f.first, f.out.besides(out)), "some systems take them for one file: make the names differ in more"}
	}
	if f := c.folders[folded]; f != nil {
		return &badName{fmt.Sprintf("is a folder in %q of row %d%s", f.path, f.first, f.out.besides(out)), "a file can't have the name of a folder: change one of them"}
	}
	for dir := path.Dir(folded); dir != "."; dir = path.Dir(dir) {
		if f := c.folded[dir]; f != nil {
			return &badName{fmt.Sprintf("uses %q as a folder, the file of row %d%s", f.path, f.first, f.out.besides(out)), "a file can't have the name of a folder: change one of them"}
		}
		if what := c.inputs[dir]; what != "" {
			return &badName{fmt.Sprintf("uses %q as a folder, which is %s", dir, what), "choose another name"}
		}
	}
	return nil
}

// forget gives a path back.
func (c *claims) forget(f *file) {
	delete(c.files, f.path)
	delete(c.folded, fold(f.path))
}

// place names an output in messages about another one.
func (o *output) place() string {
	return fmt.Sprintf("the output at %s:%d:%d", o.spec.File.File, o.spec.Pos.Line, o.spec.Pos.Col)
}

// besides names an output in messages about another one, and nothing in those
// about itself.
func (o *output) besides(other *output) string {
	if o == other {
		return ""
	}
	return ", " + o.place()
}
