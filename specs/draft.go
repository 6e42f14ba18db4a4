package specs

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// A draft is a job while it is read: what is known so far, and every mistake.
type draft struct {
	root fs.FS
	opts Options
	src  *source            // the job file
	used map[string]*source // by shown name: the job file and its prompt files
	// wrong holds the nodes that a mistake was reported for already: readers take
	// them for absent, and say nothing about what follows from that.
	wrong map[*yaml.Node]bool
	meant map[*yaml.Node]string // of unknown keys: the one that was probably meant

	top    *yaml.Node // the whole job
	file   jobFile
	steps  []stepFile // by step; one made of the job's own keys where it has no steps
	single bool       // the job has no steps of its own
	job    *Job
	uses   []use   // every template of the job
	inputs []input // every file that the job reads
	// mended are the lines that are no YAML as they stand: they are read as they
	// were probably meant, and nothing more is said about them.
	mended map[int]bool
	diags  Diagnostics
	said   map[said]bool
	scope  *scope // what templates see, once the job is read
}

// said is what a diagnostic says, by which it is told from others.
type said struct {
	file    string
	pos     Pos
	message string
}

// maxSaid is how many mistakes of one job are reported.
const maxSaid = 1000

// An input is a file that the job reads.
type input struct {
	path string // inside the root
	pos  Pos    // where the job file names it
	what string // "the data file", "the prompt file"
}

// report adds a mistake in the job file.
func (d *draft) report(pos Pos, step, message, help string) {
	d.add(Diagnostic{File: d.src.file, Pos: pos, Step: step, Message: message, Help: help})
}

// reportf adds a mistake at a node of the job file, without anything to do about it.
func (d *draft) reportf(n *yaml.Node, step, format string, args ...any) {
	d.report(posOf(n), step, fmt.Sprintf(format, args...), "")
}

// warn adds a warning in the job file.
func (d *draft) warn(pos Pos, step, message, help string) {
	d.add(Diagnostic{File: d.src.file, Pos: pos, Step: step, Message: message, Help: help, Warning: true})
}

// add adds a diagnostic with the line it points at. One that is there already, as
// two places that share an anchor give it, is not added again.
func (d *draft) add(diag Diagnostic) {
	if diag.File == d.src.file && d.mended[diag.Pos.Line] {
		return
	}
	if src := d.used[diag.File]; src != nil {
		diag.Source = src.line(diag.Pos.Line)
	}
	what := said{diag.File, diag.Pos, diag.Message}
	if !d.said[what] && len(d.diags) < maxSaid {
		d.said[what] = true
		d.diags = append(d.diags, diag)
	}
}

// posOf is a node's place.
func posOf(n *yaml.Node) Pos { return Pos{n.Line, n.Column} }

// place says a place for a message about another one: "translate.yaml:9:11".
func (d *draft) place(p Pos) string { return fmt.Sprintf("%s:%d:%d", d.src.file, p.Line, p.Col) }

// shown is how messages name a file that the job file names: clickable from
// where the job file was named.
func (d *draft) shown(name string) string {
	return filepath.Join(filepath.Dir(d.src.file), filepath.FromSlash(name))
}

// inside turns a path of the job file into one inside the root.
func (d *draft) inside(name string) string { return path.Join(d.job.Dir, name) }
