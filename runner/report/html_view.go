package report

import (
	"cmp"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/batchrunner/runner/specs/say"
)

// An htmlView is what the page says of a report in tables and sentences, put in words.
type htmlView struct {
	Verdict     htmlVerdict
	Tiles       []htmlTile
	Columns     []htmlColumn // of Groups
	Groups      []htmlGroup
	Steps       bool // there is more than one step
	Levels      bool // there are levels of load
	Comparisons []htmlComparisons
	Changes     []htmlChange
	Quality     htmlQuality
	Axes        []htmlAxis
}

// An htmlVerdict is the run in a sentence. Tone is good, warn or bad.
type htmlVerdict struct{ Tone, Text string }

// An htmlTile is a figure to see first.
type htmlTile struct{ Label, Value, Note, Tone string }

func newHTMLView(r *Report) htmlView {
	v := htmlView{Verdict: htmlVerdictOf(r), Tiles: htmlTiles(r), Columns: htmlColumnsOf(r.Groups), Quality: htmlQualityOf(r.Groups)}
	v.Comparisons, v.Changes, v.Axes = htmlComparisonsOf(r.Comparisons), htmlChangesOf(r.Changes), htmlAxesOf(r.ByAxis)
	steps := map[string]bool{}
	for _, g := range r.Groups {
		steps[g.Step] = true
		v.Levels = v.Levels || g.Level != Level{}
	}
	v.Steps = len(steps) > 1
	longest := htmlLongest(r.Groups)
	for i := range r.Groups {
		v.Groups = append(v.Groups, htmlGroupOf(&r.Groups[i], v.Columns, longest))
	}
	return v
}

// htmlVerdictOf says the worst that is to be said.
func htmlVerdictOf(r *Report) htmlVerdict {
	switch {
	case len(r.Missed) > 0:
		return htmlVerdict{"bad", say.Plural(len(r.Missed), "threshold") + " missed"}
	case r.Run.State == "failed":
		return htmlVerdict{"bad", "The run failed; " + say.Count(r.Failed) + " of " + say.Plural(r.Rows, "row") + " failed"}
	case r.Run.State == "interrupted":
		return htmlVerdict{"warn", "Interrupted after " + say.Plural(r.OK+r.Failed, "row") + " of " + say.Count(r.Rows)}
	case r.Run.State == "running":
		return htmlVerdict{"warn", "Not finished: " + say.Plural(r.OK+r.Failed, "row") + " of " + say.Count(r.Rows) + " so far"}
	case r.Failed > 0:
		return htmlVerdict{"warn", say.Count(r.Failed) + " of " + say.Plural(r.Rows, "row") + " failed"}
	case r.Rows == 1:
		return htmlVerdict{"good", "The row is ok"}
	}
	return htmlVerdict{"good", "All " + say.Plural(r.Rows, "row") + " ok"}
}

func htmlTiles(r *Report) []htmlTile {
	tiles := []htmlTile{{"Rows ok", say.Count(r.OK), "of " + say.Count(r.Rows), ""}, htmlFailedTile(r)}
	if r.Reused > 0 {
		tiles = append(tiles, htmlTile{"Asked", say.Count(r.Asked), say.Count(r.Reused) + " answers were there before", ""})
	} else {
		tiles = append(tiles, htmlTile{"Asked", say.Count(r.Asked), "tasks in this run", ""})
	}
	if took := r.Run.Ended.Sub(r.Run.Began); !r.Run.Ended.IsZero() {
		tiles = append(tiles, htmlTile{"Took", seconds(took.Seconds()), "from first to last", ""})
	}
	return append(tiles, htmlBest(r.Groups)...)
}

func htmlFailedTile(r *Report) htmlTile {
	tile := htmlTile{Label: "Rows failed", Value: say.Count(r.Failed), Note: "none"}
	if r.Failed > 0 {
		tile.Tone = "bad"
		tile.Note = say.Plural(len(r.Failures), "cause")
	}
	return tile
}

// htmlBest are the fastest answers and the most text a second; groups come fastest first.
func htmlBest(groups []Group) (tiles []htmlTile) {
	if len(groups) > 0 && groups[0].Latency != nil {
		g := &groups[0]
		tiles = append(tiles, htmlTile{"Fastest answer", seconds(g.Latency.Median), "median of " + htmlGroupName(g), ""})
	}
	most := slices.MaxFunc(append([]Group{{}}, groups...), func(a, b Group) int {
		return cmp.Compare(a.HostTokensPerSecond, b.HostTokensPerSecond)
	})
	if most.HostTokensPerSecond > 0 {
		tiles = append(tiles, htmlTile{"Most throughput", number(most.HostTokensPerSecond) + " tok/s", htmlGroupName(&most), ""})
	}
	return tiles
}

// htmlGroupName tells a group from the others in a few words.
func htmlGroupName(g *Group) string {
	name := g.Model
	if name == "" {
		name = g.Step
	}
	if load := g.Level.words(); load != "" {
		name += ", " + load
	}
	return name
}

// htmlComparisons are those of one step and level, those that show a difference first.
type htmlComparisons struct {
	Title string
	Lines []htmlComparison
}

