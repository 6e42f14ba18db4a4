package runner

import (
	"context"
	"time"

	"github.com/sourcegraph/conc/pool"

	"github.com/batchrunner/runner/pipeline"
)

// A dispatcher carries out a plan from one goroutine: it alone knows what is open,
// in flight, waiting and failed, and starts a task when every gate is open. All
// others (the feed, the preparer, the workers, the receiver of records) share
// nothing with it but mailboxes. What waits, waits in its queues and costs no
// goroutine.
type dispatcher struct {
	plan   *pipeline.Plan
	caller *caller
	opts   Options
	stop   context.CancelCauseFunc // ends the calls in flight
	keeper *keeper                 // nil without a store

	feed  *feed
	box   *mailbox[notice]   // from the workers and the preparer
	prep  *mailbox[followUp] // to the preparer
	calls chan call          // to the workers; holds as many as can be in flight
	done  *mailbox[*openRow] // rows with a record, in order, to be handed on

	read []notice // the box's letters of the last time, for their memory

	pool    *pool.Pool
	spawn   func() // starts a worker
	workers int
	out     int // calls with the workers, probes included

	now      time.Time
	wake     time.Time // when to look again if nothing happens; zero: not
	alarm    *time.Timer
	wantRows bool // a row of the feed could start

	gate       gate // of the job: its limit moves with the server's health
	steps      []stepQueue
	readers    [][]int  // by step: the steps that need it
	later      taskHeap // tasks in backoff, by the time they are due
	models     map[string]*modelState
	loads      map[string]*load
	parked     int // tasks that wait for their model to be loaded
	coming     int // follow-ups on their way to the preparer and back
	health     health
	window     *window
	open       []*openRow // in order
	allRead    bool       // the feed has no more rows
	readErr    error      // why not, where an error ended them
	unfinished int        // rows of an ended run without a record
	halt       halt
	sum        Summary // all but what handing on counts
}

// A notice tells the dispatcher that something has ended.
type notice interface {
	deliver(d *dispatcher)
}

func newDispatcher(plan *pipeline.Plan, model Model, opts Options, stop context.CancelCauseFunc) *dispatcher {
	concurrency := plan.Concurrency
	if concurrency <= 0 {
		concurrency = DefaultConcurrency
	}
	c := &caller{plan: plan, model: model, events: newObserver(opts.Observe), chunks: opts.Chunks}
	c.loader, _ = model.(Loader)
	c.prober, _ = model.(Prober)
	d := &dispatcher{
		plan: plan, caller: c, opts: opts, stop: stop, keeper: newKeeper(&opts),
		box: newMailbox[notice](), prep: newMailbox[followUp](),
		calls: make(chan call, concurrency+1), // and one probe
		done:  newMailbox[*openRow](), pool: pool.New(),
		alarm:   time.NewTimer(time.Hour),
		gate:    gate{limit: concurrency, pace: newPacer(plan.Rate).opened(plan.Open)},
		steps:   newQueues(plan.Steps),
		readers: readers(plan.Steps),
		later:   taskHeap{before: func(a, b *task) bool { return a.at.Before(b.at) }},
		models:  missingModels(opts.Missing), loads: map[string]*load{},
		health: newHealth(concurrency),
		window: newWindow(opts.Window, concurrency),
	}
	d.feed = newFeed(plan, &d.opts)
	return d
}

// run carries out the plan. It returns when every row has its record with the
// receiver, or, after a halt, when nothing is in flight any more. ctx ends the run,
// calls is the context of what it calls.
func (d *dispatcher) run(ctx, calls context.Context) {
	defer d.close()
	d.spawn = func() { d.pool.Go(func() { d.work(calls) }) }
	for {
		d.now, d.wake = time.Now(), time.Time{}
		d.interrupts(ctx)
		d.receive()
		d.expire()
		d.fill()
		d.handOver()
		if d.over() {
			break
		}
		d.wait(ctx)
	}
	d.handOverRest()
}

// close ends all that works for the dispatcher, also when it panics.
func (d *dispatcher) close() {
	d.stop(errEnded)
	d.alarm.Stop()
	close(d.feed.quit)
	close(d.calls)
	d.prep.close()
	d.done.close()
}

// over says whether nothing is left to do or to wait for: what was answered is kept. A probe is not waited for;
// close ends it. A call that panicked is out no longer, but still counted as busy.
func (d *dispatcher) over() bool {
	if d.keeper != nil && d.keeper.saving > 0 {
		return false
	}
	if d.halt.why != nil {
		return d.gate.busy == 0 || d.out == 0
	}
	return d.allRead && len(d.open) == 0
}

// receive takes in what has ended since the last look.
func (d *dispatcher) receive() {
	notices := d.box.take(d.read)
	for _, n := range notices {
		n.deliver(d)
	}
	d.read = notices
}

