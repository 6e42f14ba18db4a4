package runner_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// A server is a model that answers after a second while it is up.
type server struct {
	*scripted
	began time.Time
	down  func(since time.Duration) error // nil: up
	looks []time.Duration                 // when it was probed
}

func newServer(down func(since time.Duration) error) *server {
	s := &server{began: time.Now(), down: down}
	s.scripted = &scripted{do: func(ctx context.Context, req *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
		if err := s.down(time.Since(s.began)); err != nil {
			return nil, err
		}
		if err := sleep(ctx, time.Second); err != nil {
			return nil, err
		}
		return answer("x"), s.down(time.Since(s.began))
	}}
	return s
}

func between(from, to time.Duration, err error) func(time.Duration) error {
	return func(at time.Duration) error {
		if at >= from && at < to {
			return err
		}
		return nil
	}
}

var away = fail(runner.Unreachable, "no connection to localhost:11434")

// A server that is away is left alone and probed every two seconds; no row loses an
// attempt, and all go on when it is back.
func TestUnreachable(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newServer(between(10*time.Second, 70*time.Second, away))
		m := probed{s.scripted, func() error {
			s.looks = append(s.looks, time.Since(s.began))
			return s.down(time.Since(s.began))
		}}
		one := step("a")
		one.Retry.Attempts = 1
		r := run(t.Context(), plan(100, 5, one), m, runner.Options{})
		if r.err != nil || r.sum.OK != 100 || r.sum.Elapsed > 85*time.Second {
			t.Fatalf("error %v, %+v", r.err, r.sum)
		}
		if n := len(s.asked); n > 105 {
			t.Errorf("asked %d times: the server was not left alone", n)
		}
		if len(s.looks) != 30 || s.looks[0] != 12*time.Second || s.looks[29] != 70*time.Second {
			t.Errorf("probed at %v", s.looks)
		}
		paused, resumed := r.kinds(runner.HostPaused), r.kinds(runner.HostResumed)
		if len(paused) != 1 || paused[0].Class != runner.Unreachable || len(resumed) != 1 || resumed[0].After != time.Minute {
			t.Errorf("told %+v, %+v", paused, resumed)
		}
	})
}

// A server that drops every connection while it is away, as a proxy before it does,
// is asked whether it is there after the first one: rows use up one attempt, not all.
func TestDroppedConnections(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newServer(between(10*time.Second+1, 70*time.Second, fail(runner.Disconnected, "the connection broke")))
		m := probed{s.scripted, func() error {
			s.looks = append(s.looks, time.Since(s.began))
			return s.down(time.Since(s.began))
		}}
		two := step("a")
		two.Retry = specs.Retry{Attempts: 2, Initial: time.Millisecond, Max: time.Millisecond}
		r := run(t.Context(), plan(100, 5, two), m, runner.Options{})
		if r.err != nil || r.sum.OK != 100 {
			t.Fatalf("error %v, %+v", r.err, r.sum)
		}
		if n := len(s.asked); n > 110 {
			t.Errorf("asked %d times: the server was not left alone", n)
		}
		if paused := r.kinds(runner.HostPaused); len(paused) != 1 || len(s.looks) != 31 {
			t.Errorf("told %+v, probed at %v", paused, s.looks)
		}
	})
}

// A connection that breaks while the server is well is no pause that anybody hears of.
func TestOneBrokenConnection(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newServer(between(10*time.Second+1, 11*time.Second+1, fail(runner.Disconnected, "the connection broke")))
		m := probed{s.scripted, func() error { return nil }}
		r := run(t.Context(), plan(100, 5, step("a")), m, runner.Options{})
		if r.err != nil || r.sum.OK != 100 || len(r.kinds(runner.HostPaused)) != 0 || len(r.kinds(runner.HostResumed)) != 0 {
			t.Fatalf("error %v, %+v, %+v", r.err, r.sum, r.kinds(runner.HostPaused))
		}
	})
}

// A model that can't be probed is tried with one request after growing pauses.
func TestUnreachableWithoutProbe(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newServer(between(10*time.Second, 70*time.Second, away))
		r := run(t.Context(), plan(100, 5, step("a")), s.scripted, runner.Options{})
		if r.err != nil || r.sum.OK != 100 {
			t.Fatalf("error %v, %+v", r.err, r.sum)
		}
		if n := len(s.asked); n > 115 {
			t.Errorf("asked %d times: the server was not left alone", n)
		}
		changes := r.kinds(runner.ConcurrencyChanged)
		if changes[0].Concurrency != 1 || changes[len(changes)-1].Concurrency != 5 || s.most[""] != 5 {
			t.Errorf("told %+v", changes)
		}
	})
}

