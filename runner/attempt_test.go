package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// speaks is a model that waits first, sends chunks of text every gap, and then
// hangs until it is told to leave, or answers.
func speaks(first time.Duration, chunks int, gap time.Duration, hangs bool) *scripted {
	return &scripted{do: func(ctx context.Context, _ *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
		if err := sleep(ctx, first); err != nil {
			return nil, err
		}
		for i := range chunks {
			if i > 0 {
				if err := sleep(ctx, gap); err != nil {
					return nil, err
				}
			}
			chunk(runner.Chunk{Text: "x"})
		}
		if hangs {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return answer("xx"), nil
	}}
}

func TestTimeouts(t *testing.T) {
	all := specs.Timeout{Total: 5 * time.Minute, FirstToken: 10 * time.Second, Idle: 60 * time.Second}
	for _, test := range []struct {
		name    string
		timeout specs.Timeout
		model   *scripted
		message string
		took    time.Duration
	}{
		{"silent", specs.Timeout{Total: 30 * time.Second}, speaks(time.Hour, 1, 0, false), "no answer within 30s", 30 * time.Second},
		{"talks for ever", all, speaks(0, 1000, time.Second, false), "no answer within 5m", 5 * time.Minute},
		{"no first token", all, speaks(11*time.Second, 1, 0, false), "no first token within 10s", 10 * time.Second},
		{"first token just in time", all, speaks(9*time.Second, 1, 0, false), "", 9 * time.Second},
		{"hangs after some tokens", all, speaks(9*time.Second, 120, time.Second, true), "nothing came for 1m after 120 tokens", 188 * time.Second},
		{"pauses within the bound", all, speaks(0, 4, 59*time.Second, false), "", 177 * time.Second},
		{"a late first token has the whole idle time", specs.Timeout{Idle: time.Minute}, speaks(90*time.Second, 2, 59*time.Second, true), "nothing came for 1m after 2 tokens", 209 * time.Second},
		{"silence before the first token is not idle", specs.Timeout{Idle: time.Minute}, speaks(time.Hour, 1, 0, false), "", time.Hour},
		{"no bounds", specs.Timeout{}, speaks(24*time.Hour, 2, 24*time.Hour, false), "", 48 * time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := step("a")
				s.Timeout, s.Retry = test.timeout, specs.Retry{Attempts: 1}
				r := run(t.Context(), plan(1, 1, s), test.model, runner.Options{})
				var message string
				if err := r.records[0].Last().Err; err != nil {
					if message = err.Message; err.Class != runner.Timeout {
						t.Errorf("class %s", err.Class)
					}
				}
				if message != test.message || r.sum.Elapsed != test.took {
					t.Errorf("%q after %s, want %q after %s", message, r.sum.Elapsed, test.message, test.took)
				}
			})
		})
	}
}

// Chunks without text, such as a proxy's sign of life, keep an answer going but are
// no first token.
func TestEmptyChunks(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := &scripted{do: func(ctx context.Context, _ *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
			for range 100 {
				chunk(runner.Chunk{})
				if err := sleep(ctx, time.Second); err != nil {
					return nil, err
				}
			}
			return answer("x"), nil
		}}
		s := step("a")
		s.Timeout, s.Retry = specs.Timeout{FirstToken: 20 * time.Second, Idle: 2 * time.Second}, specs.Retry{}
		r := run(t.Context(), plan(1, 1, s), m, runner.Options{})
		if err := r.records[0].Last().Err; err == nil || err.Message != "no first token within 20s" {
			t.Errorf("error %v", err)
		}
	})
}

