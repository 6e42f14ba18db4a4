package store

import (
	"context"
	"fmt"

	"github.com/batchrunner/runner/pipeline"
)

// Verify looks for damage and tells each problem with found: in SQLite's own structure,
// in results whose key is not that of their question, and in tasks whose result is
// missing or has another key. It reads everything, a row at a time.
func (s *Store) Verify(ctx context.Context, found func(problem string)) error {
	for _, check := range []func(context.Context, func(string)) error{s.verifyFile, s.verifyResults, s.verifyTasks} {
		if err := check(ctx, found); err != nil {
			return s.trouble(err)
		}
	}
	return nil
}

func (s *Store) verifyFile(ctx context.Context, found func(string)) error {
	rows, err := s.reading.QueryContext(ctx, "PRAGMA integrity_check")
	if err != nil {
		return err
	}
	defer rows.Close() // its error is rows.Err's
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			found(text)
		}
	}
	return rows.Err()
}

func (s *Store) verifyResults(ctx context.Context, found func(string)) error {
	rows, err := s.reading.QueryContext(ctx, "SELECT id, key, question, ok, response, class FROM results ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close() // its error is rows.Err's
	for rows.Next() {
		var id int64
		var key, question []byte
		var ok bool
		var response, class *string
		if err := rows.Scan(&id, &key, &question, &ok, &response, &class); err != nil {
			return err
		}
		switch {
		case question != nil && string(key) != string(keyBytes(question)):
			found(fmt.Sprintf("result %d: its key is not that of its question", id))
		case ok && response == nil:
			found(fmt.Sprintf("result %d: it is ok and has no answer", id))
		case !ok && class == nil:
			found(fmt.Sprintf("result %d: it has failed and has no class", id))
		}
	}
	return rows.Err()
}

func keyBytes(question []byte) []byte {
	key := pipeline.KeyOf(question)
	return key[:]
}

func (s *Store) verifyTasks(ctx context.Context, found func(string)) error {
	rows, err := s.reading.QueryContext(ctx, `SELECT t.job, t.row_id, t.step, r.id IS NULL FROM tasks t LEFT JOIN results r ON r.id = t.result
		WHERE t.result IS NOT NULL AND (r.id IS NULL OR r.key IS NOT t.key)`)
	if err != nil {
		return err
	}
	defer rows.Close() // its error is rows.Err's
	for rows.Next() {
		var job, row, step string
		var missing bool
		if err := rows.Scan(&job, &row, &step, &missing); err != nil {
			return err
		}
		what := "its result has another key"
		if missing {
			what = "its result is missing"
		}
		found(fmt.Sprintf("job %s, row %s, step %s: %s", job, row, step, what))
	}
	return rows.Err()
}
