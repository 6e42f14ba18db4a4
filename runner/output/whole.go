package output

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
)

// WriteWhole writes a file inside a root, in the place of one that may be there, which
// stays as it was until all of the new one is on the disk. Errors of the disk are *Error;
// those of write are its own.
func WriteWhole(root *os.Root, name string, write func(io.Writer) error) error {
	if err := root.MkdirAll(path.Dir(name), 0o777); err != nil {
		return failure("making the folder", path.Dir(name), err)
	}
	beside := path.Join(path.Dir(name), besideName(name))
	if err := root.Remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failure("replacing", beside, err)
	}
	to, err := root.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return failure("writing", name, err)
	}
	if err := fill(to, name, write); err != nil {
		return errors.Join(err, root.Remove(beside))
	}
	if err := root.Rename(beside, name); err != nil {
		return errors.Join(failure("replacing", name, err), root.Remove(beside))
	}
	s := &Set{root: root}
	return s.syncFolders([]Written{{Path: name, State: Changed}})
}

// fill writes a file and brings it to the disk.
func fill(to *os.File, name string, write func(io.Writer) error) error {
	disk := &diskWriter{to: to}
	buffer := bufio.NewWriterSize(disk, 64<<10)
	err := write(buffer)
	if err == nil {
		err = buffer.Flush()
	}
	if err == nil && runtime.GOOS != "windows" {
		err = to.Sync()
		disk.err = err
	}
	closed := to.Close()
	if disk.err == nil && err == nil {
		disk.err = closed
	}
	if disk.err != nil {
		return failure("writing", name, disk.err)
	}
	return err
}

// A diskWriter tells the disk's errors from those of who writes.
type diskWriter struct {
	to  *os.File
	err error
}

func (d *diskWriter) Write(text []byte) (int, error) {
	n, err := d.to.Write(text)
	if err != nil {
		d.err = err
	}
	return n, err
}
