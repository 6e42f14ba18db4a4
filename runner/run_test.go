package runner_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sourcegraph/conc/panics"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

func TestRunGivesRecordsInOrder(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := &scripted{do: func(ctx context.Context, req *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
			if strings.HasSuffix(req.Messages[0].Content, "r0") {
				_ = sleep(ctx, time.Second) // the oldest row is the slowest
			}
			return answer(req.Messages[0].Content), sleep(ctx, 100*time.Millisecond)
		}}
		r := run(t.Context(), plan(6, 3, step("a")), m, runner.Options{})
		want := []string{"r0 a:r0", "r1 a:r1", "r2 a:r2", "r3 a:r3", "r4 a:r4", "r5 a:r5"}
		if diff := cmp.Diff(want, r.lines()); diff != "" || r.err != nil {
			t.Fatalf("error %v, records (-want +got):\n%s", r.err, diff)
		}
		if m.most[""] != 3 {
			t.Errorf("%d requests at once, want 3", m.most[""])
		}
		want2 := runner.Summary{
			Rows: 6, OK: 6, Failures: map[runner.Class]int64{}, Attempts: 6,
			PromptTokens: 18, OutputTokens: 12, Elapsed: 1100 * time.Millisecond,
		}
		if diff := cmp.Diff(want2, r.sum); diff != "" {
			t.Errorf("summary (-want +got):\n%s", diff)
		}
	})
}

func TestStepsOfARow(t *testing.T) {
	virtual(t, func(t *testing.T) {
		// a and b side by side, c after both: one row takes two rounds of a second.
		p := plan(1, 5, step("a"), step("b"), step("c", 0, 1))
		r := run(t.Context(), p, echo(time.Second), runner.Options{})
		want := []string{"r0 [a:r0] [b:r0] [c:r0 [a:r0] [b:r0]]"}
		if diff := cmp.Diff(want, r.lines()); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
		if r.sum.Elapsed != 2*time.Second {
			t.Errorf("took %s, want 2s", r.sum.Elapsed)
		}
	})
}

func TestOpenRowsAreFinishedFirst(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := echo(time.Second)
		run(t.Context(), plan(3, 1, step("a"), step("b", 0)), m, runner.Options{})
		want := []string{"a:r0", "b:r0 [a:r0]", "a:r1", "b:r1 [a:r1]", "a:r2", "b:r2 [a:r2]"}
		if diff := cmp.Diff(want, m.asked); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
	})
}

func TestAFailedStepFailsWhatReadsIt(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := echo(time.Second)
		ok := m.do
		m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
			if req.Messages[0].Content == "a:r1" {
				return nil, fail(runner.ContextOverflow, "the prompt is longer than num_ctx 256")
			}
			return ok(ctx, req, chunk)
		}
		r := run(t.Context(), plan(2, 5, step("a"), step("b", 0), step("c", 1), step("d")), m, runner.Options{})
		want := []string{
			"r0 [a:r0] [b:r0 [a:r0]] [c:r0 [b:r0 [a:r0]]] [d:r0]",
			"r1 !context_overflow !upstream !upstream [d:r1]",
		}
		if diff := cmp.Diff(want, r.lines()); diff != "" {
			t.Fatalf("records (-want +got):\n%s", diff)
		}
		b, c := r.records[1].Results[1], r.records[1].Results[2]
		if b.Err.Message != `step "a" failed` || c.Err.Message != `step "b" failed` || b.Attempts != 0 || b.Request != nil {
			t.Errorf("b: %v after %d attempts, c: %v", b.Err, b.Attempts, c.Err)
		}
		if f := r.records[1].Failure(); f.Task.Step != "a" || r.sum.Failures[runner.ContextOverflow] != 1 || r.sum.Failed != 1 {
			t.Errorf("failure %q, summary %+v", f.Task.Step, r.sum)
		}
	})
}

