package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/batchrunner/runner/pipeline"
)

// checks are what Verify looks at, one after the other. Each of them says whether a row
// that its query gives is a problem, and which.
var checks = []struct {
	what, query string
	problem     func(*sql.Rows) (string, error)
}{
	{"the file", "PRAGMA integrity_check", structureProblem},
	{"the results", "SELECT id, key, question, ok, response IS NULL, class IS NULL FROM results ORDER BY id", resultProblem},
	{"the tasks", `SELECT t.job, t.row_id, t.step, r.id IS NULL FROM tasks t LEFT JOIN results r ON r.id = t.result
		WHERE t.result IS NOT NULL AND (r.id IS NULL OR r.key IS NOT t.key)`, taskProblem},
	{"the tasks", `SELECT job, min(row_id), step FROM tasks WHERE to_run IS NULL GROUP BY job, row, step HAVING count(*) > 1`, doubleProblem},
}

// Verify looks for damage and tells each problem with found: in SQLite's own structure,
// in results whose key is not that of their question, and in tasks whose result is
// missing or has another key, or that are two things at once. It reads everything, a row
// at a time, in one state of the store; a run may go on meanwhile. What can't be read is
// a problem, too, and the rest is still looked at; an error is that of a disk, or of ctx.
func (s *Store) Verify(ctx context.Context, found func(problem string)) error {
	view, err := s.Snapshot(ctx)
	if isDamage(err) {
		found("the file can't be read")
		return nil
	}
	if err != nil {
		return err
	}
	for _, c := range checks {
		err := check(ctx, view.conn, c.query, c.problem, found)
		if isDamage(err) {
			found(c.what + " can't be read to the end")
			continue
		}
		if err != nil {
			return errors.Join(s.trouble(err), view.Close())
		}
	}
	return view.Close()
}

func check(ctx context.Context, q querier, query string, problem func(*sql.Rows) (string, error), found func(string)) error {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close() // its error is rows.Err's
	for rows.Next() {
		text, err := problem(rows)
		if err != nil {
			return err
		}
		if text != "" {
			found(text)
		}
	}
	return rows.Err()
}

// isDamage says whether an error comes from the file's bytes.
func isDamage(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == sqlite3.SQLITE_CORRUPT || e.Code()&0xff == sqlite3.SQLITE_NOTADB)
}

func structureProblem(rows *sql.Rows) (problem string, err error) {
	err = rows.Scan(&problem)
	if problem == "ok" {
		problem = ""
	}
	return problem, err
}

func resultProblem(rows *sql.Rows) (string, error) {
	var id int64
	var key, question sql.RawBytes
	var ok, unanswered, unclassed bool
	if err := rows.Scan(&id, &key, &question, &ok, &unanswered, &unclassed); err != nil {
		return "", err
	}
	switch {
	case len(key) != len(pipeline.Key{}), question != nil && pipeline.KeyOf(question) != pipeline.Key(key):
		return fmt.Sprintf("result %d: its key is not that of its question", id), nil
	case ok && unanswered:
		return fmt.Sprintf("result %d: it is ok and has no answer", id), nil
	case !ok && unclassed:
		return fmt.Sprintf("result %d: it has failed and has no class", id), nil
	}
	return "", nil
}

func taskProblem(rows *sql.Rows) (string, error) {
	var job, row, step string
	var missing bool
	if err := rows.Scan(&job, &row, &step, &missing); err != nil {
		return "", err
	}
	if missing {
		return fmt.Sprintf("job %s, row %s, step %s: its result is missing", job, row, step), nil
	}
	return fmt.Sprintf("job %s, row %s, step %s: its result has another key", job, row, step), nil
}

func doubleProblem(rows *sql.Rows) (string, error) {
	var job, row, step string
	if err := rows.Scan(&job, &row, &step); err != nil {
		return "", err
	}
	return fmt.Sprintf("job %s, row %s, step %s: it is there twice", job, row, step), nil
}
