package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/batchrunner/runner/pipeline"
)

// A modelState is what a run knows of a model by its name.
type modelState struct {
	name     string
	failed   *Error         // why its rows fail unasked; nil: they don't
	unable   map[int]*Error // likewise those of a step, by its index
	answered bool           // it has given an answer
}

// A load is a model with its load options, which is what a server holds in memory.
type load struct {
	model   *modelState
	state   loadState
	waiting []*task   // tasks that wait for the load under way, in the order they came
	at      time.Time // when the newest known load of it had ended

	answered bool       // it has given an answer
	misfits  []*openRow // rows that it had no memory for since its newest answer
	failed   *Error     // why its rows fail unasked; nil: they don't
}

// maxMisfits is how many rows in a row a model that has answered may have no memory
// for. One may be long; when as many follow each other, the memory is gone.
const maxMisfits = 3

// refusal returns why tasks of the step fail unasked, nil where they don't.
func (l *load) refusal(step int) *Error {
	switch {
	case l.model.failed != nil:
		return l.model.failed
	case l.failed != nil:
		return l.failed
	default:
		return l.model.unable[step]
	}
}

type loadState uint8

const (
	cold loadState = iota
	loading
	warm
)

// slowLoad is what an answer's load_duration passes when the model was not in
// memory: for a loaded one Ollama spends some milliseconds on finding it.
const slowLoad = 500 * time.Millisecond

func missingModels(missing map[string]*Error) map[string]*modelState {
	models := make(map[string]*modelState, len(missing))
	for name, err := range missing {
		if err == nil {
			err = &Error{Class: ModelMissing, Message: fmt.Sprintf("model %q is missing", name)}
		}
		models[name] = &modelState{name: name, failed: err}
	}
	return models
}

// loadOf returns the load that the request needs.
func (d *dispatcher) loadOf(req *pipeline.Request) *load {
	key := loadKey(req)
	if l := d.loads[key]; l != nil {
		return l
	}
	m := d.models[req.Model]
	if m == nil {
		m = &modelState{name: req.Model}
		d.models[req.Model] = m
	}
	l := &load{model: m}
	if d.caller.loader == nil {
		l.state = warm
	}
	d.loads[key] = l
	return l
}

// held says that the task, the first of its step, is not to be asked now, and has
// dealt with it: its model has failed, or has to be loaded first.
func (d *dispatcher) held(t *task) bool {
	l := t.load
	refusal := l.refusal(t.step)
	switch {
	case refusal != nil:
		d.steps[t.step].ready.removeFirst()
		d.finish(t, refusal)
	case l.state == warm:
		return false
	case l.state == cold:
		d.park(t)
		l.state = loading
		d.gate.busy++ // the server is busy with it as with any request
		t.alone = d.gate.busy == 1
		d.caller.events.modelLoading(t.request())
		limit := d.plan.Steps[t.step].Timeout.Load
		d.carryOut(&loadCall{load: l, req: t.request(), limit: limit, began: d.now, epoch: d.health.epoch})
	default:
		d.park(t)
	}
	return true
}

// park takes a task out of its queue until its model is loaded.
func (d *dispatcher) park(t *task) {
	d.steps[t.step].ready.removeFirst()
	t.load.waiting = append(t.load.waiting, t)
	t.started, t.alone = d.now, false
	d.parked++
}

// A loadCall loads a model before its first task.
type loadCall struct {
	load  *load
	req   *pipeline.Request
	limit time.Duration // 0: none
	began time.Time
	epoch int

	loaded bool
	err    *Error
}

func (l *loadCall) carryOut(run context.Context, c *caller) notice {
	ctx, cancel := bounded(run, l.limit, "the model was not loaded within %s")
	defer cancel()
	loaded, err := c.loader.Load(ctx, l.req)
	l.loaded = loaded
	if err != nil {
		l.err = reason(run, ctx, err)
	}
	return l
}

// deliver takes in the end of a load. Its failure is treated like that of an
// attempt of each task that waited for it.
func (l *loadCall) deliver(d *dispatcher) {
	d.out--
	d.gate.busy--
	waiting := l.load.waiting
	l.load.waiting, l.load.state = nil, cold
	d.parked -= len(waiting)
	if l.err.cutOff() {
		return
	}
	d.caller.events.modelLoaded(l.req.Model, d.now.Sub(l.began), l.loaded, l.err)
	if l.err == nil {
		l.load.state, l.load.at = warm, d.now
		if l.loaded {
			d.sum.ModelLoads++
		}
		for _, t := range waiting {
			d.ready(t)
		}
		return
	}
	d.judgeHealth(l.err, l.epoch)
	for _, t := range waiting {
		if d.halt.why != nil {
			return
		}
		t.tries++
		t.calls++
		d.failed(t, l.err)
	}
}

// countLoad counts the load that an answer reports of a model that was thought to
// be in memory, or of one that nobody loaded before. Several answers may report one
// load: those asked for before it had ended.
func (d *dispatcher) countLoad(t *task) {
	if t.answer.LoadDuration > slowLoad && t.started.After(t.load.at) {
		t.load.at = t.started.Add(t.answer.LoadDuration)
		d.sum.ModelLoads++
	}
}

// answered notes that the task's model has given an answer, of whatever use.
func (t *task) answered() {
	t.load.answered, t.load.model.answered = true, true
	t.load.misfits = t.load.misfits[:0]
}

// misfit treats a task that the server had no memory for. A model that has answered
// does fit: it is the task that needs more, once again or every time.
func (d *dispatcher) misfit(t *task, err *Error) {
	l := t.load
	if !l.answered {
		d.failModel(t, err)
		d.giveUp(t, err)
		return
	}
	t.repeats++
	retry := d.mayRepeat(t)
	if !retry && !slices.Contains(l.misfits, t.row) {
		l.misfits = append(l.misfits, t.row)
	}
	if len(l.misfits) >= maxMisfits {
		d.failModel(t, err)
	}
	d.retryOrFail(t, err, retry)
}

// failModel makes later tasks fail with err, unasked: those of the task's model, or,
// where the error may be another one with other load options or in another step,
// those with the same.
func (d *dispatcher) failModel(t *task, err *Error) {
	l, m := t.load, t.load.model
	if l.refusal(t.step) != nil {
		return
	}
	switch {
	case err.Class == Capability:
		if m.unable == nil {
			m.unable = map[int]*Error{}
		}
		m.unable[t.step] = err
	case err.Class == DoesNotFit && m.answered:
		l.failed = err
	default:
		m.failed = err
	}
	d.caller.events.modelFailed(m.name, err)
}

// bounded is ctx with a limit, 0 for none, whose cause is the *Error of its passing.
func bounded(ctx context.Context, limit time.Duration, format string) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, limit, timedOut(format, spell(limit)))
}
