package output

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"

	"github.com/sourcegraph/conc/iter"
)

// maxSyncs is how many files are brought to disk at once: a disk that is asked for
// several does them together.
const maxSyncs = 16

// replaceAll deals with each file. After an error no other one is begun; those that
// were done are returned in their order.
func (s *Set) replaceAll(files []*file) ([]Written, error) {
	for _, f := range files {
		if err := s.partials.shut(f); err != nil {
			return nil, err
		}
	}
	written := make([]Written, len(files))
	var broken atomic.Pointer[error]
	each := iter.Iterator[*file]{MaxGoroutines: maxSyncs}
	each.ForEachIdx(files, func(i int, f **file) {
		if broken.Load() != nil {
			return
		}
		w, err := s.settle(*f)
		if err != nil {
			broken.CompareAndSwap(nil, &err)
			return
		}
		written[i] = w
	})
	written = slices.DeleteFunc(written, func(w Written) bool { return w.State == "" })
	err := s.syncFolders(written)
	if first := broken.Load(); first != nil {
		err = errors.Join(*first, err)
	}
	return written, err
}

// settle replaces a file, or leaves it as it was.
func (s *Set) settle(f *file) (Written, error) {
	w := Written{Path: s.target(f.path), Rows: f.rows, State: Kept, Why: f.missing()}
	if w.Why == "" && f.made {
		state, err := s.replace(f)
		w.State = state
		return w, err
	}
	if f.rows > 0 {
		w.Partial = s.partials.at(f.path)
	}
	_, err := s.root.Lstat(w.Path)
	w.None = errors.Is(err, fs.ErrNotExist)
	return w, nil
}

// replace puts a partial file in the place of its target.
func (s *Set) replace(f *file) (State, error) {
	target := s.target(f.path)
	state, mode, err := s.compare(f, target)
	if err != nil || state == Unchanged {
		return state, err
	}
	if err := s.seal(f, mode); err != nil {
		return state, err
	}
	if dir := path.Dir(target); dir != "." {
		if err := s.root.MkdirAll(dir, 0o777); err != nil {
			return state, failure("making the folder", dir, err)
		}
	}
	return state, s.rename(f, target)
}

// compare says what replacing the target would do, and gives its permissions.
func (s *Set) compare(f *file, target string) (State, fs.FileMode, error) {
	info, err := s.root.Lstat(target)
	if errors.Is(err, fs.ErrNotExist) {
		return Created, 0, nil
	}
	if err != nil {
		return Kept, 0, failure("reading", target, err)
	}
	if info.Size() != f.size {
		return Changed, info.Mode().Perm(), nil
	}
	same, err := s.sameBytes(f, target)
	if err != nil {
		return Kept, 0, err
	}
	if same {
		return Unchanged, 0, nil
	}
	return Changed, info.Mode().Perm(), nil
}

func (s *Set) sameBytes(f *file, target string) (bool, error) {
	ours, err := s.partials.dir.Open(f.path)
	if err != nil {
		return false, failure("reading", s.partials.at(f.path), err)
	}
	defer ours.Close() // only read from
	theirs, err := s.root.Open(target)
	if errors.Is(err, fs.ErrPermission) {
		return false, nil // who can't read it may still replace it
	}
	if err != nil {
		return false, failure("reading", target, err)
	}
	defer theirs.Close() // only read from
	same, err := equal(ours, theirs)
	if err != nil {
		return false, failure("reading", target, err)
	}
	return same, nil
}

// equal compares two streams.
func equal(a, b io.Reader) (bool, error) {
	var left, right [32 << 10]byte
	for {
		n, errA := io.ReadFull(a, left[:])
		m, errB := io.ReadFull(b, right[:])
		if !bytes.Equal(left[:n], right[:m]) {
			return false, nil
		}
		for _, err := range []error{errA, errB} {
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return false, err
			}
		}
		if errA != nil || errB != nil {
			return (errA == nil) == (errB == nil), nil
		}
	}
}

// seal brings a partial file to disk with the permissions of the file that it
// replaces (0: its own).
func (s *Set) seal(f *file, mode fs.FileMode) error {
	handle, err := s.partials.dir.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		return failure("opening", s.partials.at(f.path), err)
	}
	err = handle.Sync()
	if err == nil && mode != 0 && runtime.GOOS != "windows" {
		err = handle.Chmod(mode)
	}
	if err = errors.Join(err, handle.Close()); err != nil {
		return failure("writing", s.partials.at(f.path), err)
	}
	return nil
}

// rename moves a partial file to its target. Where that is on another file system
// (a mounted folder), it is copied to its side first.
func (s *Set) rename(f *file, target string) error {
	err := s.root.Rename(s.partials.at(f.path), target)
	if isAny(err, syscall.EXDEV, windowsNotSameDevice) {
		err = s.moveAcross(f, target)
	}
	if err != nil {
		return failure("replacing", target, err)
	}
	return nil
}

// moveAcross copies a partial file to a file beside the target and renames that.
func (s *Set) moveAcross(f *file, target string) error {
	beside := path.Join(path.Dir(target), besideName(target))
	if err := s.copyTo(f, beside); err != nil {
		return errors.Join(err, s.root.Remove(beside))
	}
	if err := s.root.Rename(beside, target); err != nil {
		return errors.Join(err, s.root.Remove(beside))
	}
	return s.partials.dir.Remove(f.path)
}

// besideName is short, and differs from that of every other target.
func besideName(target string) string {
	h := fnv.New64a()
	h.Write([]byte(target))
	return fmt.Sprintf(".runner-partial-%016x", h.Sum64())
}

func (s *Set) copyTo(f *file, beside string) error {
	from, err := s.partials.dir.Open(f.path)
	if err != nil {
		return err
	}
	defer from.Close() // only read from
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if err := s.root.Remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	to, err := s.root.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err == nil && runtime.GOOS != "windows" {
		err = to.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close())
}

// syncFolders brings the new names to disk: of the files, and of the folders on
// the way to them. Windows has no way to, and no need.
func (s *Set) syncFolders(written []Written) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folders := map[string]bool{}
	for _, w := range written {
		if w.State == Created || w.State == Changed {
			for dir := path.Dir(w.Path); !folders[dir]; dir = path.Dir(dir) {
				folders[dir] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		dir, err := s.root.Open(name)
		if err != nil {
			return failure("opening the folder", name, err)
		}
		err = dir.Sync()
		if isAny(err, syscall.EINVAL) || isAny(err, syscall.ENOTSUP) {
			err = nil // a file system that can't, as some of the network
		}
		if err = errors.Join(err, dir.Close()); err != nil {
			return failure("writing the folder", name, err)
		}
	}
	return nil
}
