package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// findAtOnce is how many keys one statement finds: the question marks of it.
const findAtOnce = 64

// columns of a result that make a runner.Stored.
const columns = `id, key, ok, response, thinking, done_reason, model, prompt_tokens, output_tokens, total_ns, load_ns, prompt_ns, output_ns,
	warnings, simulated, class, message, status, attempts`

// A querier is a pool or one connection of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Find gives what is stored of each key, in their order: the newest answer, else the
// newest failure, else nil. Each *runner.Stored is the caller's own.
func (s *Store) Find(ctx context.Context, keys []pipeline.Key) ([]*runner.Stored, error) {
	found, err := find(ctx, fullBatches{s}, keys)
	return found, s.trouble(err)
}

// fullBatches asks for full batches of keys by the statement that is prepared for them.
type fullBatches struct{ *Store }

func (f fullBatches) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if len(args) == findAtOnce {
		return f.find64.QueryContext(ctx, args...)
	}
	return f.reading.QueryContext(ctx, query, args...)
}

func find(ctx context.Context, q querier, keys []pipeline.Key) ([]*runner.Stored, error) {
	found := make([]*runner.Stored, len(keys))
	for first := 0; first < len(keys); first += findAtOnce {
		part := keys[first:min(first+findAtOnce, len(keys))]
		by := map[pipeline.Key]*runner.Stored{}
		if err := findPart(ctx, q, part, by); err != nil {
			return nil, err
		}
		for i, key := range part {
			if one := by[key]; one != nil {
				found[first+i] = own(one)
			}
		}
	}
	return found, nil
}

// own is a copy for one caller: equal keys have one result and several readers.
func own(s *runner.Stored) *runner.Stored {
	c := *s
	if s.Answer != nil {
		a := *s.Answer
		a.Warnings = slices.Clone(a.Warnings)
		c.Answer = &a
	}
	return &c
}

func findPart(ctx context.Context, q querier, keys []pipeline.Key, by map[pipeline.Key]*runner.Stored) error {
	args := make([]any, len(keys))
	for i := range keys {
		args[i] = keys[i][:]
	}
	rows, err := q.QueryContext(ctx, findQuery(len(keys)), args...)
	if err != nil {
		return err
	}
	defer rows.Close() // its error is rows.Err's
	for rows.Next() {
		key, s, err := scanStored(rows)
		if err != nil {
			return err
		}
		if old := by[key]; old == nil || better(s, old) {
			by[key] = s
		}
	}
	return rows.Err()
}

// better says whether a result stands before another one of its key.
func better(s, old *runner.Stored) bool {
	if (s.Err == nil) != (old.Err == nil) {
		return s.Err == nil
	}
	return s.ID > old.ID
}

func findQuery(n int) string {
	return "SELECT " + columns + " FROM results WHERE key IN (?" + strings.Repeat(",?", n-1) + ")"
}

func scanStored(rows *sql.Rows) (key pipeline.Key, s *runner.Stored, err error) {
	s = &runner.Stored{}
	a := &pipeline.Answer{}
	var raw sql.RawBytes
	var ok bool
	var response, thinking, reason, warnings, class, message sql.NullString
	var prompt, output, status, total, load, promptTime, outputTime sql.NullInt64
	err = rows.Scan(&s.ID, &raw, &ok, &response, &thinking, &reason, &a.Model, &prompt, &output, &total, &load, &promptTime, &outputTime,
		&warnings, &a.Simulated, &class, &message, &status, &s.Attempts)
	if err != nil {
		return key, nil, err
	}
	copy(key[:], raw)
	if !ok {
		s.Err = &runner.Error{Class: runner.Class(class.String), Message: message.String, Status: int(status.Int64)}
		return key, s, nil
	}
	a.Response, a.Thinking, a.DoneReason = response.String, thinking.String, reason.String
	a.PromptEvalCount, a.EvalCount = int(prompt.Int64), int(output.Int64)
	a.TotalDuration, a.LoadDuration = time.Duration(total.Int64), time.Duration(load.Int64)
	a.PromptEvalDuration, a.EvalDuration = time.Duration(promptTime.Int64), time.Duration(outputTime.Int64)
	s.Answer = a
	a.Warnings, err = readWarnings(warnings)
	return key, s, err
}

// readWarnings reads what insertResult makes of an answer's warnings.
func readWarnings(text sql.NullString) (warnings []string, err error) {
	if !text.Valid {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text.String), &warnings); err != nil {
		return nil, fmt.Errorf("the warnings %q are no list of texts", text.String)
	}
	return warnings, nil
}