func TestGivesUpOnAServerThatStaysAway(t *testing.T) {
	for name, make := range map[string]func(s *server) runner.Model{
		"probed": func(s *server) runner.Model {
			return probed{s.scripted, func() error { return s.down(time.Since(s.began)) }}
		},
		"probe lies": func(s *server) runner.Model { return probed{s.scripted, func() error { return nil }} },
		"not probed": func(s *server) runner.Model { return s.scripted },
		"never loads": func(s *server) runner.Model {
			return loadable{s.scripted, func(context.Context, *pipeline.Request) (bool, error) { return false, s.down(time.Hour) }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newServer(between(9*time.Second+1, 1e6*time.Hour, away))
				loads := name == "never loads"
				r := run(t.Context(), plan(100, 5, step("a")), make(s), runner.Options{})
				var stopped *runner.Stopped
				if !errors.As(r.err, &stopped) || stopped.Class != runner.Unreachable || !errors.Is(r.err, away) {
					t.Fatalf("error %v", r.err)
				}
				if want := "no answer for 10m, the last failure: no connection to localhost:11434"; stopped.Message != want {
					t.Errorf("message %q, want %q", stopped.Message, want)
				}
				if min, max := 10*time.Minute, 10*time.Minute+12*time.Second; r.sum.Elapsed < min || r.sum.Elapsed > max {
					t.Errorf("gave up after %s", r.sum.Elapsed)
				}
				if want := int64(45); r.sum.OK != want && !loads || int(r.sum.Rows) != len(r.records) || r.sum.Failed != 0 {
					t.Errorf("%+v", r.sum)
				}
			})
		})
	}
}

// While an answer is still coming nobody gives up: it may end well.
func TestDoesNotGiveUpOnAnAnswerUnderWay(t *testing.T) {
	virtual(t, func(t *testing.T) {
		began := time.Now()
		m := &scripted{}
		m.do = func(ctx context.Context, req *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
			if strings.HasSuffix(req.Messages[0].Content, "r0") {
				return answer("long"), sleep(ctx, 25*time.Minute)
			}
			if time.Since(began) < 25*time.Minute {
				return nil, fail(runner.Busy, "server busy")
			}
			return answer("short"), nil
		}
		r := run(t.Context(), plan(10, 3, step("a")), m, runner.Options{})
		if r.err != nil || r.sum.OK != 10 {
			t.Errorf("error %v, %+v", r.err, r.sum)
		}
	})
}

// A full queue halves what is in flight, once for each pause; it grows back.
func TestBusy(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := &scripted{}
		m.do = func(ctx context.Context, req *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
			m.mu.Lock()
			full := m.busy[""] > 6 // four slots and a queue of two
			m.mu.Unlock()
			if full {
				return nil, fail(runner.Busy, "server busy, please try again")
			}
			return answer("x"), sleep(ctx, time.Second)
		}
		one := step("a")
		one.Retry.Attempts = 1
		r := run(t.Context(), plan(300, 16, one), m, runner.Options{})
		if r.err != nil || r.sum.OK != 300 {
			t.Fatalf("error %v, %+v", r.err, r.sum)
		}
		changes := r.kinds(runner.ConcurrencyChanged)
		if changes[0].Concurrency != 8 || changes[1].Concurrency != 4 || changes[2].Concurrency != 5 {
			t.Errorf("told %+v", changes)
		}
		if refused := r.sum.Retries; refused > 60 {
			t.Errorf("refused %d times", refused)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for _, test := range []struct{ asked, want time.Duration }{
		{20 * time.Second, 20 * time.Second},
		{time.Hour, 5 * time.Minute}, // believed up to a limit
	} {
		virtual(t, func(t *testing.T) {
			s := newServer(between(0, 1, &runner.Error{Class: runner.RateLimited, Message: "slow down", RetryAfter: test.asked}))
			r := run(t.Context(), plan(4, 2, step("a")), s.scripted, runner.Options{})
			// One or both of the first two were asked before the first refusal came.
			again := slices.IndexFunc(s.starts, func(at time.Time) bool { return at.After(s.began) })
			if r.sum.OK != 4 || again < 1 || again > 2 || s.starts[again].Sub(s.began) != test.want {
				t.Errorf("%d ok, asked at %v from %s on, want again after %s", r.sum.OK, s.starts, s.began, test.want)
			}
			if paused := r.kinds(runner.HostPaused); len(paused) != 1 || paused[0].Wait != test.want {
				t.Errorf("told %+v", paused)
			}
		})
	}
}

// More than half of the newest hundred attempts failing is trouble, whatever the
// class; a third is not.
func TestManyFailures(t *testing.T) {
	for _, test := range []struct {
		every  int // of so many attempts
		fail   int // so many fail
		paused bool
	}{{3, 1, false}, {3, 2, true}} {
		virtual(t, func(t *testing.T) {
			n := 0
			m := echo(time.Second)
			ok := m.do
			m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
				m.mu.Lock()
				n++
				failed := n%test.every < test.fail
				m.mu.Unlock()
				if failed {
					return nil, fail(runner.Server, "internal error")
				}
				return ok(ctx, req, chunk)
			}
			s := step("a")
			s.Retry = specs.Retry{Attempts: 100, Initial: time.Second, Max: time.Second}
			r := run(t.Context(), plan(500, 8, s), probed{m, func() error { return nil }}, runner.Options{})
			if r.err != nil || r.sum.OK != 500 {
				t.Fatalf("error %v, %+v", r.err, r.sum)
			}
			paused := r.kinds(runner.HostPaused)
			if (len(paused) > 0) != test.paused {
				t.Fatalf("paused %d times", len(paused))
			}
			if want := "more than 50 of the newest 100 attempts failed, the last with: internal error"; test.paused && paused[0].Message != want {
				t.Errorf("told %q", paused[0].Message)
			}
		})
	}
}

