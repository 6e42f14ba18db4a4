package report

import (
	"slices"
	"strconv"
)

// An htmlColumn is a figure of the table of groups. Name is the JSON name of the Group's
// field it is of, by which it may be doubted.
type htmlColumn struct {
	Name, Head, Title string
	value             func(*Group) *float64 // nil: not measured
	show              func(float64) string
}

// An htmlGroup is a line of the table of groups, and its figures in full below.
type htmlGroup struct {
	*Group
	Name  string
	Load  float64 // what the level is sorted by
	Cells []htmlCell
	Plot  *htmlPlot
	Stats []htmlStat
}

// An htmlCell is a figure. Raw is what it is sorted by; empty: not measured.
type htmlCell struct {
	Text, Note, Raw string
	Doubtful        bool
}

// An htmlPlot is the latency of a group drawn in a line of 100 units.
type htmlPlot struct{ Min, Low, Median, P90, P99 float64 }

// An htmlStat is one figure of a group with all that is known of it.
type htmlStat struct {
	*Stat
	Head, Title string
	Show        func(float64) string
	Doubtful    bool
}

// htmlColumns are all columns there may be.
func htmlColumns() []htmlColumn {
	median, mean := func(s *Stat) float64 { return s.Median }, func(s *Stat) float64 { return s.Mean }
	p95, p99 := func(s *Stat) float64 { return s.P95 }, func(s *Stat) float64 { return s.P99 }
	return []htmlColumn{
		{"latency", "Latency median", "from sending a request to the last byte of its answer; half of them took less; below it the 95% confidence interval", htmlOf(htmlLatency, median), seconds},
		{"latency", "Latency mean", "mean latency", htmlOf(htmlLatency, mean), seconds},
		{"latency", "Latency p95", "latency that 95 of 100 requests stayed below", htmlOf(htmlLatency, p95), seconds},
		{"latency", "Latency p99", "latency that 99 of 100 requests stayed below", htmlOf(htmlLatency, p99), seconds},
		{"schedule_latency", "From schedule p95", "open loop: from when the request was to start, whether or not it could, to the last byte; 95 of 100 stayed below", htmlOf(htmlSchedule, p95), seconds},
		{"ttft", "TTFT median", "time to first token: from sending to the first chunk with text or thinking", htmlOf(htmlTTFT, median), seconds},
		{"ttft", "TTFT p95", "time to first token that 95 of 100 requests stayed below", htmlOf(htmlTTFT, p95), seconds},
		{"tpot", "TPOT median", "time per output token after the first one: (latency - TTFT) / (tokens - 1)", htmlOf(htmlTPOT, median), seconds},
		{"queue", "Queue median", "time that a request waited in the server, by its own account", htmlOf(htmlQueue, median), seconds},
		{"tokens_per_sec", "Tok/s a request", "mean of each request's tokens a second while it was written, by the server's account", htmlOf(htmlSpeed, mean), number},
		{"host_tokens_per_sec", "Tok/s in all", "tokens of all requests together, from the first sending to the last end, by second", htmlPositive(func(g *Group) float64 { return g.HostTokensPerSecond }), number},
		{"requests_per_sec", "Requests/s", "finished requests by second, from the first sending to the last end", htmlPositive(func(g *Group) float64 { return g.RequestsPerSecond }), number},
		{"goodput", "Goodput /s", "requests by second that kept all limits", func(g *Group) *float64 { return g.Goodput }, number},
		{"load", "Load median", "time to load the model, of the requests that found it not loaded", htmlOf(htmlLoad, median), seconds},
	}
}

func htmlLatency(g *Group) *Stat  { return g.Latency }
func htmlSchedule(g *Group) *Stat { return g.Schedule }
func htmlTTFT(g *Group) *Stat     { return g.TTFT }
func htmlTPOT(g *Group) *Stat     { return g.TPOT }
func htmlQueue(g *Group) *Stat    { return g.Queue }
func htmlSpeed(g *Group) *Stat    { return g.TokensPerSecond }
func htmlLoad(g *Group) *Stat     { return g.Load }

func htmlOf(stat func(*Group) *Stat, figure func(*Stat) float64) func(*Group) *float64 {
	return func(g *Group) *float64 {
		s := stat(g)
		if s == nil {
			return nil
		}
		x := figure(s)
		return &x
	}
}

func htmlPositive(figure func(*Group) float64) func(*Group) *float64 {
	return func(g *Group) *float64 {
		if x := figure(g); x > 0 {
			return &x
		}
		return nil
	}
}

