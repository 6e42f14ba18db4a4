package report

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"
	"time"
)

// answers keep the rows to show, one for each question: failed ones before others, and
// among equals those whose question has the smallest number drawn for it. The draw is a
// hash of the question with the report's seed, so that the rows of a question, which may
// be far apart, are either all kept or all left out; and so the rows are the same sample
// each time. The one exception: a question left out while its rows were good, one of
// whose later rows failed, has only these.
type answers struct {
	limit     int
	seed      uint64
	questions questions
	seen      map[questionID]struct{}
	kept      map[questionID]*keptRow
	worst     worstFirst
}

// A keptRow is a row that is shown unless better ones come.
type keptRow struct {
	question questionID
	draw     uint64
	failed   bool
	place    int // in the heap
	row      Row
}

func newAnswers(limit int, seed uint64) *answers {
	return &answers{
		limit: limit, seed: seed,
		questions: questions{make(map[questionID]questionID)},
		seen:      make(map[questionID]struct{}),
		kept:      make(map[questionID]*keptRow),
	}
}

// add takes in a row of the job, its tasks in the order of steps.
func (a *answers) add(row []*Task) {
	question := a.questions.of(row)
	a.seen[question] = struct{}{}
	kept := a.kept[question]
	if kept == nil {
		kept = a.keep(&keptRow{
			question: question, draw: draw(a.seed, question), failed: slices.ContainsFunc(row, (*Task).failed),
			row: Row{Number: row[0].Row, ID: row[0].RowID, Vars: maps.Clone(row[0].Vars)},
		})
	}
	if kept != nil {
		kept.add(row)
		heap.Fix(&a.worst, kept.place)
	}
}

// keep returns the row if there is place for it, for which a worse one may have to go.
func (a *answers) keep(r *keptRow) *keptRow {
	if len(a.worst) == a.limit {
		if !a.worst[0].worse(r) {
			return nil
		}
		worst, _ := heap.Pop(&a.worst).(*keptRow)
		delete(a.kept, worst.question)
	}
	heap.Push(&a.worst, r)
	a.kept[r.question] = r
	return r
}

// rows returns what was kept, failed ones first and both in row order, and how many more
// questions there were.
func (a *answers) rows(order func(a, b Cell) int) (rows []Row, dropped int64) {
	slices.SortFunc(a.worst, func(a, b *keptRow) int {
		if a.failed != b.failed {
			return failedFirst(a.failed)
		}
		return cmp.Compare(a.row.Number, b.row.Number)
	})
	for _, r := range a.worst {
		slices.SortStableFunc(r.row.Cells, order)
		rows = append(rows, r.row)
	}
	return rows, int64(len(a.seen) - len(rows))
}

func failedFirst(failed bool) int {
	if failed {
		return -1
	}
	return 1
}

// add joins a row of the job to r.
func (r *keptRow) add(row []*Task) {
	maps.DeleteFunc(r.row.Vars, func(name, value string) bool { return row[0].Vars[name] != value })
	for _, t := range row {
		r.failed = r.failed || t.failed()
		r.addCell(t)
	}
}

// addCell counts t in its cell, which shows its first failed task, else its first one.
func (r *keptRow) addCell(t *Task) {
	i := slices.IndexFunc(r.row.Cells, func(c Cell) bool { return c.Step == t.Step && c.Model == t.Model })
	if i < 0 {
		r.row.Cells = append(r.row.Cells, newCell(t))
		return
	}
	cell := &r.row.Cells[i]
	count := cell.Count + 1
	if cell.Class == "" && t.failed() {
		*cell = newCell(t)
	}
	cell.Count = count
}

func newCell(t *Task) Cell {
	c := Cell{
		Row: t.Row, Step: t.Step, Model: t.Model, Count: 1, Prompt: prompt(t.Question),
		Response: cut(t.Response), Class: t.Class, Message: cut(t.Message),
		Reused: !t.Asked && !t.unasked(), Tokens: t.OutputTokens,
	}
	if t.failed() || !t.asked() {
		return c
	}
	m := newMeasure(time.Time{}, t) // none of these depends on when
	c.Latency, _ = m.latencyFigure()
	c.TTFT, _ = m.ttftFigure()
	c.Speed, _ = m.speedFigure()
	return c
}

// draw is a row's number in the lottery of its report.
func draw(seed uint64, question questionID) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, seed)) // a hash's Write has no error
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(question)))
	return h.Sum64()
}

// worse says whether r goes before other has to.
func (r *keptRow) worse(other *keptRow) bool {
	if r.failed != other.failed {
		return !r.failed
	}
	return r.draw > other.draw
}

// worstFirst is a heap whose first row is the first to go.
type worstFirst []*keptRow

func (w worstFirst) Len() int           { return len(w) }
func (w worstFirst) Less(i, j int) bool { return w[i].worse(w[j]) }

func (w worstFirst) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].place, w[j].place = i, j
}

// Push is called by package heap.
func (w *worstFirst) Push(x any) {
	r, _ := x.(*keptRow)
	r.place = len(*w)
	*w = append(*w, r)
}

// Pop is called by package heap.
func (w *worstFirst) Pop() any {
	last := len(*w) - 1
	r := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	return r
}
