package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"gopkg.in/yaml.v3"
)

// lockName is the file in a root that pins the models of its jobs.
const lockName = "runner.lock"

// lockVersion is the version of its form.
const lockVersion = 1

// A lockFile pins models: for git, so that everybody's runs ask the same ones.
type lockFile struct {
	Version int                    `yaml:"version"`
	Models  map[string]lockedModel `yaml:"models"` // by the name that jobs use
}

// A lockedModel is what a name stands for.
type lockedModel struct {
	Digest string `yaml:"digest"`         // SHA-256 of the model's manifest, in hexadecimal
	Size   int64  `yaml:"size,omitempty"` // bytes on the server's disk, for readers
}

const lockHeader = "# The models that this folder's jobs ask, as \"runner lock\" found them. Commit this file;\n# \"runner apply --locked\" asks no other ones.\n"

// readLockFile reads the root's lock file; nil where there is none.
func (f *folder) readLockFile() (*lockFile, error) {
	text, err := fs.ReadFile(f.FS(), lockName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fail(exitMistake, "%s can't be read: %s", lockName, reason(err))
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	lock := &lockFile{}
	if err := decoder.Decode(lock); err != nil {
		return nil, fail(exitMistake, "%s can't be read: %s; write it anew with: runner lock FILE", lockName, oneLine(err))
	}
	if lock.Version != lockVersion {
		return nil, fail(exitMistake, "%s has version %d; this runner reads version %d", lockName, lock.Version, lockVersion)
	}
	for name, m := range lock.Models {
		if m.Digest == "" {
			return nil, fail(exitMistake, "%s has no digest for %q; write it with: runner lock FILE", lockName, name)
		}
	}
	return lock, nil
}

// text is the lock file's: models sorted by name.
func (l *lockFile) text() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(lockHeader)
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(l), encoder.Close()); err != nil {
		return nil, fmt.Errorf("%s can't be written: %w", lockName, err)
	}
	return b.Bytes(), nil
}

// oneLine is an error's message without line breaks.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
