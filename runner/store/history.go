package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// A RunRow is a run as it is kept.
type RunRow struct {
	ID                    int64
	Job, File             string
	Began, Ended          time.Time // Ended is zero of one that goes on or died
	State                 string    // running, done, interrupted or failed
	Exit                  int       // -1 where there is none
	PID                   int
	Host, Version         string
	Server, ServerVersion string
	Simulated, Partial    bool
	Rows, OK, Failed      int64
	Asked, Reused         int64 // tasks
	PromptTokens          int64
	OutputTokens          int64

	Steps    []string          // of the job, in file order; nil of runs before this was kept
	Hardware string            // what its figures depend on beside the models; empty likewise
	Bench    []byte            // how a benchmark is run, as JSON; nil: it is none
	Redo     bool              // it asked everything anew
	Since    int64             // the run whose results are the first that count as its own: itself, but of one that went on with an interrupted benchmark or redo
	Inputs   map[string]string // the SHA-256 of each file that the job was made of; nil where it has not ended
	Lag      *Lag              // nil: not measured
}

const runColumns = `id, job, file, began_ms, coalesce(ended_ms, 0), state, coalesce(exit, -1), pid, host, version, server, server_version, simulated, partial,
	coalesce(rows, 0), coalesce(ok, 0), coalesce(failed, 0), coalesce(asked, 0), coalesce(reused, 0), coalesce(prompt_tokens, 0), coalesce(output_tokens, 0),
	steps, coalesce(hardware, ''), bench, bench IS NULL AND since IS NOT NULL, coalesce(since, id), inputs, lag_median_ns, lag_p99_ns`

// Runs gives runs, the newest first: of one job, or of all where job is empty; at most
// limit, or all where that is 0.
func (s *Store) Runs(ctx context.Context, job string, limit int) ([]RunRow, error) {
	if limit <= 0 {
		limit = -1
	}
	rows, err := s.reading.QueryContext(ctx, "SELECT "+runColumns+" FROM runs WHERE ? IN ('', job) ORDER BY id DESC LIMIT ?", job, limit)
	if err != nil {
		return nil, s.trouble(err)
	}
	defer rows.Close() // its error is rows.Err's
	var runs []RunRow
	for rows.Next() {
		r, err := scanRun(rows)
		if err != nil {
			return nil, s.trouble(err)
		}
		runs = append(runs, *r)
	}
	return runs, s.trouble(rows.Err())
}

