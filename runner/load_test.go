package runner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// onModels is a step whose rows ask the models in turn, with num_ctx by row where
// it is given.
func onModels(models []string, contexts ...int) pipeline.Step {
	s := step("a")
	plain := s.Request
	s.Request = func(scope *pipeline.Scope) (*pipeline.Request, error) {
		req, err := plain(scope)
		n := int(scope.Row.Number)
		req.Model = models[n%len(models)]
		if len(contexts) > 0 {
			req.Options["num_ctx"] = contexts[n%len(contexts)]
		}
		return req, err
	}
	return s
}

// loader makes m loadable: each load takes d and is noted.
func loader(m *scripted, d time.Duration, loads *[]string) loadable {
	return loadable{m, func(ctx context.Context, req *pipeline.Request) (bool, error) {
		m.mu.Lock()
		*loads = append(*loads, fmt.Sprint(req.Model, req.Options["num_ctx"]))
		m.mu.Unlock()
		m.enter("load", "load")
		defer m.leave("load")
		return true, sleep(ctx, d)
	}}
}

// Each model is loaded once before its first task; tasks of a loaded one go on
// while another loads.
func TestLoads(t *testing.T) {
	virtual(t, func(t *testing.T) {
		var loads []string
		m := echo(time.Second)
		p := plan(8, 8, onModels([]string{"small", "large"}))
		began := time.Now()
		slow := loadable{m, func(ctx context.Context, req *pipeline.Request) (bool, error) {
			m.mu.Lock()
			loads = append(loads, req.Model)
			m.mu.Unlock()
			d := 2 * time.Second
			if req.Model == "large" {
				d = 20 * time.Second
			}
			return req.Model == "large", sleep(ctx, d) // the small one was in memory
		}}
		r := run(t.Context(), p, slow, runner.Options{})
		slices.Sort(loads)
		if diff := cmp.Diff([]string{"large", "small"}, loads); diff != "" || r.sum.OK != 8 || r.sum.ModelLoads != 1 {
			t.Errorf("loads %q, %+v", loads, r.sum)
		}
		for i, at := range m.starts {
			want := 2 * time.Second
			if i >= 4 {
				want = 20 * time.Second
			}
			if at.Sub(began) != want {
				t.Errorf("start %d (%s) after %s, want %s", i, m.asked[i], at.Sub(began), want)
			}
		}
		if told := r.kinds(runner.ModelLoading, runner.ModelLoaded); len(told) != 4 || told[3].Model != "large" || told[3].After != 20*time.Second || !told[3].OK {
			t.Errorf("told %+v", told)
		}
	})
}

// What a server keeps in memory is a model with its load options.
func TestLoadOptions(t *testing.T) {
	virtual(t, func(t *testing.T) {
		var loads []string
		m := echo(0)
		r := run(t.Context(), plan(12, 1, onModels([]string{"x", "y"}, 512, 512, 1024, 1024)), loader(m, time.Second, &loads), runner.Options{})
		if diff := cmp.Diff([]string{"x 512", "y 512", "x 1024", "y 1024"}, split(loads)); diff != "" || r.sum.ModelLoads != 4 {
			t.Errorf("%d loads (-want +got):\n%s", r.sum.ModelLoads, diff)
		}
	})
}

func split(loads []string) []string {
	for i, l := range loads {
		loads[i] = strings.TrimSpace(l[:1] + " " + strings.TrimSpace(l[1:]))
	}
	return loads
}

// A load is a request in flight like any other.
func TestLoadsHoldASlot(t *testing.T) {
	virtual(t, func(t *testing.T) {
		var loads []string
		m := echo(time.Second)
		r := run(t.Context(), plan(40, 2, onModels([]string{"a", "b", "c", "d"})), loader(m, 3*time.Second, &loads), runner.Options{})
		if m.most[""] > 2 || r.sum.OK != 40 || len(loads) != 4 {
			t.Errorf("%d at once, loads %q, %+v", m.most[""], loads, r.sum)
		}
	})
}

