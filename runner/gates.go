package runner

import (
	"container/heap"
	"time"

	"github.com/batchrunner/runner/pipeline"
)

// A gate is one limit on what is in flight, with its pace.
type gate struct {
	limit int // calls in flight; 0: no limit
	busy  int
	pace  pacer
}

func (g *gate) full() bool { return g.limit > 0 && g.busy >= g.limit }

// A pacer spaces starts evenly: start k is due at t0 + k/rate, whatever the ones
// before were late by, so that the rate is kept to the letter. A slot that passes
// because nothing was there to start, or because another gate was closed, is lost:
// there is no burst after an idle time. Only what our own timer was late by is made
// up for, up to maxCatchUp. (A rate.Limiter of burst 1 would lose those slots too
// and fall short of the rate by its timers' lateness, some hundredths at 500/s; one
// of a larger burst would spend it after an idle time.)
type pacer struct {
	every   time.Duration // between two starts; 0: no limit
	due     time.Time     // when the next start is due; zero before the first
	awaited bool          // a start waits for this pacer alone, or is being made up for
	open    bool          // no slot is ever lost: what starts late was to start in its slot
}

// maxCatchUp is how much of a delay of our own timer is made up for: the stalls of a
// busy machine, not those of a sleeping one. Below two starts a second that is less
// than one start.
const maxCatchUp = time.Second / 2

func newPacer(rate float64) pacer {
	every := float64(time.Second) / rate
	if !(rate > 0) || every < 1 {
		return pacer{}
	}
	return pacer{every: time.Duration(min(every, float64(1<<62)))}
}

// opened is the pacer of an open load, or of a closed one.
func (p pacer) opened(open bool) pacer {
	p.open = open && p.every > 0
	return p
}

// slot gives the time at which a start that happens now was to happen.
func (p *pacer) slot(now time.Time) time.Time {
	if !p.open || p.due.IsZero() {
		return now
	}
	return p.due
}

// wait returns how long no start is allowed, 0 where one is.
func (p *pacer) wait(now time.Time) time.Duration {
	if p.every == 0 || p.due.IsZero() {
		return 0
	}
	return max(0, p.due.Sub(now))
}

// take notes a start.
func (p *pacer) take(now time.Time) {
	if p.every == 0 {
		return
	}
	switch late := now.Sub(p.due); {
	case p.due.IsZero():
		p.due = now
	case p.open:
	case late < p.every:
		p.awaited = false
	case p.awaited:
		p.due = later(p.due, now.Add(-maxCatchUp))
	default:
		p.due = now
	}
	p.due = p.due.Add(p.every)
}

// A stepQueue holds the tasks of one step that could start, behind the step's gate.
type stepQueue struct {
	gate
	root  bool // the step needs no other: each row brings a task
	ready taskHeap
}

func newQueues(steps []pipeline.Step) []stepQueue {
	queues := make([]stepQueue, len(steps))
	for i := range steps {
		queues[i] = stepQueue{
			gate:  gate{limit: steps[i].Concurrency, pace: newPacer(steps[i].Rate)},
			root:  len(steps[i].Needs) == 0,
			ready: taskHeap{before: (*task).before},
		}
	}
	return queues
}

// A taskHeap gives the first of its tasks by some order.
type taskHeap struct {
	tasks  []*task
	before func(a, b *task) bool
}

func (h *taskHeap) Len() int           { return len(h.tasks) }
func (h *taskHeap) Less(i, j int) bool { return h.before(h.tasks[i], h.tasks[j]) }
func (h *taskHeap) Swap(i, j int)      { h.tasks[i], h.tasks[j] = h.tasks[j], h.tasks[i] }

// Push and Pop are for package heap alone.
func (h *taskHeap) Push(t any) { h.tasks = append(h.tasks, t.(*task)) }

func (h *taskHeap) Pop() any {
	last := len(h.tasks) - 1
	t := h.tasks[last]
	h.tasks[last] = nil
	h.tasks = h.tasks[:last]
	return t
}

func (h *taskHeap) add(t *task) { heap.Push(h, t) }

// first returns the first task and leaves it there, nil where there is none.
func (h *taskHeap) first() *task {
	if len(h.tasks) == 0 {
		return nil
	}
	return h.tasks[0]
}

func (h *taskHeap) removeFirst() *task { return heap.Pop(h).(*task) }
