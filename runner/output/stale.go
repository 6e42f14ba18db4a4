package output

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
)

// A Recorded is a file as an earlier run left it.
type Recorded struct {
	Path   string // inside the root, slash-separated
	SHA256 string // of its bytes, in hexadecimal
}

// A StaleFile is one that an earlier run wrote and that no row names any more.
type StaleFile struct {
	Recorded
	Ours bool // it still has the bytes that were written
	Gone bool // it is not there any more
}

// Stale gives the files of before that are not named any more.
func Stale(root *os.Root, before []Recorded, named map[string]bool) ([]StaleFile, error) {
	var stale []StaleFile
	for _, f := range before {
		if named[f.Path] {
			continue
		}
		one := StaleFile{Recorded: f}
		sum, err := sumOf(root, f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			one.Gone = true
		case err != nil:
			return nil, failure("reading", f.Path, err)
		default:
			one.Ours = sum == f.SHA256
		}
		stale = append(stale, one)
	}
	return stale, nil
}

// Prune deletes the stale files that are still as they were written, and the folders
// that become empty by it. It says which files it deleted.
func Prune(root *os.Root, stale []StaleFile) (removed []string, err error) {
	for _, f := range stale {
		if !f.Ours || f.Gone {
			continue
		}
		if err := root.Remove(f.Path); err != nil {
			return removed, failure("deleting", f.Path, err)
		}
		removed = append(removed, f.Path)
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			if root.Remove(dir) != nil {
				break // it has something else in it, or is not ours to delete
			}
		}
	}
	return removed, nil
}

// sumOf is the SHA-256 of a regular file, in hexadecimal. What else stands there is no
// file of ours: it has none.
func sumOf(root *os.Root, name string) (string, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", nil
	}
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close() // only read from
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Sums gives the files that are in their place with the SHA-256 of their bytes.
func Sums(root *os.Root, files []Written) ([]Recorded, error) {
	var sums []Recorded
	for _, w := range files {
		if w.State == Kept {
			continue
		}
		sum, err := sumOf(root, w.Path)
		if err != nil {
			return nil, failure("reading", w.Path, err)
		}
		sums = append(sums, Recorded{w.Path, sum})
	}
	return sums, nil
}
