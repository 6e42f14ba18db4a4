package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// RunInfo says which run of which job begins.
type RunInfo struct {
	Job, File             string
	Steps                 []string // of the job, in file order
	Version               string   // of runner
	Server, ServerVersion string
	Simulated, Partial    bool
	PID                   int
	Host                  string
	Rows                  int64 // of the job, -1 where nobody knows
	Hardware              string
	// Redo says that everything is asked anew; Since is then the run that began with it.
	Redo bool
	// Bench is how a benchmark is run, as JSON; nil: it is none. What is measured counts
	// only for its own run, and for Since where that is not 0: an interrupted run of the
	// same benchmark with which this one goes on.
	Bench []byte
	Since int64
}

// A Run is one run of a job: the runner.Store of its tasks. The store has a row for it
// once there is something to keep; a run that changes nothing leaves no trace.
type Run struct {
	store *Store
	info  RunInfo
	began time.Time
	since int64 // of a benchmark: the first run whose results are its own
	id    int64 // the writer's; read by others after a Flush
}

// Begin begins a run of a job. Only one run of a job may be under way: see Lock.
func (s *Store) Begin(info RunInfo) *Run { return &Run{store: s, info: info, began: time.Now()} }

// BeginBench begins a benchmark of a job, which info.Bench describes. The store has a row
// for it at once, since what is found depends on its number.
func (s *Store) BeginBench(ctx context.Context, info RunInfo) (*Run, error) {
	r := s.Begin(info)
	if err := s.do(ctx, r.begin); err != nil {
		return nil, err
	}
	if r.since = info.Since; r.since == 0 {
		r.since = r.id
	}
	return r, nil
}

// ID is the run's number, 0 where nothing was written. It is settled after Flush or End.
func (r *Run) ID() int64 { return r.id }

func (r *Run) job() string { return r.info.Job }

// Find gives what is stored of each key: the newest answer, else the newest failure. A
// benchmark finds only what it measured itself.
func (r *Run) Find(ctx context.Context, tasks []runner.Sought) ([]*runner.Stored, error) {
	if r.info.Bench == nil {
		return r.store.Find(ctx, r.info.Job, tasks)
	}
	return r.store.FindSince(ctx, r.info.Job, r.since, tasks)
}

// Keep takes what became of a task; done is called from the writer's goroutine, or before
// Keep returns where nothing can be written any more.
func (r *Run) Keep(o *runner.Outcome, done func(error)) {
	own := *o
	if o.Result != nil {
		result := *o.Result
		own.Result = &result
	}
	var told func(error)
	if done != nil {
		told = func(err error) { done(r.store.trouble(err)) }
	}
	r.store.put(entry{outcome: &own, run: r, done: told})
}

// KeepAttempt takes a failed attempt.
func (r *Run) KeepAttempt(a *runner.FailedAttempt) {
	r.store.put(entry{attempt: a, run: r})
}

// An Ending is how a run ended.
type Ending struct {
	State         string // done, interrupted or failed
	Exit          int
	Summary       runner.Summary
	Reused, Asked int64             // tasks
	Inputs        map[string]string // the SHA-256 of each file that the job was made of, by path
}

// End waits until all that the run kept is durable, and notes how it ended. After a
// whole run, tasks that the job has no more are closed.
func (r *Run) End(ctx context.Context, e Ending) error {
	if err := r.store.Flush(ctx); err != nil {
		return err
	}
	if e.State == "done" && !r.info.Partial {
		gone, err := r.hasGone(ctx, e.Summary.Rows)
		if err != nil {
			return r.store.trouble(err)
		}
		if gone {
			if err := r.store.do(ctx, r.closeGone(e.Summary.Rows)); err != nil {
				return err
			}
		}
	}
	if r.id == 0 {
		return nil
	}
	return r.store.do(ctx, func(ctx context.Context, w *writer) error {
		_, err := w.conn.ExecContext(ctx, `UPDATE runs SET ended_ms = ?, state = ?, exit = ?, rows = ?, ok = ?, failed = ?,
			asked = ?, reused = ?, prompt_tokens = ?, output_tokens = ?, inputs = ? WHERE id = ?`,
			time.Now().UnixMilli(), e.State, e.Exit, e.Summary.Rows, e.Summary.OK, e.Summary.Failed,
			e.Asked, e.Reused, e.Summary.PromptTokens, e.Summary.OutputTokens, inputsJSON(e.Inputs), r.id)
		return err
	})
}

