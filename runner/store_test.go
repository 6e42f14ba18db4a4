package runner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// A shelf keeps results in memory; each is durable a while after it came.
type shelf struct {
	slow   time.Duration
	full   int   // results that it has room for, 0: any number
	unread error // of Find

	mu       sync.Mutex
	results  map[pipeline.Key]*runner.Stored
	tasks    map[string]string // what became of "row step"
	attempts []string
	kept     int
}

func newShelf() *shelf {
	return &shelf{slow: 20 * time.Millisecond, results: map[pipeline.Key]*runner.Stored{}, tasks: map[string]string{}}
}

func (s *shelf) Find(_ context.Context, tasks []runner.Sought) ([]*runner.Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := make([]*runner.Stored, len(tasks))
	for i, t := range tasks {
		if r := s.results[t.Key]; r != nil {
			own := *r
			if r.Answer != nil {
				a := *r.Answer
				own.Answer = &a
			}
			found[i] = &own
		}
	}
	return found, s.unread
}

func (s *shelf) Keep(o *runner.Outcome, done func(error)) {
	if done == nil {
		s.note(o)
		return
	}
	time.AfterFunc(s.slow, func() { done(s.put(o)) })
}

func (s *shelf) put(o *runner.Outcome) error {
	s.mu.Lock()
	if s.kept++; s.full > 0 && s.kept > s.full {
		s.mu.Unlock()
		return errors.New("the disk is full")
	}
	r := o.Result
	stored := &runner.Stored{Err: r.Err, Attempts: r.Attempts}
	if r.Err == nil {
		own := *r.Answer
		own.JSON = nil
		stored.Answer = &own
	}
	if old := s.results[r.Key]; r.Err == nil || old == nil || old.Err != nil {
		s.results[r.Key] = stored
	}
	s.mu.Unlock()
	s.note(o)
	return nil
}

func (s *shelf) note(o *runner.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	became := "ok"
	if o.Result.Err != nil {
		became = string(o.Result.Err.Class)
	}
	s.tasks[o.RowID+" "+o.Result.Task.Step] = became
}

func (s *shelf) KeepAttempt(a *runner.FailedAttempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts = append(s.attempts, fmt.Sprintf("%s %s %d %s", a.RowID, a.Task.Step, a.Attempt, a.Err.Class))
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept
}

func (s *shelf) has(key pipeline.Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.results[key] != nil
}

// kept are the options of a run with this store.
func (s *shelf) options() runner.Options {
	return runner.Options{Store: s, Identify: func(*pipeline.Request) (pipeline.Identity, error) {
		return pipeline.Identity{Digest: "a1b2"}, nil
	}}
}

// same is a step with one prompt for every n rows.
func same(id string, n int64) pipeline.Step {
	s := step(id)
	ask := s.Request
	s.Request = func(scope *pipeline.Scope) (*pipeline.Request, error) {
		first := *scope
		first.Row = row(int(scope.Row.Number / n * n))
		return ask(&first)
	}
	return s
}

func TestNothingIsAskedTwice(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s, m := newShelf(), echo(time.Second)
		p := plan(200, 7, step("a"), step("b", 0), step("c", 0, 1))
		first := run(t.Context(), p, m, s.options())
		if len(m.asked) != 600 || first.err != nil {
			t.Fatalf("%d asked, want 600 (%v)", len(m.asked), first.err)
		}
		m.asked = nil
		second := run(t.Context(), p, m, s.options())
		if len(m.asked) > 0 {
			t.Errorf("asked again: %d, the first %q", len(m.asked), m.asked[0])
		}
		if diff := cmp.Diff(first.lines(), second.lines()); diff != "" {
			t.Errorf("the records differ (-first +second):\n%s", diff)
		}
		if second.sum.Reused != 600 || second.sum.Attempts != 0 || second.sum.OK != 200 {
			t.Errorf("the summary of a run without a question is %+v", second.sum)
		}
	})
}

