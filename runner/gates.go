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
// because nothing was there to start, or another gate was closed, is lost: there is
// no burst after an idle time. What only our own timer was late by is caught up,
// never more than four times as fast as the rate. (A rate.Limiter of burst 1 would
// lose those slots too and fall short of the rate by its timers' lateness; one of a
// larger burst would spend it after an idle time.)
type pacer struct {
	every   time.Duration // between two starts; 0: no limit
	due     time.Time     // when the next start is due; zero before the first
	last    time.Time     // the newest start
	awaited bool          // the next start waits for this pacer alone
}

// maxCatchUp is the longest delay that is taken for our own timer's: stalls of a
// busy machine, not of a sleeping one.
const maxCatchUp = 100 * time.Millisecond

func newPacer(rate float64) pacer {
	every := float64(time.Second) / rate
	if !(rate > 0) || every < 1 {
		return pacer{}
	}
	return pacer{every: time.Duration(min(every, float64(1<<62)))}
}

// wait returns how long no start is allowed, 0 where one is.
func (p *pacer) wait(now time.Time) time.Duration {
	if p.every == 0 || p.due.IsZero() {
		return 0
	}
	at := p.due
	if soonest := p.last.Add(p.every / 4); soonest.After(at) {
		at = soonest
	}
	return max(0, at.Sub(now))
}

// take notes a start.
func (p *pacer) take(now time.Time) {
	if p.every == 0 {
		return
	}
	late := now.Sub(p.due)
	if p.due.IsZero() || late >= p.every && !(p.awaited && late < maxCatchUp) {
		p.due = now
	}
	p.due, p.last, p.awaited = p.due.Add(p.every), now, false
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
