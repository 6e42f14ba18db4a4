package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
)

// A line is a check with what was measured.
type line struct {
	check
	value, base float64 // medians, or what the check says by arithmetic; base where the limit is for a ratio
	shown       string  // beside the value, where that is not the base
	again       bool    // measured a second time
}

func (c check) line(it item, figures [][]figure) line {
	l := line{check: c, value: c.median(it, figures, c.of), base: c.arithmetic}
	switch {
	case c.over != "":
		l.base = c.median(it, figures, c.over)
	case c.beside != "":
		l.shown = c.show(c.median(it, figures, c.beside)) + " " + c.beside
	case c.note != nil:
		l.shown = c.note(c.typical(figures[it.index(c.of)], l.value))
	}
	return l
}

// typical is the run whose figure is nearest to the median.
func (c check) typical(runs []figure, median float64) figure {
	return slices.MinFunc(runs, func(a, b figure) int { return cmp.Compare(abs(c.get(a)-median), abs(c.get(b)-median)) })
}

func (it item) index(name string) int {
	return slices.IndexFunc(it.contestants, func(c contestant) bool { return c.name == name })
}

func (c check) median(it item, figures [][]figure, name string) float64 {
	var values []float64
	for _, f := range figures[it.index(name)] {
		values = append(values, c.get(f))
	}
	return median(values)
}

// median of at least one value: the middle one, or the mean of the two there.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// relative says whether the limit is for a ratio.
func (l line) relative() bool { return l.over != "" || l.arithmetic != 0 }

// held is what the limit is for: the ratio, or the figure where there is none.
func (l line) held() float64 {
	if !l.relative() {
		return l.value
	}
	return l.value / l.base
}

// missed holds for a ratio that is no number, too.
func (l line) missed() bool {
	if l.limit == 0 {
		return false
	}
	if l.least {
		return !(l.held() >= l.limit)
	}
	return !(l.held() <= l.limit)
}

func (l line) verdict() string {
	switch {
	case l.missed():
		return "MISSED"
	case l.limit == 0:
		return ""
	case l.again:
		return "ok (second time)"
	}
	return "ok"
}

func anyMissed(lines []line) bool { return slices.ContainsFunc(lines, line.missed) }

const layout = "%-72s %10s   %-18s %7s  %-8s %s"

func writeHead(out io.Writer, rounds int) {
	fmt.Fprintf(out, "medians of %d rounds, of open80 to frozen one; %s/%s, %d cores, %s\n", rounds, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	fmt.Fprintf(out, layout+"\n", "", "runner", "beside it", "ratio", "limit", "")
}

// writeItem prints the lines of an item, the first with its heading, and counts the
// missed ones.
func writeItem(out io.Writer, it item, lines []line) (missed int) {
	for i, l := range lines {
		what := "    " + l.what
		if i == 0 {
			what = it.heading() + ": " + l.what
		}
		beside, ratio, limit := l.shown, "", l.show(l.limit)
		if l.over != "" {
			beside = l.show(l.base) + " " + l.over
		}
		if l.relative() {
			ratio, limit = fmt.Sprintf("%.3f", l.held()), fmt.Sprintf("%.2f", l.limit)
		}
		switch {
		case l.least:
			limit = ">= " + limit
		case l.limit == 0:
			limit = ""
		}
		text := fmt.Sprintf(layout, what, l.show(l.value), beside, ratio, limit, l.verdict())
		fmt.Fprintln(out, strings.TrimRight(text, " "))
		if l.missed() {
			missed++
		}
	}
	return missed
}

func (it item) heading() string { return fmt.Sprintf("(%s) %s", it.key, it.title) }

func seconds(s float64) string   { return fmt.Sprintf("%.3f s", s) }
func millis(s float64) string    { return fmt.Sprintf("%.2f ms", s*1e3) }
func micros(s float64) string    { return fmt.Sprintf("%.1f us", s*1e6) }
func mebibytes(b float64) string { return fmt.Sprintf("%.1f MiB", b/(1<<20)) }
func percent(x float64) string   { return fmt.Sprintf("%.3f %%", x*100) }
