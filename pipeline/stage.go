package pipeline

import (
	"iter"
	"slices"

	"github.com/batchrunner/runner/specs"
)

// A Stage is a part of a benchmark that is measured by itself: what one step asks of one
// model under one load. Stages follow each other so that no model is loaded twice for
// them, or, in an interleaved benchmark, so that each repetition goes over all models.
type Stage struct {
	// Plan is what is to be carried out: its rows are those that are asked to warm up,
	// as often as the job says, then those that are measured, so that the measuring
	// begins with all requests in flight. Of its steps only Step is to be asked; what
	// that reads was answered in stages before.
	Plan  Plan
	Step  int // index of the step
	Model string
	Level specs.Level
	Rows  int64 // that are measured
}

// openLoad bounds the requests in flight under an open load: it is to be bounded by
// nothing, but a host that answers nothing at all must not take all memory.
const openLoad = 4096

// Stages gives the stages of a plan with a Bench, in order. It reads all rows to learn
// their models. An error is that of rows that can't be read to their end.
func (p *Plan) Stages() ([]Stage, error) {
	models, err := p.models()
	if err != nil {
		return nil, err
	}
	var stages []Stage
	for _, i := range p.order() {
		stages = append(stages, p.stagesOf(i, models[i])...)
	}
	return stages, nil
}

// A tallied is a model of a step with the number of its rows.
type tallied struct {
	model string
	rows  int64
}

// models gives the models of each step, in the order of the first rows that ask them.
func (p *Plan) models() ([][]tallied, error) {
	found := make([][]tallied, len(p.steps))
	for row, err := range p.Rows {
		if row == nil {
			return nil, err
		}
		for i := range p.steps {
			model := p.ModelOf(row, i)
			at := slices.IndexFunc(found[i], func(t tallied) bool { return t.model == model })
			if at < 0 {
				at = len(found[i])
				found[i] = append(found[i], tallied{model: model})
			}
			found[i][at].rows++
		}
	}
	return found, nil
}

// ModelOf gives the model that a row asks in a step; empty where that can't be told.
func (p *Plan) ModelOf(row *Row, step int) string {
	s := p.steps[step]
	if s.model.constant {
		return s.model.text
	}
	r := rendering{step: s, row: row, scope: s.scope(&Scope{Row: row}), early: true}
	return r.modelName()
}

// order gives the steps so that each comes after those that it needs, and else in the
// order of the file.
func (p *Plan) order() []int {
	var order []int
	for len(order) < len(p.Steps) {
		for i := range p.Steps {
			ready := func(need int) bool { return !slices.Contains(order, need) }
			if !slices.Contains(order, i) && !slices.ContainsFunc(p.Steps[i].Needs, ready) {
				order = append(order, i)
				break
			}
		}
	}
	return order
}

// stagesOf gives a step's stages: grouped by model and in it by load, or by load, then
// by repetition, and in it by model.
func (p *Plan) stagesOf(step int, models []tallied) []Stage {
	var stages []Stage
	levels, runs := len(p.Bench.Levels), p.Bench.Runs
	if !p.Bench.Interleaved {
		for _, m := range models {
			for level := range levels {
				stages = append(stages, p.stage(step, m, level, 0))
			}
		}
		return stages
	}
	for level := range levels {
		for repetition := 1; repetition <= runs; repetition++ {
			for _, m := range models {
				stages = append(stages, p.stage(step, m, level, repetition))
			}
		}
	}
	return stages
}

// stage makes one of all repetitions where repetition is 0.
func (p *Plan) stage(step int, m tallied, level, repetition int) Stage {
	s := Stage{Plan: *p, Step: step, Model: m.model, Level: p.Bench.Levels[level], Rows: m.rows / int64(len(p.Bench.Levels))}
	if repetition > 0 {
		s.Rows /= int64(p.Bench.Runs)
	}
	s.Plan.Concurrency, s.Plan.Rate = s.Level.Concurrency, p.Rate
	if p.Bench.Sweep { // the load that is measured takes the place of the step's own limits
		s.Plan.Steps = slices.Clone(p.Steps)
		s.Plan.Steps[step].Concurrency, s.Plan.Steps[step].Rate = 0, 0
	}
	if s.Level.Rate > 0 {
		s.Plan.Concurrency, s.Plan.Rate, s.Plan.Open = openLoad, s.Level.Rate, true
	}
	mine := func(row *Row) bool { return row.Level == level && p.ModelOf(row, step) == m.model }
	s.Plan.Rows = func(yield func(*Row, error) bool) {
		warm := repetition <= 1
		for range p.Bench.Warmup {
			if warm && !pass(p.warmups(mine), yield) {
				return
			}
		}
		pass(p.measured(mine, repetition), yield)
	}
	s.Plan.Total = -1
	return s
}

func pass(rows iter.Seq2[*Row, error], yield func(*Row, error) bool) bool {
	for row, err := range rows {
		if !yield(row, err) {
			return false
		}
	}
	return true
}

// warmups gives the rows to warm up with: the first repetitions of those that are chosen.
func (p *Plan) warmups(mine func(*Row) bool) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		for row, err := range p.Rows {
			if row == nil || err != nil || row.Repetition != 1 || !mine(row) {
				continue // what is wrong with it is told when it is measured
			}
			warm := *row
			warm.Warmup = true
			if !yield(&warm, nil) {
				return
			}
		}
	}
}

// measured gives the rows that are chosen, of one repetition or, where that is 0, all.
// Rows that can't be asked are among them.
func (p *Plan) measured(mine func(*Row) bool, repetition int) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		for row, err := range p.Rows {
			if row != nil && (repetition > 0 && row.Repetition != repetition || !mine(row)) {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
}
