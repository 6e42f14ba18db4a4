package runner

import (
	"context"

	"github.com/batchrunner/runner/pipeline"
)

// lookUpAtOnce is how many rows are looked up in the store together, if so many are
// there already.
const lookUpAtOnce = 64

// identify gives a task with a request its key. A model that is missing has none:
// its tasks fail unasked; and what is asked to warm up has none: nobody wants it again.
func (o *Options) identify(t *task) {
	req := t.result.Request
	row := t.row.record.Row
	if o.Store == nil || req == nil || o.Missing[req.Model] != nil || row.Warmup && o.mayAsk(row, t.step) {
		return
	}
	id, err := o.Identify(req)
	if err == nil {
		t.question, err = req.Canonical(id)
	}
	if err != nil {
		t.err = classed(err, Input)
		return
	}
	t.result.Key = pipeline.KeyOf(t.question)
}

// lookUp finds what is stored of the tasks that have a key.
func (o *Options) lookUp(ctx context.Context, tasks []*task) error {
	sought := make([]Sought, 0, len(tasks))
	keyed := make([]*task, 0, len(tasks))
	for _, t := range tasks {
		if r := t.result; !r.Key.IsZero() {
			sought, keyed = append(sought, Sought{r.Task, r.Key}), append(keyed, t)
		}
	}
	if len(sought) == 0 {
		return nil
	}
	found, err := o.Store.Find(ctx, sought)
	if err != nil {
		return &StoreError{Cause: err}
	}
	for i, t := range keyed {
		t.stored = found[i]
	}
	return nil
}

// mayAsk says whether a step of the row may be asked.
func (o *Options) mayAsk(row *pipeline.Row, step int) bool {
	return !o.Offline && (o.Only == nil || o.Only(row, step))
}

// answeredElsewhere says that a task need not be asked, and has seen to its result: it is in the
// store, or another task of the run has the same question. Where nothing may be asked
// and nothing is stored, the task fails.
func (d *dispatcher) answeredElsewhere(t *task) bool {
	if d.keeper == nil || t.result.Key.IsZero() {
		return false
	}
	ask := d.opts.mayAsk(t.row.record.Row, t.step)
	switch {
	case d.usable(t, ask):
		d.reuse(t)
	case !ask:
		t.stored = nil
		d.finish(t, &Error{Class: NotStored, Message: "no answer is stored, and none was to be asked for"})
	default:
		t.stored = nil
		return d.keeper.joins(t) || d.lookedUpAgain(t)
	}
	return true
}

// usable says whether what is stored stands for the task, which may be asked or not.
func (d *dispatcher) usable(t *task, ask bool) bool {
	switch {
	case t.stored == nil:
		return false
	case !ask || t.again: // again: it was asked in this run
		return true
	case d.opts.Redo && (d.opts.RedoSince == 0 || t.stored.Run < d.opts.RedoSince):
		return false
	}
	return t.stored.Err == nil || t.stored.Err.Class.OfRequest() && !d.opts.RetryFailed
}

// reuse gives a task the result that is stored, judged as it would be today.
func (d *dispatcher) reuse(t *task) {
	t.result.Reused, t.calls = true, t.stored.Attempts
	if t.stored.Err != nil {
		d.finish(t, t.stored.Err)
		return
	}
	t.answer = t.stored.Answer
	t.answer.Warnings, t.answer.Model = nil, t.request().Model // the name that it has today
	d.finish(t, judge(&d.plan.Steps[t.step], t.request(), t.answer))
}

// lookedUpAgain sends a task whose question was asked between its look into the store
// and now for another look.
func (d *dispatcher) lookedUpAgain(t *task) bool {
	if t.again || !d.keeper.newest.has(t.result.Key) {
		d.keeper.asking[t.result.Key] = t
		return false
	}
	t.again = true
	d.coming++
	d.prep.put(followUp{task: t})
	return true
}

// joins lets a task wait for the one that asks its question now, if there is one.
func (k *keeper) joins(t *task) bool {
	first := k.asking[t.result.Key]
	if first == nil {
		return false
	}
	first.twins = append(first.twins, t)
	return true
}

// share gives the tasks that waited for this one's answer the same result.
func (d *dispatcher) share(t *task) {
	delete(d.keeper.asking, t.result.Key)
	d.keeper.newest.add(t.result.Key)
	twins := t.twins
	t.twins = nil
	for _, twin := range twins {
		twin.result.Reused, twin.calls = true, t.calls
		if t.answer != nil {
			own := *t.answer
			own.Model = twin.request().Model
			twin.answer = &own
		}
		d.finish(twin, t.result.Err)
	}
}