// An answer that is whole counts, even if its time was up while it was handed over.
func TestAnAnswerAtTheLastMoment(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := &scripted{do: func(ctx context.Context, _ *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
			<-ctx.Done()
			return answer("whole"), nil
		}}
		s := step("a")
		s.Timeout = specs.Timeout{Total: time.Second}
		r := run(t.Context(), plan(1, 1, s), m, runner.Options{})
		if diff := cmp.Diff([]string{"r0 whole"}, r.lines()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTreatments(t *testing.T) {
	for class, want := range map[runner.Class]struct {
		calls int // of a row that fails for ever, with five attempts
		rows  int // of three rows, how many are asked at all
	}{
		runner.Timeout: {5, 3}, runner.Disconnected: {5, 3}, runner.Incomplete: {5, 3}, runner.Server: {5, 3}, runner.Protocol: {5, 3},
		runner.Repeat: {2, 3}, runner.Crashed: {2, 3}, runner.Empty: {2, 3},
		runner.Redirected: {1, 3}, runner.TooLarge: {1, 3}, runner.ContextOverflow: {1, 3}, runner.InvalidRequest: {1, 3}, runner.Schema: {1, 3},
		runner.Capability: {1, 1}, runner.ModelMissing: {1, 1}, runner.DoesNotFit: {1, 1},
	} {
		t.Run(string(class), func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				m := failing(1<<30, class, echo(0))
				r := run(t.Context(), plan(3, 1, step("a")), m, runner.Options{})
				if len(m.asked) != want.calls*want.rows || r.err != nil {
					t.Errorf("asked %q, error %v", m.asked, r.err)
				}
				for i, rec := range r.records {
					res := rec.Last()
					calls := want.calls
					if i >= want.rows {
						calls = 0
					}
					if res.Err.Class != class || res.Err.Message != "the server is unwell" || res.Attempts != calls {
						t.Errorf("row %d: %s (%s) after %d attempts", i, res.Err.Class, res.Err, res.Attempts)
					}
				}
				told := 0
				if class.Treatment() == runner.FailModel {
					told = 1
				}
				if n := len(r.kinds(runner.ModelFailed)); len(r.records) != 3 || n != told {
					t.Errorf("%d records, %d times told that the model failed", len(r.records), n)
				}
			})
		})
	}
}

func TestBackoff(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := step("a")
		s.Retry = specs.Retry{Attempts: 8, Initial: time.Second, Max: 10 * time.Second}
		m := failing(1<<30, runner.Server, echo(0))
		r := run(t.Context(), plan(1, 1, s), m, runner.Options{})
		mean := []time.Duration{1, 2, 4, 8, 10, 10, 10}
		for i, want := range mean {
			got, want := m.starts[i+1].Sub(m.starts[i]), want*time.Second
			if got < want/2 || got > min(10*time.Second, want*3/2) {
				t.Errorf("wait %d is %s, want %s and up to half more or less, at most 10s", i, got, want)
			}
		}
		told := r.kinds(runner.AttemptFailed)
		if len(told) != 8 || !told[0].Retry || told[0].Wait != m.starts[1].Sub(m.starts[0]) || told[7].Retry {
			t.Errorf("told %+v", told)
		}
	})
}

// A task in backoff costs no slot: others go on meanwhile.
func TestBackoffHoldsNoSlot(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := step("a")
		s.Retry = specs.Retry{Attempts: 2, Initial: time.Minute, Max: time.Minute}
		m := echo(time.Second)
		ok, first := m.do, true
		m.do = func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
			if strings.HasSuffix(req.Messages[0].Content, "r0") && first {
				first = false
				return nil, fail(runner.Disconnected, "cut")
			}
			return ok(ctx, req, chunk)
		}
		r := run(t.Context(), plan(20, 1, s), m, runner.Options{})
		if r.sum.OK != 20 || r.sum.Elapsed > 92*time.Second {
			t.Errorf("%d ok in %s", r.sum.OK, r.sum.Elapsed)
		}
	})
}

// An empty answer is asked for once again, and no more.
func TestOnceAgain(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := run(t.Context(), plan(3, 3, step("a")), failing(1, runner.Repeat, echo(0)), runner.Options{})
		if r.sum.OK != 3 || r.sum.Retries != 3 {
			t.Errorf("%+v", r.sum)
		}
	})
}

func TestChunkEvents(t *testing.T) {
	virtual(t, func(t *testing.T) {
		for _, chunks := range []bool{false, true} {
			r := run(t.Context(), plan(1, 1, step("a")), speaks(time.Second, 3, time.Second, false), runner.Options{Chunks: chunks})
			first := r.kinds(runner.FirstToken)
			if len(first) != 1 || first[0].After != time.Second || *first[0].Row != 0 || first[0].Attempt != 1 {
				t.Errorf("first token: %+v", first)
			}
			want := 0
			if chunks {
				want = 3
			}
			if got := r.kinds(runner.ChunkCame); len(got) != want {
				t.Errorf("with chunks %v: %d chunks told", chunks, len(got))
			}
		}
	})
}

// A server that says when to come back is believed, also by a single row.
func TestRetryAfterOfOneAttempt(t *testing.T) {
	virtual(t, func(t *testing.T) {
		m := &scripted{}
		m.do = func(context.Context, *pipeline.Request, func(runner.Chunk)) (*pipeline.Answer, error) {
			if len(m.asked) == 1 {
				return nil, &runner.Error{Class: runner.Server, Message: "in maintenance", RetryAfter: 90 * time.Second}
			}
			return answer("x"), nil
		}
		r := run(t.Context(), plan(1, 1, step("a")), m, runner.Options{})
		if r.sum.OK != 1 || r.sum.Elapsed != 90*time.Second {
			t.Errorf("%+v", r.sum)
		}
	})
}
