package runner_test

import (
	"context"
	"slices"
	"testing"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// refusing is a model that answers, but for the prompts that refuse gives a class for.
func refusing(refuse func(req *pipeline.Request) runner.Class) *scripted {
	m := echo(0)
	ok := m.do
	m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
		if class := refuse(req); class != "" {
			return nil, fail(class, "cudaMalloc failed: out of memory")
		}
		return ok(ctx, req, chunk)
	}
	return m
}

func without(prompts ...string) func(*pipeline.Request) runner.Class {
	return func(req *pipeline.Request) runner.Class {
		if slices.Contains(prompts, req.Messages[0].Content) {
			return runner.DoesNotFit
		}
		return ""
	}
}

// A model that has answered fits: what it has no memory for is the row.
func TestARowThatDoesNotFit(t *testing.T) {
	for _, test := range []struct {
		name   string
		misfit []string
		failed int64
		asked  int
		told   int
	}{
		{"one", []string{"a:r3"}, 1, 11, 0},
		{"two, and later two", []string{"a:r3", "a:r4", "a:r7", "a:r8"}, 4, 14, 0},
		{"three one after the other", []string{"a:r3", "a:r4", "a:r5"}, 7, 9, 1},
		{"the first", []string{"a:r0"}, 10, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				m := refusing(without(test.misfit...))
				one := step("a")
				one.Retry.Initial = 0 // rows are asked again at once, in order
				r := run(t.Context(), plan(10, 1, one), m, runner.Options{})
				if r.err != nil || r.sum.Failures[runner.DoesNotFit] != test.failed || r.sum.OK != 10-test.failed || len(m.asked) != test.asked {
					t.Errorf("error %v, %+v, asked %q", r.err, r.sum, m.asked)
				}
				if n := len(r.kinds(runner.ModelFailed)); n != test.told {
					t.Errorf("told %d times that the model failed", n)
				}
			})
		})
	}
}

// Load options that don't fit leave the model's other rows alone once it has answered.
func TestLoadOptionsThatDoNotFit(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := refusing(func(req *pipeline.Request) runner.Class {
			if req.Options["num_ctx"] == 1<<20 {
				return runner.DoesNotFit
			}
			return ""
		})
		r := run(t.Context(), plan(10, 1, onModels([]string{"m"}, 2048, 1<<20)), m, runner.Options{})
		if r.sum.OK != 5 || r.sum.Failures[runner.DoesNotFit] != 5 || len(m.asked) != 6 {
			t.Errorf("%+v, asked %q", r.sum, m.asked)
		}
	})
}

// What a model can't do in one step it need not do in another.
func TestCapabilityIsOfAStep(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := refusing(func(req *pipeline.Request) runner.Class {
			if req.Messages[0].Content[0] == 'b' {
				return runner.Capability
			}
			return ""
		})
		r := run(t.Context(), plan(10, 1, step("a"), step("b")), m, runner.Options{})
		for _, rec := range r.records {
			if rec.Results[0].Err != nil || rec.Results[1].Err == nil || rec.Results[1].Err.Class != runner.Capability {
				t.Fatalf("records %q", r.lines())
			}
		}
		if len(m.asked) != 11 || len(r.kinds(runner.ModelFailed)) != 1 {
			t.Errorf("asked %q, told %+v", m.asked, r.kinds(runner.ModelFailed))
		}
	})
}
