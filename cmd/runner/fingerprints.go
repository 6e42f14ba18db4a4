package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
)

// openedFiles are the names of the files that were opened below a root, which are those
// that a job's rows and prompts are made of. It is safe for concurrent use.
type openedFiles struct {
	mu    sync.Mutex
	names map[string]bool
}

// FS is the root's file system, which notes what is opened.
func (f *folder) FS() fs.FS { return notedFS{f.Root.FS(), f.opened} }

type notedFS struct {
	fs.FS
	opened *openedFiles
}

func (n notedFS) Open(name string) (fs.File, error) {
	file, err := n.FS.Open(name)
	if err == nil {
		n.opened.mu.Lock()
		n.opened.names[name] = true
		n.opened.mu.Unlock()
	}
	return file, err
}

// Stat, ReadDir and ReadLink are the root's own: what they look at is not read.
func (n notedFS) Stat(name string) (fs.FileInfo, error)      { return fs.Stat(n.FS, name) }
func (n notedFS) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(n.FS, name) }
func (n notedFS) ReadLink(name string) (string, error)       { return fs.ReadLink(n.FS, name) }
func (n notedFS) Lstat(name string) (fs.FileInfo, error)     { return fs.Lstat(n.FS, name) }

// fingerprints gives the SHA-256 of each file that was opened, by its path in the root.
func (f *folder) fingerprints() (map[string]string, error) {
	f.opened.mu.Lock()
	names := slices.Sorted(maps.Keys(f.opened.names))
	f.opened.mu.Unlock()
	sums := map[string]string{}
	for _, name := range names {
		sum, err := f.fingerprint(name)
		if err != nil {
			return nil, fail(exitMistake, "%s can't be read: %s", name, reason(err))
		}
		if sum != "" {
			sums[name] = sum
		}
	}
	return sums, nil
}

func (f *folder) fingerprint(name string) (string, error) {
	if name == lockName {
		return "", nil // what it says is compared by itself
	}
	file, err := f.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "gone", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close() // only read from
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return "", err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// inputs are the fingerprints of all that a job was made of: its files, and what the
// command line put in.
func (j *loadedJob) inputs(flags *jobFlags) (map[string]string, error) {
	inputs, err := j.folder.fingerprints()
	if err != nil {
		return nil, err
	}
	for _, v := range flags.vars {
		inputs["--var "+v] = ""
	}
	for _, name := range flags.env {
		sum := sha256.Sum256([]byte(j.job.Env[name]))
		inputs["--env "+name] = hex.EncodeToString(sum[:])
	}
	return inputs, nil
}

// sameInputs says whether a job is made of what it was, as far as it was read by now:
// whole data files count from their first line on.
func sameInputs(now, then map[string]string) bool {
	for name, sum := range now {
		if old, ok := then[name]; !ok || old != sum {
			return false
		}
	}
	for name := range then {
		if _, ok := now[name]; !ok && strings.HasPrefix(name, "--") {
			return false // the command line put in something else
		}
	}
	return true
}