// htmlColumnsOf are those that some group has.
func htmlColumnsOf(groups []Group) []htmlColumn {
	return slices.DeleteFunc(htmlColumns(), func(c htmlColumn) bool {
		return !slices.ContainsFunc(groups, func(g Group) bool { return c.value(&g) != nil })
	})
}

func htmlGroupOf(g *Group, columns []htmlColumn, longest float64) htmlGroup {
	line := htmlGroup{Group: g, Name: htmlGroupName(g), Load: max(g.Level.Rate, float64(g.Level.Concurrency)), Plot: htmlPlotOf(g.Latency, longest), Stats: htmlStatsOf(g)}
	for _, c := range columns {
		line.Cells = append(line.Cells, htmlCellOf(g, c))
	}
	return line
}

func htmlCellOf(g *Group, c htmlColumn) htmlCell {
	x := c.value(g)
	if x == nil {
		return htmlCell{}
	}
	cell := htmlCell{Text: c.show(*x), Raw: strconv.FormatFloat(*x, 'g', -1, 64), Doubtful: slices.Contains(g.Doubtful, c.Name)}
	if c.Head == "Latency median" && g.Latency.Low != nil && g.Latency.High != nil {
		cell.Note = seconds(*g.Latency.Low) + " to " + seconds(*g.Latency.High)
	}
	return cell
}

// htmlLongest is what the plots of all groups are drawn to.
func htmlLongest(groups []Group) (longest float64) {
	for _, g := range groups {
		if g.Latency != nil {
			longest = max(longest, g.Latency.P99)
		}
	}
	return longest
}

func htmlPlotOf(s *Stat, longest float64) *htmlPlot {
	if s == nil || longest <= 0 {
		return nil
	}
	at := func(x float64) float64 { return float64(int(1000*x/longest)) / 10 }
	low := s.Median
	if s.Low != nil {
		low = *s.Low
	}
	return &htmlPlot{Min: at(s.Min), Low: at(low), Median: at(s.Median), P90: at(s.P90), P99: at(s.P99)}
}

// Span is how far the whole plot reaches, and Body how far its thick part does.
func (p *htmlPlot) Span() float64 { return max(p.P99-p.Min, 0.5) }
func (p *htmlPlot) Body() float64 { return max(p.P90-p.Median, 0.5) }

// htmlStatsOf are all figures of a group that were measured.
func htmlStatsOf(g *Group) (stats []htmlStat) {
	for _, s := range htmlFigures(g) {
		if s.Stat != nil {
			stats = append(stats, htmlStat{s.Stat, s.head, s.title, s.show, slices.Contains(g.Doubtful, s.name)})
		}
	}
	return stats
}

type htmlFigure struct {
	*Stat
	name, head, title string
	show              func(float64) string
}

func htmlFigures(g *Group) []htmlFigure {
	return []htmlFigure{
		{g.Latency, "latency", "Latency", "from sending to the last byte", seconds},
		{g.Schedule, "schedule_latency", "Latency from schedule", "from when the request was to start to the last byte", seconds},
		{g.TTFT, "ttft", "Time to first token", "from sending to the first chunk with text or thinking", seconds},
		{g.TTFText, "ttf_text", "Time to first text", "from sending to the first chunk with text; before it the model thought", seconds},
		{g.TPOT, "tpot", "Time per output token", "(latency - time to first token) / (tokens - 1)", seconds},
		{g.Chunks, "inter_chunk", "Between chunks", "the mean time between two chunks of each request", seconds},
		{g.Queue, "queue", "Queue", "the server's total less load, prompt and generation", seconds},
		{g.Load, "load", "Load", "of the model, before its first request; requests that found it not loaded are in no other figure", seconds},
		{g.Prompt, "prompt", "Reading the prompt", "by the server's account", seconds},
		{g.Generate, "generate", "Writing the answer", "by the server's account", seconds},
		{g.TokensPerSecond, "tokens_per_sec", "Tokens a second", "of each request: its tokens by the time of writing", number},
		{g.PromptTokensPerSecond, "prompt_tokens_per_sec", "Prompt tokens a second", "of each request: its prompt's tokens by the time of reading", number},
		{g.Late, "late", "Sent late by", "the report's own error: how late requests were sent", seconds},
	}
}

// Interval is the confidence interval of the median in words.
func (s htmlStat) Interval() string {
	if s.Low == nil || s.High == nil {
		return ""
	}
	return s.Show(*s.Low) + " to " + s.Show(*s.High)
}