func TestRowsThatMakeNoRequest(t *testing.T) {
	bad := step("a")
	good := bad.Request
	bad.Request = func(s *pipeline.Scope) (*pipeline.Request, error) {
		if s.Row.Number == 1 {
			return nil, errors.New("the prompt uses .note, which this row lacks")
		}
		return good(s)
	}
	p := plan(0, 2, bad, step("b", 0))
	p.Rows = func(yield func(*pipeline.Row, error) bool) {
		_ = yield(row(0), nil) && yield(row(1), nil) && yield(row(2), errors.New("row id \"r2\" is there twice")) && yield(row(3), nil)
	}
	m := echo(0)
	r := run(t.Context(), p, m, runner.Options{})
	want := []string{"r0 [a:r0] [b:r0 [a:r0]]", "r1 !input !upstream", "r2 !input !upstream", "r3 [a:r3] [b:r3 [a:r3]]"}
	if diff := cmp.Diff(want, r.lines()); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if len(m.asked) != 4 || r.sum.Attempts != 4 {
		t.Errorf("asked %q, %d attempts", m.asked, r.sum.Attempts)
	}
	if got := r.records[2].Failure().Err.Message; got != `row id "r2" is there twice` {
		t.Errorf("message %q", got)
	}
}

func TestRowsThatEndWithAnError(t *testing.T) {
	broken := errors.New("data.csv:4: ragged line")
	p := plan(0, 2, step("a"))
	p.Rows = func(yield func(*pipeline.Row, error) bool) {
		for row := range list(3) {
			if !yield(row, nil) {
				return
			}
		}
		yield(nil, broken)
	}
	r := run(t.Context(), p, echo(time.Millisecond), runner.Options{})
	if len(r.records) != 3 || !errors.Is(r.err, broken) || r.sum.OK != 3 {
		t.Errorf("%q, error %v, %+v", r.lines(), r.err, r.sum)
	}
}

func TestNoRows(t *testing.T) {
	r := run(t.Context(), plan(0, 2, step("a")), echo(0), runner.Options{})
	if r.err != nil || len(r.records) != 0 {
		t.Errorf("%q, error %v", r.lines(), r.err)
	}
}

func TestModelsThatAreMissing(t *testing.T) {
	s := step("a")
	good := s.Request
	s.Request = func(scope *pipeline.Scope) (*pipeline.Request, error) {
		req, err := good(scope)
		req.Model = []string{"here", "gone"}[scope.Row.Number%2]
		return req, err
	}
	gone := &runner.Error{Class: runner.ModelMissing, Message: `model "gone" is not on localhost`}
	m := echo(0)
	r := run(t.Context(), plan(4, 2, s), m, runner.Options{Missing: map[string]*runner.Error{"gone": gone}})
	want := []string{"r0 [a:r0]", "r1 !model_missing", "r2 [a:r2]", "r3 !model_missing"}
	if diff := cmp.Diff(want, r.lines()); diff != "" || len(m.asked) != 2 {
		t.Errorf("asked %q, records (-want +got):\n%s", m.asked, diff)
	}
	if res := r.records[1].Last(); res.Err != gone || res.Request.Model != "gone" || res.Attempts != 0 {
		t.Errorf("result %+v", res)
	}
}

func TestAnErrorOfEmitEndsTheRun(t *testing.T) {
	virtual(t, func(t *testing.T) {
		full := errors.New("disk full")
		emitted := 0
		m := echo(time.Second)
		sum, err := runner.Run(t.Context(), plan(1000, 4, step("a")), m, runner.Options{}, func(*runner.Record) error {
			if emitted++; emitted == 3 {
				return full
			}
			return nil
		})
		if !errors.Is(err, full) || err.Error() != "handing on row 2 (r2): disk full" {
			t.Errorf("error %v", err)
		}
		if emitted != 3 || sum.Rows != 2 || len(m.asked) > 8 || sum.Elapsed > time.Second {
			t.Errorf("%d records, %d asked, summary %+v", emitted, len(m.asked), sum)
		}
	})
}

