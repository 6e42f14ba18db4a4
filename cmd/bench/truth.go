package main

import (
	"cmp"
	"fmt"
	"slices"
)

// A truth is what the load server planned for the requests that count, and what it saw
// of them itself, in milliseconds.
type truth struct {
	Planned  trueFigures `json:"planned"`
	Measured trueFigures `json:"measured"`
}

type trueFigures struct {
	TTFT     trueQuantiles `json:"ttft"`
	Latency  trueQuantiles `json:"latency"`
	PerToken trueQuantiles `json:"per_token"`
}

type trueQuantiles struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	Max float64 `json:"max_ms"`
}

// A deviation is how far a figure of a report is from the truth, as a share of that.
type deviation struct {
	name string
	by   float64
}

// from lists the deviations of a report from true figures.
func (t told) from(f trueFigures) []deviation {
	of := func(name string, told, truly float64) deviation { return deviation{name, abs(told*1e3/truly - 1)} }
	return []deviation{
		of("median ttft", t.TTFT.Median, f.TTFT.P50), of("p95 ttft", t.TTFT.P95, f.TTFT.P95),
		of("median latency", t.Latency.Median, f.Latency.P50), of("p95 latency", t.Latency.P95, f.Latency.P95),
		of("median tpot", t.TPOT.Median, f.PerToken.P50),
	}
}

// fromLoad are the deviations by the load of the model, which belongs into the report's
// own figure of it or into none: a longest time that is half a load too long has it.
func (w work) fromLoad(t told, f trueFigures) (all []deviation) {
	load := w.load.Seconds()
	for _, d := range []struct {
		name        string
		told, truly float64
	}{{"load in ttft", t.TTFT.Max, f.TTFT.Max / 1e3}, {"load in latency", t.Latency.Max, f.Latency.Max / 1e3}} {
		if load > 0 && d.told > d.truly+load/2 {
			all = append(all, deviation{d.name, d.told/d.truly - 1})
		}
	}
	if t.Load.N > 0 {
		all = append(all, deviation{"load", abs(t.Load.Median/load - 1)})
	}
	return all
}

// farthest is the largest deviation of a figure's report from what was planned.
func (w work) farthest(f figure) deviation {
	all := append(f.told.from(f.stats.Truth.Planned), w.fromLoad(f.told, f.stats.Truth.Planned)...)
	return slices.MaxFunc(all, func(a, b deviation) int { return cmp.Compare(a.by, b.by) })
}

// deviations tells all of a report's: from the plan, and from what the server saw, which
// is the plan and what the machine made later of it.
func (f figure) deviations() string {
	seen := f.told.from(f.stats.Truth.Measured)
	text := "from the plan (and from what the server saw):"
	for i, d := range f.told.from(f.stats.Truth.Planned) {
		text += fmt.Sprintf(" %s %s (%s);", d.name, percent(d.by), percent(seen[i].by))
	}
	return text[:len(text)-1]
}

// truly is an item whose true figures are known: a first token after 80 ms, 50 tokens a
// second, lengths that belong to the prompts, a model that is loaded in 2 s.
func truly(concurrency int) item {
	w := work{
		rows: 20 * concurrency, warmups: concurrency, concurrency: concurrency, slots: 16, axis: none,
		tokens: 10, sigma: 0.5, load: loadTime,
	}
	return item{
		key: fmt.Sprintf("truth%d", concurrency), title: fmt.Sprintf("a server of known figures, at %d", concurrency),
		contestants: []contestant{{"runner", benching, w}},
		checks: []check{{
			what: "farthest from them", of: "runner", show: percent, limit: 0.02,
			get:  func(f figure) float64 { return w.farthest(f).by },
			note: func(f figure) string { return w.farthest(f).name },
		}},
	}
}
