// Package store keeps results in one SQLite file: every answer and failure by its key,
// the runs and their tasks, failed attempts, models and output files. Results are
// durable before anyone is told so, and never updated in place.
//
// One goroutine writes, in groups: what came within ten milliseconds, or 64 results,
// is one transaction. Several processes may share a file.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sourcegraph/conc"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/batchrunner/runner/runner"
)

// Options say how a store is opened.
type Options struct {
	ReadOnly bool // nothing is written, and a run may go on meanwhile
	Create   bool // a file that is not there is made; its folder must be there
}

// A Store is an open store. It is safe for concurrent use.
type Store struct {
	path    string
	reading *sql.DB
	writing *sql.DB   // nil of one that is read only
	conn    *sql.Conn // of writing, which has no other
	find64  *sql.Stmt // finds findAtOnce keys
	writer  *writer
	wait    conc.WaitGroup
}

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
	errForeign = errors.New("is no store of runner; name another file with --store")
)

// busyWait is how long a statement waits for other processes that write.
const busyWait = 60 * time.Second

// Open opens the store at path. Its errors are *Error.
func Open(path string, opts Options) (*Store, error) {
	s := &Store{path: path}
	if err := s.open(opts); err != nil {
		_ = s.closeAll() // the first error is the one to tell
		return nil, s.trouble(err)
	}
	return s, nil
}

func (s *Store) open(opts Options) error {
	ctx := context.Background()
	if _, err := os.Stat(s.path); err != nil && (!opts.Create || !errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	if !opts.ReadOnly {
		if err := s.openWriting(ctx, opts); err != nil {
			return err
		}
	}
	reading, err := connect(s.path, "ro", "cache_size(-16384)") // KiB: the index of 300,000 results
	if err != nil {
		return err
	}
	s.reading = reading
	s.reading.SetMaxOpenConns(4)
	s.reading.SetMaxIdleConns(4)
	if opts.ReadOnly {
		if err := s.checkVersion(ctx); err != nil {
			return err
		}
	}
	s.find64, err = s.reading.PrepareContext(ctx, findQuery(findAtOnce))
	return err
}

func (s *Store) openWriting(ctx context.Context, opts Options) error {
	mode := "rw"
	if opts.Create {
		mode = "rwc"
	}
	writing, err := connect(s.path, mode, "journal_mode(WAL)", "synchronous(FULL)")
	if err != nil {
		return err
	}
	s.writing = writing
	s.writing.SetMaxOpenConns(1)
	if s.conn, err = s.writing.Conn(ctx); err != nil {
		return err
	}
	if err := migrate(ctx, s.conn); err != nil {
		return err
	}
	if s.writer, err = newWriter(ctx, s); err != nil {
		return err
	}
	s.wait.Go(s.writer.run)
	return nil
}

// checkVersion refuses a file that this program can't read as it is.
func (s *Store) checkVersion(ctx context.Context) error {
	conn, err := s.reading.Conn(ctx)
	if err != nil {
		return err
	}
	version, err := versionNow(ctx, conn)
	if err == nil && version < len(migrations) {
		err = errors.New("is of an older version; any run of a job brings it up to date")
	}
	return errors.Join(err, conn.Close())
}

// connect makes a pool of connections to a file, whose name may hold anything.
func connect(path, mode string, pragmas ...string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	slashed := filepath.ToSlash(abs)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/...
	}
	query := url.Values{"mode": {mode}}
	query.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyWait.Milliseconds()))
	for _, p := range pragmas {
		query.Add("_pragma", p)
	}
	dsn := url.URL{Scheme: "file", Path: slashed, RawQuery: query.Encode()}
	return sql.Open("sqlite", dsn.String())
}

// Close ends the use of the store, when all that was kept is durable.
func (s *Store) Close() error {
	if s.writer != nil {
		s.writer.close()
		s.wait.Wait()
	}
	if err := s.closeAll(); err != nil {
		return s.trouble(err)
	}
	return nil
}

func (s *Store) closeAll() error {
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.release())
	}
	if s.find64 != nil {
		errs = append(errs, s.find64.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	for _, db := range []*sql.DB{s.reading, s.writing} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Path is the file's path, as Open got it.
func (s *Store) Path() string { return s.path }

// trouble makes a sentence of what SQLite or the system says; nil of nil.
func (s *Store) trouble(err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &Error{Path: s.path, Message: sentence(err), Cause: err}
}

func sentence(err error) string {
	if errors.Is(err, errNewer) || errors.Is(err, errForeign) {
		return err.Error()
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
		return "can't be written: no permission"
	case sqlite3.SQLITE_CANTOPEN:
		return "can't be opened; see whether its folder is there and may be written to"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Sprintf("is held by another process for over %s", busyWait)
	case sqlite3.SQLITE_NOTADB:
		return "is no SQLite database; move it away, or name another file with --store"
	case sqlite3.SQLITE_CORRUPT:
		return "is damaged; see what is left with: runner store verify"
	}
	return "can't be used: " + err.Error()
}

var _ runner.Store = (*Run)(nil)
