package store

import (
	"context"
	"os"
	"time"
)

// A Removed counts what GC took away.
type Removed struct {
	Results, Attempts, Tasks, Runs int64
	Bytes                          int64 // by which the file is smaller; 0 of a dry run
}

// unneeded chooses what nobody needs: results that are no task's, now or since the time
// given; what tasks were before that time; failed attempts and runs of before it.
var unneeded = []struct {
	table, where string
	count        func(*Removed) *int64
}{
	{"tasks", `to_run IS NOT NULL AND to_run < (SELECT coalesce(min(id), (SELECT coalesce(max(id), 0) + 1 FROM runs)) FROM runs WHERE began_ms >= ?1)`,
		func(r *Removed) *int64 { return &r.Tasks }},
	{"results", `stored_ms < ?1 AND id NOT IN (SELECT result FROM tasks WHERE result IS NOT NULL)`,
		func(r *Removed) *int64 { return &r.Results }},
	{"attempts", `started_ms < ?1`, func(r *Removed) *int64 { return &r.Attempts }},
	{"runs", `began_ms < ?1 AND ended_ms IS NOT NULL AND id NOT IN (SELECT from_run FROM tasks)
		AND id NOT IN (SELECT run FROM results WHERE run IS NOT NULL)`, func(r *Removed) *int64 { return &r.Runs }},
}

// GC removes what no task needs any more and what is older than a time, and gives the
// room back to the disk. A dry run counts only. What a run that is under way has kept
// is newer than any such time; it waits while GC works.
func (s *Store) GC(ctx context.Context, before time.Time, dryRun bool) (removed Removed, err error) {
	size := s.size()
	err = s.do(ctx, func(ctx context.Context, w *writer) error {
		if _, err := w.conn.ExecContext(ctx, "SAVEPOINT gc"); err != nil {
			return err
		}
		for _, u := range unneeded {
			done, err := w.conn.ExecContext(ctx, "DELETE FROM "+u.table+" WHERE "+u.where, before.UnixMilli())
			if err != nil {
				return err
			}
			if *u.count(&removed), err = done.RowsAffected(); err != nil {
				return err
			}
		}
		if dryRun {
			if _, err := w.conn.ExecContext(ctx, "ROLLBACK TO gc"); err != nil {
				return err
			}
		}
		_, err := w.conn.ExecContext(ctx, "RELEASE gc")
		return err
	})
	if err != nil || dryRun {
		return removed, err
	}
	if err := s.vacuum(ctx); err != nil {
		return removed, err
	}
	removed.Bytes = max(0, size-s.size())
	return removed, nil
}

// vacuum gives free pages back. It can't be part of a transaction, so it is for a store
// that nobody else of this process writes to.
func (s *Store) vacuum(ctx context.Context) error {
	for _, statement := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return s.trouble(err)
		}
	}
	return nil
}

// size is that of the file and its log.
func (s *Store) size() (n int64) {
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(s.path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}
