package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
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
const columns = `r.id, r.key, r.ok, r.response, r.thinking, r.done_reason, r.model, r.prompt_tokens, r.output_tokens, r.total_ns, r.load_ns, r.prompt_ns,
	r.output_ns, r.warnings, r.simulated, r.class, r.message, r.status, r.attempts, coalesce(r.run, 0)`

// ownQuery reads the results that the tasks of some rows have now, and what these are.
const ownQuery = "SELECT " + columns + `, t.row, t.step, t.row_id, t.class, t.message
	FROM tasks t JOIN results r ON r.id = t.result WHERE t.job = ? AND t.row BETWEEN ? AND ? AND t.to_run IS NULL`

// sinceClause leaves of either query only what one of the job's runs since some time asked:
// another job may ask the same of another server, or under another load, meanwhile.
const sinceClause = " AND r.run IN (SELECT id FROM runs WHERE job = ? AND id >= ?)"

// fullQuery finds findAtOnce keys.
var fullQuery = findQuery(findAtOnce)

// A querier is a pool or one connection of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// prepared is a querier that has some queries prepared, by their texts.
type prepared struct {
	querier
	statements map[string]*sql.Stmt
}

// prepare prepares the queries that Find asks most.
func (p *prepared) prepare(ctx context.Context, db *sql.DB) error {
	p.querier, p.statements = db, map[string]*sql.Stmt{}
	for _, query := range []string{ownQuery, fullQuery} {
		stmt, err := db.PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		p.statements[query] = stmt
	}
	return nil
}

func (p *prepared) close() error {
	var errs []error
	for _, stmt := range p.statements {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}

func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := p.statements[query]; stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return p.querier.QueryContext(ctx, query, args...)
}

// Find gives what is stored for each task of a job, in their order: the answer that the
// task has itself while its key is the same, so that an answer stays as it is when others
// get a newer one for the same question; else the newest answer of the key, else its
// newest failure, else nil. Each *runner.Stored is the caller's own.
func (s *Store) Find(ctx context.Context, job string, tasks []runner.Sought) ([]*runner.Stored, error) {
	found, err := finding{querier: &s.finding}.find(ctx, job, tasks)
	return found, s.trouble(err)
}

// FindSince is Find among what was asked by a run of the job and its runs after that.
func (s *Store) FindSince(ctx context.Context, job string, run int64, tasks []runner.Sought) ([]*runner.Stored, error) {
	found, err := finding{&s.finding, job, run}.find(ctx, job, tasks)
	return found, s.trouble(err)
}

// A finding asks for results: of a job's runs since one, or of all where that is 0.
type finding struct {
	querier
	job   string
	since int64
}

func (q finding) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if q.since > 0 {
		query, args = query+sinceClause, append(args, q.job, q.since)
	}
	return q.QueryContext(ctx, query, args...)
}

func (q finding) find(ctx context.Context, job string, tasks []runner.Sought) ([]*runner.Stored, error) {
	have, err := q.ownResults(ctx, job, tasks)
	if err != nil {
		return nil, err
	}
	found := make([]*runner.Stored, len(tasks))
	var keys []pipeline.Key
	var at []int // the place of each of the keys in found
	for i, t := range tasks {
		if one := have[t.Task]; one != nil && one.key == t.Key && one.stored.Err == nil {
			found[i] = one.give()
			continue
		}
		keys, at = append(keys, t.Key), append(at, i)
	}
	newest, err := q.findKeys(ctx, keys)
	if err != nil {
		return nil, err
	}
	for i, stored := range newest {
		if one := have[tasks[at[i]].Task]; stored != nil && one != nil && one.stored.ID == stored.ID {
			stored.As = one.stored.As
		}
		found[at[i]] = stored
	}
	return found, nil
}

// An ownResult is the result that a task has.
type ownResult struct {
	key    pipeline.Key
	stored *runner.Stored
	given  bool
}

// give gives the result to a caller who wants it for himself: a copy where another one
// has it. A row that a benchmark asks to warm up is the same task as the one it measures.
func (o *ownResult) give() *runner.Stored {
	if o.given {
		return own(o.stored)
	}
	o.given = true
	return o.stored
}

// ownResults reads the results that tasks of a job have now.
func (q finding) ownResults(ctx context.Context, job string, tasks []runner.Sought) (map[pipeline.Task]*ownResult, error) {
	numbers := make([]int64, len(tasks))
	for i, t := range tasks {
		numbers[i] = t.Task.Row
	}
	have := make(map[pipeline.Task]*ownResult, len(tasks))
	for _, s := range spans(numbers) {
		if err := q.readOwn(ctx, job, s, have); err != nil {
			return nil, err
		}
	}
	return have, nil
}

func (q finding) readOwn(ctx context.Context, job string, s span, to map[pipeline.Task]*ownResult) error {
	rows, err := q.query(ctx, ownQuery, job, s.first, s.last)
	if err != nil {
		return err
	}
	defer rows.Close() // its error is rows.Err's
	for rows.Next() {
		var task pipeline.Task
		var as runner.KeptTask
		var class, message sql.NullString
		key, stored, err := scanStored(rows, &task.Row, &task.Step, &as.RowID, &class, &message)
		if err != nil {
			return err
		}
		as.Class, as.Message = runner.Class(class.String), message.String
		stored.As = &as
		to[task] = &ownResult{key: key, stored: stored}
	}
	return rows.Err()
}

// findKeys gives the newest result of each key, an answer before a failure.
func (q finding) findKeys(ctx context.Context, keys []pipeline.Key) ([]*runner.Stored, error) {
	found := make([]*runner.Stored, 0, len(keys))
	for part := range slices.Chunk(keys, findAtOnce) {
		by := make(map[pipeline.Key]*runner.Stored, len(part))
		if err := q.findPart(ctx, part, by); err != nil {
			return nil, err
		}
		for _, key := range part {
			one := by[key]
			if one != nil {
				one = own(one)
			}
			found = append(found, one)
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

func (q finding) findPart(ctx context.Context, keys []pipeline.Key, by map[pipeline.Key]*runner.Stored) error {
	args := make([]any, len(keys))
	for i := range keys {
		args[i] = keys[i][:]
	}
	query := fullQuery
	if len(keys) < findAtOnce {
		query = findQuery(len(keys))
	}
	rows, err := q.query(ctx, query, args...)
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
	return "SELECT " + columns + " FROM results r WHERE r.key IN (?" + strings.Repeat(",?", n-1) + ")"
}

// scanStored reads columns, and what follows them into more.
func scanStored(rows *sql.Rows, more ...any) (key pipeline.Key, s *runner.Stored, err error) {
	s = &runner.Stored{}
	a := &pipeline.Answer{}
	var raw sql.RawBytes
	var ok bool
	var response, thinking, reason, warnings, class, message sql.NullString
	var prompt, output, status, total, load, promptTime, outputTime sql.NullInt64
	err = rows.Scan(append([]any{&s.ID, &raw, &ok, &response, &thinking, &reason, &a.Model, &prompt, &output, &total, &load, &promptTime, &outputTime,
		&warnings, &a.Simulated, &class, &message, &status, &s.Attempts, &s.Run}, more...)...)
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
