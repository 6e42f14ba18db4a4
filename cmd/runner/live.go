package main

import (
	"fmt"
	"io"

	"github.com/batchrunner/runner/runner"
)

// A live shows answers as they come: the oldest open row's at once, the others'
// when their turn comes. Text waits in memory only until then.
type live struct {
	w    io.Writer
	rows []*liveRow // in the order they began
	open map[int64]*liveRow
}

// A liveRow is a row that is not shown to its end.
type liveRow struct {
	number  int64
	name    string
	waiting []byte // what came before its turn
	started bool   // its heading is printed
	step    string
	done    bool
}

func newLive(w io.Writer) *live { return &live{w: w, open: map[int64]*liveRow{}} }

// observe takes the run's events, one at a time.
func (l *live) observe(e runner.Event) {
	if e.Row == nil {
		return
	}
	row := l.row(e)
	switch e.Kind {
	case runner.ChunkCame:
		l.add(row, e)
	case runner.AttemptFailed:
		l.text(row, "\n["+clean(e.Message)+"]\n")
	case runner.TaskDone:
		if e.Class != "" {
			l.text(row, "\n["+clean(e.Message)+"]")
		}
		l.text(row, "\n")
	case runner.RowDone:
		row.done = true
		l.next()
	}
}

func (l *live) row(e runner.Event) *liveRow {
	row := l.open[*e.Row]
	if row == nil {
		row = &liveRow{number: *e.Row, name: rowName(*e.Row, e.ID)}
		l.open[*e.Row] = row
		l.rows = append(l.rows, row)
	}
	return row
}

func (l *live) add(row *liveRow, e runner.Event) {
	if row.step != e.Step {
		if row.step != "" {
			l.text(row, "-- "+e.Step+"\n")
		}
		row.step = e.Step
	}
	l.text(row, clean(e.Thinking)+clean(e.Text))
}

// text shows text of the oldest row, and keeps that of the others.
func (l *live) text(row *liveRow, text string) {
	row.waiting = append(row.waiting, text...)
	if row == l.rows[0] {
		l.show(row)
	}
}

func (l *live) show(row *liveRow) {
	if !row.started {
		row.started = true
		fmt.Fprintf(l.w, "== %s\n", row.name)
	}
	_, _ = l.w.Write(row.waiting) // a closed terminal ends the printing, not the run
	row.waiting = row.waiting[:0]
}

// next goes on to the oldest row that is not shown to its end.
func (l *live) next() {
	for len(l.rows) > 0 {
		row := l.rows[0]
		l.show(row)
		if !row.done {
			return
		}
		l.rows = l.rows[1:]
		delete(l.open, row.number)
	}
}
