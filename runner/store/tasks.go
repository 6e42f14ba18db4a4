package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// A place is a task of a job.
type place struct {
	job, step string
	row       int64
}

// A state is what a task is: a row of tasks.
type state struct {
	from    int64
	rowID   string
	key     pipeline.Key
	result  int64 // 0: none
	class   string
	message string
}

// current is what tasks of a group were before it.
type current map[place]state

// tasksOf reads what the tasks of a group are now. Only one process writes the tasks of
// a job, so nothing changes before the group is written.
func (w *writer) tasksOf(ctx context.Context, group []entry) (current, error) {
	rows := map[string][]int64{}
	for i := range group {
		if o := group[i].outcome; o != nil {
			job := group[i].run.job()
			rows[job] = append(rows[job], o.Result.Task.Row)
		}
	}
	before := current{}
	for job, rows := range rows {
		for _, s := range spans(rows) {
			if err := before.read(ctx, w.stmts.current, job, s); err != nil {
				return nil, err
			}
		}
	}
	return before, nil
}

// A span is rows that are read at once.
type span struct{ first, last int64 }

// farApart is how many rows it is cheaper to step over than to begin a new span.
const farApart = 32

// spans gives what to read for some rows: most groups are one span, a group of rows that
// were chosen here and there is many. It sorts the rows.
func spans(rows []int64) []span {
	slices.Sort(rows)
	var all []span
	for _, row := range rows {
		if n := len(all); n > 0 && row-all[n-1].last <= farApart {
			all[n-1].last = row
			continue
		}
		all = append(all, span{row, row})
	}
	return all
}

func (c current) read(ctx context.Context, stmt *sql.Stmt, job string, s span) error {
	rows, err := stmt.QueryContext(ctx, job, s.first, s.last)
	if err != nil {
		return err
	}
	defer rows.Close() // its error is rows.Err's
	for rows.Next() {
		at := place{job: job}
		var s state
		var key []byte
		var result sql.NullInt64
		var class, message sql.NullString
		if err := rows.Scan(&at.row, &at.step, &s.from, &s.rowID, &key, &result, &class, &message); err != nil {
			return err
		}
		copy(s.key[:], key)
		s.result, s.class, s.message = result.Int64, class.String, message.String
		c[at] = s
	}
	return rows.Err()
}

func placeOf(job string, o *runner.Outcome) place {
	return place{job: job, step: o.Result.Task.Step, row: o.Result.Task.Row}
}

// stateOf is what a task has become; its result is not known of an outcome that only
// names a key.
func stateOf(o *runner.Outcome, result int64) state {
	s := state{rowID: o.RowID, key: o.Result.Key, result: result}
	if err := o.Result.Err; err != nil {
		s.class, s.message = string(err.Class), err.Message
	}
	return s
}

// has says whether a task is surely what it was.
func (c current) has(job string, o *runner.Outcome) bool {
	was, ok := c[placeOf(job, o)]
	if !ok || o.Stored == 0 && !o.Result.Key.IsZero() {
		return false
	}
	return was.same(stateOf(o, o.Stored))
}

func (s state) same(o state) bool {
	s.from, o.from = 0, 0
	return s == o
}

// task writes what became of a task that has no new result.
func (r *Run) task(o *runner.Outcome, before current) func(context.Context, *writer) error {
	return func(ctx context.Context, w *writer) error {
		result := o.Stored
		if result == 0 && !o.Result.Key.IsZero() {
			err := w.stmts.newest.QueryRowContext(ctx, o.Result.Key[:]).Scan(&result)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		if was, ok := before[placeOf(r.job(), o)]; ok && was.same(stateOf(o, result)) {
			return nil
		}
		if err := r.begin(ctx, w); err != nil {
			return err
		}
		return r.setTask(ctx, w, o, before, result)
	}
}

// setTask closes what a task was and opens what it is.
func (r *Run) setTask(ctx context.Context, w *writer, o *runner.Outcome, before current, result int64) error {
	at, now := placeOf(r.job(), o), stateOf(o, result)
	now.from = r.id
	if was, ok := before[at]; ok && was.from != r.id {
		if _, err := w.stmts.closeTask.ExecContext(ctx, r.id-1, at.job, at.row, at.step, was.from); err != nil {
			return err
		}
	}
	before[at] = now
	var id, class, message, model any
	switch {
	case result != 0:
		id = result
	case o.Result.Request != nil:
		model = o.Result.Request.Model
	}
	if now.class != "" {
		class, message = now.class, now.message
	}
	_, err := w.stmts.task.ExecContext(ctx, at.job, at.row, at.step, r.id, now.rowID, keyOrNil(now.key), id, class, message, model)
	return err
}
