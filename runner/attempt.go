package runner

import (
	"context"
	"errors"
	"time"

	"github.com/batchrunner/runner/pipeline"
)

// A caller carries out calls of the model on the workers' goroutines.
type caller struct {
	plan   *pipeline.Plan
	model  Model
	loader Loader // the model, if it is one
	prober Prober // likewise
	events *observer
	chunks bool // every chunk is an event
}

// A call is something that a worker does; what it returns goes to the dispatcher.
type call interface {
	carryOut(ctx context.Context, c *caller) notice
}

// attempted is a task whose attempt has ended.
type attempted struct{ *task }

// carryOut makes one attempt for the task, within the step's timeouts.
func (t *task) carryOut(run context.Context, c *caller) notice {
	step := &c.plan.Steps[t.step]
	ctx, watch := newWatch(run, step.Timeout)
	defer watch.stop()
	chunk := watch.arrived
	if c.events != nil {
		chunk = c.observed(t, watch)
	}
	answer, err := c.model.Do(ctx, t.request(), chunk)
	switch {
	case err != nil:
		t.answer, t.err = nil, reason(run, ctx, err)
	case answer == nil:
		t.answer, t.err = nil, &Error{Class: Protocol, Message: "the model gave neither an answer nor an error"}
	default:
		t.answer, t.err = answer, judge(step, t.request(), answer)
	}
	return attempted{t}
}

// observed returns a chunk callback that tells the observer too.
func (c *caller) observed(t *task, w *watch) func(Chunk) {
	return func(chunk Chunk) {
		if first := w.tokens.Load() == 0; first && chunk.token() {
			c.events.firstToken(t, time.Since(t.started))
		}
		w.arrived(chunk)
		if c.chunks {
			c.events.chunk(t, chunk)
		}
	}
}

// token says whether the chunk brings anything.
func (c Chunk) token() bool { return c.Text != "" || c.Thinking != "" }

// errEnded is the cause with which a run ends the calls still in flight.
var errEnded = errors.New("the run has ended")

// cutOff says that the run's end ended the call, whose task has no outcome.
func (e *Error) cutOff() bool { return e != nil && errors.Is(e.Cause, errEnded) }

// reason returns why a call under ctx failed with err: the end of the run, the
// bound that passed, or err itself.
func reason(run, ctx context.Context, err error) *Error {
	if run.Err() != nil {
		return &Error{Class: Interrupted, Message: "interrupted", Cause: errEnded}
	}
	var passed *Error
	if errors.As(context.Cause(ctx), &passed) {
		return passed
	}
	return classed(err, Server)
}
