package runner

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/say"
)

// A watch ends an attempt that takes too long: as a whole, until its first token,
// or from one chunk to the next. Chunks only store the time; one timer looks at it
// when the next bound could have passed, so no goroutine waits for an attempt and no
// timer moves with a token.
type watch struct {
	limits specs.Timeout
	began  time.Time
	end    context.CancelCauseFunc
	timer  *time.Timer
	newest atomic.Int64 // when the newest chunk came, in nanoseconds since began; 0: none yet
	tokens atomic.Int64 // chunks with text or thinking
}

// never is when a watch without bounds would look.
const never time.Duration = 1<<63 - 1

// newWatch returns the context of an attempt that begins now, and its watch, which
// must be stopped. The *Error of a bound that has passed is the context's cause.
func newWatch(ctx context.Context, limits specs.Timeout) (context.Context, *watch) {
	w := &watch{limits: limits, began: time.Now()}
	next, _ := w.check(0)
	if next == never {
		return ctx, w
	}
	ctx, w.end = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(never, func() { w.look(ctx) })
	w.timer.Reset(next) // only now, so that look finds the timer
	return ctx, w
}

// arrived notes a chunk. An empty one is a sign of life, not a token.
func (w *watch) arrived(chunk Chunk) {
	if chunk.token() {
		w.tokens.Add(1)
	}
	w.newest.Store(max(1, int64(time.Since(w.began))))
}

// look ends the attempt if a bound has passed, else comes back when one can have.
func (w *watch) look(ctx context.Context) {
	if ctx.Err() != nil {
		return // it has ended while the timer fired
	}
	next, passed := w.check(time.Since(w.began))
	if passed != nil {
		w.end(passed)
		return
	}
	w.timer.Reset(next)
}

// check returns the bound that has passed at that age of the attempt, or for how
// long none can.
func (w *watch) check(age time.Duration) (next time.Duration, passed *Error) {
	tokens, newest := w.tokens.Load(), time.Duration(w.newest.Load())
	next = never
	if limit := w.limits.Total; limit > 0 {
		if age >= limit {
			return 0, timedOut("no answer within %s", spell(limit))
		}
		next = min(next, limit-age)
	}
	if limit := w.limits.FirstToken; limit > 0 && tokens == 0 {
		if age >= limit {
			return 0, timedOut("no first token within %s", spell(limit))
		}
		next = min(next, limit-age)
	}
	if limit := w.limits.Idle; limit > 0 {
		if newest > 0 && age >= newest+limit {
			return 0, timedOut("nothing came for %s after %s", spell(limit), say.Plural(int(tokens), "token"))
		}
		if newest == 0 {
			newest = age // the first chunk comes now at the earliest
		}
		next = min(next, newest+limit-age)
	}
	return next, nil
}

// stop ends the watch and frees its context. It may be called twice.
func (w *watch) stop() {
	if w.timer != nil {
		w.timer.Stop()
		w.end(nil)
	}
}

func timedOut(format string, args ...any) *Error {
	return &Error{Class: Timeout, Message: fmt.Sprintf(format, args...), Cause: context.DeadlineExceeded}
}

// spell writes a duration without the zero units of time.Duration: 5m, not 5m0s.
func spell(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
