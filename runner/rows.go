package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/specs"
)

// An openRow is a row with its tasks from its first step to its record. The
// dispatcher owns it; a task is lent to the worker that carries it out.
type openRow struct {
	record *Record
	tasks  []task // by step
	seq    int64  // its place in the order of rows; numbers of rows may have gaps
	left   int    // tasks without an outcome
	open   int    // tasks without a result; an outcome is a result that is as durable as it is to be
	bytes  int64  // of requests and answers of finished tasks, about
	err    error  // why the row, or without a record all reading, came to nothing
}

// A task is one step of a row on its way to a result.
type task struct {
	row      *openRow
	step     int
	needs    int  // steps it needs that have no answer yet
	finished bool // its result stands
	load     *load
	result   *Result // its place in the record

	question []byte  // the canonical text of its request, with a store
	stored   *Stored // what the store has of it
	again    bool    // it was looked up again, since its question was asked in this run
	twins    []*task // tasks with the same question, which wait for its answer

	tries   int   // attempts that count against the step's retry
	calls   int   // all attempts
	repeats int   // failures of the classes that are asked once again
	waits   int   // failures for which it waited for the server
	refused int   // those of them that were its own: see onlyThis
	alone   bool  // nothing else was in flight when its attempt started
	seen    int64 // answers that the server had given when it last waited
	backoff *backoff.ExponentialBackOff
	at      time.Time // when a task in backoff is due
	epoch   int       // which pause of the server its attempt came after

	// What the attempt came to, for the dispatcher to read when it has ended.
	started time.Time
	meant   time.Time // when it was to start: before started by as much as the dispatcher was late
	due     time.Time // when the task's first attempt was to start
	answer  *pipeline.Answer
	err     *Error
}

func (t *task) request() *pipeline.Request { return t.result.Request }

// before orders tasks: those that made the server be left alone come last; then the
// oldest row first, in it the first step.
func (t *task) before(o *task) bool {
	if t.waits != o.waits {
		return t.waits < o.waits
	}
	return t.row.seq < o.row.seq || t.row.seq == o.row.seq && t.step < o.step
}

// A feed reads the plan's rows on a goroutine of its own, so that a slow file or a
// caller's slow iterator delays nothing that is under way, and makes the requests
// of the steps that need no other.
type feed struct {
	plan *pipeline.Plan
	opts *Options
	made chan *openRow // with a store: rows that are to be looked up in it; closed after the last one
	rows chan *openRow // closed after the last one
	quit chan struct{} // closed when no more rows are wanted
	none []*pipeline.Answer
}

// feedAhead is how many rows the feed reads before they are wanted: enough that
// the dispatcher seldom waits for it, few enough to hold whole documents.
const feedAhead = 16

func newFeed(plan *pipeline.Plan, opts *Options) *feed {
	f := &feed{
		plan: plan, opts: opts,
		rows: make(chan *openRow, feedAhead),
		quit: make(chan struct{}),
		none: make([]*pipeline.Answer, len(plan.Steps)),
	}
	if opts.Store != nil {
		f.made, f.rows = make(chan *openRow, lookUpAtOnce), make(chan *openRow, lookUpAtOnce)
	}
	return f
}

// run reads until the rows end, an error ends them, or no more are wanted.
func (f *feed) run() {
	to := f.rows
	if f.made != nil {
		to = f.made
	}
	defer close(to)
	var seq int64
	for row, err := range f.plan.Rows {
		select {
		case to <- f.open(row, seq, err):
		case <-f.quit:
			return
		}
		if row == nil {
			return
		}
		seq++
	}
}

// lookUp passes on the rows with what is stored of their first tasks: as many at once
// as are there, so that a slow reader of rows holds nothing back.
func (f *feed) lookUp(ctx context.Context) {
	defer close(f.rows)
	for first := range f.made {
		rows := gather(first, f.made)
		var tasks []*task
		for _, row := range rows {
			for i := range row.tasks {
				tasks = append(tasks, &row.tasks[i])
			}
		}
		if err := f.opts.lookUp(ctx, tasks); err != nil {
			rows = []*openRow{{err: err}}
		}
		for _, row := range rows {
			select {
			case f.rows <- row:
			case <-f.quit:
				return
			}
		}
		if rows[len(rows)-1].record == nil {
			return
		}
	}
}

