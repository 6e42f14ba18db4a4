package runner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// lasting is a model whose answers last as many seconds as their row's number.
func lasting() *scripted {
	return &scripted{do: func(ctx context.Context, req *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
		_, n, _ := strings.Cut(req.Messages[0].Content, ":r")
		d, err := time.ParseDuration(strings.TrimSpace(n) + "s")
		if err != nil {
			panic(err)
		}
		if err := sleep(ctx, d); err != nil {
			return nil, err
		}
		return answer("x"), nil
	}}
}

func TestInterrupt(t *testing.T) {
	for _, test := range []struct {
		name  string
		grace time.Duration
		took  time.Duration
		want  []string // rows with a record
	}{
		// Rows r0 to r19 are in flight after 1.5 s, r0 and r1 done.
		{"with the grace of default", 0, 6500 * time.Millisecond, []string{"r0 x", "r1 x", "r2 x", "r3 x", "r4 x", "r5 x", "r6 x"}},
		{"with a grace of one second", time.Second, 2500 * time.Millisecond, []string{"r0 x", "r1 x", "r2 x"}},
		{"without grace", -1, 1500 * time.Millisecond, []string{"r0 x", "r1 x"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				stop := make(chan struct{})
				time.AfterFunc(1500*time.Millisecond, func() { close(stop) })
				m := lasting()
				r := run(t.Context(), plan(100, 18, step("a")), m, runner.Options{Stop: stop, Grace: test.grace})
				var stopped *runner.Stopped
				if !errors.As(r.err, &stopped) || stopped.Class != runner.Interrupted {
					t.Fatalf("error %v", r.err)
				}
				if diff := cmp.Diff(test.want, r.lines()); diff != "" {
					t.Errorf("records (-want +got):\n%s", diff)
				}
				if r.sum.Elapsed != test.took || r.sum.Rows != int64(len(test.want)) || r.sum.Failed != 0 || len(m.asked) != 20 {
					t.Errorf("asked %d, %+v", len(m.asked), r.sum)
				}
			})
		})
	}
}

// Finished rows behind an unfinished one are handed on; the unfinished one is left out.
func TestInterruptLeavesOutUnfinishedRows(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := echo(time.Second)
		ok := m.do
		m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
			if req.Messages[0].Content == "a:r1" {
				if err := sleep(ctx, time.Hour); err != nil {
					return nil, err
				}
			}
			return ok(ctx, req, chunk)
		}
		stop := make(chan struct{})
		time.AfterFunc(3500*time.Millisecond, func() { close(stop) })
		r := run(t.Context(), plan(100, 2, step("a"), step("b", 0)), m, runner.Options{Stop: stop})
		// r0 took two of the slot's seconds, r2 the next ones; r3 had no time for b.
		want := []string{"r0 [a:r0] [b:r0 [a:r0]]", "r2 [a:r2] [b:r2 [a:r2]]"}
		if diff := cmp.Diff(want, r.lines()); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
		if r.sum.Elapsed != 8500*time.Millisecond {
			t.Errorf("took %s", r.sum.Elapsed)
		}
	})
}

// What waits for its retry, for its turn in the rate or for the server is not
// waited for.
func TestInterruptWhileAllWaits(t *testing.T) {
	for name, model := range map[string]runner.Model{
		"backoff": failing(1<<30, runner.Server, echo(0)),
		"pause":   failing(1<<30, runner.Unreachable, echo(0)),
		"probes":  probed{failing(1<<30, runner.Unreachable, echo(0)), func() error { return errors.New("away") }},
		"a probe": hanging{failing(1<<30, runner.Unreachable, echo(0))},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				stop := make(chan struct{})
				time.AfterFunc(time.Minute, func() { close(stop) })
				s := step("a")
				s.Retry = specs.Retry{Attempts: 100, Initial: time.Hour, Max: time.Hour}
				r := run(t.Context(), plan(5, 5, s), model, runner.Options{Stop: stop})
				var stopped *runner.Stopped
				if !errors.As(r.err, &stopped) || stopped.Class != runner.Interrupted || r.sum.Elapsed != time.Minute || len(r.records) != 0 {
					t.Errorf("error %v, %+v", r.err, r.sum)
				}
			})
		})
	}
}

// A hanging model's server takes every probe and answers none.
type hanging struct{ *scripted }

