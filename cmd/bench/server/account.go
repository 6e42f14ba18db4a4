package main

import (
	"slices"
	"sync"
	"time"
)

// An account is what the server saw, on one monotonic clock.
type account struct {
	load Load
	born time.Time

	mu       sync.Mutex
	first    time.Duration // since born: the first arrival
	last     time.Duration // the last byte so far
	arrivals []time.Duration
	sum      Stats
	open     int // requests that arrived and have not left
	planned  time.Duration
	busy     time.Duration
	newest   map[string]*call // of completed ones, by prompt, where the load keeps them
}

// Stats is the account in figures. Times are in milliseconds.
type Stats struct {
	Requests  int     `json:"requests"`  // arrived
	Completed int     `json:"completed"` // answered to the last byte
	Makespan  float64 `json:"makespan_ms"`
	Ideal     float64 `json:"ideal_ms"`   // planned service over slots
	Busy      float64 `json:"saturation"` // share of slots x makespan in which a slot was held
	MaxOpen   int     `json:"max_open"`   // arrived and not left, at once

	// Against an even schedule at the load's rate; zero without one.
	Achieved float64 `json:"rate"` // per second, first arrival to last
	LateP50  float64 `json:"late_p50_ms"`
	LateP99  float64 `json:"late_p99_ms"`
	LateMax  float64 `json:"late_max_ms"`

	Truth *Truth `json:"truth,omitempty"` // of answers that come token by token
}

func newAccount(load Load) *account {
	return &account{load: load, born: time.Now(), newest: map[string]*call{}}
}

// arrive notes a request and gives its number in the order of arrival, from 0.
func (a *account) arrive() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := time.Since(a.born)
	n := a.sum.Requests
	if n == 0 {
		a.first = at
	}
	if a.load.Rate > 0 {
		a.arrivals = append(a.arrivals, at)
	}
	a.sum.Requests++
	a.open++
	a.sum.MaxOpen = max(a.sum.MaxOpen, a.open)
	return n
}

func (a *account) start(plan time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.planned += plan
}

// giveUp notes that a client left before its request was served.
func (a *account) giveUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open--
}

// leave notes the end of a request that held a slot for a time; complete says
// whether its last byte was written.
func (a *account) leave(c *call, held time.Duration, complete bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open--
	a.busy += held
	a.last = time.Since(a.born)
	if !complete {
		return
	}
	a.sum.Completed++
	if before := a.newest[c.prompt]; a.load.keeps() && (before == nil || before.number < c.number) {
		a.newest[c.prompt] = c
	}
}

// requests are those that were completed, by prompt; of those with one prompt the newest.
func (a *account) requests() map[string]Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make(map[string]Request, len(a.newest))
	for prompt, c := range a.newest {
		took := c.times()
		all[prompt] = Request{TTFT: ms(took.ttft), Latency: ms(took.latency)}
	}
	return all
}

func (a *account) stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sum
	span := a.last - a.first
	s.Makespan = ms(span)
	s.Ideal = ms(a.planned) / float64(a.load.Slots)
	if span > 0 {
		s.Busy = float64(a.busy) / float64(span) / float64(a.load.Slots)
	}
	if len(a.arrivals) > 1 {
		s.Achieved = float64(len(a.arrivals)-1) / (a.arrivals[len(a.arrivals)-1] - a.arrivals[0]).Seconds()
		late := lateness(a.arrivals, a.load.Rate)
		s.LateP50, s.LateP99, s.LateMax = ms(quantile(late, 0.5)), ms(quantile(late, 0.99)), ms(late[len(late)-1])
	}
	if a.load.Tokens > 0 {
		s.Truth = truth(a.newest)
	}
	return s
}

// lateness holds arrivals against the even schedule that the earliest of them, all
// things considered, kept: no arrival is early. Sorted, the least late first.
func lateness(arrivals []time.Duration, rate float64) []time.Duration {
	late := make([]time.Duration, len(arrivals))
	for i, at := range arrivals {
		late[i] = at - time.Duration(float64(i)/rate*float64(time.Second))
	}
	slices.Sort(late)
	for i := len(late) - 1; i >= 0; i-- {
		late[i] -= late[0]
	}
	return late
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
