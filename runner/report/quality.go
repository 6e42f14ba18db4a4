package report

import (
	"maps"
	"math"
	"slices"

	"github.com/batchrunner/runner/specs"
)

// PassRate is the name of the Quality that every group has: the share of its tasks that
// have an answer which passed its checks, of those asked in the run and those reused
// alike. A task that failed for another reason (the server's, the network's, an earlier
// step's) has no such answer and counts against it.
const PassRate = "pass_rate"

const (
	maxAxisValues = 50  // of a variable with more, a figure for each is a list of rows
	maxAxisValue  = 200 // bytes; a longer value is a text, not the name of a kind
)

// An AxisQuality is the quality of the rows that have one value of a variable: the share
// of them that are ok, as pass_rate, and the means of the numeric columns.
type AxisQuality struct {
	Axis    string    `json:"axis"`
	Value   string    `json:"value"`
	Quality []Quality `json:"quality"`
}

func passRate(ok, of int64) []Quality {
	if of == 0 {
		return nil
	}
	return []Quality{{Name: PassRate, N: int(of), Mean: float64(ok) / float64(of)}}
}

// sums are of numeric columns, by name.
type sums map[string]sum

type sum struct {
	n     int
	total float64
}

func (s *sums) add(columns map[string]float64) {
	if *s == nil {
		*s = make(sums)
	}
	for name, v := range columns {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue // no number, and JSON has no word for it
		}
		old := (*s)[name]
		(*s)[name] = sum{old.n + 1, old.total + v}
	}
}

func (s *sums) join(other sums) {
	if *s == nil {
		*s = make(sums)
	}
	for name, v := range other {
		old := (*s)[name]
		(*s)[name] = sum{old.n + v.n, old.total + v.total}
	}
}

// list returns the means by name.
func (s sums) list() []Quality {
	var list []Quality
	for _, name := range slices.Sorted(maps.Keys(s)) {
		list = append(list, Quality{Name: name, N: s[name].n, Mean: s[name].total / float64(s[name].n)})
	}
	return list
}

// axes gather the quality by the value of each variable. One with too many values, or
// with long ones, is given up, so that memory doesn't grow with the rows.
type axes struct {
	names  []string
	values map[string]*axis // nil: given up
}

type axis struct {
	order []string // values as they came, which is the axis's order
	rows  map[string]*axisRows
}

type axisRows struct {
	ok, rows int64
	columns  sums
}

func newAxes(names []string) *axes {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return name == specs.RepetitionVar || name == specs.LoadVar // they say nothing of the answers
	})
	a := &axes{names: names, values: make(map[string]*axis)}
	for _, name := range names {
		a.values[name] = &axis{rows: make(map[string]*axisRows)}
	}
	return a
}

// add takes in a row, by its tasks in the order of steps.
func (a *axes) add(row []*Task) {
	last := row[len(row)-1]
	ok := !slices.ContainsFunc(row, (*Task).failed)
	for _, name := range a.names {
		value, has := last.Vars[name]
		if x := a.values[name]; x != nil && has && !x.add(value, ok, last.Columns) {
			a.values[name] = nil
		}
	}
}

// add says whether the axis can still be told by its values.
func (x *axis) add(value string, ok bool, columns map[string]float64) bool {
	rows := x.rows[value]
	if rows == nil {
		if len(x.order) == maxAxisValues || len(value) > maxAxisValue {
			return false
		}
		rows = new(axisRows)
		x.rows[value] = rows
		x.order = append(x.order, value)
	}
	rows.rows++
	if ok {
		rows.ok++
	}
	rows.columns.add(columns)
	return true
}

// whole says that all rows are ok and there is no other figure of them: nothing is to be
// told apart.
func (x *axis) whole() bool {
	for _, rows := range x.rows {
		if rows.ok < rows.rows || len(rows.columns) > 0 {
			return false
		}
	}
	return true
}

// list leaves out variables with one value, which tell nothing apart, and those whose
// values are the models, whose groups tell their quality.
func (a *axes) list(models []string) []AxisQuality {
	var list []AxisQuality
	for _, name := range a.names {
		x := a.values[name]
		if x == nil || len(x.order) < 2 || x.whole() || sameNames(x.order, models) {
			continue
		}
		for _, value := range x.order {
			rows := x.rows[value]
			list = append(list, AxisQuality{name, value, append(passRate(rows.ok, rows.rows), rows.columns.list()...)})
		}
	}
	return list
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
