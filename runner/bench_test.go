package runner_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sourcegraph/conc/pool"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

const benchTasks, benchConcurrency = 20_000, 64

// BenchmarkRun is what a task costs outside its model, with the timeouts that every
// job has. BenchmarkPool is a bare conc pool for the same calls.
func BenchmarkRun(b *testing.B) {
	s := cheapStep()
	s.Timeout = specs.DefaultTimeout
	benchmarkRun(b, plan(benchTasks, benchConcurrency, s))
}

func BenchmarkRunWithoutTimeouts(b *testing.B) {
	benchmarkRun(b, plan(benchTasks, benchConcurrency, cheapStep()))
}

func BenchmarkRunChain(b *testing.B) {
	second := cheapStep()
	second.Needs = []int{0}
	benchmarkRun(b, plan(benchTasks/2, benchConcurrency, cheapStep(), second))
}

func BenchmarkPool(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		p, s := pool.New().WithMaxGoroutines(benchConcurrency), cheapStep()
		for row := range list(benchTasks) {
			p.Go(func() {
				req, err := s.Request(&pipeline.Scope{Row: row})
				if err != nil {
					panic(err)
				}
				if _, err := (noop{}).Do(context.Background(), req, nil); err != nil {
					panic(err)
				}
			})
		}
		p.Wait()
	}
	perTask(b)
}

func benchmarkRun(b *testing.B, p *pipeline.Plan) {
	b.ReportAllocs()
	for b.Loop() {
		sum, err := runner.Run(context.Background(), p, noop{}, runner.Options{}, func(*runner.Record) error { return nil })
		if err != nil || sum.OK != p.Total {
			b.Fatal(err, sum)
		}
	}
	perTask(b)
}

func perTask(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchTasks, "ns/task")
}

// cheapStep makes requests without formatting anything.
func cheapStep() pipeline.Step {
	s := step("main")
	req := &pipeline.Request{Model: "m", Messages: []pipeline.Message{{Role: "user", Content: "x"}}}
	s.Request = func(*pipeline.Scope) (*pipeline.Request, error) { return req, nil }
	return s
}

// noop answers at once.
type noop struct{}

func (noop) Do(context.Context, *pipeline.Request, func(runner.Chunk)) (*pipeline.Answer, error) {
	return &pipeline.Answer{Response: "ok"}, nil
}

// BenchmarkPacing reports by how much starts are late against an even schedule, and
// the same of a goroutine that only sleeps until each of its times.
func BenchmarkPacing(b *testing.B) {
	for _, rate := range []float64{50, 500} {
		n := int(rate * 4)
		b.Run(fmt.Sprintf("%v", rate), func(b *testing.B) {
			for b.Loop() {
				m := echo(0)
				p := plan(n, 16, cheapStep())
				p.Rate = rate
				if _, err := runner.Run(context.Background(), p, m, runner.Options{}, func(*runner.Record) error { return nil }); err != nil {
					b.Fatal(err)
				}
				span := m.starts[n-1].Sub(m.starts[0]).Seconds()
				b.ReportMetric(float64(n-1)/span, "starts/s")
				b.ReportMetric(lateness(m.starts, rate), "late-p99-ms")
				b.ReportMetric(lateness(sleeper(n, rate), rate), "sleeper-late-p99-ms")
			}
		})
	}
}

func sleeper(n int, rate float64) []time.Time {
	began := time.Now()
	starts := make([]time.Time, n)
	for k := range starts {
		time.Sleep(time.Until(began.Add(time.Duration(float64(k) / rate * float64(time.Second)))))
		starts[k] = time.Now()
	}
	return starts
}

// lateness is the 99th percentile of the starts' lateness, in milliseconds.
func lateness(starts []time.Time, rate float64) float64 {
	late := make([]float64, len(starts))
	for k, at := range starts {
		late[k] = 1000 * (at.Sub(starts[0]).Seconds() - float64(k)/rate)
	}
	slices.Sort(late)
	return late[len(late)*99/100]
}

// In virtual time, where nothing but the model takes any, a run takes exactly as
// long as a queue that gives each row in order to the first free slot.
func TestMakespan(t *testing.T) {
	const n, slots = 2000, 32
	random := rand.New(rand.NewPCG(1, 2))
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = time.Duration(math.Exp(random.NormFloat64()) * float64(100*time.Millisecond))
	}
	free := make([]time.Duration, slots)
	for _, d := range times {
		first := slices.IndexFunc(free, func(at time.Duration) bool { return at == slices.Min(free) })
		free[first] += d
	}
	ideal := slices.MaxFunc(free, cmp.Compare)
	virtual(t, func(t *testing.T) {
		s := step("a")
		s.Timeout = specs.DefaultTimeout
		s.Request = func(scope *pipeline.Scope) (*pipeline.Request, error) {
			return &pipeline.Request{Model: "m", Messages: []pipeline.Message{{Content: fmt.Sprint(times[scope.Row.Number])}}}, nil
		}
		m := &scripted{do: func(ctx context.Context, req *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
			d, err := time.ParseDuration(req.Messages[0].Content)
			if err != nil {
				panic(err)
			}
			return answer("x"), sleep(ctx, d)
		}}
		r := run(t.Context(), plan(n, slots, s), m, runner.Options{})
		if r.sum.OK != n || r.sum.Elapsed != ideal {
			t.Errorf("%d ok in %s, ideal %s", r.sum.OK, r.sum.Elapsed, ideal)
		}
	})
}
