// Package pipeline turns a job into rows, tasks and requests. It computes only:
// it writes nothing, calls nothing, starts no goroutine and reads no clock; data
// files are read through the file system it is given.
package pipeline

import (
	"encoding/json"
	"iter"
	"time"

	"github.com/batchrunner/runner/specs"
)

// A Plan is what a run is to do: for each row, its steps.
type Plan struct {
	Name string
	// Rows gives the rows in order, numbered from 0 without gaps, made as they are
	// asked for; each call begins anew. A row with an error is one that can't be
	// asked (it fails with class input) and the next rows follow; an error without a
	// row ends the sequence: the data can't be read any further.
	Rows iter.Seq2[*Row, error]
	// Total is the number of rows, or -1 where only reading all data would tell.
	Total int64
	// Columns are the names of the rows' variables in order: the axes, and what
	// include adds or changes. Constants that nothing changes are not among them.
	Columns []string
	// Effects is what exclude and include do, nil where that can't be told without
	// reading all data, and where there is too much to look at.
	Effects     *Effects
	Env         map[string]string // what .env holds: variables that the command line named
	Steps       []Step            // in file order; at least one
	Concurrency int               // requests in flight
	Rate        float64
	// Open makes the rate an open load: starts keep to the schedule of the rate from the
	// first one on, however late they are, and whatever is in flight.
	Open        bool
	MaxFailures specs.Share
	Bench       *specs.Bench // nil: the plan measures nothing

	matrix *matrix // nil, as are steps, in a plan that no job made
	steps  []*step
}

// A Row is one combination of the axes' values: one record of output.
type Row struct {
	Number int64
	ID     string
	Vars   map[string]any // every variable of the row by name, constants too; read only

	Repetition int  // of a benchmark, from 1; else 0
	Level      int  // of a benchmark: the index of its load
	Warmup     bool // what is asked of it is neither kept nor counted; see Stage
}

// A Step is one question asked for each row.
type Step struct {
	ID          string
	Needs       []int // indexes of the steps whose answers it reads, sorted
	Concurrency int   // a further limit, 0 for none
	Rate        float64
	Timeout     specs.Timeout
	Retry       specs.Retry
	// Request makes the request of a row from the row and the answers of the steps
	// in Needs. It is a pure function. An error means that the row's values can't
	// make one.
	Request func(*Scope) (*Request, error)
	// Check holds a complete answer against the step's format, and may fill in
	// Answer.JSON. Its error is why the answer can't be used. Nil: every answer can.
	Check func(*Answer) error
}

// A Scope is what a template of a step sees: a row and the answers so far.
type Scope struct {
	Row     *Row
	Answers []*Answer // by step index; nil where a step has no answer
}

// A Task is one step applied to one row, to one element of a row's list, or to one group of rows.
type Task struct {
	Step       string // the step's id, as the job file spells it
	Row        int64  // the row's number, from 0; of a group its first row's
	Item       int    // the element's place in a for_each step, else 0
	Repetition int    // 1 to runs in a benchmark, else 0
	Group      string // the group's values in a group_by step, else empty
}

// A Request is one question to a model, complete: nothing is left to a server's
// defaults that could change the answer without a word.
type Request struct {
	Model    string          `json:"model"`
	Messages []Message       `json:"messages"`
	Options  map[string]any  `json:"options,omitempty"` // by Ollama's names; num_predict is always there
	Format   json.RawMessage `json:"format,omitempty"`  // "json" or a JSON Schema
	Think    any             `json:"think,omitempty"`   // nil, a bool, or "low", "medium", "high"
	// KeepAlive is how long the model stays loaded afterwards, as Ollama takes it;
	// empty: the server's own choice.
	KeepAlive string `json:"-"`
	// OwnLimit says that num_predict is our default limit, not the author's: an
	// answer that reaches it is cut, and the task fails.
	OwnLimit bool `json:"-"`
	// Repetition and Row tell the requests of a benchmark apart that are equal else, since
	// each of its rows is measured: the row's repetition, and its number from 1.
	Repetition int   `json:"-"`
	Row        int64 `json:"-"`
}

// A Message is one message of a conversation.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// A Timing is when the parts of an answer came, on the monotonic clock of who read it.
type Timing struct {
	Sent      time.Time     // when the request began to be sent, on a connection that was there; zero: nothing was measured
	First     time.Duration // from Sent to the first chunk with text or thinking; 0: there was none
	FirstText time.Duration // from Sent to the first chunk with text; 0: there was none
	Newest    time.Duration // from Sent to the last chunk with text or thinking
	Last      time.Duration // from Sent to the last byte
	Chunks    int           // with text or thinking
}

// An Answer is a model's complete answer to one request, with the server's own
// account of it. Ollama gives durations in nanoseconds, with streaming only in the
// last chunk (docs.ollama.com/api/usage).
type Answer struct {
	Response   string
	Thinking   string
	JSON       any // of Response, where the step has a format
	Model      string
	DoneReason string

	Timing Timing // zero: nobody measured it

	PromptEvalCount, EvalCount                                    int
	TotalDuration, LoadDuration, PromptEvalDuration, EvalDuration time.Duration

	Warnings  []string
	Simulated bool // by a simulated server
}
