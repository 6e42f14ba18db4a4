package specs

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// checkOutputPaths holds that outputs stay inside the root, and that no output
// takes the place of another one or of a file that the job reads. Names that depend
// on the row are checked as far as they are written out; the rest when it is known.
func checkOutputPaths(d *draft) {
	first := map[string]named{}
	for _, o := range d.job.Outputs {
		if o.File == nil || !d.outputInside(o.File) {
			continue
		}
		name := o.File.Text()
		key := name
		if o.File.Constant() {
			key = caseless(d.inside(name))
			d.checkInputs("the output", name, o.File.Start)
		}
		if at, ok := first[key]; ok {
			d.reportCollision(name, at, o.File.Start)
			continue
		}
		first[key] = named{name, o.File.Start}
	}
	d.checkFolders()
}

// A named is an output's name and its place.
type named struct {
	name string
	pos  Pos
}

func (d *draft) reportCollision(name string, other named, pos Pos) {
	message := fmt.Sprintf("the output %q is named at %s too", name, d.place(other.pos))
	switch {
	case path.Clean(other.name) == path.Clean(name) && other.name != name:
		message = fmt.Sprintf("the output %q is the same file as %q at %s", name, other.name, d.place(other.pos))
	case other.name != name:
		message = fmt.Sprintf("the output %q is the same file as %q at %s where upper and lower case count as one", name, other.name, d.place(other.pos))
	}
	d.report(pos, "", message, "give each output a name of its own")
}

// outputInside checks the part of a name that stands before its first action.
func (d *draft) outputInside(t *Template) bool {
	literal, _, _ := strings.Cut(t.Text(), "{{")
	message, help := d.misplaced(literal, t.Constant())
	if message == "" {
		return true
	}
	d.report(t.Start, "", fmt.Sprintf("the output %q %s", t.Text(), message), help)
	return false
}

// misplaced says why runner can't write to a path, of which whole says whether it is
// not only its beginning; empty where it can.
func (d *draft) misplaced(literal string, whole bool) (message, help string) {
	help = "files are named relative to the job file; --root DIR chooses another root"
	switch {
	case strings.ContainsRune(literal, 0):
		message, help = "has a NUL character in its name", ""
	case strings.Contains(literal, `\`):
		message, help = "has a backslash in its name", "folders are separated by / on every system"
	case path.IsAbs(literal):
		message = "is an absolute path, and runner writes only under the root"
	case !fs.ValidPath(path.Join(d.job.Dir, literal+"x")):
		message = "leads out of the root"
	case within(path.Join(d.job.Dir, literal), ".runner"):
		message, help = "is in the folder .runner, which runner keeps for itself", "choose another folder"
	case whole && strings.HasSuffix(literal, "/"):
		message, help = "names a folder", "end it with a file's name, such as "+literal+"answers.jsonl"
	}
	return message, help
}

// caseless makes paths equal that are one file where upper and lower case count as one.
func caseless(name string) string { return strings.ToLower(name) }

// within says whether a path leads into a folder.
func within(name, folder string) bool {
	for _, part := range strings.Split(name, "/") {
		if part == folder {
			return true
		}
	}
	return false
}

// checkInputs reports an output or a report that would replace what the job reads.
func (d *draft) checkInputs(what, written string, pos Pos) {
	name := d.inside(written)
	for _, in := range d.inputs {
		if !strings.EqualFold(in.path, name) {
			continue
		}
		where := ""
		if in.pos != (Pos{}) {
			where = " (at " + d.place(in.pos) + ")"
		}
		d.report(pos, "", fmt.Sprintf("%s %q would replace %s%s", what, written, in.what, where), "give "+what+" another name")
		return
	}
}

// checkFolders reports an output that would have to be a file and a folder.
func (d *draft) checkFolders() {
	for _, file := range d.job.Outputs {
		for _, in := range d.job.Outputs {
			if file.File == nil || in.File == nil || !file.File.Constant() {
				continue
			}
			literal, _, _ := strings.Cut(in.File.Text(), "{{")
			if strings.HasPrefix(strings.ToLower(d.inside(literal)), strings.ToLower(d.inside(file.File.Text()))+"/") {
				d.report(in.File.Start, "", fmt.Sprintf("the output %q needs a folder where %s puts a file", in.File.Text(), d.place(file.File.Start)), "give one of the two another name")
			}
		}
	}
}