func TestDurableBeforeItIsHandedOn(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newShelf()
		opts := s.options()
		done := 0
		opts.Observe = func(e runner.Event) {
			if e.Kind == runner.TaskDone {
				done++
				if kept := s.count(); kept < done {
					t.Errorf("%d tasks are reported done, %d are kept", done, kept)
				}
			}
		}
		_, err := runner.Run(t.Context(), plan(50, 5, step("a"), step("b", 0)), echo(time.Second), opts, func(rec *runner.Record) error {
			for _, res := range rec.Results {
				if !s.has(res.Key) {
					t.Errorf("%s, step %s is handed on and not durable", rec.Row, res.Task.Step)
				}
			}
			return nil
		})
		if err != nil || done != 100 {
			t.Errorf("%d tasks done, want 100 (%v)", done, err)
		}
	})
}

// The disk takes ten seconds, an answer one: a step that needs another starts at once.
func TestSuccessorsNeedNotWaitForTheDisk(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newShelf()
		s.slow = 10 * time.Second
		r := run(t.Context(), plan(1, 5, step("a"), step("b", 0)), echo(time.Second), s.options())
		if want := 12 * time.Second; r.sum.Elapsed != want {
			t.Errorf("took %s, want %s", r.sum.Elapsed, want)
		}
	})
}

func TestEqualQuestionsAreOne(t *testing.T) {
	for _, concurrency := range []int{1, 7, 64} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s, m := newShelf(), echo(time.Second)
				opts := s.options()
				opts.Window = 16
				p := plan(300, concurrency, same("a", 10), step("b", 0))
				r := run(t.Context(), p, m, opts)
				asked := map[string]int{}
				for _, prompt := range m.asked {
					asked[prompt]++
				}
				if len(asked) != 30+300 || len(m.asked) != 30+300 {
					t.Errorf("%d questions asked %d times, want 330 once each", len(asked), len(m.asked))
				}
				for i, rec := range r.records {
					if want := fmt.Sprintf("[a:r%d]", i/10*10); rec.Results[0].Answer.Response != want {
						t.Fatalf("%s is answered %q, want %q", rec.Row, rec.Results[0].Answer.Response, want)
					}
				}
				if r.sum.Reused != 270 {
					t.Errorf("%d tasks were answered by others, want 270", r.sum.Reused)
				}
			})
		})
	}
}

// A row far behind has the question of one that was asked and forgotten: the store knows.
func TestEqualQuestionsFarApart(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s, m := newShelf(), echo(time.Second)
		far := step("a")
		ask := far.Request
		far.Request = func(scope *pipeline.Scope) (*pipeline.Request, error) {
			other := *scope
			other.Row = row(int(scope.Row.Number % 6000))
			return ask(&other)
		}
		r := run(t.Context(), plan(12_000, 500, far), m, s.options())
		if len(m.asked) != 6000 || r.sum.OK != 12_000 {
			t.Errorf("%d asked, want 6000; %d ok, want 12000", len(m.asked), r.sum.OK)
		}
	})
}

func TestEqualQuestionsFailTogether(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newShelf()
		m := &scripted{do: func(context.Context, *pipeline.Request, func(runner.Chunk)) (*pipeline.Answer, error) {
			return nil, fail(runner.ContextOverflow, "the prompt is too long")
		}}
		r := run(t.Context(), plan(5, 5, same("a", 5)), m, s.options())
		want := []string{"r0 !context_overflow", "r1 !context_overflow", "r2 !context_overflow", "r3 !context_overflow", "r4 !context_overflow"}
		if diff := cmp.Diff(want, r.lines()); diff != "" || len(m.asked) != 1 {
			t.Errorf("%d asked, want 1; records (-want +got):\n%s", len(m.asked), diff)
		}
		for _, rec := range r.records {
			if rec.Results[0].Attempts != 1 {
				t.Errorf("%s: %d attempts, want those of the one that was asked, 1", rec.Row, rec.Results[0].Attempts)
			}
		}
	})
}

