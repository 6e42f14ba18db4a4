package output

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
)

// state is the folder for what is no output.
const state = ".runner"

// ignored keeps answers out of git, and lets the schema in that editors read.
const ignored = "*\n!.gitignore\n!job.schema.json\n"

// ignore writes a .gitignore into the outermost folder .runner that the Set writes
// to, unless something has that name.
func (s *Set) ignore() error {
	dir := path.Join(s.base, state)
	if first, _, _ := strings.Cut(s.base, "/"); first == state {
		dir = state
	}
	name := path.Join(dir, ".gitignore")
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return failure("writing", name, err)
	}
	_, err = f.WriteString(ignored)
	if err = errors.Join(err, f.Close()); err != nil {
		return failure("writing", name, errors.Join(err, s.root.Remove(name)))
	}
	return nil
}
