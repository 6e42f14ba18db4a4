package report

import (
	"fmt"
	"math"
	"strings"
)

// A Threshold is a limit that a run has to keep.
type Threshold struct {
	Step   string  // whose groups have to keep it; empty: those of every step
	Figure string  // one of Figures, or a numeric column
	Op     string  // >=, <=, > or <
	Value  float64 // seconds, a share, or a number
	Text   string  // as the author wrote it: ">= 95%"
}

// kept says whether v keeps the limit.
func (l Threshold) kept(v float64) bool {
	switch l.Op {
	case ">=":
		return v >= l.Value
	case ">":
		return v > l.Value
	case "<":
		return v < l.Value
	default:
		return v <= l.Value
	}
}

// Judge adds to Missed a line for each limit that a group didn't keep. Every group has to
// keep every limit, of its step where the limit names one. A time or a rate that wasn't
// measured in this run (all answers were reused, or there are none) is missed: a gate that
// nothing went through is no gate. A numeric column is asked of the groups that have it.
func (r *Report) Judge(limits []Threshold) {
	for _, limit := range limits {
		r.Missed = append(r.Missed, r.judge(limit)...)
	}
}

func (r *Report) judge(limit Threshold) []Missed {
	var missed []Missed
	known := isFigure(limit.Figure)
	judged := false
	for i := range r.Groups {
		g := &r.Groups[i]
		v, ok := g.Figure(limit.Figure)
		if limit.Step != "" && g.Step != limit.Step || !ok && !known {
			continue
		}
		judged = true
		if message := limit.miss(r.where(g), v, ok); message != "" {
			missed = append(missed, Missed{limit.Figure, message})
		}
	}
	if !judged {
		missed = append(missed, Missed{limit.Figure, limit.nowhere()})
	}
	return missed
}

func isFigure(name string) bool {
	_, timing := timings()[name]
	_, rate := rates()[name]
	return timing || rate || name == PassRate
}

// miss is what to say of a group at where, empty if it keeps the limit.
func (l Threshold) miss(where string, v float64, measured bool) string {
	switch {
	case !measured:
		return fmt.Sprintf("%s of %s was not measured in this run; its limit is %s", l.Figure, where, l.text())
	case l.kept(v):
		return ""
	}
	now, limit := figureTexts(l.Figure, v, l.Value)
	return fmt.Sprintf("%s of %s is %s, %s the limit of %s", l.Figure, where, now, l.beside(v), limit)
}

// beside says how far v is from the limit that it misses.
func (l Threshold) beside(v float64) string {
	side := "above"
	if v < l.Value {
		side = "below"
	}
	switch {
	case v == l.Value:
		return map[string]string{">": "not above", "<": "not below"}[l.Op]
	case l.Figure == PassRate:
		return digits3(math.Abs(v-l.Value)*100) + " points " + side
	case l.Value == 0:
		return side
	default:
		return changePercent(change(l.Value, v)) + " " + side
	}
}

func (l Threshold) nowhere() string {
	if l.Step != "" {
		return fmt.Sprintf("%s of step %q was not measured in this run; its limit is %s", l.Figure, l.Step, l.text())
	}
	return fmt.Sprintf("%s was not measured in this run; its limit is %s", l.Figure, l.text())
}

func (l Threshold) text() string {
	if l.Text != "" {
		return l.Text
	}
	return l.Op + " " + figureText(l.Figure, l.Value)
}

// changePercent writes the size of a change: 16%, 7.5%, 5%, and of a small one its first
// digits: 0.0370%.
func changePercent(change float64) string {
	switch size := math.Abs(change) * 100; {
	case size >= 9.95:
		return fmt.Sprintf("%.0f%%", size)
	case size >= 1 || size == 0:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", size), ".0") + "%"
	default:
		return percent(math.Abs(change))
	}
}

// where names a group: its model, with step and level where the report has several.
func (r *Report) where(g *Group) string {
	var in []string
	if severalSteps(r.Groups) {
		in = append(in, "step "+g.Step)
	}
	if words := g.Level.words(); words != "" && severalLevels(r.Groups) {
		in = append(in, words)
	}
	name := g.Model
	if name == "" {
		name = noModel
	}
	if len(in) == 0 {
		return name
	}
	return name + " (" + strings.Join(in, ", ") + ")"
}

func severalSteps(groups []Group) bool {
	for i := range groups {
		if groups[i].Step != groups[0].Step {
			return true
		}
	}
	return false
}

func severalLevels(groups []Group) bool {
	for i := range groups {
		if groups[i].Level != groups[0].Level {
			return true
		}
	}
	return false
}