func TestPanics(t *testing.T) {
	wrong := func() { panic("our own mistake") }
	noEmit := func(*runner.Record) error { return nil }
	model := func(ctx context.Context, req *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
		if strings.HasSuffix(req.Messages[0].Content, "r2") {
			wrong()
		}
		return answer("x"), sleep(ctx, time.Hour)
	}
	request := step("a")
	request.Request = func(*pipeline.Scope) (*pipeline.Request, error) { wrong(); return nil, nil }
	second := step("b", 0)
	second.Request = request.Request
	loads := loadable{echo(0), func(context.Context, *pipeline.Request) (bool, error) { wrong(); return false, nil }}
	for name, run := range map[string]func(context.Context) error{
		"of the model": func(ctx context.Context) error {
			_, err := runner.Run(ctx, plan(5, 5, step("a")), &scripted{do: model}, runner.Options{}, noEmit)
			return err
		},
		"of a load": func(ctx context.Context) error {
			_, err := runner.Run(ctx, plan(5, 5, step("a")), loads, runner.Options{}, noEmit)
			return err
		},
		"of a request": func(ctx context.Context) error {
			_, err := runner.Run(ctx, plan(5, 5, request), echo(0), runner.Options{}, noEmit)
			return err
		},
		"of a later step's request": func(ctx context.Context) error {
			_, err := runner.Run(ctx, plan(5, 5, step("a"), second), echo(0), runner.Options{}, noEmit)
			return err
		},
		"of an observer": func(ctx context.Context) error {
			_, err := runner.Run(ctx, plan(5, 5, step("a")), echo(0), runner.Options{Observe: func(runner.Event) { wrong() }}, noEmit)
			return err
		},
		"of emit": func(ctx context.Context) error {
			_, err := runner.Run(ctx, plan(5, 5, step("a")), echo(0), runner.Options{}, func(*runner.Record) error { wrong(); return nil })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				defer func() {
					value := recover()
					if p, ok := value.(*panics.Recovered); ok {
						value = p.Value
					}
					if value != "our own mistake" {
						t.Errorf("panic %v", value)
					}
				}()
				t.Errorf("returned %v", run(t.Context()))
			})
		})
	}
}

func TestAnswersThatCantBeUsed(t *testing.T) {
	check := func(a *pipeline.Answer) error {
		if !strings.HasPrefix(a.Response, "{") {
			return errors.New("the answer is not JSON")
		}
		return nil
	}
	loop := strings.Repeat("na ", 50)
	for _, test := range []struct {
		name    string
		answer  pipeline.Answer
		own     bool
		check   func(*pipeline.Answer) error
		class   runner.Class
		message string // of the failure, or the warnings
		calls   int
	}{
		{name: "good", answer: pipeline.Answer{Response: "hello", DoneReason: "stop"}, calls: 1},
		{name: "cut at the author's limit", answer: pipeline.Answer{Response: "hel", DoneReason: "length"}, calls: 1,
			message: "the answer was cut at num_predict 256"},
		{name: "cut at our limit", answer: pipeline.Answer{Response: "hel", DoneReason: "length"}, own: true, calls: 1,
			class: runner.Cut, message: "the answer did not end within runner's own limit of 256 tokens; set num_predict"},
		{name: "cut at the author's limit, counted to the token", answer: pipeline.Answer{Response: "hel", DoneReason: "length", EvalCount: 255}, calls: 1,
			message: "the answer was cut at num_predict 256"},
		{name: "cut by the context before the author's limit", answer: pipeline.Answer{Response: "hel", DoneReason: "length", EvalCount: 100}, calls: 1,
			class: runner.Cut, message: "the answer did not end before the context was full, after 100 tokens; raise num_ctx if the model can take it, or set a smaller num_predict"},
		{name: "fails its check", answer: pipeline.Answer{Response: "hello", DoneReason: "stop"}, check: check, calls: 1,
			class: runner.Schema, message: "the answer is not JSON"},
		{name: "passes its check", answer: pipeline.Answer{Response: "{}", DoneReason: "stop"}, check: check, calls: 1},
		{name: "empty", answer: pipeline.Answer{Response: " \n", DoneReason: "stop"}, calls: 2,
			class: runner.Empty, message: "the answer is empty"},
		{name: "thought only", answer: pipeline.Answer{Thinking: "hm", DoneReason: "length", EvalCount: 7}, own: true, calls: 1,
			class: runner.ThinkingOnly, message: "the model thought (7 tokens) and gave no answer"},
		{name: "a load instead of an answer", answer: pipeline.Answer{DoneReason: "load"}, calls: 2,
			class: runner.Empty, message: "no answer: the server took the request for one to load the model"},
		{name: "over and over", answer: pipeline.Answer{Response: "we sang " + loop, DoneReason: "stop"}, calls: 1,
			message: `the answer ends with "na " over and over`},
		{name: "a ruler is no loop", answer: pipeline.Answer{Response: "title\n" + strings.Repeat("=", 80), DoneReason: "stop"}, calls: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := step("a")
				s.Check = test.check
				good := s.Request
				s.Request = func(scope *pipeline.Scope) (*pipeline.Request, error) {
					req, err := good(scope)
					req.OwnLimit = test.own
					return req, err
				}
				m := &scripted{do: func(context.Context, *pipeline.Request, func(runner.Chunk)) (*pipeline.Answer, error) {
					a := test.answer
					return &a, nil
				}}
				r := run(t.Context(), plan(1, 1, s), m, runner.Options{})
				res := r.records[0].Last()
				if res.Answer == nil || res.Answer.Response != test.answer.Response || res.Attempts != test.calls {
					t.Fatalf("answer %+v after %d attempts", res.Answer, res.Attempts)
				}
				message := strings.Join(res.Answer.Warnings, "; ")
				var class runner.Class
				if res.Err != nil {
					class, message = res.Err.Class, res.Err.Message
				}
				if class != test.class || message != test.message {
					t.Errorf("class %q: %s", class, message)
				}
				if warned := test.class == "" && test.message != ""; (r.sum.Warnings == 1) != warned {
					t.Errorf("%d rows with warnings", r.sum.Warnings)
				}
			})
		})
	}
}

