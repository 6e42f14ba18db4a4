package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Glob gives the regular files that a pattern names, sorted by path: * and ? stay
// inside a folder, ** reaches through folders, {a,b} is either. The pattern is
// relative to the root, slash-separated and clean. What .git and .runner folders
// hold is left out, and so are symbolic links to folders, to nothing, and out of
// the root; a link to a file inside the root counts as that file.
func Glob(fsys fs.FS, pattern string) ([]string, error) {
	if !doublestar.ValidatePattern(pattern) {
		return nil, &Error{File: pattern, Message: "is no pattern of files", Help: "close every [ and {"}
	}
	if pattern == ".." || strings.HasPrefix(pattern, "../") || strings.HasPrefix(pattern, "/") {
		return nil, &Error{File: pattern, Message: "leads outside the root"}
	}
	found, err := doublestar.Glob(visible{fsys}, pattern,
		doublestar.WithFilesOnly(), doublestar.WithNoFollow(), doublestar.WithFailOnIOErrors())
	if err != nil {
		return nil, globError(pattern, err)
	}
	found = slices.DeleteFunc(found, func(name string) bool {
		info, err := fs.Stat(fsys, name)
		return err != nil || !info.Mode().IsRegular()
	})
	slices.Sort(found)
	return slices.Compact(found), nil
}

// globError names the folder that could not be read.
func globError(pattern string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) && p.Path != "" {
		pattern = p.Path
	}
	return placed(pattern, err)
}

// visible hides git's and our own folder.
type visible struct{ fs.FS }

func (v visible) Open(name string) (fs.File, error) {
	if hides(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return v.FS.Open(name)
}

// Stat keeps doublestar from opening what may be a pipe.
func (v visible) Stat(name string) (fs.FileInfo, error) {
	if hides(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return fs.Stat(v.FS, name)
}

func (v visible) ReadDir(name string) ([]fs.DirEntry, error) {
	if hides(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	entries, err := fs.ReadDir(v.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return hidden(e.Name()) }), err
}

func hides(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if hidden(part) {
			return true
		}
	}
	return false
}

func hidden(name string) bool { return name == ".git" || name == ".runner" }

// Document reads one file that a glob found: path (as given), dir (its folder), stem
// (its name without folder and last extension) and text, without a byte order mark
// and otherwise as it stands. Files that are no UTF-8 text, and such of more than 16
// MiB, are an *Error.
func Document(fsys fs.FS, name string) (map[string]any, error) {
	text, err := whole(fsys, name)
	if err != nil {
		return nil, placed(name, err)
	}
	base := path.Base(name)
	return map[string]any{
		"path": name,
		"dir":  path.Dir(name),
		"stem": strings.TrimSuffix(base, path.Ext(base)),
		"text": text,
	}, nil
}

func whole(fsys fs.FS, name string) (string, error) {
	f, err := open(fsys, name)
	if err != nil {
		return "", err
	}
	defer f.Close() // only read from
	var b strings.Builder
	n, err := io.Copy(&b, io.LimitReader(newText(f), maxRow+1))
	if err == nil && n > maxRow {
		err = &Error{Message: fmt.Sprintf("is larger than %d MiB", maxRow>>20), Help: "split it, or leave it out of the pattern"}
	}
	return b.String(), err
}