// While a model loads, the rows that wait for it don't fill the whole window.
func TestALoadOpensFewRows(t *testing.T) {
	virtual(t, func(t *testing.T) {
		var loads []string
		read := 0
		p := plan(0, 4, step("a"))
		p.Rows = func(yield func(*pipeline.Row, error) bool) {
			for row := range list(1000) {
				if read++; !yield(row, nil) {
					return
				}
			}
		}
		m := loader(echo(time.Second), time.Hour, &loads)
		stop := make(chan struct{})
		time.AfterFunc(time.Minute, func() { close(stop) })
		run(t.Context(), p, m, runner.Options{Stop: stop})
		if read > 4+16+2 {
			t.Errorf("%d rows read for one load", read)
		}
	})
}

func TestFailedLoads(t *testing.T) {
	for _, test := range []struct {
		name    string
		err     error
		loads   int
		message string
		calls   []int // by row
	}{
		{"does not fit", fail(runner.DoesNotFit, "model \"m\" needs more memory than is free"), 1,
			"model \"m\" needs more memory than is free", []int{1, 1, 0, 0, 0}},
		{"fails every time", fail(runner.Server, "llama runner process has terminated"), 5 * 3,
			"llama runner process has terminated", []int{3, 3, 3, 3, 3}},
		{"takes too long", nil, 5 * 3, "the model was not loaded within 1m", []int{3, 3, 3, 3, 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := step("a")
				s.Timeout.Load = time.Minute
				s.Retry = specs.Retry{Attempts: 3, Initial: time.Second, Max: time.Second}
				loads := 0
				m := loadable{echo(0), func(ctx context.Context, _ *pipeline.Request) (bool, error) {
					loads++
					if test.err == nil {
						<-ctx.Done()
						return false, ctx.Err()
					}
					// Long enough for the rows that there is room for to come and wait for it.
					if err := sleep(ctx, time.Second); err != nil {
						return false, err
					}
					return false, test.err
				}}
				r := run(t.Context(), plan(5, 2, s), m, runner.Options{})
				if len(r.records) != 5 || loads > test.loads || r.sum.ModelLoads != 0 || len(m.asked) != 0 || r.err != nil {
					t.Fatalf("%d records, %d loads, asked %q, error %v", len(r.records), loads, m.asked, r.err)
				}
				for i, rec := range r.records {
					if res := rec.Last(); res.Err.Message != test.message || res.Attempts != test.calls[i] {
						t.Errorf("row %d: %q after %d", i, res.Err, res.Attempts)
					}
				}
			})
		})
	}
}

func TestALoadThatWorksTheSecondTime(t *testing.T) {
	virtual(t, func(t *testing.T) {
		loads := 0
		m := loadable{echo(time.Second), func(context.Context, *pipeline.Request) (bool, error) {
			if loads++; loads == 1 {
				return false, errors.New("a model that is no *Error")
			}
			return true, nil
		}}
		r := run(t.Context(), plan(10, 3, step("a")), m, runner.Options{})
		if r.sum.OK != 10 || r.sum.ModelLoads != 1 {
			t.Errorf("%+v", r.sum)
		}
	})
}

// Answers that were slow to load tell of loads nobody asked for, each load once.
func TestLoadsThatAnswersTellOf(t *testing.T) {
	virtual(t, func(t *testing.T) {
		began := time.Now()
		m := &scripted{do: func(ctx context.Context, _ *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
			a := answer("x")
			a.LoadDuration = 20 * time.Millisecond
			// Somebody else's model takes the memory in the tenth second.
			if at := time.Since(began); at >= 10*time.Second && at < 13*time.Second {
				a.LoadDuration = 13*time.Second - at
			}
			return a, sleep(ctx, a.LoadDuration+time.Second)
		}}
		var loads []string
		r := run(t.Context(), plan(60, 4, step("a")), loader(m, 5*time.Second, &loads), runner.Options{})
		if r.sum.ModelLoads != 2 || r.sum.OK != 60 {
			t.Errorf("%d loads, %+v", r.sum.ModelLoads, r.sum)
		}
	})
}
