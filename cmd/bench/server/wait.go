package main

import (
	"context"
	"sync"
	"time"
)

// A memory has room for the one model, which takes a time to get there, once.
type memory struct {
	takes time.Duration

	mu    sync.Mutex
	ready time.Time // the model is there then; zero: nobody has asked for it
}

// load waits until the model is in memory. Its error says that ctx was done before.
func (m *memory) load(ctx context.Context) error {
	if m.takes <= 0 {
		return nil
	}
	m.mu.Lock()
	if m.ready.IsZero() {
		m.ready = time.Now().Add(m.takes)
	}
	ready := m.ready
	m.mu.Unlock()
	return sleep(ctx, ready)
}

func (m *memory) holds() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.takes <= 0 || !m.ready.IsZero() && !time.Now().Before(m.ready)
}

// A Freeze is a time in which the server neither hears nor says anything.
type Freeze struct {
	At  time.Duration // after the first prompt came
	For time.Duration // 0: it never freezes
}

// A freezer lets the server freeze once.
type freezer struct {
	Freeze

	mu   sync.Mutex
	from time.Time // zero: no prompt has come yet
}

// begin notes the first prompt.
func (f *freezer) begin(at time.Time) {
	if f.For <= 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.from.IsZero() {
		f.from = at.Add(f.At)
	}
}

// thaw waits to the end of the freeze, if it is on.
func (f *freezer) thaw(ctx context.Context) error {
	if f.For <= 0 {
		return nil
	}
	f.mu.Lock()
	from := f.from
	f.mu.Unlock()
	if from.IsZero() || time.Now().Before(from) {
		return nil
	}
	return sleep(ctx, from.Add(f.For))
}

// A sleeper waits for a moment, or for the end of ctx, which is its error.
type sleeper func(ctx context.Context, moment time.Time) error

// sleep is a sleeper by a timer of Go.
func sleep(ctx context.Context, moment time.Time) error {
	wait := time.Until(moment)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