// What failed for a reason of its own stays failed; what the server did is asked again.
func TestWhichFailuresAreAskedAgain(t *testing.T) {
	tests := []struct {
		class runner.Class
		again bool
	}{
		{runner.ContextOverflow, false}, {runner.Cut, false}, {runner.Schema, false}, {runner.TooLarge, false}, {runner.Empty, false},
		{runner.ThinkingOnly, false}, {runner.InvalidRequest, false}, {runner.Repeat, false}, {runner.Capability, false},
		{runner.Timeout, true}, {runner.Disconnected, true}, {runner.Incomplete, true}, {runner.Server, true}, {runner.Crashed, true},
		{runner.Protocol, true}, {runner.Redirected, true}, {runner.ModelMissing, true}, {runner.DoesNotFit, true},
	}
	for _, tt := range tests {
		t.Run(string(tt.class), func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newShelf()
				broken := &scripted{do: func(context.Context, *pipeline.Request, func(runner.Chunk)) (*pipeline.Answer, error) {
					return nil, fail(tt.class, "no")
				}}
				p := plan(1, 1, step("a"))
				first := run(t.Context(), p, broken, s.options())
				well := echo(0)
				second := run(t.Context(), p, well, s.options())
				if asked := len(well.asked) > 0; asked != tt.again {
					t.Fatalf("asked again is %v, want %v", asked, tt.again)
				}
				if !tt.again {
					if diff := cmp.Diff(first.lines(), second.lines()); diff != "" || second.records[0].Results[0].Attempts != first.records[0].Results[0].Attempts {
						t.Errorf("the failure differs (-first +second):\n%s", diff)
					}
				}
				opts := s.options()
				opts.RetryFailed = true
				if third := run(t.Context(), p, well, opts); third.sum.OK != 1 {
					t.Errorf("with RetryFailed: %v", third.lines())
				}
			})
		})
	}
}

func TestRedo(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s, m := newShelf(), echo(time.Second)
		p := plan(20, 4, same("a", 2))
		run(t.Context(), p, m, s.options())
		m.asked = nil
		opts := s.options()
		opts.Redo = true
		if r := run(t.Context(), p, m, opts); len(m.asked) != 10 || r.sum.OK != 20 {
			t.Errorf("%d asked again, want each of 10 questions once: %v", len(m.asked), r.lines())
		}
		m.asked = nil
		opts.Only = func(r *pipeline.Row, _ int) bool { return r.Number >= 18 }
		if r := run(t.Context(), p, m, opts); len(m.asked) != 1 || r.sum.OK != 20 {
			t.Errorf("%q asked again, want the one of the last two rows: %v", m.asked, r.lines())
		}
	})
}

func TestOffline(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s, m := newShelf(), echo(time.Second)
		run(t.Context(), plan(2, 4, step("a"), step("b", 0)), m, s.options())
		m.asked = nil
		opts := s.options()
		opts.Offline = true
		r := run(t.Context(), plan(4, 4, step("a"), step("b", 0)), m, opts)
		want := []string{"r0 [a:r0] [b:r0 [a:r0]]", "r1 [a:r1] [b:r1 [a:r1]]", "r2 !not_stored !upstream", "r3 !not_stored !upstream"}
		if diff := cmp.Diff(want, r.lines()); diff != "" || len(m.asked) > 0 || r.err != nil {
			t.Errorf("asked %q, error %v, records (-want +got):\n%s", m.asked, r.err, diff)
		}
		if _, noted := s.tasks["r2 a"]; noted {
			t.Error("a run that may ask nothing has changed the store")
		}
	})
}

func TestOnlySomeRowsMayBeAsked(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s, m := newShelf(), echo(time.Second)
		opts := s.options()
		opts.Only = func(r *pipeline.Row, _ int) bool { return r.Number%2 == 0 }
		r := run(t.Context(), plan(4, 4, step("a")), m, opts)
		want := []string{"r0 [a:r0]", "r1 !not_stored", "r2 [a:r2]", "r3 !not_stored"}
		if diff := cmp.Diff(want, r.lines()); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
		m.asked = nil
		if r := run(t.Context(), plan(4, 4, step("a")), m, s.options()); r.sum.OK != 4 || len(m.asked) != 2 {
			t.Errorf("then %q were asked, want the two others: %v", m.asked, r.lines())
		}
	})
}

func TestFullStoreEndsTheRun(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newShelf()
		s.full = 5
		r := run(t.Context(), plan(100, 3, step("a")), echo(time.Second), s.options())
		var trouble *runner.StoreError
		if !errors.As(r.err, &trouble) || !strings.Contains(r.err.Error(), "the disk is full") {
			t.Errorf("the run ends with %v", r.err)
		}
		if len(r.records) != 5 {
			t.Errorf("%d records are handed on, want the 5 that are kept", len(r.records))
		}
		s.full = 0
		m := echo(time.Second)
		if r := run(t.Context(), plan(100, 3, step("a")), m, s.options()); r.sum.OK != 100 || len(m.asked) != 95 {
			t.Errorf("then %d were asked, want 95; %d ok", len(m.asked), r.sum.OK)
		}
	})
}