// What the rows themselves cause is no trouble of the server's.
func TestFailedRowsAreNoTrouble(t *testing.T) {
	virtual(t, func(t *testing.T) {
		for _, class := range []runner.Class{runner.ContextOverflow, runner.Schema, runner.Empty} {
			r := run(t.Context(), plan(1000, 8, step("a")), failing(1<<30, class, echo(0)), runner.Options{})
			if r.err != nil || r.sum.Failed != 1000 || len(r.kinds(runner.HostPaused)) != 0 {
				t.Errorf("%s: error %v, %+v", class, r.err, r.sum)
			}
		}
	})
}

// What was in flight when the server went away may fail long after it is back: that
// is the same trouble, not a new one.
func TestOneOutageIsOnePause(t *testing.T) {
	for _, class := range []runner.Class{runner.Unreachable, runner.Busy, runner.RateLimited} {
		virtual(t, func(t *testing.T) {
			m := &scripted{}
			var calls atomic.Int64
			m.do = func(ctx context.Context, req *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
				if n := calls.Add(1); n <= 4 {
					return nil, errors.Join(sleep(ctx, time.Duration(n)*10*time.Second), fail(class, "unwell"))
				}
				return answer("x"), sleep(ctx, time.Second)
			}
			r := run(t.Context(), plan(50, 4, step("a")), m, runner.Options{})
			if n := len(r.kinds(runner.HostPaused)); n != 1 || r.sum.OK != 50 {
				t.Errorf("%s: %d pauses, %+v", class, n, r.sum)
			}
		})
	}
}

// All that failed at once is forgotten when the server is back.
func TestAfterManyFailuresAFewAreNoTrouble(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := &scripted{}
		var calls atomic.Int64
		m.do = func(ctx context.Context, _ *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
			n := calls.Add(1)
			if err := sleep(ctx, time.Second); n <= 200 || n%7 == 0 {
				return nil, errors.Join(err, fail(runner.Server, "internal error"))
			}
			return answer("x"), nil
		}
		r := run(t.Context(), plan(600, 200, step("a")), probed{m, func() error { return nil }}, runner.Options{})
		if n := len(r.kinds(runner.HostPaused)); n != 1 || r.err != nil {
			t.Errorf("%d pauses, error %v, %+v", n, r.err, r.sum)
		}
	})
}

// Pauses grow within one trouble, not from one to the next.
func TestEachTroubleBeginsWithAShortPause(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := &scripted{}
		m.do = func(ctx context.Context, _ *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
			if len(m.asked)%5 == 0 {
				return nil, fail(runner.RateLimited, "slow down")
			}
			return answer("x"), sleep(ctx, time.Second)
		}
		r := run(t.Context(), plan(40, 1, step("a")), m, runner.Options{})
		paused := r.kinds(runner.HostPaused)
		if len(paused) < 8 {
			t.Fatalf("%d pauses", len(paused))
		}
		for i, p := range paused {
			if p.Wait < time.Second/2 || p.Wait > 3*time.Second/2 {
				t.Errorf("pause %d lasts %s, want a second and up to half more or less", i, p.Wait)
			}
		}
	})
}

// Rows that came back from a pause go on in their order, and have lost no attempt.
func TestAfterAPause(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := &scripted{}
		var calls atomic.Int64
		m.do = func(context.Context, *pipeline.Request, func(runner.Chunk)) (*pipeline.Answer, error) {
			switch n := calls.Add(1); {
			case n <= 3:
				return nil, away
			case n == 4:
				return nil, fail(runner.Server, "internal error")
			}
			return answer("x"), nil
		}
		s := step("a")
		s.Retry = specs.Retry{Attempts: 2}
		r := run(t.Context(), plan(3, 3, s), m, runner.Options{})
		var order []string
		for _, e := range r.kinds(runner.AttemptStarted)[3:] {
			order = append(order, e.ID)
		}
		if got := strings.Join(order, " "); got != "r0 r0 r1 r2" {
			t.Errorf("asked %q after the pause", got)
		}
		if r.sum.OK != 3 {
			t.Errorf("%q", r.lines())
		}
	})
}