// expire does what is due by now, and notes when the next thing is.
func (d *dispatcher) expire() {
	for t := d.later.first(); t != nil && !t.at.After(d.now); t = d.later.first() {
		d.ready(d.later.removeFirst())
	}
	if t := d.later.first(); t != nil {
		d.wakeAt(t.at)
	}
	d.expireHalt()
	d.expirePause()
}

// wakeAt makes the dispatcher look again no later than at t.
func (d *dispatcher) wakeAt(t time.Time) {
	if d.wake.IsZero() || t.Before(d.wake) {
		d.wake = t
	}
}

// wait sleeps until something happens or is due.
func (d *dispatcher) wait(ctx context.Context) {
	var alarm <-chan time.Time
	if !d.wake.IsZero() {
		d.alarm.Reset(time.Until(d.wake))
		alarm = d.alarm.C
	}
	var rows <-chan *openRow
	if d.wantRows {
		rows = d.feed.rows
	}
	stop, done := d.halt.signals(ctx, d.opts.Stop)
	select {
	case <-d.box.wake:
	case <-alarm:
	case <-stop:
	case <-done:
	case row, ok := <-rows:
		d.accept(row, ok)
	}
}

// fill starts what can start: the oldest task whose gates are open, and a new row
// only when no open one can use a free slot.
func (d *dispatcher) fill() {
	d.wantRows = false
	for d.halt.why == nil && d.health.open() && d.gate.busy < d.gate.limit {
		t := d.next()
		if t == nil || d.tryAnother(t) {
			if d.openRow() {
				continue
			}
			if t == nil {
				return
			}
		}
		if d.held(t) {
			continue
		}
		if wait := d.gate.pace.wait(d.now); wait > 0 {
			d.gate.pace.awaited = true
			d.wakeAt(d.now.Add(wait))
			return
		}
		d.start(t)
	}
}

// tryAnother says that after a pause a task of a new row is to be asked before t, for
// which the server was left alone: it may be that t alone makes it unwell.
func (d *dispatcher) tryAnother(t *task) bool {
	another := d.health.untried && t.waits > 0
	d.health.untried = false
	return another
}

// next returns the first of the tasks that their steps' gates let start.
func (d *dispatcher) next() *task {
	var first *task
	for i := range d.steps {
		s := &d.steps[i]
		t := s.ready.first()
		if t == nil || s.full() {
			continue
		}
		if wait := s.pace.wait(d.now); wait > 0 {
			s.pace.awaited = true
			d.wakeAt(d.now.Add(wait))
			continue
		}
		if first == nil || t.before(first) {
			first = t
		}
	}
	return first
}

// start gives the task to a worker.
func (d *dispatcher) start(t *task) {
	s := &d.steps[t.step]
	s.ready.removeFirst()
	s.busy++
	s.pace.take(d.now)
	meant := d.gate.pace.slot(d.now)
	d.gate.busy++
	d.gate.pace.take(d.now)
	t.calls++
	t.tries++
	t.alone = d.gate.busy == 1
	t.epoch, t.started, t.meant = d.health.epoch, d.now, meant
	if t.calls == 1 {
		t.due = meant
	}
	d.sum.Attempts++
	if t.calls > 1 && !t.row.record.Row.Warmup {
		d.sum.Retries++
	}
	d.caller.events.attemptStarted(t)
	d.carryOut(t)
}

// carryOut gives a call to the workers, of which there are as many as there have
// ever been calls at once.
func (d *dispatcher) carryOut(c call) {
	if d.out++; d.out > d.workers {
		d.workers++
		d.spawn()
	}
	d.calls <- c
}

// work carries out calls until there are no more. A panic of the model ends the
// run at once and comes out of it: the dispatcher is told, the pool keeps it.
func (d *dispatcher) work(ctx context.Context) {
	d.guarded(broken{call: true}, func() {
		for c := range d.calls {
			d.box.put(c.carryOut(ctx, d.caller))
		}
	})
}

// deliver takes in the end of an attempt.
func (a attempted) deliver(d *dispatcher) {
	t := a.task
	d.out--
	d.gate.busy--
	d.steps[t.step].busy--
	if answer := t.answer; answer != nil {
		if !t.row.record.Row.Warmup { // which are in no count
			d.sum.PromptTokens += int64(answer.PromptEvalCount)
			d.sum.OutputTokens += int64(answer.EvalCount)
		}
		d.countLoad(t)
		t.answered()
	}
	if t.err.cutOff() {
		return
	}
	if t.err == nil {
		d.answered()
		d.finish(t, nil)
		return
	}
	d.judgeHealth(t.err, t.epoch)
	d.failed(t, t.err)
}
