package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/preview"
	"github.com/batchrunner/runner/specs/say"
)

// A meter counts what a run has done so far, for the lines that show it. It is
// safe for concurrent use.
type meter struct {
	mu    sync.Mutex
	start time.Time
	steps []stepMeter
	index map[string]int
}

// A stepMeter counts the tasks of one step. What was known already came at once, and is
// in no rate.
type stepMeter struct {
	id                          string
	total                       int64 // -1 where it is not known
	toAsk                       int64 // of them, -1 where it is not known
	done, failed, asked, tokens int64 // tokens: of those asked
}

func newMeter(start time.Time, steps []string, total int64) *meter {
	m := &meter{start: start, index: map[string]int{}}
	for i, id := range steps {
		m.steps = append(m.steps, stepMeter{id: id, total: total, toAsk: -1})
		m.index[id] = i
	}
	return m
}

// count adds one ended task, and returns its step's index and tasks ended.
func (m *meter) count(e runner.Event) (int, int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.index[e.Step]
	s := &m.steps[i]
	s.done++
	if e.Class != "" {
		s.failed++
	}
	if !e.Reused {
		s.asked++
		s.tokens += int64(e.OutputTokens)
	}
	return i, s.done
}

// know takes in what a look at all rows has found.
func (m *meter) know(t *preview.Totals) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.steps {
		s := &m.steps[i]
		s.total = t.Rows
		if t.Actions[preview.Depends] > 0 {
			continue // any of these may be this step's
		}
		s.toAsk = 0
		for _, n := range t.Asked[s.id] {
			s.toAsk += n
		}
	}
}

// step returns a step's counts so far.
func (m *meter) step(i int) stepMeter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.steps[i]
}

// total is the number of rows, or -1.
func (m *meter) total() int64 { return m.steps[0].total }

// line is what a step's line says after its name: done, rates, failures, time left.
func (m *meter) line(i int, now time.Time) string {
	s := m.step(i)
	parts := []string{say.Count(s.done)}
	if s.total >= 0 {
		parts[0] += "/" + say.Count(s.total)
	}
	parts[0] += " rows"
	if elapsed := now.Sub(m.start).Seconds(); s.asked > 0 && elapsed > 0 {
		parts = append(parts, perSecond(float64(s.asked)/elapsed))
		if s.tokens > 0 {
			parts = append(parts, fmt.Sprintf("%.0f tok/s", float64(s.tokens)/elapsed))
		}
	}
	if s.failed > 0 {
		parts = append(parts, say.Count(s.failed)+" failed")
	}
	if left := s.left(now.Sub(m.start)); left > 0 {
		parts = append(parts, span(left)+" left")
	}
	return strings.Join(parts, ", ")
}

// left estimates how long the step's remaining tasks take, 0 where nothing tells.
func (s stepMeter) left(elapsed time.Duration) time.Duration {
	more := s.total - s.done
	if s.toAsk >= 0 {
		more = min(more, s.toAsk-s.asked)
	}
	if s.total < 0 || s.asked == 0 || more <= 0 {
		return 0
	}
	return time.Duration(float64(elapsed) / float64(s.asked) * float64(more)).Round(time.Second)
}

// perSecond writes a rate so that it has a digit that says something.
func perSecond(rate float64) string {
	switch {
	case rate >= 10:
		return fmt.Sprintf("%.0f/s", rate)
	case rate >= 0.1:
		return fmt.Sprintf("%.1f/s", rate)
	case rate*60 >= 1:
		return fmt.Sprintf("%.1f/min", rate*60)
	}
	return fmt.Sprintf("%.1f/h", rate*3600)
}
