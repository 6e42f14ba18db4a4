// Package preview tells what a run would do with each task of a plan, and why, without
// asking a model. It writes nothing and holds no rows.
package preview

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// An Action is what a run does with a task.
type Action string

// The actions.
const (
	Create  Action = "create"  // asked: nothing is known of it
	Redo    Action = "redo"    // asked: it has changed, or failed for a reason outside of it
	Reuse   Action = "reuse"   // not asked: its result is stored, or another task of the plan has its question
	Depends Action = "depends" // not known before an earlier step's answer is
	Fail    Action = "fail"    // not asked: no request can be made
)

// A Task is what a run would do with one task.
type Task struct {
	Row     *pipeline.Row
	Step    string
	Action  Action
	Why     string            // in the user's terms; empty of a plain reuse
	Failed  bool              // reused: what is stored is a failure
	Request *pipeline.Request // nil where none can be made
	Before  *Last             // what it was, where that is known and it has changed
}

// A TaskID names a task of a job by its row's id.
type TaskID struct{ RowID, Step string }

// A Last is what a task was when its job last ran.
type Last struct {
	Key      pipeline.Key
	Question []byte // the canonical text; nil where it is not known
	Model    string
	OK       bool
	Class    runner.Class
	Message  string
}

// A Known is what is stored: a store, or a snapshot of one.
type Known interface {
	Find(ctx context.Context, tasks []runner.Sought) ([]*runner.Stored, error)
	Last(ctx context.Context, tasks []TaskID) ([]*Last, error)
}

// Options say which run is looked at.
type Options struct {
	Known             Known // nil: nothing is stored
	Identify          func(*pipeline.Request) (pipeline.Identity, error)
	Redo, RetryFailed bool
}

// Totals count the tasks of a plan by what happens to them.
type Totals struct {
	Rows     int64            `json:"rows"`
	Tasks    int64            `json:"tasks"`
	Actions  map[Action]int64 `json:"actions"`
	Failures int64            `json:"failures"` // stored failures that stay
	// AtMost says that more equal questions may be among those to be asked than were
	// noticed: only so many are remembered.
	AtMost bool                        `json:"at_most,omitempty"`
	Asked  map[string]map[string]int64 `json:"asked"` // tasks to ask by step and model

	// Of what is stored and read on the way, to tell how long the rest may take.
	Known                      int64         `json:"known_answers"`
	PromptTokens, OutputTokens int64         `json:"-"`
	Took                       time.Duration `json:"-"`
}

// ToAsk is the number of tasks that are asked for sure.
func (t *Totals) ToAsk() int64 { return t.Actions[Create] + t.Actions[Redo] }

// batch is how many rows are looked up together.
const batch = 64

// maxRemembered is how many questions are remembered to tell equal ones.
const maxRemembered = 100_000

// Walk calls each with every task of the plan, in the order of rows and steps, and
// counts them. Its errors are those of the rows, of what is stored, and of each.
func Walk(ctx context.Context, plan *pipeline.Plan, opts Options, each func(*Task) error) (*Totals, error) {
	w := &walk{
		plan: plan, opts: opts, each: each, asked: map[pipeline.Key]int64{},
		totals: &Totals{Actions: map[Action]int64{}, Asked: map[string]map[string]int64{}},
	}
	var rows []*row
	for r, err := range plan.Rows {
		if r == nil {
			return w.totals, errors.Join(w.settle(ctx, rows), err)
		}
		rows = append(rows, newRow(r, err, len(plan.Steps)))
		if len(rows) == batch {
			if err := w.settle(ctx, rows); err != nil {
				return w.totals, err
			}
			rows = rows[:0]
		}
	}
	return w.totals, w.settle(ctx, rows)
}

type walk struct {
	plan   *pipeline.Plan
	opts   Options
	each   func(*Task) error
	asked  map[pipeline.Key]int64 // questions that are to be asked, with their first row
	totals *Totals
}

// A row is one with what is known of its tasks.
type row struct {
	*pipeline.Row
	err     error
	tasks   []task // by step
	answers []*pipeline.Answer
}

type task struct {
	Task
	key      pipeline.Key
	question []byte
	stored   *runner.Stored
	settled  bool
}

func newRow(r *pipeline.Row, err error, steps int) *row {
	return &row{Row: r, err: err, tasks: make([]task, steps), answers: make([]*pipeline.Answer, steps)}
}

