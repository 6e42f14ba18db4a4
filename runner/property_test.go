package runner_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// A trial is a job with a server that meets it with faults of every kind.
type trial struct {
	Rows, Models, Seed int
	Steps              []trialStep
	Faults             int // of a hundred attempts
	Rate               float64
	Window             int
	Lasting            bool // faults that no retry overcomes, too
}

type trialStep struct {
	Needs       []int
	Concurrency int
	Rate        float64
}

func drawTrial(t *rapid.T) trial {
	tr := trial{
		Rows:    rapid.IntRange(0, 60).Draw(t, "rows"),
		Models:  rapid.IntRange(1, 3).Draw(t, "models"),
		Seed:    rapid.IntRange(0, 1<<20).Draw(t, "seed"),
		Faults:  rapid.SampledFrom([]int{0, 10, 40}).Draw(t, "faults"),
		Rate:    rapid.SampledFrom([]float64{0, 0, 20, 1000}).Draw(t, "rate"),
		Window:  rapid.SampledFrom([]int{0, 1, 3, 40}).Draw(t, "window"),
		Lasting: rapid.Bool().Draw(t, "lasting"),
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "steps") {
		s := trialStep{
			Concurrency: rapid.SampledFrom([]int{0, 1, 3}).Draw(t, "step concurrency"),
			Rate:        rapid.SampledFrom([]float64{0, 0, 30}).Draw(t, "step rate"),
		}
		for need := range i {
			if rapid.Bool().Draw(t, "needs") {
				s.Needs = append(s.Needs, need)
			}
		}
		tr.Steps = append(tr.Steps, s)
	}
	return tr
}

func (tr trial) plan(concurrency int) *pipeline.Plan {
	steps := make([]pipeline.Step, len(tr.Steps))
	for i, ts := range tr.Steps {
		s := step(fmt.Sprint("s", i), ts.Needs...)
		s.Concurrency, s.Rate = ts.Concurrency, ts.Rate
		s.Timeout = specs.DefaultTimeout
		s.Retry = specs.Retry{Attempts: 4, Initial: time.Second, Max: 4 * time.Second}
		plain := s.Request
		s.Request = func(scope *pipeline.Scope) (*pipeline.Request, error) {
			if tr.Lasting && tr.chance("input", scope.Row.ID) < 5 {
				return nil, fmt.Errorf("row %s lacks a variable", scope.Row.ID)
			}
			req, err := plain(scope)
			req.Model = fmt.Sprint("m", tr.chance("model", req.Messages[0].Content)%tr.Models)
			return req, err
		}
		steps[i] = s
	}
	p := plan(tr.Rows, concurrency, steps...)
	p.Rate = tr.Rate
	return p
}

// chance is a number below 100 that depends on the words and the seed alone.
func (tr trial) chance(words ...any) int {
	h := fnv.New32a()
	fmt.Fprint(h, tr.Seed, words)
	return int(h.Sum32()>>8) % 100
}

var overcome = []runner.Class{
	runner.Timeout, runner.Disconnected, runner.Incomplete, runner.Server, runner.Protocol,
	runner.Unreachable, runner.Busy, runner.RateLimited, runner.Empty, runner.Crashed,
}

var forEver = []runner.Class{runner.ContextOverflow, runner.TooLarge, runner.Server, runner.Repeat, runner.InvalidRequest}

// model is a server whose faults depend on the prompt and the attempt alone.
func (tr trial) model() loadable {
	var mu sync.Mutex
	tries := map[string]int{}
	m := &scripted{do: func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
		prompt := req.Messages[0].Content
		mu.Lock()
		tries[prompt]++
		try := tries[prompt]
		mu.Unlock()
		if err := sleep(ctx, time.Duration(tr.chance("time", prompt, try)*10)*time.Millisecond); err != nil {
			return nil, err
		}
		if tr.Lasting && tr.chance("lasting", prompt) < 10 {
			return nil, fail(forEver[tr.chance("which", prompt)%len(forEver)], "for ever")
		}
		if try == 1 && tr.chance("fault", prompt) < tr.Faults {
			return nil, fail(overcome[tr.chance("which", prompt)%len(overcome)], "for once")
		}
		chunk(runner.Chunk{Text: "x"})
		return answer(fmt.Sprintf("<%x>", tr.chance("answer", prompt))), nil
	}}
	return loadable{m, func(ctx context.Context, req *pipeline.Request) (bool, error) {
		m.enter("load", "load")
		defer m.leave("load")
		return true, sleep(ctx, time.Second)
	}}
}

