package report

import (
	"cmp"
	"fmt"
	"strings"
)

// AgainstOptions are how a report is held against a baseline.
type AgainstOptions struct {
	FailOn      float64 // the change for the worse that is let pass, as a share; below 0: any
	AnyHardware bool    // compare runs of different machines
	AnyModel    bool    // compare models of one name and different content
}

// A Change is of one figure of a group since a baseline.
type Change struct {
	Model  string  `json:"model"`
	Step   string  `json:"step"`
	Level  Level   `json:"level"`
	Figure string  `json:"figure"` // latency, ttft, tpot, tokens_per_sec (medians), host_tokens_per_sec, pass_rate, or a column
	Base   float64 `json:"base"`
	Now    float64 `json:"now"`
	Delta  float64 `json:"delta"`  // Now over Base, less 1
	Shown  bool    `json:"shown"`  // the intervals of both medians have nothing in common
	Worse  bool    `json:"worse"`  // it moved the wrong way
	Missed bool    `json:"missed"` // by more than is let pass
}

// Against holds the report against an older one, a run's or a file's, and fills Changes and
// Missed. Groups belong together by model, step and level; one that is missing now is
// missed, and so is one that has no times any more.
//
// A figure is missed when it is worse by more than FailOn. Where both medians have an
// interval, these must have nothing in common besides: two runs of one thing differ by
// chance, and a gate that fails by chance is soon turned off. A baseline is a report, not
// its samples, so that this takes the place of the rank test; it is the stricter of the
// two (intervals of 95% that are apart are a p of about 0.006). Rates of the whole host,
// pass rates and columns have no interval; their value alone counts.
//
// The error says why the two can't be compared: other hardware, a model with other
// content, or a simulated server in one of them.
func (r *Report) Against(base *Report, opts AgainstOptions) ([]Change, error) {
	if err := comparableRuns(&base.Run, &r.Run, opts); err != nil {
		return nil, err
	}
	r.Changes = nil
	for i := range r.Groups {
		g := &r.Groups[i]
		if old := base.group(g); old != nil {
			r.against(old, g, opts.FailOn)
		}
	}
	for i := range base.Groups {
		old := &base.Groups[i]
		if r.group(old) == nil && opts.FailOn >= 0 {
			r.miss("missing", "%s was not in this run; the baseline has it", base.where(old))
		}
	}
	return r.Changes, nil
}

func comparableRuns(base, now *Run, opts AgainstOptions) error {
	switch {
	case base.Simulated != now.Simulated:
		return fmt.Errorf("the baseline was measured on %s and this run on %s; their times can't be compared", serverKind(base), serverKind(now))
	case base.Hardware != now.Hardware && !opts.AnyHardware:
		return fmt.Errorf("the baseline was measured on other hardware (%s) than this run (%s); compare runs of one machine, or say that any hardware will do",
			cmp.Or(base.Hardware, "not known"), cmp.Or(now.Hardware, "not known"))
	case opts.AnyModel:
		return nil
	}
	for _, m := range now.Models {
		for _, old := range base.Models {
			if old.Name == m.Name && bareDigest(old.Digest) != bareDigest(m.Digest) {
				return fmt.Errorf("model %q has other content in the baseline (%s) than in this run (%s); make a new baseline, or say that any model will do",
					m.Name, shortDigest(old.Digest), shortDigest(m.Digest))
			}
		}
	}
	return nil
}

func serverKind(run *Run) string {
	if run.Simulated {
		return "a simulated server"
	}
	return "a real one"
}

// shortDigest is a digest as Ollama lists it.
func shortDigest(digest string) string {
	if digest == "" {
		return "not known"
	}
	return head(bareDigest(digest), 12)
}

func bareDigest(digest string) string { return strings.TrimPrefix(digest, "sha256:") }

// group returns the group of r that belongs to g of another report; nil: there is none.
func (r *Report) group(g *Group) *Group {
	for i := range r.Groups {
		if own := &r.Groups[i]; own.Model == g.Model && own.Step == g.Step && own.Level == g.Level {
			return own
		}
	}
	return nil
}

