package runner

import (
	"context"
	"errors"
	"time"
)

// A halt is a run's early end: nothing starts any more.
type halt struct {
	why      error     // nil: the run goes on
	deadline time.Time // when the calls in flight are given up; zero: never
	asked    bool      // Options.Stop is closed
	gone     bool      // the run's context has ended
}

// untilDone is the grace of calls that may go on to their end.
const untilDone time.Duration = -1

// end lets nothing more start, and gives up what is in flight after grace.
func (d *dispatcher) end(why error, grace time.Duration) {
	if d.halt.why == nil {
		d.halt.why = why
	}
	if grace == untilDone {
		return
	}
	if at := d.now.Add(grace); d.halt.deadline.IsZero() || at.Before(d.halt.deadline) {
		d.halt.deadline = at
	}
	d.expireHalt()
}

// expireHalt gives up the calls in flight when their grace is over.
func (d *dispatcher) expireHalt() {
	switch {
	case d.halt.deadline.IsZero():
	case d.now.Before(d.halt.deadline):
		d.wakeAt(d.halt.deadline)
	default:
		d.stop(errEnded)
	}
}

// interrupts ends the run when its caller wants that.
func (d *dispatcher) interrupts(ctx context.Context) {
	if !d.halt.gone && ctx.Err() != nil {
		d.halt.gone = true
		d.end(&Stopped{Class: Interrupted, Message: "interrupted", Cause: context.Cause(ctx)}, 0)
	}
	if !d.halt.asked && isClosed(d.opts.Stop) {
		d.halt.asked = true
		d.end(&Stopped{Class: Interrupted, Message: "interrupted"}, d.opts.grace())
	}
}

// signals are the channels that interrupts has yet to hear from.
func (h *halt) signals(ctx context.Context, asked <-chan struct{}) (stop, done <-chan struct{}) {
	if !h.asked {
		stop = asked
	}
	if !h.gone {
		done = ctx.Done()
	}
	return stop, done
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// err returns why the run was cut short, nil where it was not: an interrupt that
// came when only the last rows were in flight has interrupted nothing.
func (d *dispatcher) err() error {
	var stopped *Stopped
	if errors.As(d.halt.why, &stopped) && stopped.Class == Interrupted && d.complete() {
		return d.readErr
	}
	if d.halt.why != nil {
		return d.halt.why
	}
	return d.readErr
}

// complete says whether every row of the plan has its record.
func (d *dispatcher) complete() bool {
	return d.unfinished == 0 && (d.allRead || d.window.opened == d.plan.Total)
}

// guarded runs work on a goroutine of the pool. When it panics, the run ends at
// once; the pool keeps the panic, and Run lets it out.
func (d *dispatcher) guarded(n broken, work func()) {
	whole := false
	defer func() {
		if !whole {
			d.box.put(n)
		}
	}()
	work()
	whole = true
}

// broken tells that a goroutine of the run has panicked.
type broken struct {
	call bool // while it carried out a call
}

func (b broken) deliver(d *dispatcher) {
	if b.call {
		d.out--
	}
	d.end(errEnded, 0)
}

// refused tells that the receiver takes no more records.
type refused struct{ err error }

func (r refused) deliver(d *dispatcher) { d.end(r.err, 0) }
