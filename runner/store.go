package runner

import (
	"context"
	"time"

	"github.com/batchrunner/runner/pipeline"
)

// A Store keeps results, so that no question is asked twice. Its methods are safe for
// concurrent use.
type Store interface {
	// Find gives for each task what is stored for it, in their order: the answer that the
	// task had itself, if its key is still the same; else the newest answer of the key,
	// else its newest failure, else nil.
	Find(ctx context.Context, tasks []Sought) ([]*Stored, error)
	// Keep takes what became of a task. It does not wait for the disk: done is called
	// once, from another goroutine, when the outcome is durable, or with the error
	// that kept it from being. A nil done: nobody waits for it.
	Keep(o *Outcome, done func(error))
	// KeepAttempt takes a failed attempt, which may have been a task's last. Nobody
	// waits for it.
	KeepAttempt(a *FailedAttempt)
}

// A Sought is a task whose result is looked for.
type Sought struct {
	Task pipeline.Task
	Key  pipeline.Key
}

// A Stored is a result as it was kept. It is read only, but for Answer, which is its
// finder's own.
type Stored struct {
	ID       int64            // of the result in the store
	Answer   *pipeline.Answer // nil of a failure; without JSON, which is made of Response
	Err      *Error           // nil of an answer
	Attempts int              // that it took
	Run      int64            // that asked it, as the store numbers runs; 0: nobody knows

	// As is what the task was kept as, where this is its own result. A task that comes to
	// the same again is not kept anew.
	As *KeptTask
}

// A KeptTask is what became of a task, but for its result.
type KeptTask struct {
	RowID   string
	Class   Class // empty of a task that has an answer
	Message string
}

// An Outcome is what became of a task in a run.
type Outcome struct {
	Result *Result
	RowID  string
	// Question is the canonical text that Result.Key is of, where the result is new. Nil:
	// the task has the result that is Stored, or where that is 0 what Find gives for
	// its key now, if it has a key.
	Question []byte
	Stored   int64
	Started  time.Time // of the last attempt; zero of a task that was not asked
	// Due is when the first attempt was to start: under an open load by its schedule, else
	// when a place was free for it. Late is how late the last attempt was sent, after it
	// was to start. Both count only where the answer's Timing was measured.
	Due  time.Time
	Late time.Duration
}

// A FailedAttempt is one call that gave no answer, or one that could not be used.
type FailedAttempt struct {
	Task    pipeline.Task
	RowID   string
	Key     pipeline.Key
	Attempt int // from 1
	Started time.Time
	Elapsed time.Duration
	Err     *Error
}
