package runner_test

import (
	"context"
	"testing"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// The clock alone ends no run: with a low rate, or a long backoff, nobody may have
// asked the server since its trouble began.
func TestNobodyAskedForTenMinutes(t *testing.T) {
	t.Run("rate", func(t *testing.T) {
		virtual(t, func(t *testing.T) {
			p := plan(6, 5, step("a"))
			p.Rate = 4.0 / 3600
			r := run(t.Context(), p, failingAt(runner.Busy, 2, echo(time.Second)), runner.Options{})
			if r.err != nil || r.sum.OK != 6 || r.sum.Attempts != 7 {
				t.Errorf("error %v, %+v", r.err, r.sum)
			}
		})
	})
	t.Run("backoff", func(t *testing.T) {
		virtual(t, func(t *testing.T) {
			s := step("a")
			s.Retry = specs.Retry{Attempts: 3, Initial: time.Hour, Max: time.Hour}
			m := failing(1, runner.Server, echo(time.Second)) // more than half fail: a trouble
			r := run(t.Context(), plan(60, 60, s), m, runner.Options{})
			if r.err != nil || r.sum.OK != 60 || len(r.kinds(runner.HostPaused)) == 0 {
				t.Errorf("error %v, %+v", r.err, r.sum)
			}
		})
	})
	t.Run("asked in vain", func(t *testing.T) {
		virtual(t, func(t *testing.T) {
			p := plan(6, 5, step("a"))
			p.Rate = 4.0 / 3600
			r := run(t.Context(), p, failing(1<<30, runner.Busy, echo(time.Second)), runner.Options{})
			if r.err == nil || r.sum.Attempts != 2 || r.sum.Elapsed.Round(time.Minute) != 15*time.Minute {
				t.Errorf("error %v, %+v", r.err, r.sum)
			}
		})
	})
}

// failingAt is m with the nth of all its attempts failing.
func failingAt(class runner.Class, n int, m *scripted) *scripted {
	ok := m.do
	m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
		m.mu.Lock()
		failed := len(m.asked) == n
		m.mu.Unlock()
		if failed {
			return nil, fail(class, "server busy")
		}
		return ok(ctx, req, chunk)
	}
	return m
}
