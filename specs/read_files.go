package specs

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/batchrunner/runner/specs/dataset"
	"gopkg.in/yaml.v3"
)

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

// readText reads a file that the job names, nil where it can't, which is reported.
func (d *draft) readText(n *yaml.Node, a asking, what string, most int64) *source {
	d.inputs = append(d.inputs, input{d.inside(n.Value), posOf(n), what})
	text, bad := readFile(d.root, d.inside(n.Value), most)
	if bad != nil {
		help := bad.help
		if bad.missing {
			help = d.similarFile(n.Value)
		}
		d.report(posOf(n), a.id, n.Value+": "+bad.message, help)
		return nil
	}
	src := newSource(d.shown(n.Value), strings.ReplaceAll(text, "\r\n", "\n"))
	d.used[src.file] = src
	return src
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
	meant := Nearest(stem(name), stems)
	found := ""
	for i, file := range files {
		if meant != "" && stems[i] == meant && (found == "" || path.Ext(file) == path.Ext(name)) {
			found = file
		}
	}
	return found
}
