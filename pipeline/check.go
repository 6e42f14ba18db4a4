package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/dataset"
	"github.com/batchrunner/runner/specs/say"
)

// How many rows Check looks at, and how many it names for one mistake.
const (
	checkAll    = 10_000    // a job with no more rows is checked whole
	checkFirst  = 1_000     // the first rows of a job known to have more
	checkModels = 1_000_000 // rows whose model is looked at, where templates name models
	checkNamed  = 20        // rows named for mistakes at one place; the others are counted
)

// Checked is what can be told of a plan before anything is asked.
type Checked struct {
	Rows int64 // that were expanded and rendered
	All  bool  // they are all rows of the plan
	// Models are the distinct models that rows ask for, in the order of the first
	// steps, then of the first rows, that use them. More rows are looked at for them
	// than for mistakes; AllModels says whether there can be no other.
	Models      []string
	AllModels   bool
	Steps       map[string][]string // the ids of the steps that use each model, in file order
	Diagnostics specs.Diagnostics   // sorted
}

// Check expands and renders a plan's rows, as far as that is sensible: all of up to
// 10,000, the first 1,000 of more, the first 10,000 where nobody knows how many there
// are. It gathers all mistakes in them: rows that can't be made, ids, requests (but
// for what reads other steps' answers), and what each says of a row, which may be
// nil. Of many mistakes at one place the first 20 are named and the others counted.
func Check(plan *Plan, job *specs.Job, each func(*Row) specs.Diagnostics) *Checked {
	return check(plan, job, each, false)
}

// CheckAll is Check of all rows, however many there are.
func CheckAll(plan *Plan, job *specs.Job, each func(*Row) specs.Diagnostics) *Checked {
	return check(plan, job, each, true)
}

func check(plan *Plan, job *specs.Job, each func(*Row) specs.Diagnostics, all bool) *Checked {
	c := &checking{plan: plan, each: each, every: all, models: make([]distinct, len(plan.steps)), spots: map[spot]*tally{}}
	c.walk()
	c.finish()
	c.unusedExcludes(job)
	slices.SortStableFunc(c.Diagnostics, byPlace)
	c.nameModels()
	return &c.Checked
}

// byPlace leaves rows with a mistake at one place in their order.
func byPlace(a, b specs.Diagnostic) int {
	return cmp.Or(
		strings.Compare(a.File, b.File),
		cmp.Compare(a.Pos.Line, b.Pos.Line),
		cmp.Compare(a.Pos.Col, b.Pos.Col),
	)
}

type checking struct {
	Checked
	plan   *Plan
	each   func(*Row) specs.Diagnostics
	every  bool
	models []distinct // by step
	spots  map[spot]*tally
	line   spot // the last line of a data file with a mistake
}

// A spot is a place where many rows may make the same mistake. Of a data file it is
// the file, since each line is a place of its own.
type spot struct {
	file string
	pos  specs.Pos
	step string
}

// A tally counts the mistakes at a spot.
type tally struct{ n, last int } // last: the index of the last one named

// walk checks rows up to the limit, and looks at the models of further ones.
func (c *checking) walk() {
	limit, last := c.limits()
	c.All, c.AllModels = true, true
	for row, err := range c.plan.Rows {
		if row == nil || row.Number >= last {
			c.All, c.AllModels = false, !c.templated()
			if row == nil {
				c.mistake(err)
			}
			return
		}
		if row.Number < limit {
			c.row(row, err)
			continue
		}
		c.All = false
		c.modelsOf(row, err)
	}
}

// limits gives the number of rows to check, and of those whose models to look at.
// The further axes go through all their values in the first rows of a stream, and
// one of them mostly is what names the model.
func (c *checking) limits() (rows, models int64) {
	if c.every {
		return math.MaxInt64, math.MaxInt64
	}
	rows, models = checkAll, c.plan.Total
	if c.plan.Total > checkAll {
		rows = checkFirst
	}
	if models == unknown && c.plan.matrix != nil {
		models = c.plan.matrix.inner()
	}
	if !c.templated() {
		models = 0
	}
	return rows, max(rows, min(models, checkModels))
}

