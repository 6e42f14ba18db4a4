package runner

import (
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/batchrunner/runner/specs"
)

// maxRetryAfter is the longest that a server's Retry-After is believed.
const maxRetryAfter = 5 * time.Minute

// failed treats a failed attempt, or a failed load of the task's model, by its
// class.
func (d *dispatcher) failed(t *task, err *Error) {
	retry := d.plan.Steps[t.step].Retry
	switch err.Class.Treatment() {
	case WaitForServer:
		d.waitForServer(t, err)
	case AskAgain:
		d.retryOrFail(t, err, t.tries < attempts(retry))
	case AskOnceAgain:
		t.repeats++
		d.retryOrFail(t, err, d.mayRepeat(t))
	case FailModel:
		if err.Class == DoesNotFit {
			d.misfit(t, err)
			return
		}
		d.failModel(t, err)
		d.giveUp(t, err)
	case StopRun:
		d.giveUp(t, err)
		d.end(&Stopped{Class: err.Class, Message: err.Message, Cause: err}, d.opts.grace())
	default:
		d.giveUp(t, err)
	}
}

// maxRefused is how often the server may refuse one task while it answers others.
const maxRefused = 10

// waitForServer queues the task for when the server is well again, or fails one that
// is what the server is unwell about.
func (d *dispatcher) waitForServer(t *task, err *Error) {
	t.tries--
	if d.onlyThis(t) {
		t.refused++
	}
	t.waits, t.seen = t.waits+1, d.health.answers
	if t.refused < maxRefused {
		d.again(t, err, 0)
		return
	}
	own := *err
	own.Message = fmt.Sprintf("refused %d times while others were answered: %s", t.refused, err.Message)
	d.giveUp(t, &own)
}

// onlyThis says that the server refuses this task and not others: it was asked with
// nothing else in flight, and others were answered since it last waited. What is
// refused among others may be one too many.
func (d *dispatcher) onlyThis(t *task) bool {
	return t.alone && t.waits > 0 && d.health.answers > t.seen
}

// giveUpLast fails the last task of a run when the server has refused it for too
// long and has answered all others: there is no other to tell whose fault it is, and
// nothing is gained by ending the run. A server that is away ends it.
func (d *dispatcher) giveUpLast() bool {
	h := &d.health
	if !d.allRead || h.answers == 0 || h.newest.Class.Treatment() != WaitForServer || h.newest.Class == Unreachable {
		return false
	}
	var last *stepQueue
	waiting := d.later.Len() + d.coming
	for i := range d.steps {
		if s := &d.steps[i]; s.ready.Len() > 0 {
			waiting += s.ready.Len()
			last = s
		}
	}
	if waiting != 1 || last == nil {
		return false
	}
	own := *h.newest
	own.Message = fmt.Sprintf("refused for %s: %s", spell(giveUpAfter), own.Message)
	d.giveUp(last.ready.removeFirst(), &own)
	h.trouble, h.overdue = time.Time{}, false
	if h.paused {
		d.resume()
	}
	return true
}

// mayRepeat says whether a task that is asked once again may be asked now.
func (d *dispatcher) mayRepeat(t *task) bool {
	return t.repeats < 2 && t.tries < attempts(d.plan.Steps[t.step].Retry)
}

func (d *dispatcher) retryOrFail(t *task, err *Error, retry bool) {
	if !retry {
		d.giveUp(t, err)
		return
	}
	if t.backoff == nil {
		t.backoff = newBackoff(d.plan.Steps[t.step].Retry)
	}
	wait := min(t.backoff.NextBackOff(), t.backoff.MaxInterval)
	d.again(t, err, max(wait, min(err.RetryAfter, maxRetryAfter)))
}

// again queues the task for another attempt, no earlier than after wait.
func (d *dispatcher) again(t *task, err *Error, wait time.Duration) {
	d.caller.events.attemptFailed(t, err, true, wait)
	d.keepAttempt(t, err)
	t.answer, t.err = nil, nil
	if wait <= 0 {
		d.ready(t)
		return
	}
	t.at = d.now.Add(wait)
	d.later.add(t)
}

// giveUp is the end of a task that was attempted.
func (d *dispatcher) giveUp(t *task, err *Error) {
	d.caller.events.attemptFailed(t, err, false, 0)
	d.keepAttempt(t, err)
	d.finish(t, err)
}

// newBackoff gives the distances between a task's attempts: they double up to the
// step's Max, and each is spread by half around its mean, so that rows which failed
// together don't come back together.
func newBackoff(retry specs.Retry) *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval:     max(0, retry.Initial),
		MaxInterval:         max(retry.Initial, retry.Max),
		Multiplier:          2,
		RandomizationFactor: 0.5,
	}
}
