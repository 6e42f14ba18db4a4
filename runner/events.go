package runner

import (
	"sync"
	"time"

	"github.com/batchrunner/runner/pipeline"
)

// EventVersion is the version of the events' form. It changes when a reader of
// the old form would go wrong; new kinds and new fields don't change it.
const EventVersion = 1

// A Kind says what an Event tells.
type Kind string

// The kinds of events, with the fields they use besides Version, Kind and Time.
const (
	AttemptStarted     Kind = "attempt_started"     // Row, ID, Step, Model, Attempt
	FirstToken         Kind = "first_token"         // the same and After
	ChunkCame          Kind = "chunk"               // Row, ID, Step, Model, Attempt, Text, Thinking; only with Options.Chunks
	AttemptFailed      Kind = "attempt_failed"      // Row, ID, Step, Model, Attempt, After, Class, Message, Retry, Wait
	TaskDone           Kind = "task_done"           // Row, ID, Step, Model, Attempt, After, Reused, OK or Class and Message, PromptTokens, OutputTokens, Warnings
	RowDone            Kind = "row_done"            // Row, ID, OK or Class and Message
	ModelLoading       Kind = "model_loading"       // Model
	ModelLoaded        Kind = "model_loaded"        // Model, After, Cold, OK or Class and Message
	ModelFailed        Kind = "model_failed"        // Model, Class, Message: its later rows fail unasked
	HostPaused         Kind = "host_paused"         // Class, Message, Wait
	HostResumed        Kind = "host_resumed"        // After
	ConcurrencyChanged Kind = "concurrency_changed" // Concurrency, Message
)

// An Event tells what a run just did. Its JSON is one line of an event file; fields
// that a kind doesn't use are absent.
type Event struct {
	Version int       `json:"v"`
	Kind    Kind      `json:"event"`
	Time    time.Time `json:"time"`
	Row     *int64    `json:"row,omitempty"` // the row's number
	ID      string    `json:"id,omitempty"`  // the row's id
	Step    string    `json:"step,omitempty"`
	Model   string    `json:"model,omitempty"`
	Attempt int       `json:"attempt,omitempty"` // from 1; of a task that was not asked 0
	// After is the time since the attempt, the load or the pause began, in
	// nanoseconds like every duration here and in Ollama's API.
	After        time.Duration `json:"after,omitempty"`
	OK           bool          `json:"ok,omitempty"`
	Class        Class         `json:"class,omitempty"`
	Message      string        `json:"message,omitempty"`
	Reused       bool          `json:"reused,omitempty"` // of a task: from the store, or by an equal one
	Warmup       bool          `json:"warmup,omitempty"` // of a benchmark: its answer is not measured, nor kept
	Cold         bool          `json:"cold,omitempty"`   // of a load: the model was not in memory before
	Retry        bool          `json:"retry,omitempty"`  // another attempt follows
	Wait         time.Duration `json:"wait,omitempty"`   // until the attempt, or until the server is asked again
	Text         string        `json:"text,omitempty"`
	Thinking     string        `json:"thinking,omitempty"`
	PromptTokens int           `json:"prompt_tokens,omitempty"`
	OutputTokens int           `json:"output_tokens,omitempty"`
	Warnings     []string      `json:"warnings,omitempty"`
	Concurrency  int           `json:"concurrency,omitempty"` // requests in flight allowed from now on
}

// An observer hands events to one function, one at a time. A nil observer is one
// that nobody listens to: its methods do nothing, before they make an event.
type observer struct {
	mu   sync.Mutex
	tell func(Event)
}

func newObserver(tell func(Event)) *observer {
	if tell == nil {
		return nil
	}
	return &observer{tell: tell}
}

func (o *observer) send(e Event) {
	e.Version, e.Time = EventVersion, time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tell(e)
}

// about is the part of an event that says which attempt it is about.
func about(kind Kind, t *task) Event {
	row := t.row.record.Row
	e := Event{Kind: kind, Row: &row.Number, ID: row.ID, Step: t.result.Task.Step, Attempt: t.calls, Warmup: row.Warmup}
	if req := t.request(); req != nil {
		e.Model = req.Model
	}
	return e
}

func (e Event) failed(err *Error) Event {
	if e.OK = err == nil; !e.OK {
		e.Class, e.Message = err.Class, err.Message
	}
	return e
}

func (o *observer) attemptStarted(t *task) {
	if o != nil {
		o.send(about(AttemptStarted, t))
	}
}

func (o *observer) firstToken(t *task, after time.Duration) {
	if o != nil {
		e := about(FirstToken, t)
		e.After = after
		o.send(e)
	}
}

func (o *observer) chunk(t *task, c Chunk) {
	if o != nil {
		e := about(ChunkCame, t)
		e.Text, e.Thinking = c.Text, c.Thinking
		o.send(e)
	}
}

func (o *observer) attemptFailed(t *task, err *Error, retry bool, wait time.Duration) {
	if o != nil {
		e := about(AttemptFailed, t).failed(err)
		e.After, e.Retry, e.Wait = time.Since(t.started), retry, wait
		o.send(e)
	}
}

func (o *observer) taskDone(t *task) {
	if o == nil {
		return
	}
	e := about(TaskDone, t).failed(t.result.Err)
	if e.Reused = t.result.Reused; t.calls > 0 && !e.Reused {
		e.After = time.Since(t.started)
	}
	if a := t.result.Answer; a != nil {
		e.PromptTokens, e.OutputTokens, e.Warnings = a.PromptEvalCount, a.EvalCount, a.Warnings
	}
	o.send(e)
}

func (o *observer) rowDone(r *Record) {
	if o == nil {
		return
	}
	e := Event{Kind: RowDone, Row: &r.Row.Number, ID: r.Row.ID, OK: true}
	if failure := r.Failure(); failure != nil {
		e = e.failed(failure.Err)
	}
	o.send(e)
}

func (o *observer) modelLoading(req *pipeline.Request) {
	if o != nil {
		o.send(Event{Kind: ModelLoading, Model: req.Model})
	}
}

func (o *observer) modelLoaded(model string, after time.Duration, cold bool, err *Error) {
	if o != nil {
		o.send(Event{Kind: ModelLoaded, Model: model, After: after, Cold: cold}.failed(err))
	}
}

func (o *observer) modelFailed(model string, err *Error) {
	if o != nil {
		o.send(Event{Kind: ModelFailed, Model: model}.failed(err))
	}
}

func (o *observer) paused(err *Error, wait time.Duration) {
	if o != nil {
		e := Event{Kind: HostPaused, Wait: wait}.failed(err)
		o.send(e)
	}
}

func (o *observer) resumed(after time.Duration) {
	if o != nil {
		o.send(Event{Kind: HostResumed, After: after})
	}
}

func (o *observer) concurrency(limit int, why string) {
	if o != nil {
		o.send(Event{Kind: ConcurrencyChanged, Concurrency: limit, Message: why})
	}
}