// inner is the number of rows for each value of the first axis.
func (m *matrix) inner() int64 {
	size := int64(1)
	for _, a := range m.axes[min(1, len(m.axes)):] {
		size = times(size, a.size)
	}
	return size
}

// templated says whether a step's model depends on the row.
func (c *checking) templated() bool {
	return slices.ContainsFunc(c.plan.steps, func(s *step) bool { return !s.model.constant })
}

func (c *checking) row(row *Row, err error) {
	c.Rows++
	if err != nil {
		c.mistake(err)
		return
	}
	for i, s := range c.plan.steps {
		r := rendering{step: s, row: row, scope: s.scope(&Scope{Row: row}), early: true, blind: s.needs.steps}
		c.models[i].add(r.request().Model)
		for _, e := range r.mistakes {
			c.add(e.Diagnostic(), spot{e.File, e.Pos, e.Step})
		}
	}
	if c.each == nil {
		return
	}
	for _, d := range c.each(row) {
		c.add(d, spot{d.File, d.Pos, d.Step})
	}
}

func (c *checking) modelsOf(row *Row, err error) {
	if err != nil {
		return
	}
	for i, s := range c.plan.steps {
		if s.model.constant {
			continue
		}
		r := rendering{step: s, row: row, scope: s.scope(&Scope{Row: row}), early: true}
		c.models[i].add(r.modelName())
	}
}

// mistake adds why a row can't be made.
func (c *checking) mistake(err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Message: err.Error()}
	}
	at := spot{file: e.File, pos: e.Pos}
	var data *dataset.Error
	if errors.As(err, &data) {
		if at == c.line {
			return // the same line in the next combination
		}
		c.line, at.pos = at, specs.Pos{}
		inData := *e
		inData.Row = nil // its line says where it is
		e = &inData
	}
	c.add(e.Diagnostic(), at)
}

func (c *checking) add(d specs.Diagnostic, at spot) {
	t := c.spots[at]
	if t == nil {
		t = &tally{}
		c.spots[at] = t
	}
	if t.n++; t.n > checkNamed {
		return
	}
	t.last = len(c.Diagnostics)
	c.Diagnostics = append(c.Diagnostics, d)
}

// finish says how many mistakes are not named.
func (c *checking) finish() {
	for at, t := range c.spots {
		d := &c.Diagnostics[t.last]
		what := "more row"
		if at.pos == (specs.Pos{}) && at.step == "" {
			what = "more line"
		}
		if more := t.n - checkNamed; more > 0 {
			d.Message += fmt.Sprintf(" (and %s)", say.Plural(more, what))
		}
	}
}

func (c *checking) unusedExcludes(job *specs.Job) {
	if c.plan.Effects == nil {
		return
	}
	for i, n := range c.plan.Effects.Excluded {
		if n == 0 {
			c.Diagnostics = append(c.Diagnostics, specs.Diagnostic{
				File: job.File, Pos: job.Exclude[i].Pos, Warning: true,
				Message: "this exclude matches no row", Help: "values must be spelled as in the data",
			})
		}
	}
}

// distinct gathers texts in the order in which they first come.
type distinct struct {
	list []string
	seen map[string]bool
}

func (d *distinct) add(text string) {
	if text == "" || d.seen[text] {
		return
	}
	if d.seen == nil {
		d.seen = map[string]bool{}
	}
	d.seen[text] = true
	d.list = append(d.list, text)
}

func (c *checking) nameModels() {
	var all distinct
	c.Steps = map[string][]string{}
	for i, models := range c.models {
		for _, model := range models.list {
			all.add(model)
			c.Steps[model] = append(c.Steps[model], c.plan.Steps[i].ID)
		}
	}
	c.Models = all.list
}
