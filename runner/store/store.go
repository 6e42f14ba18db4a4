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
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sourcegraph/conc"
	_ "modernc.org/sqlite" // the driver "sqlite"

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
	finding prepared  // what Find asks of reading
	writer  *writer
	wait    conc.WaitGroup
}

// busyWait is how long a statement waits for other processes that write.
const busyWait = 60 * time.Second

// busyStep is how long it waits before another try, where SQLite does not wait itself.
const busyStep = 5 * time.Millisecond

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
	if err := s.openReading(ctx, opts); err != nil {
		return err
	}
	return s.finding.prepare(ctx, s.reading)
}

func (s *Store) openReading(ctx context.Context, opts Options) error {
	err := s.connectReading(nil)
	if err != nil || !opts.ReadOnly {
		return err
	}
	err = s.checkVersion(ctx)
	if !cannotInit(err) || s.hasLog() {
		return err
	}
	// In a folder that can't be written to nobody makes the files beside it that readers
	// need while somebody writes: it is read as what it is, a file that stays the same.
	if err := errors.Join(s.reading.Close(), s.connectReading(url.Values{"immutable": {"1"}})); err != nil {
		return err
	}
	return s.checkVersion(ctx)
}

func (s *Store) connectReading(query url.Values) error {
	reading, err := connect(s.path, "ro", query, "cache_size(-16384)") // KiB: the index of 300,000 results
	if err != nil {
		return err
	}
	s.reading = reading
	s.reading.SetMaxOpenConns(4)
	s.reading.SetMaxIdleConns(4)
	return nil
}

// hasLog says whether the file is not all of the store: a run goes on, or has died.
func (s *Store) hasLog() bool {
	info, err := os.Stat(s.path + "-wal")
	return err == nil && info.Size() > 0
}

func (s *Store) openWriting(ctx context.Context, opts Options) error {
	mode := "rw"
	if opts.Create {
		mode = "rwc"
	}
	writing, err := connect(s.path, mode, nil, "synchronous(FULL)")
	if err != nil {
		return err
	}
	s.writing = writing
	s.writing.SetMaxOpenConns(1)
	if s.conn, err = s.writing.Conn(ctx); err != nil {
		return err
	}
	// A file that is not ours stays as it is, byte for byte.
	if _, err := versionNow(ctx, s.conn); err != nil {
		return err
	}
	if err := useLog(ctx, s.conn); err != nil {
		return err
	}
	if err := migrate(ctx, s.conn, migrations); err != nil {
		return err
	}
	if s.writer, err = newWriter(ctx, s); err != nil {
		return err
	}
	s.wait.Go(s.writer.run)
	return nil
}

// useLog makes SQLite write to a log beside the file, so that readers never wait. SQLite
// gives up at once where several processes want that of a new file: all but one try again.
func useLog(ctx context.Context, conn *sql.Conn) error {
	mode, err := backoff.Retry(ctx, func() (string, error) {
		var mode string
		err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		if err != nil && !busy(err) {
			err = backoff.Permanent(err)
		}
		return mode, err
	}, backoff.WithBackOff(backoff.NewConstantBackOff(busyStep)), backoff.WithMaxElapsedTime(busyWait))
	if err == nil && mode != "wal" {
		err = errNoLog
	}
	return err
}

// checkVersion refuses a file that this program can't read as it is.
func (s *Store) checkVersion(ctx context.Context) error {
	conn, err := s.reading.Conn(ctx)
	if err != nil {
		return err
	}
	version, err := versionNow(ctx, conn)
	if err == nil {
		err = readable(version, len(migrations))
	}
	return errors.Join(err, conn.Close())
}

// readable says whether a file of a version can be read as one of the newest.
func readable(version, newest int) error {
	switch {
	case version == 0:
		return errEmpty
	case version < newest:
		return errOlder
	}
	return nil
}

// connect makes a pool of connections to a file, whose name may hold anything.
func connect(path, mode string, query url.Values, pragmas ...string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	slashed := filepath.ToSlash(abs)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/...
	}
	query = maps.Clone(query)
	if query == nil {
		query = url.Values{}
	}
	query.Set("mode", mode)
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
	errs = append(errs, s.finding.close())
	if s.conn != nil {
		if s.writer != nil {
			errs = append(errs, s.checkpoint())
		}
		errs = append(errs, s.conn.Close())
	}
	for _, db := range []*sql.DB{s.reading, s.writing} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// checkpoint moves what is in the log to the file, as the last one who closes a store
// does, but for the error of a disk that can't: SQLite keeps that to itself.
func (s *Store) checkpoint() error {
	_, err := s.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
	if busy(err) {
		return nil // somebody else does it
	}
	return err
}

// Path is the file's path, as Open got it.
func (s *Store) Path() string { return s.path }

var _ runner.Store = (*Run)(nil)