func (hanging) Probe(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestInterruptBeforeTheStart(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	m := echo(0)
	r := run(t.Context(), plan(5, 5, step("a")), m, runner.Options{Stop: stop})
	var stopped *runner.Stopped
	if !errors.As(r.err, &stopped) || len(m.asked) != 0 {
		t.Errorf("error %v, asked %q", r.err, m.asked)
	}
}

// An interrupt while only the last rows are in flight has interrupted nothing.
func TestInterruptAtTheEnd(t *testing.T) {
	virtual(t, func(t *testing.T) {
		stop := make(chan struct{})
		time.AfterFunc(time.Second/2, func() { close(stop) })
		r := run(t.Context(), plan(5, 5, step("a")), echo(time.Second), runner.Options{Stop: stop})
		if r.err != nil || r.sum.OK != 5 {
			t.Errorf("error %v, %+v", r.err, r.sum)
		}
	})
}

// The end of the context gives up at once what is in flight.
func TestCancel(t *testing.T) {
	virtual(t, func(t *testing.T) {
		why := errors.New("second interrupt")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(2500*time.Millisecond, func() { cancel(why) })
		stop := make(chan struct{})
		time.AfterFunc(1500*time.Millisecond, func() { close(stop) })
		m := lasting()
		r := run(ctx, plan(100, 10, step("a")), m, runner.Options{Stop: stop, Grace: time.Hour})
		var stopped *runner.Stopped
		if !errors.As(r.err, &stopped) || stopped.Class != runner.Interrupted || r.sum.Elapsed != 2500*time.Millisecond {
			t.Errorf("error %v, %+v", r.err, r.sum)
		}
		if diff := cmp.Diff([]string{"r0 x", "r1 x", "r2 x"}, r.lines()); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	})
	virtual(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		once := step("a") // what is given up is no failure, even of its only attempt
		once.Retry = specs.Retry{}
		r := run(ctx, plan(100, 10, once), lasting(), runner.Options{})
		var stopped *runner.Stopped
		if !errors.As(r.err, &stopped) || !errors.Is(r.err, context.DeadlineExceeded) || len(r.records) != 3 {
			t.Errorf("error %v, %q", r.err, r.lines())
		}
	})
}

func TestFailFast(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := lasting()
		ok := m.do
		m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
			a, err := ok(ctx, req, chunk)
			if req.Messages[0].Content == "a:r2" {
				return nil, fail(runner.TooLarge, "the answer passes 64 MiB")
			}
			return a, err
		}
		stop := make(chan struct{}) // an interrupt afterwards changes nothing about why
		time.AfterFunc(11500*time.Millisecond, func() { close(stop) })
		r := run(t.Context(), plan(100, 10, step("a")), m, runner.Options{FailFast: true, Stop: stop})
		var stopped *runner.Stopped
		if !errors.As(r.err, &stopped) || stopped.Class != runner.TooLarge ||
			stopped.Message != "stopped at the first failure, row 2 (r2): the answer passes 64 MiB" {
			t.Fatalf("error %v", r.err)
		}
		// r0 and r1 let r10 and r11 in before r2 failed; all of them go on to their end.
		if len(m.asked) != 12 || r.sum.Rows != 12 || r.sum.Failed != 1 || r.sum.Elapsed != 12*time.Second {
			t.Errorf("asked %d, %+v", len(m.asked), r.sum)
		}
	})
}

// 401 and 403 are the same for all: the run stops, and says why.
func TestUnauthorized(t *testing.T) {
	for name, model := range map[string]runner.Model{
		"an answer": failing(1<<30, runner.Unauthorized, echo(0)),
		"a load": loadable{echo(0), func(context.Context, *pipeline.Request) (bool, error) {
			return false, fail(runner.Unauthorized, "the server is unwell")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t.Context(), plan(100, 1, step("a")), model, runner.Options{})
			if _, loads := model.(loadable); loads { // however many rows wait for it
				r = run(t.Context(), plan(100, 5, step("a")), model, runner.Options{})
			}
			var stopped *runner.Stopped
			if !errors.As(r.err, &stopped) || stopped.Class != runner.Unauthorized || stopped.Message != "the server is unwell" {
				t.Errorf("error %v", r.err)
			}
			if diff := cmp.Diff([]string{"r0 !unauthorized"}, r.lines()); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

// What emit can't take while the run is ending is not lost from sight.
func TestAnErrorOfEmitWhileEnding(t *testing.T) {
	virtual(t, func(t *testing.T) {
		stop := make(chan struct{})
		time.AfterFunc(time.Second/2, func() { close(stop) })
		full := errors.New("disk full")
		_, err := runner.Run(t.Context(), plan(100, 5, step("a")), echo(time.Second), runner.Options{Stop: stop},
			func(*runner.Record) error { return full })
		if !errors.Is(err, full) {
			t.Errorf("error %v", err)
		}
	})
}
