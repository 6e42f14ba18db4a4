package main

import (
	"io"
	"strings"

	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs/say"
)

// A live shows answers as they come: the oldest open row's at once, the others'
// when their turn comes. Text waits in memory only until then.
type live struct {
	w      io.Writer
	prefix string     // of each line of model text
	inLine bool       // what was written last did not end a line
	rows   []*liveRow // in the order they began
	open   map[int64]*liveRow
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

// newLive shows answers on w. Where that is no terminal each line of an answer gets
// a prefix: the log of a CI run takes some words at a line's start for commands.
func newLive(w io.Writer, terminal bool) *live {
	l := &live{w: w, open: map[int64]*liveRow{}}
	if !terminal {
		l.prefix = "| "
	}
	return l
}

// observe takes the run's events, one at a time.
func (l *live) observe(e runner.Event) {
	if e.Row == nil {
		return
	}
	if l.open[*e.Row] == nil && !shows(e) {
		return
	}
	row := l.row(e)
	switch e.Kind {
	case runner.ChunkCame:
		l.add(row, e)
	case runner.AttemptFailed:
		if e.Retry {
			l.text(row, "\n["+say.Clean(e.Message)+"]\n")
		}
	case runner.TaskDone:
		if e.Reused {
			return // it was shown when it was asked
		}
		if e.Class != "" {
			l.text(row, "\n["+say.Clean(e.Message)+"]")
		}
		l.text(row, "\n")
	case runner.RowDone:
		row.done = true
		l.next()
	}
}

// shows says whether an event is the first of a row that has something to show. Rows of
// which everything was known have not.
func shows(e runner.Event) bool {
	switch e.Kind {
	case runner.AttemptStarted, runner.ChunkCame, runner.AttemptFailed:
		return true
	case runner.TaskDone:
		return !e.Reused
	}
	return false
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
	l.text(row, say.Clean(e.Thinking)+say.Clean(e.Text))
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
		if l.inLine {
			l.write("\n")
		}
		l.write("== " + row.name + "\n")
	}
	for line := range strings.Lines(string(row.waiting)) {
		if !l.inLine {
			line = l.prefix + line
		}
		l.write(line)
	}
	row.waiting = row.waiting[:0]
}

func (l *live) write(text string) {
	_, _ = io.WriteString(l.w, text) // a closed terminal ends the printing, not the run
	l.inLine = !strings.HasSuffix(text, "\n")
}

// close shows the rows that had ended when the run did, behind one that had not.
func (l *live) close() {
	for _, row := range l.rows {
		if row.done {
			l.show(row)
		}
	}
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
