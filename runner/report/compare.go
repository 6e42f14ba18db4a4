package report

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"
)

// alpha is the significance of a comparison: of two equal models, one in twenty pairs is
// told apart.
const alpha = 0.05

// maxPairwise is how many models are each compared with each. More are compared with the
// fastest one only: of 45 pairs about two would differ by chance alone.
const maxPairwise = 5

// negligible is a difference that nobody has measured: it is the rounding of numbers.
const negligible = 1e-6

// Why a comparison says nothing.
const (
	tooFew   = "too few"        // one of the samples has less than 6
	tooNoisy = "too much noise" // no difference is shown, and a median isn't known within 10% either way
)

// compare compares the models of each step and level. The list is the fastest first.
func compare(list []*measuredGroup) []Comparison {
	var found []Comparison
	for i, a := range list {
		for _, b := range list[i+1:] {
			if a.comparable(b) && (pairwise(list, a) || fastest(list, a)) {
				found = append(found, comparePair(a, b)...)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Comparison) int { // those under one load together
		return cmp.Or(strings.Compare(a.Step, b.Step), cmp.Compare(a.Level.Concurrency, b.Level.Concurrency), cmp.Compare(a.Level.Rate, b.Level.Rate))
	})
	return found
}

// comparable says whether two groups differ in their models alone, and have figures.
func (g *measuredGroup) comparable(other *measuredGroup) bool {
	return g.Step == other.Step && g.Level == other.Level && g.Latency != nil && other.Latency != nil
}

func pairwise(list []*measuredGroup, g *measuredGroup) bool {
	models := 0
	for _, other := range list {
		if g.comparable(other) {
			models++
		}
	}
	return models <= maxPairwise
}

func fastest(list []*measuredGroup, g *measuredGroup) bool {
	for _, other := range list {
		if g.comparable(other) {
			return other == g
		}
	}
	return false
}

// A compared figure is one that models are compared at.
type compared struct {
	name   string
	stat   func(*measuredGroup) *Stat
	of     figureOf
	higher bool // is faster
}

func comparedFigures() []compared {
	return []compared{
		{"latency", func(g *measuredGroup) *Stat { return g.Latency }, (*measure).latencyFigure, false},
		{"ttft", func(g *measuredGroup) *Stat { return g.TTFT }, (*measure).ttftFigure, false},
		{"tokens_per_sec", func(g *measuredGroup) *Stat { return g.TokensPerSecond }, (*measure).speedFigure, true},
	}
}

func comparePair(a, b *measuredGroup) []Comparison {
	var found []Comparison
	for _, figure := range comparedFigures() {
		if figure.stat(a) != nil && figure.stat(b) != nil {
			found = append(found, figure.compare(a, b))
		}
	}
	return found
}

// compare names the faster one A.
func (f compared) compare(a, b *measuredGroup) Comparison {
	sa, sb := f.stat(a), f.stat(b)
	if sa.Median != sb.Median && (sb.Median > sa.Median) == f.higher {
		a, b, sa, sb = b, a, sb, sa
	}
	c := Comparison{Step: a.Step, Level: a.Level, Figure: f.name, A: a.Model, B: b.Model, Delta: change(sa.Median, sb.Median)}
	c.test(sa, sb, f.of.values(a.warm), f.of.values(b.warm))
	return c
}

// test fills what the rank test says. Samples that are all equal have no ranks: no
// difference is shown.
func (c *Comparison) test(sa, sb *Stat, a, b []float64) {
	c.P = 1
	if min(len(a), len(b)) < minSamples {
		c.Too = tooFew
		return
	}
	if math.Abs(c.Delta) < negligible {
		return
	}
	if p := benchmath.AssumeNothing.Compare(newSample(a), newSample(b)).P; !math.IsNaN(p) {
		c.P = min(1, p)
	}
	c.Shown = c.P < alpha
	if !c.Shown && (sa.noisy() || sb.noisy()) {
		c.Too = tooNoisy
	}
}

// change is b over a, less 1. From 0 there is no share: it is then 1, 0 or -1, by the sign
// of b. Of a negative a (a column's mean), positive is still up.
func change(a, b float64) float64 {
	switch {
	case a != 0:
		return (b - a) / math.Abs(a)
	case b > 0:
		return 1
	case b < 0:
		return -1
	default:
		return 0
	}
}