func TestUnreadableStoreEndsTheRun(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newShelf()
		s.unread = errors.New("the file is damaged")
		m := echo(time.Second)
		r := run(t.Context(), plan(10, 3, step("a")), m, s.options())
		var trouble *runner.StoreError
		if !errors.As(r.err, &trouble) || len(m.asked) > 0 {
			t.Errorf("the run ends with %v, and %d were asked", r.err, len(m.asked))
		}
	})
}

// What was answered when a run is stopped is kept before Run returns.
func TestInterruptKeepsWhatIsAnswered(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s, m := newShelf(), echo(time.Second)
		s.slow = 3 * time.Second
		opts := s.options()
		stop := make(chan struct{})
		opts.Stop = stop
		time.AfterFunc(2500*time.Millisecond, func() { close(stop) })
		r := run(t.Context(), plan(100, 4, step("a")), m, opts)
		if len(m.asked) != 12 || s.kept != 12 || len(r.records) != 12 {
			t.Errorf("%d were asked, %d kept, %d handed on; want 12", len(m.asked), s.kept, len(r.records))
		}
		m.asked = nil
		opts.Stop = nil
		if r := run(t.Context(), plan(100, 4, step("a")), m, opts); len(m.asked) != 88 || r.sum.OK != 100 {
			t.Errorf("then %d were asked, want 88", len(m.asked))
		}
	})
}

func TestFailedAttemptsAreKept(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s, n := newShelf(), 0
		m := &scripted{do: func(context.Context, *pipeline.Request, func(runner.Chunk)) (*pipeline.Answer, error) {
			if n++; n < 3 {
				return nil, fail(runner.Disconnected, "the connection broke")
			}
			return answer("at last"), nil
		}}
		run(t.Context(), plan(1, 1, step("a")), m, s.options())
		if want := []string{"r0 a 1 disconnected", "r0 a 2 disconnected"}; !slices.Equal(s.attempts, want) {
			t.Errorf("the attempts kept are %q, want %q", s.attempts, want)
		}
	})
}

// A stored answer that does not pass today's check is a failure, without a call.
func TestStoredAnswersAreCheckedAgain(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s, m := newShelf(), echo(0)
		run(t.Context(), plan(1, 1, step("a")), m, s.options())
		strict := step("a")
		strict.Check = func(*pipeline.Answer) error { return errors.New("the answer is too short") }
		r := run(t.Context(), plan(1, 1, strict), m, s.options())
		if want := []string{"r0 !schema"}; !slices.Equal(r.lines(), want) || len(m.asked) != 1 {
			t.Errorf("records %v, want %v; %d asked, want the 1 of before", r.lines(), want, len(m.asked))
		}
	})
}

func TestNoDigestFailsTheTask(t *testing.T) {
	virtual(t, func(t *testing.T) {
		opts := newShelf().options()
		opts.Identify = func(*pipeline.Request) (pipeline.Identity, error) {
			return pipeline.Identity{}, fail(runner.ModelMissing, "the model is gone")
		}
		m := echo(0)
		if r := run(t.Context(), plan(1, 1, step("a")), m, opts); !slices.Equal(r.lines(), []string{"r0 !model_missing"}) || len(m.asked) > 0 {
			t.Errorf("records %v, %d asked", r.lines(), len(m.asked))
		}
	})
}

// A result on its way to the disk lets nothing more start, if it is the first failure.
func TestFailFastDoesNotWaitForTheDisk(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s, m := newShelf(), echo(time.Second)
		ok := m.do
		m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
			if req.Messages[0].Content == "a:r2" {
				return nil, fail(runner.TooLarge, "the answer passes 64 MiB")
			}
			return ok(ctx, req, chunk)
		}
		opts := s.options()
		opts.FailFast = true
		r := run(t.Context(), plan(100, 1, step("a")), m, opts)
		if r.sum.Attempts != 3 || r.sum.Rows != 3 || r.sum.Failed != 1 || s.count() != 3 {
			t.Errorf("%d kept, %+v (%v), want no attempt after the third", s.count(), r.sum, r.err)
		}
	})
}