// SetExit notes the exit code of a run that has ended: one that misses a threshold is done,
// and its command ends with another code than its rows gave it.
func (r *Run) SetExit(ctx context.Context, code int) error {
	if r.id == 0 {
		return nil
	}
	return r.store.do(ctx, func(ctx context.Context, w *writer) error {
		_, err := w.conn.ExecContext(ctx, "UPDATE runs SET exit = ? WHERE id = ?", code, r.id)
		return err
	})
}

func inputsJSON(inputs map[string]string) any {
	if inputs == nil {
		return nil
	}
	text, err := json.Marshal(inputs)
	if err != nil {
		return nil // texts can always be marshalled
	}
	return string(text)
}

// gone chooses the current tasks of a job that it has no more.
const gone = `job = ? AND to_run IS NULL AND (row >= ? OR step NOT IN (SELECT value FROM json_each(?)))`

func (r *Run) hasGone(ctx context.Context, rows int64) (yes bool, err error) {
	err = r.store.reading.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM tasks WHERE "+gone+")", r.info.Job, rows, jsonList(r.info.Steps)).Scan(&yes)
	return yes, err
}

func (r *Run) closeGone(rows int64) func(context.Context, *writer) error {
	return func(ctx context.Context, w *writer) error {
		if err := r.begin(ctx, w); err != nil {
			return err
		}
		_, err := w.conn.ExecContext(ctx, "UPDATE tasks SET to_run = ? WHERE "+gone, r.id-1, r.info.Job, rows, jsonList(r.info.Steps))
		return err
	}
}

func jsonList(texts []string) string {
	if texts == nil {
		texts = []string{}
	}
	text, err := json.Marshal(texts)
	if err != nil {
		return "[]" // texts can always be marshalled
	}
	return string(text)
}

// begin writes the run's row, if it is not there yet.
func (r *Run) begin(ctx context.Context, w *writer) error {
	if r.id != 0 {
		return nil
	}
	i := &r.info
	var bench, since any
	if i.Bench != nil {
		bench = string(i.Bench)
	}
	if i.Since != 0 {
		since = i.Since
	}
	done, err := w.conn.ExecContext(ctx, `INSERT INTO runs (job, file, began_ms, state, pid, host, version, server, server_version, simulated, partial, steps, hardware, bench, since)
		VALUES (?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		i.Job, i.File, r.began.UnixMilli(), i.PID, i.Host, i.Version, i.Server, i.ServerVersion, i.Simulated, i.Partial, jsonList(i.Steps), i.Hardware, bench, since)
	if err != nil {
		return err
	}
	if r.id, err = done.LastInsertId(); err != nil || !i.Redo || i.Since != 0 {
		return err
	}
	_, err = w.conn.ExecContext(ctx, "UPDATE runs SET since = id WHERE id = ?", r.id)
	return err
}

// What is asked before a group is written: a key's result, as Find gives it, and what the
// tasks of some rows are.
const (
	newestQuery  = `SELECT id FROM results WHERE key = ? ORDER BY ok DESC, id DESC LIMIT 1`
	currentQuery = `SELECT row, step, from_run, row_id, key, result, class, message FROM tasks WHERE job = ? AND row BETWEEN ? AND ? AND to_run IS NULL`
)

// statements are those of every group.
type statements struct {
	result, newest, closeTask, task, attempt, current *sql.Stmt
}

func (s *statements) prepare(ctx context.Context, conn *sql.Conn) error {
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&s.result, `INSERT INTO results (key, question, model, ok, response, thinking, done_reason, prompt_tokens, output_tokens,
			total_ns, load_ns, prompt_ns, output_ns, warnings, simulated, class, message, status, attempts, run, started_ms, stored_ms,
			due_us, sent_us, late_ns, first_ns, text_ns, newest_ns, last_ns, chunks)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.newest, newestQuery},
		{&s.closeTask, `UPDATE tasks SET to_run = ? WHERE job = ? AND row = ? AND step = ? AND from_run = ?`},
		{&s.task, `INSERT OR REPLACE INTO tasks (job, row, step, from_run, row_id, key, result, class, message, model) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.attempt, `INSERT INTO attempts (run, row, row_id, step, attempt, key, started_ms, elapsed_ns, class, message, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.current, currentQuery},
	} {
		stmt, err := conn.PrepareContext(ctx, p.text)
		if err != nil {
			return err
		}
		*p.to = stmt
	}
	return nil
}

