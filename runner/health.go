package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// What a run does about a server in trouble.
const (
	recent       = 100              // finished attempts whose failures are counted
	maxFailing   = recent / 2       // more of them failing: pause
	probeEvery   = 2 * time.Second  // while the server does not answer
	probeTimeout = 5 * time.Second  // of one probe
	maxPause     = 30 * time.Second // between two attempts to find it well, when it can't be probed
	firstPause   = time.Second      // of those
	giveUpAfter  = 10 * time.Minute // without an answer: the run ends
)

// A health is what the run thinks of its server. Trouble begins with a failure
// that is the server's and ends with an answer. While it lasts the server is left
// alone for a time again and again (a pause: nothing starts), then asked anew. A
// trouble may be one task's alone, so after a pause another one is asked first.
type health struct {
	max      int // requests in flight when all is well
	streak   int // answers since the limit last changed
	answers  int64
	failures ring

	trouble time.Time // when it began, or when the newest answer came; zero: all is well
	newest  *Error    // the newest sign of it

	paused  bool
	probing bool      // a probe is under way
	probe   bool      // only a probe that succeeds ends this pause
	quiet   bool      // this pause only makes sure that the server is there
	since   time.Time // when it began
	until   time.Time // when it ends, or when to probe
	epoch   int       // counts pauses: what fails of calls started before one says nothing new
	pauses  *backoff.ExponentialBackOff
	overdue bool // asked in vain for too long: nothing starts, and the run ends with the last call
	untried bool // no task was chosen since the newest pause
}

func newHealth(concurrency int) health {
	return health{max: concurrency, pauses: &backoff.ExponentialBackOff{
		InitialInterval: firstPause, MaxInterval: maxPause, Multiplier: 2, RandomizationFactor: 0.5,
	}}
}

// open says whether the server may be asked.
func (h *health) open() bool { return !h.paused && !h.overdue }

// judgeHealth draws the conclusions from a failed call that began in epoch.
func (d *dispatcher) judgeHealth(err *Error, epoch int) {
	h := &d.health
	if err.Class.answered() {
		d.answered()
		return
	}
	if epoch == h.epoch {
		d.inVain()
	}
	many := h.failures.add(true) > maxFailing
	if err.Class == Disconnected && !many {
		d.suspect(epoch)
		return
	}
	if err.Class.Treatment() != WaitForServer && !many {
		return
	}
	if h.trouble.IsZero() {
		h.trouble = d.now
	}
	h.newest = err
	if epoch == h.epoch && !h.paused {
		d.pause(err, many)
	}
	if after := min(err.RetryAfter, maxRetryAfter); h.paused {
		h.until = later(h.until, d.now.Add(after))
	}
}

// inVain notes that the server was asked during its trouble and gave no answer. Time
// alone says nothing: with a low rate nobody may have asked for longer than this.
func (d *dispatcher) inVain() {
	h := &d.health
	if !h.trouble.IsZero() && !d.now.Before(h.trouble.Add(giveUpAfter)) {
		h.overdue = true
	}
}

// answered notes that the server did its part.
func (d *dispatcher) answered() {
	h := &d.health
	h.answers++
	h.failures.add(false)
	h.overdue = false
	h.trouble = time.Time{}
	if h.paused && !h.quiet {
		h.trouble = d.now
		return
	}
	h.pauses.Reset()
	d.grow()
}

// suspect asks the server whether it is still there before anything more starts: a
// connection that broke may be one of a server that is gone, or starts anew behind a
// proxy that takes connections all the same, and asking it would only use up the
// attempts of row after row.
func (d *dispatcher) suspect(epoch int) {
	h := &d.health
	if d.caller.prober == nil || h.paused || epoch != h.epoch {
		return
	}
	h.paused, h.quiet, h.probe, h.probing = true, true, true, true
	h.since, h.epoch = d.now, h.epoch+1
	d.carryOut(&probeCall{})
}

// gone makes a quiet pause one of a server that is away.
func (d *dispatcher) gone(err *Error) {
	h := &d.health
	h.quiet, h.trouble, h.newest = false, d.now, err
	d.caller.events.paused(err, probeEvery)
}

