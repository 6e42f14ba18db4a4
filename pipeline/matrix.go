package pipeline

import (
	"encoding/json"
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/batchrunner/runner/specs"
)

// A matrix is what rows are made of. It is read only once built.
type matrix struct {
	axes      []axis
	constants map[string]any
	exclude   []entry
	include   []entry
	rowID     *specs.Template // nil: the row's number
	idNeeds   needs
	env       map[string]any
	bench     *repeats // nil: each combination is one row
	names     []string // see Plan.Columns
}

// An entry of exclude or include is a condition on axes and, for include, what it
// adds to the rows that meet it.
type entry struct {
	on    []condition
	adds  []addition
	never bool // it asks for what no row has
}

type condition struct {
	axis int
	want any
}

type addition struct {
	name  string
	value any
}

func (e *entry) matches(values []any) bool {
	if e.never {
		return false
	}
	for _, c := range e.on {
		if !matches(c.want, values[c.axis]) {
			return false
		}
	}
	return true
}

// matches says whether a value has everything that another one asks for: objects
// have at least its fields, lists the same length, and all else the same spelling,
// whether it is a number in YAML or a text in CSV.
func matches(want, value any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := value.(map[string]any)
		return ok && matchesFields(want, object)
	case []any:
		list, ok := value.([]any)
		return ok && slices.EqualFunc(want, list, matches)
	case nil:
		return value == nil
	}
	a, okA := spelling(want)
	b, okB := spelling(value)
	return okA && okB && a == b
}

func matchesFields(want, object map[string]any) bool {
	for name, w := range want {
		v, ok := object[name]
		if !ok || !matches(w, v) {
			return false
		}
	}
	return true
}

func spelling(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// product gives the combinations of the axes' values in order, the last axis
// varying fastest. The slice is the same each time. Only the first axis may be a
// stream. Without axes there is one combination, of no values.
func product(axes []axis) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		values := make([]any, len(axes))
		if len(axes) == 0 {
			yield(values)
			return
		}
		for v := range axes[0].values() {
			values[0] = v
			if !combine(axes, values, 1, yield) {
				return
			}
		}
	}
}

func combine(axes []axis, values []any, i int, yield func([]any) bool) bool {
	if i == len(axes) {
		return yield(values)
	}
	for k := range axes[i].size {
		values[i] = axes[i].at(k)
		if !combine(axes, values, i+1, yield) {
			return false
		}
	}
	return true
}

func (a *axis) values() iter.Seq[any] {
	if a.each != nil {
		return a.each()
	}
	return func(yield func(any) bool) {
		for i := range a.size {
			if !yield(a.at(i)) {
				return
			}
		}
	}
}

// unknown is a number that only reading all data would tell.
const unknown = -1

// times multiplies two numbers that may be unknown. What no int64 holds is as good
// as unknown.
func times(a, b int64) int64 {
	switch {
	case a == 0 || b == 0:
		return 0
	case a == unknown || b == unknown || a > math.MaxInt64/b:
		return unknown
	}
	return a * b
}

// Effects is what a job's exclude and include entries do.
type Effects struct {
	// Excluded counts the rows that each entry of exclude matches, those that
	// another one matches too among them; -1 for some, but nobody knows how many.
	Excluded []int64
	// Joined counts the rows that each entry of include joins, or is -1 likewise; 0:
	// the entry is a row of its own.
	Joined []int64
}

// maxEffects bounds the combinations that are looked at to know them.
const maxEffects = 1_000_000

// effects also gives the number of rows. It looks only at the axes that entries
// name; nil, where one of them is a stream, or where there is too much to look at.
func (m *matrix) effects() (*Effects, int64) {
	named, others := m.named()
	size := int64(1)
	for _, a := range named {
		size = times(size, a.size)
	}
	if size == unknown || size > maxEffects {
		return nil, unknown
	}
	e := &Effects{Excluded: make([]int64, len(m.exclude)), Joined: make([]int64, len(m.include))}
	left := m.count(named, e)
	return e, m.scale(e, left, others)
}

// named gives the axes that entries name, in the place of each axis that no entry
// names one with a single value; and how many combinations the others have.
func (m *matrix) named() ([]axis, int64) {
	axes := make([]axis, len(m.axes))
	others := int64(1)
	for i := range m.axes {
		axes[i] = axis{size: 1, at: func(int64) any { return nil }}
		if m.isNamed(i) {
			axes[i] = m.axes[i]
		} else {
			others = times(others, m.axes[i].size)
		}
	}
	return axes, others
}

func (m *matrix) isNamed(i int) bool {
	on := func(e entry) bool {
		return slices.ContainsFunc(e.on, func(c condition) bool { return c.axis == i })
	}
	return slices.ContainsFunc(m.exclude, on) || slices.ContainsFunc(m.include, on)
}

// count fills in how many combinations each entry matches, and gives the number of
// those that no exclude does.
func (m *matrix) count(axes []axis, e *Effects) (left int64) {
	if m.onlyIncludes() {
		return 0
	}
	for values := range product(axes) {
		if m.excluded(values, func(i int) { e.Excluded[i]++ }) {
			continue
		}
		left++
		for i := range m.include {
			if m.include[i].matches(values) {
				e.Joined[i]++
			}
		}
	}
	return left
}

// scale turns counts of combinations into counts of rows.
func (m *matrix) scale(e *Effects, left, others int64) int64 {
	var alone int64
	for i, n := range e.Joined {
		if e.Joined[i] = times(n, others); n == 0 {
			alone++
		}
	}
	for i, n := range e.Excluded {
		e.Excluded[i] = times(n, others)
	}
	total := times(left, others)
	if total == unknown || total > math.MaxInt64-alone {
		return unknown
	}
	return total + alone
}

// onlyIncludes says that the matrix has include entries and no axes: each of them is
// a row of its own then, as in GitHub's matrix. With neither there is one row.
func (m *matrix) onlyIncludes() bool { return len(m.axes) == 0 && len(m.include) > 0 }

// excluded says whether an entry of exclude matches. It tells seen of each that
// does; with a nil seen the first is enough.
func (m *matrix) excluded(values []any, seen func(int)) bool {
	found := false
	for i := range m.exclude {
		if !m.exclude[i].matches(values) {
			continue
		}
		if found = true; seen == nil {
			return true
		}
		seen(i)
	}
	return found
}