// Whatever the server does: a record for each row, in order, exactly once; no
// limit passed; and the same records at any concurrency.
func TestAnyMixOfOutcomes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tr := drawTrial(rt)
		var first []string
		for _, concurrency := range []int{1, 7, 64} {
			var r ran
			m := tr.model()
			synctest.Test(t, func(t *testing.T) {
				r = run(context.Background(), tr.plan(concurrency), m, runner.Options{Window: tr.Window})
			})
			if r.err != nil || len(r.records) != tr.Rows {
				rt.Fatalf("%d records of %d rows at %d, error %v", len(r.records), tr.Rows, concurrency, r.err)
			}
			for i, rec := range r.records {
				if rec.Row.Number != int64(i) {
					rt.Fatalf("record %d is row %d", i, rec.Row.Number)
				}
			}
			if m.most[""] > concurrency {
				rt.Fatalf("%d in flight, allowed %d", m.most[""], concurrency)
			}
			for i, s := range tr.Steps {
				if most := m.most[fmt.Sprint("s", i)]; s.Concurrency > 0 && most > s.Concurrency {
					rt.Fatalf("%d of step %d in flight, allowed %d", most, i, s.Concurrency)
				}
			}
			if !tr.Lasting && r.sum.Failed > 0 {
				rt.Fatalf("faults that a retry overcomes failed %d rows: %v", r.sum.Failed, r.sum.Failures)
			}
			if first == nil {
				first = r.lines()
			} else if diff := cmp.Diff(first, r.lines()); diff != "" {
				rt.Fatalf("records at concurrency 1 and %d (-1 +%d):\n%s", concurrency, concurrency, diff)
			}
			checkEvents(rt, &r)
		}
	})
}

// checkEvents holds what was told against what came of it.
func checkEvents(rt *rapid.T, r *ran) {
	tasks, rows := r.kinds(runner.TaskDone), r.kinds(runner.RowDone)
	var results, failed int
	for _, rec := range r.records {
		results += len(rec.Results)
		if !rec.OK() {
			failed++
		}
	}
	for _, e := range rows {
		if !e.OK {
			failed--
		}
	}
	if len(tasks) != results || len(rows) != len(r.records) || failed != 0 {
		rt.Fatalf("told of %d tasks and %d rows, %d and %d there were", len(tasks), len(rows), results, len(r.records))
	}
	if n := len(r.kinds(runner.AttemptStarted)); int64(n) != r.sum.Attempts {
		rt.Fatalf("told of %d attempts of %d", n, r.sum.Attempts)
	}
}

// A run that is interrupted at any moment gives a part of the records that the
// undisturbed run gives, in order, none of them changed.
func TestInterruptedAnywhere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tr := drawTrial(rt)
		concurrency := rapid.SampledFrom([]int{1, 7, 64}).Draw(rt, "concurrency")
		after := time.Duration(rapid.IntRange(0, 30_000).Draw(rt, "after")) * time.Millisecond
		cancels := rapid.Bool().Draw(rt, "cancels")
		failFast := rapid.Bool().Draw(rt, "fail fast")
		var whole, part ran
		synctest.Test(t, func(t *testing.T) {
			whole = run(context.Background(), tr.plan(concurrency), tr.model(), runner.Options{Window: tr.Window})
		})
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			stop := make(chan struct{})
			defer time.AfterFunc(after, func() {
				if cancels {
					cancel()
				} else {
					close(stop)
				}
			}).Stop()
			part = run(ctx, tr.plan(concurrency), tr.model(), runner.Options{Window: tr.Window, Stop: stop, FailFast: failFast})
		})
		all := whole.lines()
		for _, line := range part.lines() {
			for len(all) > 0 && all[0] != line {
				all = all[1:]
			}
			if len(all) == 0 {
				rt.Fatalf("record %q is not among those of the undisturbed run, in order:\n%s", line, strings.Join(whole.lines(), "\n"))
			}
			all = all[1:]
		}
		if complete := len(part.records) == tr.Rows; part.err == nil && !complete {
			rt.Fatalf("no error, and %d records of %d", len(part.records), tr.Rows)
		}
	})
}
