package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/batchrunner/runner/specs/say"
)

// An Error is a mistake in a data file, or the reason why it can't be read.
type Error struct {
	File      string // as Source.Shown has it, or the path of a document
	Line, Col int    // from 1, columns in characters; 0 where there is no place
	Message   string // what is wrong, for a person
	Help      string // what to do about it, or empty

	row   bool
	cause error
}

// Error gives the place, what is wrong, and what to do, each where there is one.
func (e *Error) Error() string {
	text := e.File
	for _, n := range []int{e.Line, e.Col} {
		if n > 0 {
			text += ":" + strconv.Itoa(n)
		}
	}
	if text = strings.TrimPrefix(text, ":"); text != "" {
		text += ": "
	}
	text += e.Message
	if e.Help != "" {
		text += "; " + e.Help
	}
	return text
}

// Unwrap gives the file system's error, such as fs.ErrNotExist.
func (e *Error) Unwrap() error { return e.cause }

// IsRow says whether an error costs one row only: those after it can be read.
func IsRow(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.row
}

// place gives an error of a reader the file's name; what is no *Error comes from
// the file system.
func (s Source) place(err error) error { return placed(s.Shown, err) }

func placed(file string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Message: fsMessage(err), cause: err}
	}
	e.File = file
	return e
}

// fsMessage says what a file system's error means without its path, which is
// the place of the message already.
func fsMessage(err error) string {
	switch err = say.Cause(err); {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "may not be read (permission denied)"
	case errors.Is(err, say.ErrOutside):
		return "leads outside the root"
	}
	return fmt.Sprintf("can't be read: %v", err)
}
