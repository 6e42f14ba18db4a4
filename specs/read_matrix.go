package specs

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/batchrunner/runner/specs/dataset"
	"github.com/batchrunner/runner/specs/say"
	"gopkg.in/yaml.v3"
)

// readMatrix reads the axes, then what include and exclude say of them.
func (d *draft) readMatrix() {
	var special matrixFile
	d.fill(d.file.Matrix, &special)
	for key, value := range pairs(d.file.Matrix) {
		if d.wrong[key] || d.wrong[value] || value == special.Include || value == special.Exclude {
			continue
		}
		d.job.Axes = append(d.job.Axes, d.readAxis(key, value))
	}
	d.job.Include = d.readEntries(special.Include)
	d.job.Exclude = d.readEntries(special.Exclude)
}

// readAxis reads one axis. One with a mistake is there all the same, so that
// templates may name it, with nothing known of its values.
func (d *draft) readAxis(key, value *yaml.Node) Axis {
	axis := Axis{Name: str(key)}
	if value.Kind == yaml.SequenceNode {
		for _, item := range value.Content {
			axis.List = append(axis.List, d.data(item))
		}
		axis.Columns = fieldsOf(value.Content)
		return axis
	}
	var f axisFile
	d.fill(value, &f)
	if !d.oneKind(key, value, &f) {
		return axis
	}
	switch {
	case f.File != nil:
		d.readDataFile(&axis, &f)
	case f.Glob != nil:
		d.readGlob(&axis, f.Glob)
	case f.Count != nil:
		axis.Count = int(integer(f.Count))
	}
	return axis
}

// oneKind says whether an axis has exactly one of file, glob and count.
func (d *draft) oneKind(key, value *yaml.Node, f *axisFile) bool {
	var kinds []string
	for _, name := range []string{"file", "glob", "count"} {
		if has(value, name) {
			kinds = append(kinds, name)
		}
	}
	switch {
	case len(kinds) == 0:
		help := "write a list of values, or one of {file: PATH}, {glob: PATTERN} and {count: N}"
		if wrongIn(d, value) {
			return false // an unknown key is reported already
		}
		d.report(posOf(value), "", fmt.Sprintf("the axis %q says nothing of where its values come from", key.Value), help)
		return false
	case len(kinds) > 1:
		d.report(posOf(value), "", fmt.Sprintf("the axis %q has %s, but its values come from one of them", key.Value, say.And(kinds)), "remove the others")
		return false
	}
	if f.Separator != nil && (f.File == nil || dataset.Format(f.File.Value) != "csv") && !d.wrong[value] {
		d.report(posOf(f.Separator), "", `"separator" is for csv files`, "remove it")
	}
	return true
}

// wrongIn says whether a mapping holds a value that was reported already.
func wrongIn(d *draft, n *yaml.Node) bool {
	for _, value := range pairs(n) {
		if d.wrong[value] {
			return true
		}
	}
	return false
}

func (d *draft) readDataFile(axis *Axis, f *axisFile) {
	name := f.File.Value
	if !d.pathInside(f.File, name, "the data file") {
		return
	}
	source := &dataset.Source{Path: d.inside(name), Shown: d.shown(name), Format: dataset.Format(name)}
	if source.Format == "" {
		d.report(posOf(f.File), "", fmt.Sprintf("%s: data files of this kind are not known", name), "the extension says the kind: csv, tsv, jsonl, json, yaml or txt")
		return
	}
	if f.Separator != nil {
		source.Separator, _ = utf8.DecodeRuneInString(f.Separator.Value)
		if strings.ContainsRune("\"\r\n", source.Separator) {
			d.report(posOf(f.Separator), "", fmt.Sprintf("%q can't be a separator", f.Separator.Value), `for example: separator: ";"`)
			return
		}
	}
	d.inputs = append(d.inputs, input{source.Path, posOf(f.File), "the data file"})
	axis.File = source
	columns, err := source.Columns(d.root)
	if err != nil {
		d.dataError(f.File, err)
		return
	}
	axis.Columns = columns
}

func (d *draft) readGlob(axis *Axis, n *yaml.Node) {
	if !d.pathInside(n, n.Value, "the pattern") {
		return
	}
	axis.Glob = n.Value
	axis.Columns = []string{"path", "dir", "stem", "text"}
	found, err := dataset.Glob(d.root, path.Join(literal(d.job.Dir), n.Value))
	if err != nil {
		d.dataError(n, err)
		return
	}
	if len(found) == 0 {
		d.report(posOf(n), "", fmt.Sprintf("no file matches %s, and an axis without values makes no rows", n.Value), "patterns are relative to the job file; ** stands for any folders")
	}
	for _, name := range found {
		d.inputs = append(d.inputs, input{name, posOf(n), "a file that the glob finds"})
	}
}

// literal makes a folder's name a pattern that matches nothing else.
func literal(folder string) string {
	return regexp.MustCompile(`[*?\[\]{}\\]`).ReplaceAllString(folder, `\$0`)
}

func (d *draft) readEntries(n *yaml.Node) []Entry {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	var entries []Entry
	for _, item := range n.Content {
		if d.wrong[item] {
			continue
		}
		entry := Entry{Pos: posOf(item), Values: map[string]any{}}
		for key, value := range pairs(item) {
			if d.wrong[key] || d.wrong[value] {
				continue
			}
			entry.Names = append(entry.Names, str(key))
			entry.Values[key.Value] = d.data(value)
		}
		entries = append(entries, entry)
	}
	return entries
}

// fieldsOf gives the fields of a list's mappings in order of appearance, nil where
// an element is none.
func fieldsOf(items []*yaml.Node) []string {
	var names []string
	seen := map[string]bool{}
	for _, item := range items {
		if item.Kind != yaml.MappingNode {
			return nil
		}
		for key := range pairs(item) {
			if !seen[key.Value] {
				seen[key.Value] = true
				names = append(names, key.Value)
			}
		}
	}
	return names
}
