package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
)

// A line is a check with what was measured.
type line struct {
	check
	value, base float64 // medians; base only with over
	again       bool    // measured a second time
}

func (c check) line(it item, figures [][]figure) line {
	l := line{check: c, value: c.median(it, figures, c.of)}
	if c.over != "" {
		l.base = c.median(it, figures, c.over)
	}
	return l
}

func (c check) median(it item, figures [][]figure, name string) float64 {
	i := slices.IndexFunc(it.contestants, func(c contestant) bool { return c.name == name })
	values := make([]float64, len(figures[i]))
	for n, f := range figures[i] {
		values[n] = c.get(f)
	}
	return median(values)
}

// median of at least one value: the middle one, or the mean of the two there.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// held is what the limit is for: the ratio, or the figure where there is none.
func (l line) held() float64 {
	if l.over == "" {
		return l.value
	}
	return l.value / l.base
}

// missed holds for a ratio that is no number, too.
func (l line) missed() bool { return !(l.held() <= l.limit) }

func (l line) verdict() string {
	switch {
	case l.missed():
		return "MISSED"
	case l.again:
		return "ok (second time)"
	}
	return "ok"
}

func anyMissed(lines []line) bool { return slices.ContainsFunc(lines, line.missed) }

const layout = "%-72s %10s   %-18s %7s  %-8s %s\n"

func writeHead(out io.Writer, rounds int) {
	fmt.Fprintf(out, "medians of %d rounds; %s/%s, %d cores, %s\n", rounds, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	fmt.Fprintf(out, layout, "", "runner", "beside it", "ratio", "limit", "")
}

// writeItem prints the lines of an item, the first with its heading, and counts the
// missed ones.
func writeItem(out io.Writer, it item, lines []line) (missed int) {
	for i, l := range lines {
		what := "    " + l.what
		if i == 0 {
			what = it.heading() + ": " + l.what
		}
		beside, ratio, limit := "", "", l.show(l.limit)
		if l.over != "" {
			beside, ratio, limit = l.show(l.base)+" "+l.over, fmt.Sprintf("%.3f", l.held()), fmt.Sprintf("%.2f", l.limit)
		}
		fmt.Fprintf(out, layout, what, l.show(l.value), beside, ratio, limit, l.verdict())
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
