package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

func TestRate(t *testing.T) {
	for _, rate := range []float64{50, 500, 3, 1.0 / 60} {
		virtual(t, func(t *testing.T) {
			const n = 100
			p := plan(n, 10, step("a"))
			p.Rate = rate
			m, began := echo(time.Millisecond), time.Now()
			run(t.Context(), p, m, runner.Options{})
			for k, at := range m.starts {
				due := began.Add(time.Duration(float64(k) / rate * float64(time.Second)))
				if late := at.Sub(due).Abs(); late > time.Microsecond {
					t.Fatalf("rate %v: start %d at %s, want %s", rate, k, at.Sub(began), due.Sub(began))
				}
			}
		})
	}
}

func TestNoRateStartsAtOnce(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := run(t.Context(), plan(100, 100, step("a")), echo(time.Second), runner.Options{})
		if r.sum.Elapsed != time.Second {
			t.Errorf("took %s", r.sum.Elapsed)
		}
	})
}

// Slots that pass while every request is in flight are lost: afterwards the starts
// are as even as before.
func TestRateHasNoBurstAfterAnIdleTime(t *testing.T) {
	virtual(t, func(t *testing.T) {
		p := plan(30, 5, step("a"))
		p.Rate = 10
		m := &scripted{}
		m.do = func(ctx context.Context, req *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
			d := 10 * time.Millisecond
			if strings.HasPrefix(req.Messages[0].Content, "a:r1") { // r1, r10 to r19
				d = 20*time.Second + 37*time.Millisecond
			}
			return answer("x"), sleep(ctx, d)
		}
		r := run(t.Context(), p, m, runner.Options{})
		if r.sum.OK != 30 {
			t.Fatalf("%+v", r.sum)
		}
		for k := 1; k < len(m.starts); k++ {
			if k >= 2 && m.starts[k].Sub(m.starts[k-2]) <= 100*time.Millisecond {
				t.Errorf("starts %d to %d within %s", k-2, k, m.starts[k].Sub(m.starts[k-2]))
			}
		}
	})
}

// A retry is a start like any other.
func TestRateCountsAttempts(t *testing.T) {
	virtual(t, func(t *testing.T) {
		p := plan(20, 20, step("a"))
		p.Rate = 2
		m := failing(1, runner.Server, echo(0))
		r := run(t.Context(), p, m, runner.Options{})
		if r.sum.OK != 20 || r.sum.Attempts != 40 || r.sum.Retries != 20 {
			t.Fatalf("%+v", r.sum)
		}
		if took := m.starts[39].Sub(m.starts[0]); took < 39*500*time.Millisecond {
			t.Errorf("40 attempts at 2/s within %s", took)
		}
	})
}

func TestStepRate(t *testing.T) {
	virtual(t, func(t *testing.T) {
		judge := step("b", 0)
		judge.Rate = 1
		m := echo(time.Millisecond)
		r := run(t.Context(), plan(10, 5, step("a"), judge), m, runner.Options{})
		var drafts, judged int
		for i, prompt := range m.asked {
			switch at := m.starts[i].Sub(m.starts[0]); {
			case strings.HasPrefix(prompt, "a:"):
				drafts++
			case at < time.Duration(judged)*time.Second:
				t.Errorf("judge %d at %s", judged, at)
				fallthrough
			default:
				judged++
			}
		}
		if drafts != 10 || judged != 10 || r.sum.Elapsed > 10*time.Second {
			t.Errorf("%d drafts, %d judged in %s", drafts, judged, r.sum.Elapsed)
		}
	})
}

// failing is m with its first n attempts for each prompt failing.
func failing(n int, class runner.Class, m *scripted) *scripted {
	ok := m.do
	tries := map[string]int{}
	m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
		prompt := req.Messages[0].Content
		m.mu.Lock()
		tries[prompt]++
		failed := tries[prompt] <= n
		m.mu.Unlock()
		if failed {
			return nil, fail(class, "the server is unwell")
		}
		return ok(ctx, req, chunk)
	}
	return m
}

// What the run itself is late by, here through a slow observer, is made up for: the
// starts afterwards are where they would have been.
func TestRateAfterAStall(t *testing.T) {
	for _, ofStep := range []bool{false, true} {
		virtual(t, func(t *testing.T) {
			p := plan(50, 50, step("a"))
			if p.Rate = 100; ofStep {
				p.Rate, p.Steps[0].Rate = 0, 100
			}
			m, began := echo(0), time.Now()
			stall := func(e runner.Event) {
				if e.Kind == runner.AttemptStarted && *e.Row == 10 {
					time.Sleep(35 * time.Millisecond)
				}
			}
			_, err := runner.Run(t.Context(), p, m, runner.Options{Observe: stall}, func(*runner.Record) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			for k, at := range m.starts {
				want := time.Duration(k) * 10 * time.Millisecond
				if k >= 10 && k < 14 {
					want = 135 * time.Millisecond
				}
				if got := at.Sub(began); got != want {
					t.Errorf("of a step %v: start %d at %s, want %s", ofStep, k, got, want)
				}
			}
		})
	}
}