// pause leaves the server alone. One that has too much to do gets half as many requests
// afterwards; one that was away and can't be probed gets one.
func (d *dispatcher) pause(err *Error, many bool) {
	h := &d.health
	h.paused, h.since, h.epoch = true, d.now, h.epoch+1
	why := err
	if many {
		why = &Error{Class: err.Class, Message: fmt.Sprintf("more than %d of the newest %d attempts failed, the last with: %s", maxFailing, recent, err.Message)}
	}
	away := many || err.Class == Unreachable
	h.probe = away && d.caller.prober != nil
	wait := min(h.pauses.NextBackOff(), maxPause)
	if h.probe {
		wait = probeEvery
	}
	h.until = d.now.Add(wait)
	if end := h.trouble.Add(giveUpAfter); d.now.Before(end) && h.until.After(end) {
		h.until = end // asked then, to know whether to give up
	}
	d.caller.events.paused(why, max(wait, min(err.RetryAfter, maxRetryAfter)))
	switch {
	case err.Class == Busy:
		d.limit(d.gate.limit/2, "the server's queue is full")
	case err.Class == RateLimited:
		d.limit(d.gate.limit/2, "the server wants fewer requests")
	case away && !h.probe:
		d.limit(1, "the server may be back")
	}
}

// expirePause ends a pause that has lasted, or probes; and ends a run whose server
// was asked in vain for too long, once nothing is in flight that could be an answer.
func (d *dispatcher) expirePause() {
	h := &d.health
	if h.trouble.IsZero() || d.halt.why != nil {
		return
	}
	if h.overdue && d.gate.busy == 0 {
		if d.giveUpLast() {
			return
		}
		d.end(&Stopped{
			Class:   Unreachable,
			Message: fmt.Sprintf("no answer for %s, the last failure: %s", spell(giveUpAfter), h.newest.Message),
			Cause:   h.newest,
		}, 0)
		return
	}
	switch {
	case !h.paused || h.probing:
	case d.now.Before(h.until):
		d.wakeAt(h.until)
	case h.probe:
		h.probing = true
		d.carryOut(&probeCall{})
	default:
		d.resume()
	}
}

func (d *dispatcher) resume() {
	if d.health.quiet {
		d.health.paused, d.health.quiet = false, false
		return
	}
	d.health.paused, d.health.untried = false, true
	d.health.failures.reset()
	d.caller.events.resumed(d.now.Sub(d.health.since))
}

// A probeCall asks whether the server answers at all.
type probeCall struct{ err error }

func (p *probeCall) carryOut(run context.Context, c *caller) notice {
	ctx, cancel := context.WithTimeout(run, probeTimeout)
	defer cancel()
	p.err = c.prober.Probe(ctx)
	return p
}

func (p *probeCall) deliver(d *dispatcher) {
	d.out--
	d.health.probing = false
	if p.err != nil {
		d.health.until = d.now.Add(probeEvery)
		if d.health.quiet {
			d.gone(classed(p.err, Unreachable))
		}
		d.inVain()
		return
	}
	d.resume()
}

// limit sets how many requests may be in flight, at least one.
func (d *dispatcher) limit(n int, why string) {
	d.health.streak = 0
	if n = max(1, n); n != d.gate.limit {
		d.gate.limit = n
		d.caller.events.concurrency(n, why)
	}
}

// grow gives back a tenth of the requests in flight after as many answers as are
// in flight.
func (d *dispatcher) grow() {
	h := &d.health
	if d.gate.limit >= h.max {
		return
	}
	if h.streak++; h.streak >= d.gate.limit {
		d.limit(min(h.max, d.gate.limit+max(1, h.max/10)), "the server answers")
	}
}

// A ring counts the failures among the newest attempts.
type ring struct {
	failed [recent]bool
	next   int
	count  int
}

// add notes an attempt and returns how many of the newest failed.
func (r *ring) add(failed bool) int {
	if r.failed[r.next] {
		r.count--
	}
	if r.failed[r.next] = failed; failed {
		r.count++
	}
	r.next = (r.next + 1) % recent
	return r.count
}

func (r *ring) reset() { *r = ring{} }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
