package runner_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// poisoned is a model that answers after a second all but one prompt, which it
// refuses at once.
func poisoned(prompt string, class runner.Class) *scripted {
	m := echo(time.Second)
	ok := m.do
	m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
		if req.Messages[0].Content == prompt {
			return nil, fail(class, "server busy")
		}
		return ok(ctx, req, chunk)
	}
	return m
}

// A row that the server refuses for ever while it answers all others fails, and ends
// nothing, wherever it stands.
func TestOneRowIsAlwaysRefused(t *testing.T) {
	for _, class := range []runner.Class{runner.Busy, runner.RateLimited, runner.Unreachable} {
		for _, at := range []int{0, 3, 50, 95, 99} {
			if class == runner.Unreachable && at > 50 {
				continue // a server that stays away: see below
			}
			for _, inFlight := range []int{1, 5} {
				t.Run(fmt.Sprint(class, " ", at, " at ", inFlight), func(t *testing.T) {
					virtual(t, func(t *testing.T) {
						m := poisoned(fmt.Sprintf("a:r%d", at), class)
						r := run(t.Context(), plan(100, inFlight, step("a")), m, runner.Options{})
						if r.err != nil || r.sum.OK != 99 || r.sum.Failures[class] != 1 || r.sum.Elapsed > time.Hour {
							t.Fatalf("error %v, %+v", r.err, r.sum)
						}
						if got := r.records[at].Last().Err.Message; !strings.HasPrefix(got, "refused ") || !strings.HasSuffix(got, ": server busy") {
							t.Errorf("message %q", got)
						}
						if at <= 50 && r.sum.Elapsed > 4*time.Minute {
							t.Errorf("took %s", r.sum.Elapsed)
						}
					})
				})
			}
		}
	}
}

// A refused step takes its row with it, and no other.
func TestOneFollowUpIsAlwaysRefused(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := poisoned("b:r2 [a:r2]", runner.Busy)
		r := run(t.Context(), plan(60, 4, step("a"), step("b", 0), step("c", 1)), m, runner.Options{})
		if r.err != nil || r.sum.OK != 59 || r.lines()[2] != "r2 [a:r2] !busy !upstream" {
			t.Errorf("error %v, %+v, %q", r.err, r.sum, r.lines()[2])
		}
	})
}

// A server that refuses every second request, or takes only a few in a while, is
// unwell about no row in particular.
func TestManyRefusalsFailNoRow(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := echo(time.Second)
		ok := m.do
		var window time.Time
		taken := 0
		m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
			m.mu.Lock()
			if time.Since(window) > time.Minute {
				window, taken = time.Now(), 0
			}
			taken++
			over := taken > 7
			m.mu.Unlock()
			if over {
				return nil, fail(runner.RateLimited, "slow down")
			}
			return ok(ctx, req, chunk)
		}
		r := run(t.Context(), plan(300, 5, step("a")), m, runner.Options{})
		if r.err != nil || r.sum.OK != 300 {
			t.Errorf("error %v, %+v", r.err, r.sum)
		}
	})
}
