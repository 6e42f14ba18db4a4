package output

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
)

// maxProbes is how many folders Begin tries; the outputs of a job are in few.
const maxProbes = 100

// probe makes and removes a file in the folders of the outputs that Check saw, or
// in those that will hold them: hours of answers should not end at a folder that
// can't be written to.
func (s *Set) probe() error {
	folders := map[string]bool{}
	for _, f := range s.claims.files {
		folders[s.existing(path.Dir(s.target(f.path)))] = true
		if len(folders) >= maxProbes {
			break
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(folders)) {
		if err := s.probeFolder(dir); err != nil {
			return failure("writing to the folder", dir, err)
		}
	}
	return nil
}

// existing gives the nearest folder on the way up that there is.
func (s *Set) existing(dir string) string {
	for dir != "." {
		if _, err := s.root.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			return dir
		}
		dir = path.Dir(dir)
	}
	return dir
}

func (s *Set) probeFolder(dir string) error {
	name := path.Join(dir, besideName(dir))
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), s.root.Remove(name))
}