// gather takes what else is there already.
func gather(first *openRow, from <-chan *openRow) []*openRow {
	rows := []*openRow{first}
	for len(rows) < lookUpAtOnce {
		select {
		case row, ok := <-from:
			if !ok {
				return rows
			}
			rows = append(rows, row)
		default:
			return rows
		}
	}
	return rows
}

func (f *feed) open(row *pipeline.Row, seq int64, err error) *openRow {
	if row == nil {
		return &openRow{err: err}
	}
	n := len(f.plan.Steps)
	o := &openRow{
		record: &Record{Row: row, Results: make([]Result, n)},
		tasks:  make([]task, n), seq: seq, left: n, open: n, err: err,
	}
	for i := range o.tasks {
		step, t := &f.plan.Steps[i], &o.tasks[i]
		t.row, t.step, t.needs, t.result = o, i, len(step.Needs), &o.record.Results[i]
		t.result.Task = pipeline.Task{Step: step.ID, Row: row.Number}
		if t.needs == 0 && err == nil {
			t.prepare(step, f.none, f.opts)
		}
	}
	return o
}

// prepare makes the task's request. A row whose values make none leaves t.err.
func (t *task) prepare(step *pipeline.Step, answers []*pipeline.Answer, opts *Options) {
	req, err := step.Request(&pipeline.Scope{Row: t.row.record.Row, Answers: answers})
	if err != nil {
		t.err = inputError(err)
		return
	}
	t.result.Request = req
	opts.identify(t)
}

// inputError says why a row makes no request. The record names row and step, so the
// message of a mistake at a place has only the place.
func inputError(err error) *Error {
	e := classed(err, Input)
	var placed *pipeline.Error
	if e.Class == Input && errors.As(err, &placed) {
		short := *placed
		short.Step, short.Row = "", nil
		return &Error{Class: Input, Message: strings.Replace(e.Message, placed.Error(), short.Error(), 1), Cause: err}
	}
	return e
}

// needed returns the answers that a task of the step may read, by step index.
func (o *openRow) needed(step *pipeline.Step) []*pipeline.Answer {
	answers := make([]*pipeline.Answer, len(o.tasks))
	for _, i := range step.Needs {
		answers[i] = o.record.Results[i].Answer
	}
	return answers
}

// size returns about how many bytes of text a result holds in memory.
func (r *Result) size() int64 {
	var n int
	if r.Request != nil {
		for _, m := range r.Request.Messages {
			n += len(m.Content)
		}
	}
	if r.Answer != nil {
		n += len(r.Answer.Response) + len(r.Answer.Thinking)
		if r.Answer.JSON != nil {
			n += len(r.Answer.Response)
		}
	}
	return int64(n)
}

// loadOptions are the model options whose change makes Ollama load a model anew
// (needsReload in its server/sched.go; truncate and shift never change here).
var loadOptions = [...]string{"main_gpu", "num_batch", "num_ctx", "num_gpu", "num_thread", "use_mmap"}

// IsLoadOption says whether a model is loaded anew when this option of it changes.
func IsLoadOption(name string) bool { return slices.Contains(loadOptions[:], name) }

// loadKey names what has to be in memory for the request: the model with its load
// options.
func loadKey(req *pipeline.Request) string {
	key := req.Model
	for _, name := range loadOptions {
		if value, ok := req.Options[name]; ok {
			key += fmt.Sprintf("\x00%s=%v", name, value)
		}
	}
	return key
}

// attempts is how often a task of the step may be attempted.
func attempts(retry specs.Retry) int { return max(1, retry.Attempts) }

// readers returns for each step the steps that need it.
func readers(steps []pipeline.Step) [][]int {
	by := make([][]int, len(steps))
	for i := range steps {
		for _, need := range steps[i].Needs {
			if !slices.Contains(by[need], i) {
				by[need] = append(by[need], i)
			}
		}
	}
	return by
}
