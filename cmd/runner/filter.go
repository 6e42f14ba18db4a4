package main

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/specs"
)

// A match is one --only: a variable's path and the value it must have. Without a
// path it is about the row's id.
type match struct {
	path  []string
	value string
}

// partial says whether the flags choose only some of the rows.
func (f *jobFlags) partial() bool { return len(f.only) > 0 || f.limit > 0 || f.rowID != "" }

// choose narrows the plan to the rows that --only and --limit ask for. Rows keep
// their numbers and ids.
func (f *jobFlags) choose(plan *pipeline.Plan) error {
	if f.limit < 0 || f.limit == 0 && f.limited {
		return fail(exitMistake, "--limit %d: it must be at least 1", f.limit)
	}
	matches, err := f.matches(plan)
	if err != nil || !f.partial() {
		return err
	}
	all := plan.Rows
	limit := f.limit * plan.Copies()
	plan.Rows = func(yield func(*pipeline.Row, error) bool) { chosen(all, matches, limit, yield) }
	plan.Total = total(plan.Total, matches, limit)
	return nil
}

// membership gives the test whether a row of the whole job is one of those that were
// chosen.
func (f *jobFlags) membership(j *checkedJob) (func(*pipeline.Row) bool, error) {
	matches, err := f.matches(&j.all)
	if err != nil {
		return nil, err
	}
	last := int64(math.MaxInt64)
	if f.limit > 0 {
		last = -1
		for row, err := range j.plan.Rows {
			if row == nil {
				return nil, fail(exitMistake, "%v", err)
			}
			last = row.Number
		}
	}
	return func(row *pipeline.Row) bool { return row.Number <= last && meets(row, matches) }, nil
}

func (f *jobFlags) matches(plan *pipeline.Plan) ([]match, error) {
	var matches []match
	if f.rowID != "" {
		matches = append(matches, match{value: f.rowID})
	}
	for _, only := range f.only {
		name, value, ok := strings.Cut(only, "=")
		if !ok || name == "" {
			return nil, fail(exitMistake, "--only %s: write it as --only NAME=VALUE", only)
		}
		path := strings.Split(name, ".")
		if names := f.variables(plan); !slices.Contains(names, path[0]) {
			return nil, fail(exitMistake, "--only %s: no variable is called %q; %s", only, path[0], suggest(path[0], names))
		}
		matches = append(matches, match{path, value})
	}
	return matches, nil
}

// variables are the names of the rows' variables: of the axes, then of the first
// row's others.
func (f *jobFlags) variables(plan *pipeline.Plan) []string {
	names := slices.Clone(plan.Columns)
	for row, err := range plan.Rows {
		if err == nil {
			names = append(names, slices.Sorted(maps.Keys(row.Vars))...)
		}
		break
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(names, func(name string) bool {
		again := seen[name]
		seen[name] = true
		return again
	})
}

// chosen yields the first limit rows (0: all) that meet every match.
func chosen(rows iter.Seq2[*pipeline.Row, error], matches []match, limit int64, yield func(*pipeline.Row, error) bool) {
	var n int64
	for row, err := range rows {
		if row != nil && !meets(row, matches) {
			continue
		}
		if !yield(row, err) {
			return
		}
		if n++; row != nil && n == limit {
			return
		}
	}
}

// total is the number of chosen rows where it can be told without reading them.
func total(all int64, matches []match, limit int64) int64 {
	if len(matches) > 0 || all < 0 {
		return -1
	}
	return min(all, limit)
}

func meets(row *pipeline.Row, matches []match) bool {
	for _, m := range matches {
		if !m.meets(row) {
			return false
		}
	}
	return true
}

func (m match) meets(row *pipeline.Row) bool {
	if len(m.path) == 0 {
		return row.ID == m.value
	}
	value, ok := lookup(row.Vars, m.path)
	return ok && fmt.Sprint(value) == m.value
}

func lookup(vars map[string]any, path []string) (any, bool) {
	var at any = vars
	for _, name := range path {
		fields, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = fields[name]; !ok {
			return nil, false
		}
	}
	return at, true
}

// suggest proposes the nearest of names, or lists them.
func suggest(name string, names []string) string {
	switch near := specs.Nearest(name, names); {
	case near != "":
		return fmt.Sprintf("did you mean %q?", near)
	case len(names) == 0:
		return "this job has none"
	}
	return "there are " + strings.Join(names, ", ")
}
