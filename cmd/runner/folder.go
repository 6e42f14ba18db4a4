package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/batchrunner/runner/specs/say"
)

// stateFolder is where runner keeps what is its own, inside a job's root.
const stateFolder = ".runner"

// A folder is a job's root: nothing outside of it is read or written.
type folder struct {
	*os.Root
	path   string // absolute
	opened *openedFiles
}

// openFolder opens the root of a job file: dir where given, else the nearest
// folder upwards from the file that holds .runner/, else the file's own folder.
func openFolder(file, dir string) (*folder, error) {
	if dir == "" {
		found, err := findRoot(filepath.Dir(file))
		if err != nil {
			return nil, fail(exitMistake, "%s: %v", file, err)
		}
		dir = found
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fail(exitMistake, "%s: %v", dir, err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fail(exitMistake, "the root folder %s can't be opened: %s", dir, reason(err))
	}
	return &folder{Root: root, path: abs, opened: &openedFiles{names: map[string]bool{}}}, nil
}

// findRoot returns the nearest folder from dir upwards that holds .runner/, or dir.
func findRoot(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := start; ; at = filepath.Dir(at) {
		if info, err := os.Stat(filepath.Join(at, stateFolder)); err == nil && info.IsDir() {
			return at, nil
		}
		if filepath.Dir(at) == at {
			return start, nil
		}
	}
}

// inside returns file's path relative to the root, slash-separated.
func (f *folder) inside(file string) (string, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", fail(exitMistake, "%s: %v", file, err)
	}
	rel, err := filepath.Rel(f.path, abs)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", fail(exitMistake, "%s is not inside the root folder %s; a job reads and writes inside its root only", file, f.path)
	}
	return filepath.ToSlash(rel), nil
}

// reason is what the system says of an error, without the call and the path.
func reason(err error) string { return say.Cause(err).Error() }

// looksLikeJob tells a job file by its extension.
func looksLikeJob(name string) bool {
	switch filepath.Ext(name) {
	case ".yaml", ".yml":
		return true
	}
	return false
}