func TestModelsThatBreakTheirPromise(t *testing.T) {
	for _, test := range []struct {
		name  string
		err   error
		class runner.Class
	}{
		{"an error without a class", io.ErrUnexpectedEOF, runner.Server},
		{"neither answer nor error", nil, runner.Protocol},
		{"a class nobody knows", fail("strange", "x"), "strange"},
		{"interrupted, which nobody was", fail(runner.Interrupted, "x"), runner.Interrupted},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &scripted{do: func(context.Context, *pipeline.Request, func(runner.Chunk)) (*pipeline.Answer, error) {
				return nil, test.err
			}}
			s := step("a")
			s.Retry = specs.Retry{}
			r := run(t.Context(), plan(2, 1, s), m, runner.Options{})
			if len(r.records) != 2 || r.records[0].Last().Err.Class != test.class || r.err != nil {
				t.Errorf("records %q, error %v", r.lines(), r.err)
			}
		})
	}
}

func TestWindow(t *testing.T) {
	const window, concurrency = 20, 4
	virtual(t, func(t *testing.T) {
		var emitted atomic.Int64
		var read, most int64
		p := plan(0, concurrency, step("a"))
		p.Rows = func(yield func(*pipeline.Row, error) bool) {
			for row := range list(500) {
				read++
				most = max(most, read-emitted.Load())
				if !yield(row, nil) {
					return
				}
			}
		}
		m := echo(time.Second)
		fast := m.do
		m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
			if req.Messages[0].Content == "a:r100" {
				_ = sleep(ctx, time.Minute)
			}
			return fast(ctx, req, chunk)
		}
		sum, err := runner.Run(t.Context(), p, m, runner.Options{Window: window}, func(*runner.Record) error { emitted.Add(1); return nil })
		if err != nil || sum.OK != 500 {
			t.Fatal(err, sum)
		}
		if ahead := int64(16 + 1 + 1); most > window+ahead || most < window {
			t.Errorf("%d rows between reading and handing on, want about %d", most, window)
		}
	})
}