// settle finds out about the rows step by step, each step's tasks together, and then
// tells of them.
func (w *walk) settle(ctx context.Context, rows []*row) error {
	for _, i := range w.order() {
		if err := w.settleStep(ctx, rows, i); err != nil {
			return err
		}
	}
	for _, r := range rows {
		w.totals.Rows++
		for i := range r.tasks {
			if err := w.tell(&r.tasks[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// order gives the steps so that each comes after those it needs.
func (w *walk) order() []int {
	var order []int
	for len(order) < len(w.plan.Steps) {
		for i := range w.plan.Steps {
			ready := !slices.ContainsFunc(w.plan.Steps[i].Needs, func(n int) bool { return !slices.Contains(order, n) })
			if ready && !slices.Contains(order, i) {
				order = append(order, i)
			}
		}
	}
	return order
}

func (w *walk) settleStep(ctx context.Context, rows []*row, i int) error {
	var open []*task
	for _, r := range rows {
		t := &r.tasks[i]
		t.Row, t.Step = r.Row, w.plan.Steps[i].ID
		w.prepare(r, i)
		if !t.settled {
			open = append(open, t)
		}
	}
	if err := w.find(ctx, open); err != nil {
		return err
	}
	for _, r := range rows {
		if t := &r.tasks[i]; !t.settled {
			w.decide(r, i)
		}
	}
	return w.explain(ctx, open)
}

// prepare makes a task's request and key, or settles one that has none.
func (w *walk) prepare(r *row, i int) {
	t, step := &r.tasks[i], &w.plan.Steps[i]
	if r.err != nil {
		t.settle(Fail, r.err.Error())
		return
	}
	for _, n := range step.Needs {
		needed := &r.tasks[n]
		switch {
		case needed.Action == Fail || needed.Failed:
			t.settle(Fail, fmt.Sprintf("step %q failed", needed.Step))
			return
		case r.answers[n] == nil:
			t.settle(Depends, fmt.Sprintf("waits for the answer of step %q", needed.Step))
			return
		}
	}
	req, err := step.Request(&pipeline.Scope{Row: r.Row, Answers: r.answers})
	if err == nil {
		t.Request = req
		err = t.identify(w.opts.Identify)
	}
	if err != nil {
		t.settle(Fail, err.Error())
	}
}

func (t *task) settle(action Action, why string) {
	t.Action, t.Why, t.settled = action, why, true
}

func (t *task) identify(identify func(*pipeline.Request) (pipeline.Identity, error)) error {
	id, err := identify(t.Request)
	if err != nil {
		return err
	}
	if t.question, err = t.Request.Canonical(id); err != nil {
		return err
	}
	t.key = pipeline.KeyOf(t.question)
	return nil
}

func (w *walk) find(ctx context.Context, open []*task) error {
	if w.opts.Known == nil || len(open) == 0 {
		return nil
	}
	sought := make([]runner.Sought, len(open))
	for i, t := range open {
		sought[i] = runner.Sought{Task: pipeline.Task{Step: t.Step, Row: t.Row.Number}, Key: t.key}
	}
	found, err := w.opts.Known.Find(ctx, sought)
	if err != nil {
		return err
	}
	for i, t := range open {
		t.stored = found[i]
	}
	return nil
}

// decide says what happens to a task with a key.
func (w *walk) decide(r *row, i int) {
	t := &r.tasks[i]
	s := t.stored
	switch {
	case s == nil || w.opts.Redo:
		t.Action = Create
		if s != nil {
			t.settle(Redo, "asked for by --redo")
		}
	case s.Err == nil:
		w.reuse(r, i)
	case s.Err.Class.OfRequest() && !w.opts.RetryFailed:
		t.settle(Reuse, fmt.Sprintf("stays failed: %s: %s", s.Err.Class, s.Err.Message))
		t.Failed = true
	default:
		t.settle(Redo, fmt.Sprintf("the last attempt failed: %s: %s", s.Err.Class, s.Err.Message))
	}
	if t.Action == Create || t.Action == Redo {
		w.remember(t)
	}
}

// reuse takes the stored answer, if it passes the step's check today.
func (w *walk) reuse(r *row, i int) {
	t := &r.tasks[i]
	a := t.stored.Answer
	if check := w.plan.Steps[i].Check; check != nil {
		if err := check(a); err != nil {
			t.settle(Reuse, "stays failed: "+err.Error())
			t.Failed = true
			return
		}
	}
	t.settle(Reuse, "")
	r.answers[i] = a
	w.totals.Known++
	w.totals.PromptTokens += int64(a.PromptEvalCount)
	w.totals.OutputTokens += int64(a.EvalCount)
	w.totals.Took += a.TotalDuration
}

// remember notes a question that is to be asked; a task with one that is already is
// answered with it.
func (w *walk) remember(t *task) {
	if first, ok := w.asked[t.key]; ok {
		t.settle(Reuse, fmt.Sprintf("has the question of row %d", first))
		return
	}
	if len(w.asked) >= maxRemembered {
		w.totals.AtMost = true
		return
	}
	w.asked[t.key] = t.Row.Number
}

// tell counts a task and tells of it.
func (w *walk) tell(t *task) error {
	w.totals.Tasks++
	w.totals.Actions[t.Action]++
	if t.Failed {
		w.totals.Failures++
	}
	if t.Action == Create || t.Action == Redo {
		models := w.totals.Asked[t.Step]
		if models == nil {
			models = map[string]int64{}
			w.totals.Asked[t.Step] = models
		}
		models[t.Request.Model]++
	}
	return w.each(&t.Task)
}