func (s *statements) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{s.result, s.newest, s.closeTask, s.task, s.attempt, s.current} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}

// result writes a new result and its task.
func (r *Run) result(o *runner.Outcome, before current) func(context.Context, *writer) error {
	return func(ctx context.Context, w *writer) error {
		if err := r.begin(ctx, w); err != nil {
			return err
		}
		id, err := insertResult(ctx, w.stmts.result, newResult(o, r))
		if err != nil {
			return err
		}
		return r.setTask(ctx, w, o, before, id)
	}
}

// A result is a row of results.
type result struct {
	key      pipeline.Key
	question any // text, or nil
	model    string
	answer   *pipeline.Answer
	err      *runner.Error
	attempts int
	run      any // a number, or nil
	started  time.Time
	stored   time.Time
	measured *Measured // nil: nobody did
}

func newResult(o *runner.Outcome, run *Run) *result {
	res := o.Result
	r := &result{
		key: res.Key, question: string(o.Question), answer: res.Answer, err: res.Err,
		attempts: res.Attempts, run: run.id, started: o.Started, stored: time.Now(), measured: run.measured(o),
	}
	if res.Request != nil {
		r.model = res.Request.Model
	}
	return r
}

func insertResult(ctx context.Context, stmt *sql.Stmt, r *result) (int64, error) {
	a := r.answer
	if a == nil {
		a = &pipeline.Answer{}
	}
	var class, message, status, warnings, started any
	if r.err != nil {
		class, message = string(r.err.Class), r.err.Message
		if r.err.Status != 0 {
			status = r.err.Status
		}
	}
	if len(a.Warnings) > 0 {
		warnings = jsonList(a.Warnings)
	}
	if !r.started.IsZero() {
		started = r.started.UnixMilli()
	}
	m := r.measured.columns()
	done, err := stmt.ExecContext(ctx, r.key[:], r.question, r.model, r.err == nil, a.Response, a.Thinking, a.DoneReason, a.PromptEvalCount, a.EvalCount,
		int64(a.TotalDuration), int64(a.LoadDuration), int64(a.PromptEvalDuration), int64(a.EvalDuration), warnings, a.Simulated,
		class, message, status, r.attempts, r.run, started, r.stored.UnixMilli(),
		m.due, m.sent, m.late, m.first, m.text, m.newest, m.last, m.chunks)
	if err != nil {
		return 0, err
	}
	return done.LastInsertId()
}

// attempt writes a failed attempt.
func (r *Run) attempt(a *runner.FailedAttempt) func(context.Context, *writer) error {
	return func(ctx context.Context, w *writer) error {
		if err := r.begin(ctx, w); err != nil {
			return err
		}
		var status any
		if a.Err.Status != 0 {
			status = a.Err.Status
		}
		_, err := w.stmts.attempt.ExecContext(ctx, r.id, a.Task.Row, a.RowID, a.Task.Step, a.Attempt, keyOrNil(a.Key),
			a.Started.UnixMilli(), int64(a.Elapsed), string(a.Err.Class), a.Err.Message, status)
		return err
	}
}

func keyOrNil(k pipeline.Key) any {
	if k.IsZero() {
		return nil
	}
	return k[:]
}
