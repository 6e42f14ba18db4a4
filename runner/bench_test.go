package runner_test

import (
	"context"
	"testing"

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
		for row := range rows(benchTasks) {
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
