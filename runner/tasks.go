package runner

import (
	"context"
	"fmt"

	"github.com/batchrunner/runner/pipeline"
)

// openRow takes the next row of the feed, if one is there and there is room for it.
func (d *dispatcher) openRow() bool {
	if d.allRead || !d.needsRow() {
		return false
	}
	select {
	case row, ok := <-d.feed.rows:
		d.accept(row, ok)
		return true
	default:
		d.wantRows = true
		return false
	}
}

// needsRow says whether a new row would bring a task that could start, and may be
// opened: one of tasks that wait for the server comes after it. Follow-ups that are being prepared have a claim to the free slots, since
// open rows are finished first. Tasks that wait for their model to be loaded take
// the place of others, so that a long load does not open the whole window.
func (d *dispatcher) needsRow() bool {
	if d.gate.busy+d.coming >= d.gate.limit {
		return false
	}
	for i := range d.steps {
		s := &d.steps[i]
		if t := s.ready.first(); s.root && !s.full() && (t == nil || t.waits > 0) {
			return d.parked < d.health.max && d.window.room()
		}
	}
	return false
}

// accept takes in a row, or the end of the rows.
func (d *dispatcher) accept(row *openRow, ok bool) {
	if !ok || row.record == nil {
		d.allRead = true
		if ok {
			d.readErr = row.err
		}
		return
	}
	d.window.opened++
	d.open = append(d.open, row)
	for i := range row.tasks {
		t := &row.tasks[i]
		switch {
		case row.err != nil:
			d.finish(t, inputError(row.err))
		case len(d.plan.Steps[i].Needs) == 0:
			d.prepared(t)
		}
	}
}

// prepared takes in a task with its request, or with the reason why it has none.
func (d *dispatcher) prepared(t *task) {
	if t.err != nil {
		d.finish(t, t.err)
		return
	}
	if d.answeredElsewhere(t) {
		return
	}
	t.load = d.loadOf(t.request())
	d.ready(t)
}

// ready queues a task that could start.
func (d *dispatcher) ready(t *task) { d.steps[t.step].ready.add(t) }

// finish gives a task its result: ok where err is nil. Then the steps that need it
// are prepared, or fail with it; they need not wait until it is durable.
func (d *dispatcher) finish(t *task, err *Error) {
	if t.finished {
		return
	}
	t.finished = true
	t.result.Answer, t.result.Err, t.result.Attempts = t.answer, err, t.calls
	size := t.result.size()
	t.row.bytes += size
	d.window.held += size
	if !d.keep(t) {
		d.settle(t)
	}
	if t.row.open--; t.row.open == 0 {
		d.rowDone(t.row)
	}
	for _, reader := range d.readers[t.step] {
		d.follow(&t.row.tasks[reader], t)
	}
}

// settle reports a task done whose result is as durable as it is to be.
func (d *dispatcher) settle(t *task) {
	d.caller.events.taskDone(t)
	if t.result.Reused {
		d.sum.Reused++
	}
	t.row.left--
	if d.keeper != nil && d.keeper.asking[t.result.Key] == t {
		d.share(t)
	}
}

// follow tells a task that one it needs has its result.
func (d *dispatcher) follow(t, needed *task) {
	if needed.result.Err != nil {
		d.finish(t, &Error{
			Class:   Upstream,
			Message: fmt.Sprintf("step %q failed", needed.result.Task.Step),
			Cause:   needed.result.Err,
		})
		return
	}
	if t.needs--; t.needs == 0 {
		d.coming++
		d.prep.put(followUp{t, t.row.needed(&d.plan.Steps[t.step])})
	}
}

// rowDone notes that a row has all its results, though they may be on their way to the
// disk still: nothing more is to start meanwhile.
func (d *dispatcher) rowDone(row *openRow) {
	if !d.opts.FailFast {
		return
	}
	if failure := row.record.Failure(); failure != nil {
		d.end(&Stopped{
			Class:   failure.Err.Class,
			Message: fmt.Sprintf("stopped at the first failure, %s: %s", row.record.Row, failure.Err.Message),
			Cause:   failure.Err,
		}, untilDone)
	}
}

// handOver gives the receiver the records whose turn it is.
func (d *dispatcher) handOver() {
	for len(d.open) > 0 && d.open[0].left == 0 {
		d.done.put(d.open[0])
		d.open[0] = nil
		d.open = d.open[1:]
	}
}

// handOverRest gives the receiver, in order, all rows of an ended run that have a
// record. The others have none.
func (d *dispatcher) handOverRest() {
	for _, row := range d.open {
		if row.left == 0 {
			d.done.put(row)
		} else {
			d.unfinished++
		}
	}
}

// A followUp is a task whose needs are answered, on its way to the preparer and
// back.
type followUp struct {
	task    *task
	answers []*pipeline.Answer // of the steps it needs, by step index; nil: its request is there, it is to be looked up again
}

// prepare makes the requests of follow-ups, apart from the dispatcher so that a
// slow template delays nothing else.
func (d *dispatcher) prepare(ctx context.Context) {
	d.guarded(broken{}, func() {
		for read := d.prep.await(nil); len(read) > 0; read = d.prep.await(read) {
			d.prepareAll(ctx, read)
		}
	})
}

func (d *dispatcher) prepareAll(ctx context.Context, read []followUp) {
	tasks := make([]*task, len(read))
	for i, f := range read {
		tasks[i] = f.task
		if f.answers != nil {
			f.task.prepare(&d.plan.Steps[f.task.step], f.answers, &d.opts)
		}
	}
	if err := d.opts.lookUp(ctx, tasks); err != nil {
		d.box.put(refused{err})
	}
	for _, t := range tasks {
		d.box.put(prepared{t})
	}
}

// prepared is a follow-up back from the preparer.
type prepared struct{ *task }

func (p prepared) deliver(d *dispatcher) {
	d.coming--
	d.prepared(p.task)
}
