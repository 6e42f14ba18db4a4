package say

import (
	"errors"
	"io/fs"
	"os"
)

// ErrOutside is what os.Root says of a path that leaves it, of which it exports no error.
var ErrOutside = errors.New("it leads outside the root")

// Cause is what the operating system said, without the operation and the path, which
// messages name themselves.
func Cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	case errors.As(err, &call):
		err = call.Err
	}
	if err != nil && err.Error() == "path escapes from parent" {
		return ErrOutside
	}
	return err
}
