package specs

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/batchrunner/runner/specs/dataset"
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
		d.report(posOf(value), "", fmt.Sprintf("the axis %q has %s, but its values come from one of them", key.Value, and(kinds)), "remove the others")
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

// dataError reports that a data file is missing at the name in the job file, and
// what is wrong inside one at its place there.
func (d *draft) dataError(n *yaml.Node, err error) {
	var bad *dataset.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.report(posOf(n), "", fmt.Sprintf("%s: there is no such file", n.Value), d.similarFile(n.Value))
	case errors.As(err, &bad) && bad.Line > 0:
		d.showData(bad.File, n)
		d.add(Diagnostic{File: bad.File, Pos: Pos{bad.Line, max(bad.Col, 1)}, Message: bad.Message, Help: bad.Help})
	case errors.As(err, &bad):
		d.report(posOf(n), "", n.Value+" "+bad.Message, bad.Help)
	default:
		d.report(posOf(n), "", fmt.Sprintf("%s: %v", n.Value, err), "")
	}
}

// showData reads a data file's text, for the line in which a mistake is.
func (d *draft) showData(file string, n *yaml.Node) {
	if text, bad := readFile(d.root, d.inside(n.Value), maxJobFile); bad == nil {
		d.used[file] = newSource(file, text)
	}
}

// similarFile suggests another file of the same folder.
func (d *draft) similarFile(name string) string {
	folder := path.Dir(d.inside(name))
	entries, err := fs.ReadDir(d.root, folder)
	if err != nil {
		return "paths are relative to the job file"
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	meant := similar(path.Base(name), names)
	if meant == "" {
		return "paths are relative to the job file"
	}
	return fmt.Sprintf("did you mean %s?", path.Join(path.Dir(name), meant))
}

// similar returns the file whose name is near, its extension aside.
func similar(name string, files []string) string {
	stem := func(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }
	var stems []string
	for _, file := range files {
		stems = append(stems, stem(file))
	}
	meant := nearest(stem(name), stems)
	found := ""
	for i, file := range files {
		if meant != "" && stems[i] == meant && (found == "" || path.Ext(file) == path.Ext(name)) {
			found = file
		}
	}
	return found
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

// pathInside says whether a path stays inside the root; a path that doesn't is
// reported.
func (d *draft) pathInside(n *yaml.Node, name, what string) bool {
	message := ""
	switch {
	case strings.ContainsRune(name, 0):
		message = fmt.Sprintf("%s %q has a NUL character in its name", what, name)
	case strings.Contains(name, `\`):
		d.report(posOf(n), "", fmt.Sprintf(`%s %q has a backslash in its name`, what, name), "folders are separated by / on every system")
		return false
	case path.IsAbs(name):
		message = fmt.Sprintf("%s %q is an absolute path, and only what is under the root can be used", what, name)
	case !fs.ValidPath(d.inside(name)):
		message = fmt.Sprintf("%s %q leads out of the root", what, name)
	default:
		return true
	}
	d.report(posOf(n), "", message, "name it relative to the job file; --root DIR chooses another root")
	return false
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