// against compares one group. Where it has no times any more that is one miss, not one
// for each figure.
func (r *Report) against(old, now *Group, failOn float64) {
	lost := old.Latency != nil && now.Latency == nil
	if lost && failOn >= 0 {
		r.miss("latency", "latency of %s was not measured in this run; the baseline has %s", r.where(now), seconds(old.Latency.Median))
	}
	for _, f := range gated(old) {
		b, n := f.of(old), f.of(now)
		switch {
		case b.known && n.known:
			r.change(old, now, f, b, n, failOn)
		case b.known && !lost && failOn >= 0:
			r.miss(f.name, "%s of %s was not measured in this run; the baseline has %s", f.name, r.where(now), figureText(f.name, b.value))
		}
	}
}

func (r *Report) miss(name, format string, args ...any) {
	r.Missed = append(r.Missed, Missed{name, fmt.Sprintf(format, args...)})
}

func (r *Report) change(old, now *Group, f gatedFigure, b, n gatedValue, failOn float64) {
	c := Change{
		Model: now.Model, Step: now.Step, Level: now.Level, Figure: f.name,
		Base: b.value, Now: n.value, Delta: change(b.value, n.value), Shown: apart(b.stat, n.stat),
	}
	worse := c.Delta
	if f.higher {
		worse = -c.Delta
	}
	c.Worse = worse > 0
	byChance := hasInterval(b.stat) && hasInterval(n.stat) && !c.Shown
	c.Missed = c.Worse && failOn >= 0 && worse > failOn && !byChance
	r.Changes = append(r.Changes, c)
	if c.Missed {
		r.missChange(now, c, failOn)
	}
}

func (r *Report) missChange(g *Group, c Change, failOn float64) {
	now, base := figureTexts(c.Figure, c.Now, c.Base)
	side := "above"
	if c.Delta < 0 {
		side = "below"
	}
	r.miss(c.Figure, "%s of %s is %s, %s %s the baseline's %s; up to %s is let pass",
		c.Figure, r.where(g), now, changePercent(c.Delta), side, base, changePercent(failOn))
}

// A gatedFigure is a figure that a baseline is held against.
type gatedFigure struct {
	name   string
	of     func(*Group) gatedValue
	higher bool // is better
}

// A gatedValue is a figure's value, with its sample where it is a median.
type gatedValue struct {
	value float64
	known bool
	stat  *Stat
}

// gated are the figures of a group to compare, its columns last.
func gated(g *Group) []gatedFigure {
	list := []gatedFigure{
		{"latency", medianOf(func(g *Group) *Stat { return g.Latency }), false},
		{"ttft", medianOf(func(g *Group) *Stat { return g.TTFT }), false},
		{"tpot", medianOf(func(g *Group) *Stat { return g.TPOT }), false},
		{"tokens_per_sec", medianOf(func(g *Group) *Stat { return g.TokensPerSecond }), true},
		{"host_tokens_per_sec", hostSpeed, true},
	}
	for _, q := range g.Quality {
		list = append(list, gatedFigure{q.Name, qualityValue(q.Name), true})
	}
	return list
}

func medianOf(stat func(*Group) *Stat) func(*Group) gatedValue {
	return func(g *Group) gatedValue {
		if s := stat(g); s != nil {
			return gatedValue{s.Median, true, s}
		}
		return gatedValue{}
	}
}

func hostSpeed(g *Group) gatedValue {
	return gatedValue{value: g.HostTokensPerSecond, known: g.HostTokensPerSecond > 0}
}

func qualityValue(name string) func(*Group) gatedValue {
	return func(g *Group) gatedValue {
		v, ok := g.quality(name)
		return gatedValue{value: v, known: ok}
	}
}

func hasInterval(s *Stat) bool { return s != nil && s.Low != nil && s.High != nil }

// apart says whether the intervals of two medians have nothing in common.
func apart(a, b *Stat) bool {
	return hasInterval(a) && hasInterval(b) && (*a.High < *b.Low || *b.High < *a.Low)
}
