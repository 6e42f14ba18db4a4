package runner_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A scripted model answers by a function of its own and keeps an account of what
// is in flight.
type scripted struct {
	do func(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error)

	mu     sync.Mutex
	busy   map[string]int // by the request's first message up to the colon: the step; "" for all
	most   map[string]int
	starts []time.Time
	asked  []string // prompts, in order of their starts
}

func (s *scripted) Do(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
	prompt := req.Messages[0].Content
	step := prompt[:max(0, indexOf(prompt, ':'))]
	s.enter(prompt, step)
	defer s.leave(step)
	return s.do(ctx, req, chunk)
}

func (s *scripted) enter(prompt string, steps string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy == nil {
		s.busy, s.most = map[string]int{}, map[string]int{}
	}
	s.starts = append(s.starts, time.Now())
	s.asked = append(s.asked, prompt)
	for _, name := range []string{"", steps} {
		s.busy[name]++
		s.most[name] = max(s.most[name], s.busy[name])
	}
}

func (s *scripted) leave(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy[""]--
	s.busy[step]--
}

func indexOf(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// A loadable model is a scripted one that is loaded before it answers.
type loadable struct {
	*scripted
	load func(ctx context.Context, req *pipeline.Request) (bool, error)
}

func (l loadable) Load(ctx context.Context, req *pipeline.Request) (bool, error) {
	return l.load(ctx, req)
}

// A probed model is a scripted one whose server can be asked for a sign of life.
type probed struct {
	*scripted
	probe func() error
}

func (p probed) Probe(context.Context) error { return p.probe() }

// echo answers after d with the prompt in brackets.
func echo(d time.Duration) *scripted {
	return &scripted{do: func(ctx context.Context, req *pipeline.Request, _ func(runner.Chunk)) (*pipeline.Answer, error) {
		if err := sleep(ctx, d); err != nil {
			return nil, err
		}
		return answer("[" + req.Messages[0].Content + "]"), nil
	}}
}

func answer(text string) *pipeline.Answer {
	return &pipeline.Answer{Response: text, DoneReason: "stop", PromptEvalCount: 3, EvalCount: 2}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func fail(class runner.Class, message string) error {
	return &runner.Error{Class: class, Message: message}
}

// step makes a step whose prompt is "id:row" and what the steps it needs answered.
func step(id string, needs ...int) pipeline.Step {
	return pipeline.Step{
		ID: id, Needs: needs,
		Retry: specs.Retry{Attempts: 5, Initial: 500 * time.Millisecond, Max: 30 * time.Second},
		Request: func(scope *pipeline.Scope) (*pipeline.Request, error) {
			prompt := fmt.Sprintf("%s:%s", id, scope.Row.ID)
			for _, i := range needs {
				prompt += " " + scope.Answers[i].Response
			}
			return &pipeline.Request{
				Model:    "m",
				Messages: []pipeline.Message{{Role: "user", Content: prompt}},
				Options:  map[string]any{"num_predict": 256},
			}, nil
		},
	}
}

// plan makes a plan of n rows, named r0, r1, ...
func plan(n int, concurrency int, steps ...pipeline.Step) *pipeline.Plan {
	return &pipeline.Plan{Rows: rows(n), Total: int64(n), Steps: steps, Concurrency: concurrency}
}

func rows(n int) iter.Seq2[*pipeline.Row, error] {
	return func(yield func(*pipeline.Row, error) bool) {
		for i := range n {
			if !yield(row(i), nil) {
				return
			}
		}
	}
}

// list is rows for those that give them on with errors of their own.
func list(n int) iter.Seq[*pipeline.Row] {
	return func(yield func(*pipeline.Row) bool) {
		for i := range n {
			if !yield(row(i)) {
				return
			}
		}
	}
}

func row(i int) *pipeline.Row {
	return &pipeline.Row{Number: int64(i), ID: fmt.Sprintf("r%d", i)}
}

// A ran is what came of a run.
type ran struct {
	records []*runner.Record
	at      []time.Duration // when each record came, since the run began
	sum     runner.Summary
	err     error
	events  []runner.Event
}

// run runs a plan and keeps all that comes of it.
func run(ctx context.Context, p *pipeline.Plan, m runner.Model, opts runner.Options) ran {
	var r ran
	opts.Observe = func(e runner.Event) { r.events = append(r.events, e) }
	began := time.Now()
	r.sum, r.err = runner.Run(ctx, p, m, opts, func(rec *runner.Record) error {
		r.records = append(r.records, rec)
		r.at = append(r.at, time.Since(began))
		return nil
	})
	return r
}

// virtual runs a test in a bubble whose clock only moves when all sleep.
func virtual(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// lines are the records in short: row, then each step's response or class.
func (r *ran) lines() []string {
	var lines []string
	for _, rec := range r.records {
		line := rec.Row.ID
		for _, res := range rec.Results {
			if res.Err != nil {
				line += " !" + string(res.Err.Class)
			} else {
				line += " " + res.Answer.Response
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// kinds are the events of the kinds, in order.
func (r *ran) kinds(kinds ...runner.Kind) []runner.Event {
	var found []runner.Event
	for _, e := range r.events {
		for _, k := range kinds {
			if e.Kind == k {
				found = append(found, e)
			}
		}
	}
	return found
}
