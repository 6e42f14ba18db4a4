package report

import (
	"cmp"
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"
)

// A timeline keeps the spans to show: all loads before requests, and a sample where they
// are more than the limit. What an earlier, interrupted run measured is not on it.
type timeline struct {
	began time.Time
	limit int
	draws *rand.Rand
	kept  lastDrawn
}

// A drawnSpan is a span with its number in the lottery; the smallest numbers stay.
type drawnSpan struct {
	Span
	draw uint64
}

func newTimeline(began time.Time, limit int, seed uint64) *timeline {
	return &timeline{began: began, limit: limit, draws: rand.New(rand.NewPCG(seed, 0))}
}

func (l *timeline) add(t *Task) {
	if !t.Asked || t.Measured == nil || t.Measured.Sent.Before(l.began) {
		return
	}
	m := newMeasure(l.began, t)
	if m.cold() {
		l.keep(drawnSpan{Span: Span{Kind: loadSpan, Model: t.Model, From: m.sent.Seconds(), To: (m.sent + m.load).Seconds()}})
	}
	queue, _ := m.queueFigure()
	l.keep(drawnSpan{draw: 1 + l.draws.Uint64()>>1, Span: Span{
		Kind: requestSpan, Model: t.Model, Step: t.Step, Row: t.Row, From: m.sent.Seconds(), To: m.end().Seconds(),
		Queue: queue, First: m.first.Seconds(), Error: t.Class,
	}})
}

// addLoad puts a load that was no task's own on the line.
func (l *timeline) addLoad(load Load) {
	if !load.Began.Before(l.began) {
		from := load.Began.Sub(l.began)
		l.keep(drawnSpan{Span: Span{Kind: loadSpan, Model: load.Model, From: from.Seconds(), To: (from + load.Took).Seconds()}})
	}
}

// Kinds of spans.
const (
	requestSpan = "request"
	loadSpan    = "load"
)

func (l *timeline) keep(s drawnSpan) {
	if len(l.kept) < l.limit {
		heap.Push(&l.kept, s)
		return
	}
	if s.draw < l.kept[0].draw {
		l.kept[0] = s
		heap.Fix(&l.kept, 0)
	}
}

// spans returns what was kept by start. Requests that waited for one load of a model tell
// of it each; it is one span.
func (l *timeline) spans() []Span {
	slices.SortFunc(l.kept, func(a, b drawnSpan) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Step, b.Step))
	})
	var list []Span
	loads := make(map[string]int) // the newest load of each model, by its place in list
	for _, s := range l.kept {
		if s.Kind == loadSpan {
			if i, ok := loads[s.Model]; ok && s.From <= list[i].To {
				list[i].To = max(list[i].To, s.To)
				continue
			}
			loads[s.Model] = len(list)
		}
		list = append(list, s.Span)
	}
	return list
}

// lastDrawn is a heap whose first span is the first to go.
type lastDrawn []drawnSpan

func (d lastDrawn) Len() int           { return len(d) }
func (d lastDrawn) Less(i, j int) bool { return d[i].draw > d[j].draw }
func (d lastDrawn) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }

// Push is called by package heap.
func (d *lastDrawn) Push(x any) {
	s, _ := x.(drawnSpan)
	*d = append(*d, s)
}

// Pop is called by package heap.
func (d *lastDrawn) Pop() any {
	last := len(*d) - 1
	s := (*d)[last]
	*d = (*d)[:last]
	return s
}
