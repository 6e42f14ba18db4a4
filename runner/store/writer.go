package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/batchrunner/runner/runner"
)

// Bounds of a group: what is written in one transaction.
const (
	groupResults = 64
	groupEntries = 512 // with notes of what was known already
	groupWait    = 10 * time.Millisecond
)

// An entry is something to be written. Exactly one of its first three fields is set.
type entry struct {
	outcome *runner.Outcome
	attempt *runner.FailedAttempt
	other   func(ctx context.Context, w *writer) error // anything else, in the group's transaction

	run  *Run        // of outcome and attempt
	done func(error) // nil: nobody waits
	now  bool        // the group ends here
}

// A writer writes what is put into its queue, from one goroutine. After an error it
// writes nothing more: what it had not reported durable is not.
type writer struct {
	store *Store
	conn  *sql.Conn
	stmts statements

	mu      sync.Mutex
	queue   []entry
	results int // in the queue
	closed  bool
	broken  error
	wake    chan struct{}
}

func newWriter(ctx context.Context, s *Store) (*writer, error) {
	w := &writer{store: s, conn: s.conn, wake: make(chan struct{}, 1)}
	return w, w.stmts.prepare(ctx, s.conn)
}

func (w *writer) put(e entry) {
	w.mu.Lock()
	broken := w.broken
	if w.closed && broken == nil {
		broken = errors.New("it is closed")
	}
	wake := false
	if broken == nil {
		w.queue = append(w.queue, e)
		if e.isResult() {
			w.results++
		}
		// The writer sleeps until its alarm: only the first entry, and one that makes a
		// group whole, are news to it.
		n := len(w.queue)
		wake = n == 1 || n%groupEntries == 0 || w.results%groupResults == 0 && e.isResult() || e.now
	}
	w.mu.Unlock()
	if broken != nil {
		if e.done != nil {
			e.done(broken)
		}
		return
	}
	if wake {
		w.nudge()
	}
}

func (e *entry) isResult() bool { return e.outcome != nil && e.outcome.Question != nil }

func (w *writer) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.nudge()
}

func (w *writer) release() error { return w.stmts.close() }

// run writes groups until the writer is closed and its queue empty.
func (w *writer) run() {
	for group := w.gather(); len(group) > 0; group = w.gather() {
		err := w.broken
		if err == nil {
			err = w.store.trouble(w.write(context.Background(), group))
		}
		if err != nil {
			w.mu.Lock()
			w.broken = err
			w.mu.Unlock()
		}
		for _, e := range group {
			if e.done != nil {
				e.done(err)
			}
		}
	}
}

// gather waits for entries and takes a group of them; none means the end.
func (w *writer) gather() []entry {
	var alarm <-chan time.Time
	for {
		group, whole := w.take(alarm != nil && fired(alarm))
		if len(group) > 0 || whole {
			return group
		}
		if alarm == nil && w.waiting() {
			alarm = time.After(groupWait)
		}
		select {
		case <-w.wake:
		case <-alarm:
			group, _ := w.take(true)
			return group
		}
	}
}

func fired(alarm <-chan time.Time) bool {
	select {
	case <-alarm:
		return true
	default:
		return false
	}
}

func (w *writer) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) > 0
}

// take gives the next group if it is full, ends with an entry that says so, or is due;
// none and true when the writer is closed and nothing is left.
func (w *writer) take(due bool) (group []entry, over bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, results := 0, 0
	for n < len(w.queue) && n < groupEntries && results < groupResults {
		e := &w.queue[n]
		n++
		if e.isResult() {
			results++
		}
		if e.now {
			due = true
			break
		}
	}
	if n == 0 {
		return nil, w.closed
	}
	if !due && !w.closed && n < groupEntries && results < groupResults {
		return nil, false
	}
	group = w.queue[:n:n]
	w.queue = w.queue[n:]
	w.results -= results
	return group, false
}

// write writes a group in one transaction, which is durable when write returns nil. A
// group that changes nothing costs none.
func (w *writer) write(ctx context.Context, group []entry) error {
	changes, err := w.changes(ctx, group)
	if err != nil || len(changes) == 0 {
		return err
	}
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, change := range changes {
		if err = change(ctx, w); err != nil {
			break
		}
	}
	if err == nil {
		_, err = w.conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = w.conn.ExecContext(ctx, "ROLLBACK") // the first error is the one to tell; SQLite may have done it
	}
	return err
}

// changes are the writes that a group asks for, in its order.
func (w *writer) changes(ctx context.Context, group []entry) ([]func(context.Context, *writer) error, error) {
	before, err := w.tasksOf(ctx, group)
	if err != nil {
		return nil, err
	}
	var changes []func(context.Context, *writer) error
	for i := range group {
		switch e := &group[i]; {
		case e.other != nil:
			changes = append(changes, e.other)
		case e.attempt != nil:
			changes = append(changes, e.run.attempt(e.attempt))
		case e.outcome.Question != nil:
			changes = append(changes, e.run.result(e.outcome, before))
		case !before.has(e.run.job(), e.outcome):
			changes = append(changes, e.run.task(e.outcome, before))
		}
	}
	return changes, nil
}

// put gives the writer something to write. A store that is read only has none.
func (s *Store) put(e entry) {
	switch {
	case s.writer != nil:
		s.writer.put(e)
	case e.done != nil:
		e.done(&Error{Path: s.path, Message: "was opened for reading only"})
	}
}

// do writes something in a group of its own end, and waits until it is durable.
func (s *Store) do(ctx context.Context, change func(context.Context, *writer) error) error {
	result := make(chan error, 1)
	s.put(entry{other: change, now: true, done: func(err error) { result <- err }})
	select {
	case err := <-result:
		return s.trouble(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Flush waits until all that was kept before is durable.
func (s *Store) Flush(ctx context.Context) error {
	return s.do(ctx, func(context.Context, *writer) error { return nil })
}