// RunOf gives a run by its number, nil where there is none.
func (s *Store) RunOf(ctx context.Context, id int64) (*RunRow, error) {
	r, err := scanRun(s.reading.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return r, s.trouble(err)
}

// LastRun gives a job's newest run, nil where there is none; of any job where job is empty.
func (s *Store) LastRun(ctx context.Context, job string) (*RunRow, error) {
	runs, err := s.Runs(ctx, job, 1)
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	return &runs[0], nil
}

func scanRun(row interface{ Scan(...any) error }) (*RunRow, error) {
	var r RunRow
	var began, ended int64
	var steps, inputs sql.NullString
	var median, p99 sql.NullInt64
	err := row.Scan(&r.ID, &r.Job, &r.File, &began, &ended, &r.State, &r.Exit, &r.PID, &r.Host, &r.Version, &r.Server, &r.ServerVersion, &r.Simulated, &r.Partial,
		&r.Rows, &r.OK, &r.Failed, &r.Asked, &r.Reused, &r.PromptTokens, &r.OutputTokens,
		&steps, &r.Hardware, &r.Bench, &r.Redo, &r.Since, &inputs, &median, &p99)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(readJSON(steps, &r.Steps), readJSON(inputs, &r.Inputs)); err != nil {
		return nil, fmt.Errorf("run %d: %w", r.ID, err)
	}
	if median.Valid {
		r.Lag = &Lag{time.Duration(median.Int64), time.Duration(p99.Int64)}
	}
	r.Began = time.UnixMilli(began)
	if ended != 0 {
		r.Ended = time.UnixMilli(ended)
	}
	return &r, nil
}

func readJSON(text sql.NullString, to any) error {
	if !text.Valid {
		return nil
	}
	return json.Unmarshal([]byte(text.String), to)
}

// Loaded gives the models of a run as the server had them in memory, by name; those of
// the runs that it went on with among them.
func (s *Store) Loaded(ctx context.Context, run *RunRow) ([]Loaded, error) {
	rows, err := s.reading.QueryContext(ctx, `SELECT model, digest, size, size_vram, context FROM loaded WHERE run IN (SELECT id FROM runs WHERE job = ? AND id BETWEEN ? AND ?) ORDER BY model, run DESC`, run.Job, run.Since, run.ID)
	if err != nil {
		return nil, s.trouble(err)
	}
	defer rows.Close() // its error is rows.Err's
	var all []Loaded
	for rows.Next() {
		var m Loaded
		if err := rows.Scan(&m.Model, &m.Digest, &m.Size, &m.SizeVRAM, &m.Context); err != nil {
			return nil, s.trouble(err)
		}
		if n := len(all); n == 0 || all[n-1].Model != m.Model {
			all = append(all, m)
		}
	}
	return all, s.trouble(rows.Err())
}

// Loads gives the loads of models of a run, and of those that it went on with, in order.
func (s *Store) Loads(ctx context.Context, run *RunRow) ([]Load, error) {
	rows, err := s.reading.QueryContext(ctx, `SELECT model, began_us, took_ns FROM loads WHERE run IN (SELECT id FROM runs WHERE job = ? AND id BETWEEN ? AND ?) ORDER BY id`, run.Job, run.Since, run.ID)
	if err != nil {
		return nil, s.trouble(err)
	}
	defer rows.Close() // its error is rows.Err's
	var all []Load
	for rows.Next() {
		var l Load
		var began, took int64
		if err := rows.Scan(&l.Model, &began, &took); err != nil {
			return nil, s.trouble(err)
		}
		l.Began, l.Took = time.UnixMicro(began), time.Duration(took)
		all = append(all, l)
	}
	return all, s.trouble(rows.Err())
}

// A TaskRow is a task as it was in a run, with its result.
type TaskRow struct {
	Row      int64
	RowID    string
	Step     string
	Key      pipeline.Key
	Asked    bool // in that run, or in one that it went on with; else its result is of an earlier one, or there is none
	Question []byte
	Model    string
	Answer   *pipeline.Answer // nil where Err is not
	Err      *runner.Error
	Attempts int
	Started  time.Time // of the last attempt, zero where that is not known
	Stored   time.Time // zero where there is no result
	Run      int64     // that asked it, 0 where none did
	Measured *Measured // nil: nobody did
}

// Tasks gives the tasks of a run's job as they were when the run had ended, in the order
// of rows and steps' names: all, or those of the row with an id.
func (s *Store) Tasks(ctx context.Context, run *RunRow, rowID string) iter.Seq2[*TaskRow, error] {
	return func(yield func(*TaskRow, error) bool) {
		rows, err := s.reading.QueryContext(ctx, `SELECT t.row, t.row_id, t.step, t.key, coalesce(t.class, r.class), coalesce(t.message, r.message), r.question,
				coalesce(r.model, t.model, ''), coalesce(r.ok, 0), r.response, r.thinking, r.done_reason, r.prompt_tokens, r.output_tokens, r.total_ns, r.load_ns, r.prompt_ns, r.output_ns,
				r.warnings, coalesce(r.simulated, 0), r.status, coalesce(r.attempts, 0), r.started_ms, r.stored_ms, coalesce(r.run, 0), `+measuredNames+`
			FROM tasks t LEFT JOIN results r ON r.id = t.result
			WHERE t.job = ? AND t.from_run <= ? AND (t.to_run IS NULL OR t.to_run >= ?) AND ? IN ('', t.row_id) ORDER BY t.row, t.step`,
			run.Job, run.ID, run.ID, rowID)
		if err != nil {
			yield(nil, s.trouble(err))
			return
		}
		defer rows.Close() // its error is rows.Err's
		for rows.Next() {
			t, err := scanTask(rows, cmp.Or(run.Since, run.ID))
			if err != nil {
				yield(nil, s.trouble(err))
				return
			}
			if !yield(t, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, s.trouble(err))
		}
	}
}

// scanTask reads a task; those asked by a run since one are its own.
func scanTask(rows *sql.Rows, since int64) (*TaskRow, error) {
	var t TaskRow
	var a pipeline.Answer
	var key []byte
	var ok bool
	var class, message, response, thinking, reason, warnings sql.NullString
	var prompt, output, total, load, promptTime, outputTime, status, started, stored sql.NullInt64
	var measured measuredColumns
	err := rows.Scan(append([]any{&t.Row, &t.RowID, &t.Step, &key, &class, &message, &t.Question, &t.Model, &ok, &response, &thinking, &reason, &prompt, &output,
		&total, &load, &promptTime, &outputTime, &warnings, &a.Simulated, &status, &t.Attempts, &started, &stored, &t.Run}, measured.into()...)...)
	if err != nil {
		return nil, err
	}
	copy(t.Key[:], key)
	t.Asked = t.Run > 0 && t.Run >= since
	t.Measured = measured.measured()
	if started.Valid {
		t.Started = time.UnixMilli(started.Int64)
	}
	if stored.Valid {
		t.Stored = time.UnixMilli(stored.Int64)
	}
	if class.Valid {
		t.Err = &runner.Error{Class: runner.Class(class.String), Message: message.String, Status: int(status.Int64)}
		return &t, nil
	}
	a.Model, a.Response, a.Thinking, a.DoneReason = t.Model, response.String, thinking.String, reason.String
	a.PromptEvalCount, a.EvalCount = int(prompt.Int64), int(output.Int64)
	a.TotalDuration, a.LoadDuration = time.Duration(total.Int64), time.Duration(load.Int64)
	a.PromptEvalDuration, a.EvalDuration = time.Duration(promptTime.Int64), time.Duration(outputTime.Int64)
	t.Answer = &a
	a.Warnings, err = readWarnings(warnings)
	return &t, err
}

// An AttemptRow is a failed attempt as it is kept.
type AttemptRow struct {
	Run, Row       int64
	RowID, Step    string
	Attempt        int
	Started        time.Time
	Elapsed        time.Duration
	Class, Message string
	Status         int // HTTP status, 0 where there was none
}

// Attempts gives the failed attempts of a task in a run, in their order; of all its
// steps where step is empty.
func (s *Store) Attempts(ctx context.Context, run, row int64, step string) ([]AttemptRow, error) {
	rows, err := s.reading.QueryContext(ctx, `SELECT run, row, row_id, step, attempt, started_ms, elapsed_ns, class, message, coalesce(status, 0)
		FROM attempts WHERE run = ? AND row = ? AND ? IN ('', step) ORDER BY id`, run, row, step)
	if err != nil {
		return nil, s.trouble(err)
	}
	defer rows.Close() // its error is rows.Err's
	var all []AttemptRow
	for rows.Next() {
		var a AttemptRow
		var started, elapsed int64
		if err := rows.Scan(&a.Run, &a.Row, &a.RowID, &a.Step, &a.Attempt, &started, &elapsed, &a.Class, &a.Message, &a.Status); err != nil {
			return nil, s.trouble(err)
		}
		a.Started, a.Elapsed = time.UnixMilli(started), time.Duration(elapsed)
		all = append(all, a)
	}
	return all, s.trouble(rows.Err())
}
