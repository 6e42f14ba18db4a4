// Package runner carries out a plan: it starts tasks when every limit allows,
// attempts them again where that helps, and hands on the rows' records in order.
// It is also the way to run prompts from a Go program of one's own: see Records.
//
// One dispatcher (dispatch.go) owns all that is open, waiting and in flight, and
// starts a task when every gate (gates.go) is open; workers carry out its calls
// (attempt.go, load.go), and what failed is treated by its class (class.go,
// retry.go, health.go).
package runner

import (
	"context"
	"time"

	"github.com/batchrunner/runner/pipeline"
)

// A Model answers requests. Implementations must be safe for concurrent use, pass
// on chunks as they come, and return soon after ctx is done. An answer is whole or
// there is an *Error with its class.
type Model interface {
	Do(ctx context.Context, req *pipeline.Request, chunk func(Chunk)) (*pipeline.Answer, error)
}

// A Loader is a Model that can load a model before its first task, so that the
// wait for it is bounded and reported apart. The request is the first task's;
// only what loading depends on is read from it.
type Loader interface {
	Load(ctx context.Context, req *pipeline.Request) (loaded bool, err error)
}

// A Prober is a Model that can tell whether its server answers at all. Probe
// returns nil when it does. A run that waits for a server asks it.
type Prober interface {
	Probe(ctx context.Context) error
}

// A Chunk is a piece of an answer as it came: text or thinking, seldom both.
type Chunk struct {
	Text     string
	Thinking string
}

// A Result is a task's outcome: an answer, or an error with its class.
type Result struct {
	Task     pipeline.Task
	Request  *pipeline.Request // nil where none could be made
	Answer   *pipeline.Answer  // nil where Err is not, unless the answer itself is what failed
	Err      *Error            // nil: ok
	Attempts int               // calls made, 0 where the task was not asked; a failed load is one
	Key      pipeline.Key      // of the request; zero where none could be made, and in a run without a store
	Reused   bool              // taken from the store, or from another task of the run with this key
}

// A Record is what became of one row: the results of its steps in file order.
type Record struct {
	Row     *pipeline.Row
	Results []Result
}

// OK says whether no step of the row failed.
func (r *Record) OK() bool { return r.Failure() == nil }

// Failure returns the first failed result that is not the consequence of another
// one, nil where the row is ok.
func (r *Record) Failure() *Result {
	var failed *Result
	for i := range r.Results {
		res := &r.Results[i]
		if res.Err != nil && (failed == nil || failed.Err.Class == Upstream && res.Err.Class != Upstream) {
			failed = res
		}
	}
	return failed
}

// Last returns the result of the last step: the row's answer.
func (r *Record) Last() *Result { return &r.Results[len(r.Results)-1] }

// A Summary counts what a run did.
type Summary struct {
	Rows, OK, Failed int64           // rows with a record
	Failures         map[Class]int64 // failed rows by the class of their Failure
	Warnings         int64           // ok rows with warnings
	Attempts         int64           // calls of the model
	Retries          int64           // those that were not their task's first
	Reused           int64           // tasks that were answered without a call: from the store, or by an equal one
	ModelLoads       int64           // that were asked for, and that slow answers told of
	PromptTokens     int64           // of all answers, used or not
	OutputTokens     int64
	Elapsed          time.Duration
}