type htmlComparison struct {
	Shown bool
	Text  string
}

func htmlComparisonsOf(all []Comparison) (sets []htmlComparisons) {
	for _, c := range all {
		title := htmlPlace(c.Step, c.Level)
		if n := len(sets); n == 0 || sets[n-1].Title != title {
			sets = append(sets, htmlComparisons{Title: title})
		}
		last := &sets[len(sets)-1]
		last.Lines = append(last.Lines, htmlComparison{c.Shown, c.sentence(htmlName)})
	}
	for _, set := range sets {
		slices.SortStableFunc(set.Lines, func(a, b htmlComparison) int { return htmlOrder(b.Shown) - htmlOrder(a.Shown) })
	}
	return sets
}

func htmlOrder(first bool) int {
	if first {
		return 1
	}
	return 0
}

// htmlPlace is a step and a level of load, as far as there are such.
func htmlPlace(step string, level Level) string {
	if load := level.words(); load != "" {
		return step + ", " + load
	}
	return step
}

// htmlName is a name within a sentence: it can't turn the direction of what follows it.
func htmlName(s string) string { return "\u2068" + oneLine(s) + "\u2069" }

// An htmlChange is a figure held against a baseline. Tone is good, bad or empty.
type htmlChange struct {
	Change
	Figure, Base, Now, Delta, Tone string
}

func htmlChangesOf(all []Change) (lines []htmlChange) {
	for _, c := range all {
		line := htmlChange{Change: c, Figure: figureName(c.Figure), Base: htmlValue(c.Figure, c.Base), Now: htmlValue(c.Figure, c.Now)}
		if line.Delta = percent(c.Delta); c.Delta > 0 {
			line.Delta = "+" + line.Delta
		}
		switch {
		case c.Missed:
			line.Tone = "bad"
		case c.Shown && !c.Worse:
			line.Tone = "good"
		}
		lines = append(lines, line)
	}
	return lines
}

// htmlValue is a value of a figure of a Change with its unit.
func htmlValue(figure string, x float64) string {
	switch figure {
	case "latency", "ttft", "tpot":
		return seconds(x)
	case PassRate:
		return percent(x)
	}
	return number(x)
}

// An htmlAxis is the quality by the values of one variable.
type htmlAxis struct {
	Name  string
	Names []string // of the figures
	Lines []htmlAxisLine
}

type htmlAxisLine struct {
	Value string
	Cells []htmlCell
}

func htmlAxesOf(all []AxisQuality) (axes []htmlAxis) {
	for _, q := range all {
		if n := len(axes); n == 0 || axes[n-1].Name != q.Axis {
			axes = append(axes, htmlAxis{Name: q.Axis})
		}
		last := &axes[len(axes)-1]
		last.Names = htmlQualityNames(last.Names, q.Quality)
	}
	for i := range axes {
		for _, q := range all {
			if q.Axis == axes[i].Name {
				axes[i].Lines = append(axes[i].Lines, htmlAxisLine{q.Value, htmlQualityCells(q.Quality, axes[i].Names)})
			}
		}
	}
	return axes
}

func htmlQualityNames(names []string, more []Quality) []string {
	for _, q := range more {
		if !slices.Contains(names, q.Name) {
			names = append(names, q.Name)
		}
	}
	return names
}

// An htmlQuality is the table of what the answers were worth.
type htmlQuality struct {
	Names []string
	Lines []htmlQualityLine
}

type htmlQualityLine struct {
	Group *Group
	Cells []htmlCell
}

func htmlQualityOf(groups []Group) (table htmlQuality) {
	for _, g := range groups {
		table.Names = htmlQualityNames(table.Names, g.Quality)
	}
	for i := range groups {
		if len(groups[i].Quality) > 0 {
			table.Lines = append(table.Lines, htmlQualityLine{&groups[i], htmlQualityCells(groups[i].Quality, table.Names)})
		}
	}
	return table
}

func htmlQualityCells(all []Quality, names []string) []htmlCell {
	cells := make([]htmlCell, len(names))
	for _, q := range all {
		text := htmlValue(q.Name, q.Mean)
		cells[slices.Index(names, q.Name)] = htmlCell{Text: text, Note: "n " + say.Count(q.N)}
	}
	return cells
}

// htmlFuncs are what the templates call.
func htmlFuncs() template.FuncMap {
	return template.FuncMap{
		"count":   say.Count[int64],
		"count64": say.Count[int],
		"plural":  say.Plural[int],
		"rows":    func(rows []int64) int64 { return int64(len(rows)) },
		"level":   Level.words,
		"seconds": seconds,
		"percent": percent,
		"share":   func(p *float64) float64 { return *p },
		"figure":  figureName,
		"short":   htmlDigest,
		"time":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"sorted":  func(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) },
		"limits":  func(m map[string]float64) []string { return slices.Sorted(maps.Keys(m)) },
	}
}

// htmlDigest is as much of a digest as tells models apart.
func htmlDigest(digest string) string {
	digest = strings.TrimPrefix(digest, "sha256:")
	return digest[:min(len(digest), 12)]
}
