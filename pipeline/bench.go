package pipeline

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/templates"
)

// repeats are the two last axes of a benchmark's matrix: its loads, and in each the
// repetitions. Rows have them as variables.
type repeats struct {
	*specs.Bench
	byID [2]bool // row_id reads the load, the repetition, itself
}

// repeating gives the repeats of a job, nil where it is no benchmark.
func repeating(job *specs.Job) *repeats {
	if job.Bench == nil {
		return nil
	}
	r := &repeats{Bench: job.Bench}
	if job.RowID != nil {
		r.byID = [2]bool{reads(job.RowID, specs.LoadVar), reads(job.RowID, specs.RepetitionVar)}
	}
	return r
}

func reads(t *specs.Template, name string) bool {
	return slices.ContainsFunc(t.Refs(), func(ref templates.Ref) bool { return len(ref.Path) == 0 || ref.Path[0] == name })
}

// Copies is how many rows each combination of the matrix has, one after the other: more
// than one in a benchmark.
func (p *Plan) Copies() int64 {
	if p.matrix == nil {
		return 1
	}
	return p.matrix.bench.copies()
}

// copies is how many rows each combination of the axes' values has.
func (r *repeats) copies() int64 {
	if r == nil {
		return 1
	}
	return times(int64(len(r.Levels)), int64(r.Runs))
}

// names are those of the variables that rows get.
func (r *repeats) names() []string {
	switch {
	case r == nil:
		return nil
	case r.Sweep:
		return []string{specs.LoadVar, specs.RepetitionVar}
	}
	return []string{specs.RepetitionVar}
}

// rows gives a combination's rows, without numbers and ids.
func (r *repeats) rows(vars map[string]any) iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		for level := range r.Levels {
			for repetition := 1; repetition <= r.Runs; repetition++ {
				own := make(map[string]any, len(vars)+2)
				maps.Copy(own, vars)
				own[specs.RepetitionVar] = number(int64(repetition))
				if r.Sweep {
					own[specs.LoadVar] = r.Levels[level].Text
				}
				if !yield(&Row{Vars: own, Repetition: repetition, Level: level}) {
					return
				}
			}
		}
	}
}

// suffix makes the ids of a combination's rows differ, where row_id doesn't: "@4" is
// the load, "#2" the repetition.
func (r *repeats) suffix(row *Row) string {
	if r == nil {
		return ""
	}
	var suffix string
	if r.Sweep && !r.byID[0] {
		suffix += "@" + r.Levels[row.Level].Text
	}
	if r.Runs > 1 && !r.byID[1] {
		suffix += fmt.Sprintf("#%d", row.Repetition)
	}
	return suffix
}
