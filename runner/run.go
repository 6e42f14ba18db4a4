package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/specs"
)

// Defaults of a run.
const (
	DefaultConcurrency = specs.DefaultConcurrency // where a plan says nothing
	DefaultGrace       = 5 * time.Second          // most answers under way are nearly there
)

// Options say how a plan is carried out. The zero Options suit most programs.
type Options struct {
	// Stop, once closed, ends the run: nothing more starts, what is in flight has
	// Grace to end and is then given up. Nil: only ctx ends it.
	Stop <-chan struct{}
	// Grace is how long calls in flight may go on after Stop; 0: DefaultGrace,
	// below 0: not at all.
	Grace time.Duration
	// FailFast ends the run at the first failed row: nothing more starts, what is
	// in flight goes on to its end.
	FailFast bool
	// Window bounds the rows that are started and not yet handed on; 0: 1024, or 16
	// for each request in flight where that is more. Finished answers that wait for
	// their turn are also bounded by 64 MiB in all.
	Window int
	// Missing are models whose tasks fail unasked, by name, each with its error.
	Missing map[string]*Error
	// Store keeps the results: what it has is not asked again, and what is new is durable
	// in it before it is reported done or handed on. Tasks with one question are asked
	// once. Nil: nothing is kept, and results have no keys.
	Store Store
	// Identify gives what the key of a request needs beside it; only with Store. It is
	// called for each request, by two goroutines. Its error, an *Error with a class or
	// not, fails the task unasked.
	Identify func(*pipeline.Request) (pipeline.Identity, error)
	// Redo asks again what is stored; RetryFailed, what failed for a reason of its own.
	Redo, RetryFailed bool
	// RedoSince is the first of the runs whose results Redo does not ask again: it goes on
	// with one that was cut short. 0: it asks everything.
	RedoSince int64
	// Offline asks nothing: a task without a stored result fails (NotStored). Nothing is
	// written to the store.
	Offline bool
	// Only says whether a step of a row may be asked, by the step's index; others are as
	// under Offline. Nil: every row in every step.
	Only func(row *pipeline.Row, step int) bool
	// Observe is told what the run does, by one goroutine at a time. The run waits
	// for it, so it should be quick. Nil: nobody is told, which costs nothing.
	Observe func(Event)
	// Chunks makes every chunk of an answer an event.
	Chunks bool
}

func (o *Options) grace() time.Duration {
	switch {
	case o.Grace < 0:
		return 0
	case o.Grace == 0:
		return DefaultGrace
	default:
		return o.Grace
	}
}

// Stopped is the error of a run that ended before every row had its record: it was
// interrupted (class Interrupted), the first row failed under Options.FailFast (the
// row's class), the server refused the caller (Unauthorized), or it gave no answer
// for ten minutes (Unreachable). All records that were complete have been handed on,
// in order; rows without one have to be run again.
type Stopped struct {
	Class   Class
	Message string // for a person, one line
	Cause   error  // the failure that ended the run, or why its context ended; may be nil
}

func (s *Stopped) Error() string { return s.Message }

func (s *Stopped) Unwrap() error { return s.Cause }

// Run carries out the plan and calls emit with the record of each row, in the
// order of the rows, one at a time, on the caller's goroutine. The model is called
// by several goroutines, never more at once than the plan's limits allow. A failed
// task is a Result with Err and ends nothing. What Run produces does not depend on
// its concurrency.
//
// An error means that the run was cut short: a *Stopped (see there; also when ctx
// ends, which gives up what is in flight at once), the error of emit, or the error
// of plan.Rows that came without a row, after the records of all rows before it.
// Run returns only after all it started has ended, so it waits for a model or an
// iterator of rows that does not return. A panic of the model, or of the plan's
// functions, comes out of Run as one of conc's pool. The Summary always counts what
// was done.
func Run(ctx context.Context, plan *pipeline.Plan, model Model, opts Options, emit func(*Record) error) (Summary, error) {
	began := time.Now()
	calls, stop := context.WithCancelCause(ctx)
	d := newDispatcher(plan, model, opts, stop)
	d.begin(ctx, calls)
	defer d.await()
	sum := Summary{Failures: map[Class]int64{}}
	err := d.handOn(&sum, emit)
	sum.add(&d.sum)
	sum.Elapsed = time.Since(began)
	if err == nil {
		err = d.err()
	}
	return sum, err
}

// begin starts the run's goroutines.
func (d *dispatcher) begin(ctx, calls context.Context) {
	d.pool.Go(func() { d.guarded(broken{}, d.feed.run) })
	whole := context.WithoutCancel(ctx) // the end of ctx is not the store's failure
	if d.feed.made != nil {
		d.pool.Go(func() { d.guarded(broken{}, func() { d.feed.lookUp(whole) }) })
	}
	if d.keeper != nil || slices.ContainsFunc(d.steps, func(s stepQueue) bool { return !s.root }) {
		d.pool.Go(func() { d.prepare(whole) })
	}
	d.pool.Go(func() { d.run(ctx, calls) })
}

// await ends what still goes on when emit has panicked, waits for all the run's
// goroutines, and panics with the first panic of one of them.
func (d *dispatcher) await() {
	d.box.put(refused{errEnded})
	for read := d.done.await(nil); len(read) > 0; {
		read = d.done.await(read)
	}
	d.pool.Wait()
}

// handOn gives the records to emit until there are no more, and counts them. The
// first error of emit ends the run, which it waits for.
func (d *dispatcher) handOn(sum *Summary, emit func(*Record) error) error {
	var failed error
	for rows := d.done.await(nil); len(rows) > 0; rows = d.done.await(rows) {
		for _, row := range rows {
			if failed != nil {
				break
			}
			if err := emit(row.record); err != nil {
				failed = fmt.Errorf("handing on %s: %w", row.record.Row, err)
				d.box.put(refused{failed})
				break
			}
			sum.count(row.record)
			d.caller.events.rowDone(row.record)
			if d.window.leave(row.bytes) {
				d.box.nudge()
			}
		}
	}
	return failed
}
