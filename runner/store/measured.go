package store

import (
	"database/sql"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// A Measured is what the reader of an answer measured. Its times are of one clock in each
// run, which is the machine's when the run began and does not jump with it.
type Measured struct {
	Due    time.Time       // when its first attempt was to start
	Late   time.Duration   // how late the last attempt was sent, after it was to start
	Timing pipeline.Timing // Sent is of the last attempt
}

// measured gives what was measured of an outcome, nil where it has no answer or nobody
// measured it.
func (r *Run) measured(o *runner.Outcome) *Measured {
	a := o.Result.Answer
	if a == nil || a.Timing.Sent.IsZero() {
		return nil
	}
	m := &Measured{Due: r.onClock(o.Due), Late: o.Late, Timing: a.Timing}
	m.Timing.Sent = r.onClock(a.Timing.Sent)
	return m
}

// onClock gives a time by the run's own clock.
func (r *Run) onClock(t time.Time) time.Time { return r.began.Add(t.Sub(r.began)) }

// measuredColumns are the columns of a Measured, each NULL where there is none.
type measuredColumns struct {
	due, sent, late, first, text, newest, last, chunks sql.NullInt64
}

func (m *Measured) columns() (c measuredColumns) {
	if m == nil {
		return c
	}
	t := &m.Timing
	for _, one := range []struct {
		to *sql.NullInt64
		v  int64
	}{
		{&c.due, m.Due.UnixMicro()}, {&c.sent, t.Sent.UnixMicro()}, {&c.late, int64(m.Late)}, {&c.first, int64(t.First)},
		{&c.text, int64(t.FirstText)}, {&c.newest, int64(t.Newest)}, {&c.last, int64(t.Last)}, {&c.chunks, int64(t.Chunks)},
	} {
		*one.to = sql.NullInt64{Int64: one.v, Valid: true}
	}
	return c
}

// measured is what columns made of.
func (c *measuredColumns) measured() *Measured {
	if !c.sent.Valid {
		return nil
	}
	return &Measured{Due: time.UnixMicro(c.due.Int64), Late: time.Duration(c.late.Int64), Timing: pipeline.Timing{
		Sent: time.UnixMicro(c.sent.Int64), First: time.Duration(c.first.Int64), FirstText: time.Duration(c.text.Int64),
		Newest: time.Duration(c.newest.Int64), Last: time.Duration(c.last.Int64), Chunks: int(c.chunks.Int64),
	}}
}

const measuredNames = `r.due_us, r.sent_us, r.late_ns, r.first_ns, r.text_ns, r.newest_ns, r.last_ns, r.chunks`

// into is where Scan puts what measuredNames selects.
func (c *measuredColumns) into() []any {
	return []any{&c.due, &c.sent, &c.late, &c.first, &c.text, &c.newest, &c.last, &c.chunks}
}
