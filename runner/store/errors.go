package store

import (
	"errors"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// An Error is why a store can't be used: a sentence for people.
type Error struct {
	Path    string
	Message string
	Cause   error
}

func (e *Error) Error() string { return fmt.Sprintf("the store %s %s", e.Path, e.Message) }

func (e *Error) Unwrap() error { return e.Cause }

var (
	errNewer   = errors.New("was written by a newer runner; update runner, or name another file with --store")
	errEmpty   = errors.New("has nothing in it yet; any run of a job makes it")
	errOlder   = errors.New("is of an older version; any run of a job brings it up to date")
	errForeign = errors.New("is no store of runner; name another file with --store")
	errNoLog   = errors.New("can't be used: its file system has no memory that processes share; name a file on a local disk with --store")
)

// trouble makes a sentence of what SQLite or the system says; nil of nil.
func (s *Store) trouble(err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &Error{Path: s.path, Message: sentence(err), Cause: err}
}

func sentence(err error) string {
	for _, known := range []error{errNewer, errForeign, errEmpty, errOlder, errNoLog} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "is not there"
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return "can't be used: " + err.Error()
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return "can't be written: the disk is full"
	case sqlite3.SQLITE_IOERR:
		return "can't be read or written: the disk reports an error"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return "can't be written: no permission; see who owns it and its folder"
	case sqlite3.SQLITE_CANTOPEN:
		return "can't be opened; see whether its folder is there and may be written to"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Sprintf("is held by another process for over %s", busyWait)
	case sqlite3.SQLITE_NOTADB:
		return "is no SQLite database; move it away, or name another file with --store"
	case sqlite3.SQLITE_CORRUPT:
		return "is damaged; move it away: apply then takes over what stands in the output files, and asks the rest again"
	}
	return "can't be used: " + err.Error()
}

// busy says whether another process holds what SQLite needs.
func busy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// cannotInit says whether SQLite could not make its files beside the store's.
func cannotInit(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == sqlite3.SQLITE_READONLY || e.Code()&0xff == sqlite3.SQLITE_CANTOPEN)
}
