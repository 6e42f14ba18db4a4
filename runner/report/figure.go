package report

import (
	"maps"
	"slices"
	"strconv"
)

// Figures returns the names that Figure knows of any group, sorted. Beside them it knows
// the numeric columns of a group.
func Figures() []string {
	names := slices.Collect(maps.Keys(timings()))
	for name := range rates() {
		names = append(names, name)
	}
	names = append(names, PassRate)
	slices.Sort(names)
	return names
}

// Figure returns a figure of the group by its name, in seconds, a share or a number, and
// whether the group has it: "latency" is the mean, "median_latency" and "p95_latency" say
// what they are, and so do those of ttft, tpot, queue and schedule_latency;
// "tokens_per_sec" and "prompt_tokens_per_sec" are the means of all requests. What isn't
// one of Figures is looked for among the numeric columns.
func (g *Group) Figure(name string) (float64, bool) {
	if of, ok := timings()[name]; ok {
		return of(g)
	}
	if of, ok := rates()[name]; ok {
		return of(g)
	}
	return g.quality(name)
}

func (g *Group) quality(name string) (float64, bool) {
	for _, q := range g.Quality {
		if q.Name == name {
			return q.Mean, true
		}
	}
	return 0, false
}

// A groupFigure reads a figure of a group, and says whether it was measured.
type groupFigure func(*Group) (float64, bool)

// timings are the figures in seconds, by name.
func timings() map[string]groupFigure {
	stats := map[string]func(*Group) *Stat{
		"latency":          func(g *Group) *Stat { return g.Latency },
		"ttft":             func(g *Group) *Stat { return g.TTFT },
		"tpot":             func(g *Group) *Stat { return g.TPOT },
		"queue":            func(g *Group) *Stat { return g.Queue },
		"schedule_latency": func(g *Group) *Stat { return g.Schedule },
	}
	parts := map[string]func(*Stat) float64{
		"":        func(s *Stat) float64 { return s.Mean },
		"median_": func(s *Stat) float64 { return s.Median },
		"p50_":    func(s *Stat) float64 { return s.Median },
		"p90_":    func(s *Stat) float64 { return s.P90 },
		"p95_":    func(s *Stat) float64 { return s.P95 },
		"p99_":    func(s *Stat) float64 { return s.P99 },
	}
	all := make(map[string]groupFigure)
	for name, stat := range stats {
		for prefix, part := range parts {
			all[prefix+name] = partOf(stat, part)
		}
	}
	return all
}

// rates are the figures by the second, by name.
func rates() map[string]groupFigure {
	mean := func(s *Stat) float64 { return s.Mean }
	return map[string]groupFigure{
		"tokens_per_sec":        partOf(func(g *Group) *Stat { return g.TokensPerSecond }, mean),
		"prompt_tokens_per_sec": partOf(func(g *Group) *Stat { return g.PromptTokensPerSecond }, mean),
		"host_tokens_per_sec":   func(g *Group) (float64, bool) { return g.HostTokensPerSecond, g.HostTokensPerSecond > 0 },
		"requests_per_sec":      func(g *Group) (float64, bool) { return g.RequestsPerSecond, g.RequestsPerSecond > 0 },
		"goodput": func(g *Group) (float64, bool) {
			if g.Goodput == nil {
				return 0, false
			}
			return *g.Goodput, true
		},
	}
}

func partOf(stat func(*Group) *Stat, part func(*Stat) float64) groupFigure {
	return func(g *Group) (float64, bool) {
		if s := stat(g); s != nil {
			return part(s), true
		}
		return 0, false
	}
}

// figureText writes a value of a figure: a time, a share, or a number.
func figureText(figure string, v float64) string {
	if _, ok := timings()[figure]; ok {
		return seconds(v)
	}
	if figure == PassRate {
		return percent(v)
	}
	return number(v)
}

// figureTexts writes two values so that one can tell them apart.
func figureTexts(figure string, a, b float64) (string, string) {
	textA, textB := figureText(figure, a), figureText(figure, b)
	if a == b || textA != textB {
		return textA, textB
	}
	if _, ok := timings()[figure]; ok {
		return exact(a) + "s", exact(b) + "s"
	}
	if figure == PassRate {
		return exact(a*100) + "%", exact(b*100) + "%"
	}
	return exact(a), exact(b)
}

func exact(v float64) string { return strconv.FormatFloat(v, 'g', 9, 64) }
