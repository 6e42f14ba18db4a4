package output

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"syscall"

	"github.com/batchrunner/runner/specs/say"
)

// An Error is trouble with the disk: what was being done to which file, and what
// to do about it. It ends the run; what was written before can still be read.
type Error struct {
	Doing string // "writing", "replacing", ...
	Path  string // inside the root
	Help  string
	Cause error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s %s: %v; %s", e.Doing, e.Path, e.Cause, e.Help)
}

func (e *Error) Unwrap() error { return e.Cause }

// An Unfinished is a Commit that met an error: what it was, and where the records
// are that did not get to their place.
type Unfinished struct {
	Cause error  // an *Error, mostly
	Kept  string // the folder with the partial files, inside the root; empty: none is left
}

func (e *Unfinished) Error() string { return e.Cause.Error() }

func (e *Unfinished) Unwrap() error { return e.Cause }

// failure makes an Error; the cause loses the path that package os put before it.
func failure(doing, path string, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return &Error{Doing: doing, Path: path, Help: helpFor(err), Cause: say.Cause(err)}
}

// Windows reports these by numbers of its own (learn.microsoft.com/windows/win32/debug/system-error-codes).
const (
	windowsNotSameDevice  syscall.Errno = 17
	windowsHandleDiskFull syscall.Errno = 39
	windowsDiskFull       syscall.Errno = 112
)

func isAny(err error, unix syscall.Errno, windows ...syscall.Errno) bool {
	if errors.Is(err, unix) {
		return true
	}
	for _, number := range windows {
		if runtime.GOOS == "windows" && errors.Is(err, number) {
			return true
		}
	}
	return false
}

// helpFor says what to do about an error of the file system.
func helpFor(err error) string {
	switch {
	case isAny(err, syscall.ENOSPC, windowsDiskFull, windowsHandleDiskFull):
		return "free some space and run it again"
	case isAny(err, syscall.EDQUOT):
		return "free some of your quota and run it again"
	case isAny(err, syscall.EFBIG):
		return "the file would be larger than the system allows: split the output by a name with a variable in it"
	case isAny(err, syscall.EROFS):
		return "write to a file system that is not read-only"
	case isAny(err, syscall.EMFILE), isAny(err, syscall.ENFILE):
		return "allow more open files (ulimit -n), or lower concurrency"
	case isAny(err, syscall.EIO):
		return "the disk does not work as it should: check it, and write elsewhere"
	case errors.Is(err, fs.ErrPermission):
		return "make the folder and the file writable for you"
	case errors.Is(err, fs.ErrNotExist):
		return "something removed it meanwhile: is another run of this job under way?"
	}
	return "mend that and run it again"
}
