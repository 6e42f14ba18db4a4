package report

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// Options are what Make can't see in a run's tasks.
type Options struct {
	Bench   *Bench   // how the benchmark was run; nil: it was none
	Steps   []string // ids in the job's order
	Columns []string // names of the rows' variables, in the job's order
	MaxRows int      // how many Answers and Spans there are at most; 0: the constant MaxRows
	Seed    uint64   // of the samples that are drawn where there are more
	Loads   []Load   // of models, as far as the run waited for them apart from any task
}

// A Load is a model being loaded before its first task.
type Load struct {
	Model string
	Began time.Time
	Took  time.Duration
}

// Make makes the report of a run from its tasks, warm-ups left out. They come in row
// order; the tasks of one row, which come together, may come in any order of steps. A
// task must not change until its row is through. An error of tasks is returned as it is.
//
// Make reads the tasks once. Of each one that was measured it keeps a dozen numbers, since
// percentiles are exact and the rank test needs the samples; texts it keeps of MaxRows
// rows at most.
func Make(run Run, opts Options, tasks iter.Seq2[*Task, error]) (*Report, error) {
	m := newMaker(run, opts)
	var row []*Task
	for t, err := range tasks {
		if err != nil {
			return nil, err
		}
		if len(row) > 0 && row[0].Row != t.Row {
			m.add(row)
			row = nil
		}
		if runner.Class(t.Class) != runner.Interrupted { // not done yet: it has no result
			row = append(row, t)
		}
	}
	m.add(row)
	return m.report(), nil
}

// A maker gathers what a report is made of, a row at a time.
type maker struct {
	run      Run
	opts     Options
	steps    map[string]int // the place of each step in the job
	counts   Report         // Rows, OK, Failed, Asked and Reused
	groups   *groups
	axes     *axes
	failures *causes
	timeline *timeline
	answers  *answers
	digests  map[string]string // of the models, by name, as their questions have them
}

func newMaker(run Run, opts Options) *maker {
	if opts.MaxRows <= 0 {
		opts.MaxRows = MaxRows
	}
	steps := make(map[string]int)
	for i, step := range opts.Steps {
		steps[step] = i
	}
	return &maker{
		run: run, opts: opts, steps: steps,
		groups:   newGroups(),
		axes:     newAxes(opts.Columns),
		digests:  make(map[string]string),
		failures: newCauses(),
		timeline: newTimeline(run.Began, opts.MaxRows, opts.Seed),
		answers:  newAnswers(opts.MaxRows, opts.Seed),
	}
}

// add takes in all tasks of one row.
func (m *maker) add(row []*Task) {
	if len(row) == 0 {
		return
	}
	m.sort(row)
	m.count(row)
	m.axes.add(row)
	m.answers.add(row)
	for _, t := range row {
		m.groups.add(m.run.Began, t)
		m.sawModel(t)
		m.failures.add(t)
		m.timeline.add(t)
	}
	m.groups.addColumns(row[len(row)-1])
}

// sawModel notes which model a name stands for, by the first question put to it.
func (m *maker) sawModel(t *Task) {
	if _, known := m.digests[t.Model]; known || t.Model == "" || len(t.Question) == 0 {
		return
	}
	if q, err := pipeline.ReadQuestion(t.Question); err == nil {
		m.digests[t.Model] = q.Digest
	}
}

// models are those of the run, and those that nobody has seen in the server's memory: a
// baseline of other content must be noticed of these too.
func (m *maker) models() []Model {
	models := slices.Clone(m.run.Models)
	for _, name := range slices.Sorted(maps.Keys(m.digests)) {
		if !slices.ContainsFunc(models, func(seen Model) bool { return seen.Name == name }) {
			models = append(models, Model{Name: name, Digest: m.digests[name]})
		}
	}
	return models
}

// sort puts a row's tasks into the job's order of steps, so that nothing depends on the
// order in which they came. Elements of a for_each step keep theirs.
func (m *maker) sort(row []*Task) {
	slices.SortStableFunc(row, func(a, b *Task) int {
		return cmp.Or(m.compareSteps(a.Step, b.Step), cmp.Compare(a.Repetition, b.Repetition))
	})
}

// compareSteps orders steps as the job has them; those that it doesn't name come last.
func (m *maker) compareSteps(a, b string) int {
	return cmp.Or(cmp.Compare(m.place(a), m.place(b)), cmp.Compare(a, b))
}

func (m *maker) place(step string) int {
	if i, ok := m.steps[step]; ok {
		return i
	}
	return len(m.steps)
}

func (m *maker) count(row []*Task) {
	m.counts.Rows++
	if slices.ContainsFunc(row, (*Task).failed) {
		m.counts.Failed++
	} else {
		m.counts.OK++
	}
	for _, t := range row {
		switch {
		case t.asked():
			m.counts.Asked++
		case !t.unasked():
			m.counts.Reused++
		}
	}
}

func (m *maker) report() *Report {
	for _, l := range m.opts.Loads {
		m.groups.addLoad(l)
		m.timeline.addLoad(l)
	}
	measured := m.groups.finish(m.opts.Bench, m.run.Lag)
	m.order(measured)
	r := m.counts
	r.Version, r.Run, r.Bench = Version, m.run, m.opts.Bench
	r.Run.Models = m.models()
	r.Groups = reported(measured)
	r.Comparisons = compare(measured)
	r.Failures = m.failures.list()
	r.Timeline = m.timeline.spans()
	r.ByAxis = m.axes.list(modelsOf(r.Groups))
	m.fillAnswers(&r)
	r.Hints = hints(&r, measured)
	r.Warnings = warnings(&r)
	return &r
}

// order puts the fastest group first: by median latency, those without one last, and in
// the job's order where that says nothing.
func (m *maker) order(list []*measuredGroup) {
	slices.SortFunc(list, func(a, b *measuredGroup) int {
		return cmp.Or(
			cmp.Compare(medianOrInf(a.Latency), medianOrInf(b.Latency)),
			m.compareSteps(a.Step, b.Step),
			cmp.Compare(a.Level.Concurrency, b.Level.Concurrency),
			cmp.Compare(a.Level.Rate, b.Level.Rate),
			cmp.Compare(a.Model, b.Model),
		)
	})
}

// fillAnswers puts the rows that were kept into r, their cells in the order of its groups.
func (m *maker) fillAnswers(r *Report) {
	place := make(map[string]int)
	for i := range r.Groups {
		if _, ok := place[r.Groups[i].Model]; !ok {
			place[r.Groups[i].Model] = i
		}
	}
	r.Answers, r.Dropped = m.answers.rows(func(a, b Cell) int {
		return cmp.Or(m.compareSteps(a.Step, b.Step), cmp.Compare(place[a.Model], place[b.Model]), cmp.Compare(a.Model, b.Model))
	})
	for _, name := range m.opts.Columns {
		if slices.ContainsFunc(r.Answers, func(row Row) bool { _, ok := row.Vars[name]; return ok }) {
			r.Columns = append(r.Columns, name)
		}
	}
}

// failed says whether t has no good answer.
func (t *Task) failed() bool { return t.Class != "" }

// unasked says whether t failed without a request: for its row's values, for an earlier
// step, or since nothing might be asked.
func (t *Task) unasked() bool {
	switch runner.Class(t.Class) {
	case runner.Input, runner.Upstream, runner.NotStored:
		return true
	default:
		return false
	}
}

// asked says whether t needed an answer of a model in this run.
func (t *Task) asked() bool { return t.Asked && !t.unasked() }
