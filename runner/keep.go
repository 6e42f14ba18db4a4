package runner

import (
	"errors"
	"time"

	"github.com/batchrunner/runner/pipeline"
)

// A keeper is the dispatcher's account of what it shares with the store.
type keeper struct {
	asking map[pipeline.Key]*task // the task that asks a question now
	newest keyRing                // questions that were asked last in this run
	saving int                    // results on their way to the disk
}

// remembered is how many questions a run remembers to have asked. A task is looked up
// in the store before its turn; what was asked meanwhile has to be noticed. Far fewer
// tasks than this are between their look and their turn.
const remembered = 4096

func newKeeper(opts *Options) *keeper {
	if opts.Store == nil {
		return nil
	}
	return &keeper{asking: map[pipeline.Key]*task{}, newest: keyRing{held: map[pipeline.Key]bool{}}}
}

// keep hands what became of a task to the store. It says whether the task's row has to
// wait until that is durable: so it is with every result that is new.
func (d *dispatcher) keep(t *task) (wait bool) {
	if d.keeper == nil || d.opts.Offline || t.row.record.Row.Warmup || t.result.Err.notAsked() {
		return false
	}
	o := &Outcome{Result: t.result, RowID: t.row.record.Row.ID}
	if t.isNew() {
		o.Question, o.Started, o.Due, o.Late = t.question, t.started, t.due, t.late()
		d.keeper.saving++
		d.opts.Store.Keep(o, func(err error) { d.box.put(saved{t, err}) })
		return true
	}
	if t.stored != nil {
		if t.stored.As.same(o) {
			return false
		}
		o.Stored = t.stored.ID
	}
	d.opts.Store.Keep(o, nil)
	return false
}

// same says whether an outcome with the result that the task was kept with is what it
// was kept as.
func (k *KeptTask) same(o *Outcome) bool {
	if k == nil {
		return false
	}
	now := KeptTask{RowID: o.RowID}
	if err := o.Result.Err; err != nil {
		now.Class, now.Message = err.Class, err.Message
	}
	return *k == now
}

// notAsked says that a task has no outcome because it was not to be asked now, or because
// one that it needs was not.
func (e *Error) notAsked() bool {
	for e != nil && e.Class == Upstream {
		var cause *Error
		errors.As(e.Cause, &cause)
		e = cause
	}
	return e != nil && e.Class == NotStored
}

// late is how late the request of the task's answer was sent, after its attempt was to
// start; 0 where nobody measured that.
func (t *task) late() time.Duration {
	if t.answer == nil || t.answer.Timing.Sent.IsZero() {
		return 0
	}
	return t.answer.Timing.Sent.Sub(t.meant)
}

// isNew says whether a task with its result has one that the store lacks: it was
// asked, or its failure is one of its question and spares others the asking.
func (t *task) isNew() bool {
	r := t.result
	if r.Key.IsZero() || r.Reused {
		return false
	}
	return r.Attempts > 0 || r.Err != nil && r.Err.Class.OfRequest()
}

// keepAttempt hands a failed attempt to the store.
func (d *dispatcher) keepAttempt(t *task, err *Error) {
	if d.keeper == nil || t.calls == 0 || t.row.record.Row.Warmup {
		return
	}
	d.opts.Store.KeepAttempt(&FailedAttempt{
		Task: t.result.Task, RowID: t.row.record.Row.ID, Key: t.result.Key, Attempt: t.calls,
		Started: t.started, Elapsed: time.Since(t.started), Err: err,
	})
}

// saved tells that a result is durable, or why it is not.
type saved struct {
	task *task
	err  error
}

func (s saved) deliver(d *dispatcher) {
	d.keeper.saving--
	if s.err != nil {
		d.end(&StoreError{Cause: s.err}, 0)
		return
	}
	d.settle(s.task)
}

// A StoreError is the error of a run whose store could not be read or written. What
// was reported done before is kept.
type StoreError struct{ Cause error }

func (e *StoreError) Error() string { return e.Cause.Error() }

func (e *StoreError) Unwrap() error { return e.Cause }

// A keyRing is a set of keys that forgets the oldest when it is full.
type keyRing struct {
	keys []pipeline.Key
	next int // where the oldest is, once full
	held map[pipeline.Key]bool
}

func (r *keyRing) has(key pipeline.Key) bool { return r.held[key] }

func (r *keyRing) add(key pipeline.Key) {
	if r.held[key] {
		return
	}
	r.held[key] = true
	if len(r.keys) < remembered {
		r.keys = append(r.keys, key)
		return
	}
	delete(r.held, r.keys[r.next])
	r.keys[r.next] = key
	r.next = (r.next + 1) % remembered
}
