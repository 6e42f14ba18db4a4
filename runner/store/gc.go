package store

import (
	"context"
	"fmt"
	"os"
	"time"
)

// A Keep says what GC leaves.
type Keep struct {
	Since  time.Time // what is younger stays in any case
	DryRun bool      // everything stays, what would go is counted
}

// A Removed counts what GC took away, or what it would.
type Removed struct {
	Results, Attempts, Tasks, Runs int64
	Loaded, Loads                  int64 // models that removed runs had in memory, and their loads
	Bytes                          int64 // by which the file is smaller; of a dry run about that
}

// What nobody needs, by the time ?1: what tasks were until a run of before it; results
// that no task has, nor had since; failed attempts of before it; and runs of before it
// that nothing refers to. The newest run stays, so that no number is given twice.
const (
	oldTask    = `to_run IS NOT NULL AND NOT EXISTS (SELECT 1 FROM runs WHERE id = to_run + 1 AND began_ms >= ?1)`
	oldResult  = `stored_ms < ?1 AND id NOT IN (SELECT result FROM tasks WHERE result IS NOT NULL AND NOT (` + oldTask + `))`
	oldAttempt = `started_ms < ?1`
	oldRun     = `began_ms < ?1 AND id < (SELECT max(id) FROM runs)
		AND id NOT IN (SELECT from_run FROM tasks WHERE NOT (` + oldTask + `))
		AND id NOT IN (SELECT run FROM results WHERE run IS NOT NULL AND NOT (` + oldResult + `))
		AND id NOT IN (SELECT run FROM attempts WHERE NOT (` + oldAttempt + `))
		AND id NOT IN (SELECT run FROM files WHERE run IS NOT NULL)`
)

// oldBytes is about what the old results take on the disk.
const oldBytes = `SELECT coalesce(sum(100 + octet_length(coalesce(question, '')) + octet_length(coalesce(response, '')) + octet_length(coalesce(thinking, ''))), 0)
	FROM results WHERE ` + oldResult

// unneeded is what GC removes, in an order in which none of it is needed to tell the
// rest; the counts of a dry run are the same in any order.
var unneeded = []struct {
	table, where string
	count        func(*Removed) *int64
}{
	{"tasks", oldTask, func(r *Removed) *int64 { return &r.Tasks }},
	{"results", oldResult, func(r *Removed) *int64 { return &r.Results }},
	{"attempts", oldAttempt, func(r *Removed) *int64 { return &r.Attempts }},
	{"loaded", `run IN (SELECT id FROM runs WHERE ` + oldRun + `)`, func(r *Removed) *int64 { return &r.Loaded }},
	{"loads", `run IN (SELECT id FROM runs WHERE ` + oldRun + `)`, func(r *Removed) *int64 { return &r.Loads }},
	{"runs", oldRun, func(r *Removed) *int64 { return &r.Runs }},
}

// GC removes what no task needs any more and is old, in one transaction, and then gives
// the room back to the disk. An answer that was replaced stays as long as what replaced
// it is younger than k.Since: who takes a change back finds it again.
//
// No run may be under way, in this process or another: it could have found a result that
// goes, and while the file is written anew it could not keep its own. TakeAll sees to
// that. A dry run only reads, and may go beside a run.
//
// An error after something was removed comes with what it was.
func (s *Store) GC(ctx context.Context, k Keep) (removed Removed, err error) {
	since := k.Since.UnixMilli()
	if k.DryRun {
		removed, err = s.countUnneeded(ctx, since)
		return removed, s.trouble(err)
	}
	size := s.size()
	gone := &Removed{} // the writer's, which may outlive ctx
	if err := s.do(ctx, func(ctx context.Context, w *writer) error { return w.remove(ctx, since, gone) }); err != nil {
		return removed, err
	}
	removed = *gone
	if err := s.vacuum(ctx); err != nil {
		return removed, &Error{Path: s.path, Message: "was cleaned, but its file is as large as before: it " + sentence(err), Cause: err}
	}
	removed.Bytes = max(0, size-s.size())
	return removed, nil
}

func (w *writer) remove(ctx context.Context, since int64, gone *Removed) error {
	for _, u := range unneeded {
		done, err := w.conn.ExecContext(ctx, "DELETE FROM "+u.table+" WHERE "+u.where, since)
		if err != nil {
			return err
		}
		if *u.count(gone), err = done.RowsAffected(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) countUnneeded(ctx context.Context, since int64) (removed Removed, err error) {
	view, err := s.Snapshot(ctx)
	if err != nil {
		return removed, err
	}
	defer view.Close() // it was only read from
	for _, u := range unneeded {
		if err := view.conn.QueryRowContext(ctx, "SELECT count(*) FROM "+u.table+" WHERE "+u.where, since).Scan(u.count(&removed)); err != nil {
			return Removed{}, err
		}
	}
	err = view.conn.QueryRowContext(ctx, oldBytes, since).Scan(&removed.Bytes)
	return removed, err
}

// vacuum writes the file anew without what is empty. Then it cuts the log,
// which somebody who reads may still need: that is not waited for long.
func (s *Store) vacuum(ctx context.Context) error {
	patience := fmt.Sprintf("PRAGMA busy_timeout = %d", busyWait.Milliseconds())
	for _, statement := range []string{"VACUUM", "PRAGMA busy_timeout = 1000", "PRAGMA wal_checkpoint(TRUNCATE)", patience} {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return err
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
