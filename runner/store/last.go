package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// A TaskID names a task of a job by its row's id, which it keeps when rows move.
type TaskID struct{ RowID, Step string }

// A Last is what a task was when its job last ran.
type Last struct {
	Row      int64
	Key      pipeline.Key
	Question []byte // nil where there was none, or it is not known
	Model    string // the name that was asked
	OK       bool
	Class    runner.Class
	Message  string
	Run      int64
}

// A Snapshot is one state of the store, for reading while a run writes.
type Snapshot struct {
	store *Store
	conn  *sql.Conn
}

// Snapshot begins one. The caller calls Close.
func (s *Store) Snapshot(ctx context.Context) (*Snapshot, error) {
	conn, err := s.reading.Conn(ctx)
	if err != nil {
		return nil, s.trouble(err)
	}
	// A transaction sees the state of its first read.
	_, err = conn.ExecContext(ctx, "BEGIN")
	if err == nil {
		var n int
		err = conn.QueryRowContext(ctx, "SELECT count(*) FROM models").Scan(&n)
	}
	if err != nil {
		return nil, errors.Join(s.trouble(err), conn.Close())
	}
	return &Snapshot{store: s, conn: conn}, nil
}

// Close ends the snapshot.
func (v *Snapshot) Close() error {
	_, err := v.conn.ExecContext(context.Background(), "ROLLBACK")
	return v.store.trouble(errors.Join(err, v.conn.Close()))
}

// Find is Store.Find in this state.
func (v *Snapshot) Find(ctx context.Context, job string, tasks []runner.Sought) ([]*runner.Stored, error) {
	found, err := finding{querier: v.conn}.find(ctx, job, tasks)
	return found, v.store.trouble(err)
}

// Last is Store.Last in this state.
func (v *Snapshot) Last(ctx context.Context, job string, tasks []TaskID) ([]*Last, error) {
	found, err := last(ctx, v.conn, job, tasks)
	return found, v.store.trouble(err)
}

// Last gives what each of the tasks was, nil where the job had none.
func (s *Store) Last(ctx context.Context, job string, tasks []TaskID) ([]*Last, error) {
	found, err := last(ctx, s.reading, job, tasks)
	return found, s.trouble(err)
}

// lastQuery names its index: SQLite guesses that the tasks of a job are few, and would
// look at all of them. While a run moves its rows, a row's id may stand at two of them.
const lastQuery = `SELECT t.row, t.key, t.from_run, coalesce(t.class, r.class, ''), coalesce(t.message, r.message, ''), r.question, coalesce(r.model, '')
	FROM tasks t INDEXED BY tasks_row_id LEFT JOIN results r ON r.id = t.result
	WHERE t.job = ? AND t.row_id = ? AND t.step = ? AND t.to_run IS NULL ORDER BY t.from_run DESC LIMIT 1`

// A preparer is a pool or one connection of it.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func last(ctx context.Context, q preparer, job string, tasks []TaskID) (found []*Last, err error) {
	stmt, err := q.PrepareContext(ctx, lastQuery)
	if err != nil {
		return nil, err
	}
	defer stmt.Close() // it only read
	found = make([]*Last, len(tasks))
	for i, t := range tasks {
		rows, err := stmt.QueryContext(ctx, job, t.RowID, t.Step)
		if err != nil {
			return nil, err
		}
		if found[i], err = scanLast(rows); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func scanLast(rows *sql.Rows) (*Last, error) {
	defer rows.Close() // its error is rows.Err's
	if !rows.Next() {
		return nil, rows.Err()
	}
	var l Last
	var key, question []byte
	if err := rows.Scan(&l.Row, &key, &l.Run, &l.Class, &l.Message, &question, &l.Model); err != nil {
		return nil, err
	}
	copy(l.Key[:], key)
	l.Question, l.OK = question, l.Class == ""
	return &l, rows.Err()
}

// HasJob says whether anything is known of a job.
func (s *Store) HasJob(ctx context.Context, job string) (yes bool, err error) {
	err = s.reading.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM tasks WHERE job = ?)", job).Scan(&yes)
	return yes, s.trouble(err)
}

// AnswersOf counts the tasks, of all jobs, that have an answer of a model: one that was
// asked for by its name and had this digest. Of answers that were taken over from an output
// file only the name is known, and that their keys were those of the last run.
func (s *Store) AnswersOf(ctx context.Context, model, digest string) (n int64, err error) {
	err = s.reading.QueryRowContext(ctx, `SELECT count(*) FROM tasks t JOIN results r ON r.id = t.result
		WHERE t.to_run IS NULL AND r.ok AND r.model = ? AND (r.question IS NULL OR r.question ->> '$.digest' = ?)`, model, digest).Scan(&n)
	return n, s.trouble(err)
}