// A receiver that is slow holds the run back, in rows or in bytes, and delays
// nothing that is in flight.
func TestBackPressure(t *testing.T) {
	virtual(t, func(t *testing.T) {
		big := strings.Repeat("long text ", 1<<20)[:8<<20]
		m := &scripted{do: func(ctx context.Context, _ *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
			return answer(big), sleep(ctx, time.Millisecond)
		}}
		emitted, ahead := 0, 0
		sum, err := runner.Run(t.Context(), plan(50, 2, step("a")), m, runner.Options{}, func(*runner.Record) error {
			time.Sleep(time.Second)
			emitted++
			m.mu.Lock()
			defer m.mu.Unlock()
			ahead = max(ahead, len(m.asked)-emitted)
			return nil
		})
		if err != nil || sum.OK != 50 || sum.Elapsed > 51*time.Second {
			t.Fatal(err, sum)
		}
		if ahead > 8+2 { // 64 MiB are eight answers, and two may be in flight
			t.Errorf("%d answers of 8 MiB waited", ahead)
		}
	})
}

func TestStepConcurrency(t *testing.T) {
	virtual(t, func(t *testing.T) {
		judge := step("b", 0)
		judge.Concurrency = 2
		m := echo(time.Second)
		r := run(t.Context(), plan(40, 10, step("a"), judge), m, runner.Options{})
		if m.most[""] != 10 || m.most["b"] != 2 || r.sum.OK != 40 {
			t.Errorf("at once: %v, %+v", m.most, r.sum)
		}
		if r.sum.Elapsed != 21*time.Second { // the judge is the bottleneck: 40/2, after the first draft
			t.Errorf("took %s", r.sum.Elapsed)
		}
	})
}

func TestRecords(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := echo(time.Second)
		seen := 0
		for record, err := range runner.Records(t.Context(), plan(100, 4, step("a")), m, runner.Options{}) {
			if err != nil || record.Row.Number != int64(seen) {
				t.Fatal(err, record)
			}
			if seen++; seen == 5 {
				break
			}
		}
		if m.busy[""] != 0 || len(m.asked) > 12 {
			t.Errorf("%d in flight after the loop, %d asked", m.busy[""], len(m.asked))
		}
	})
}

func TestRecordsEndWithTheError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	for record, err := range runner.Records(ctx, plan(3, 1, step("a")), echo(0), runner.Options{}) {
		if record != nil {
			t.Errorf("record %v", record)
		}
		last = err
	}
	var stopped *runner.Stopped
	if !errors.As(last, &stopped) || stopped.Class != runner.Interrupted || !errors.Is(last, context.Canceled) {
		t.Errorf("error %v", last)
	}
}

// A slow iterator of rows delays nothing that is under way.
func TestSlowRows(t *testing.T) {
	virtual(t, func(t *testing.T) {
		p := plan(0, 4, step("a"))
		p.Rows = slowly(3, time.Minute)
		r := run(t.Context(), p, echo(time.Second), runner.Options{})
		want := []time.Duration{61 * time.Second, 121 * time.Second, 181 * time.Second}
		if diff := cmp.Diff(want, r.at); diff != "" {
			t.Errorf("records came at (-want +got):\n%s", diff)
		}
	})
}

func slowly(n int, d time.Duration) iter.Seq2[*pipeline.Row, error] {
	return func(yield func(*pipeline.Row, error) bool) {
		for row := range list(n) {
			time.Sleep(d)
			if !yield(row, nil) {
				return
			}
		}
	}
}

func TestSummaryExceeds(t *testing.T) {
	sum := runner.Summary{Rows: 200, Failed: 10}
	for _, test := range []struct {
		limit specs.Share
		want  bool
	}{
		{specs.Share{}, true},
		{specs.Share{Count: 9}, true},
		{specs.Share{Count: 10}, false},
		{specs.Share{Percent: 4.9, IsPercent: true}, true},
		{specs.Share{Percent: 5, IsPercent: true}, false},
	} {
		if got := sum.Exceeds(test.limit); got != test.want {
			t.Errorf("Exceeds(%+v) = %v", test.limit, got)
		}
	}
	if (&runner.Summary{}).Exceeds(specs.Share{}) {
		t.Error("no rows, none failed, and that is too many")
	}
}
