package simulate

import (
	"sync"
	"time"
)

// A Clock tells the time and measures waits. The machine's serves everywhere, in
// a testing/synctest bubble too; another one is for programs with a time of their
// own.
type Clock interface {
	Now() time.Time
	// Timer gives a channel that receives once after d, and a function that frees
	// what the timer holds.
	Timer(d time.Duration) (c <-chan time.Time, stop func())
}

type machineClock struct{}

func (machineClock) Now() time.Time { return time.Now() }

func (machineClock) Timer(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// A life is how long a request may go on: until its client leaves or the server
// goes down.
type life struct {
	client <-chan struct{}
	server <-chan struct{}
}

// wait takes d, and says whether the request is still wanted then.
func (l life) wait(clock Clock, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	c, stop := clock.Timer(d)
	defer stop()
	select {
	case <-c:
		return true
	case <-l.client:
	case <-l.server:
	}
	return false
}

// until waits for a channel to be closed, and says whether the request is still
// wanted then.
func (l life) until(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-l.client:
	case <-l.server:
	}
	return false
}

// An outage is the time during which a server drops all connections.
type outage struct {
	mu    sync.Mutex
	until time.Time
	alive chan struct{} // closed when the next outage starts

	watchers map[*func()]struct{} // called when it does
}

func (o *outage) begin() { o.alive = make(chan struct{}) }

// start begins an outage, or ends one where d is 0. Ports are closed before the
// requests under way break, so that who tries again at once finds them closed.
func (o *outage) start(clock Clock, d time.Duration) {
	o.mu.Lock()
	o.until = clock.Now().Add(d)
	broken := o.alive
	o.alive = make(chan struct{})
	var watchers []func()
	for w := range o.watchers {
		watchers = append(watchers, *w)
	}
	o.mu.Unlock()
	if d > 0 {
		for _, w := range watchers {
			w()
		}
	}
	close(broken)
}

// watch has a function called when an outage starts, until stop is called.
func (o *outage) watch(started func()) (stop func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.watchers == nil {
		o.watchers = map[*func()]struct{}{}
	}
	o.watchers[&started] = struct{}{}
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.watchers, &started)
	}
}

// left is how long the outage lasts, and a channel that is closed when that changes.
func (o *outage) left(clock Clock) (time.Duration, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.until.Sub(clock.Now()), o.alive
}

func (o *outage) now(clock Clock) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.until.IsZero() && clock.Now().Before(o.until)
}

func (o *outage) channel() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.alive
}
