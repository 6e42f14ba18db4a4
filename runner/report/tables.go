package report

import (
	"slices"
	"strings"

	"github.com/batchrunner/runner/specs/say"
)

// A stepTable is the main table of a step, for the forms that people read as text: a line
// for each of its groups, a column for each figure that some group has.
type stepTable struct {
	step    string
	levels  bool // the groups differ in their levels of load
	groups  []*Group
	columns []column
}

// A column is a figure of groups. An empty cell says that it was not measured.
type column struct {
	head   string
	figure string // its JSON name, by which it may be doubtful
	cell   func(g *Group) string
}

// columns are the figures in the order of the table.
func columns() []column {
	return []column{
		{"mean", "latency", of(latencyOf, func(s *Stat) string { return seconds(s.Mean) })},
		{"median", "latency", of(latencyOf, (*Stat).median)},
		{"p95", "latency", of(latencyOf, func(s *Stat) string { return seconds(s.P95) })},
		{"p95 due", "schedule_latency", of(func(g *Group) *Stat { return g.Schedule }, func(s *Stat) string { return seconds(s.P95) })},
		{"ttft", "ttft", of(func(g *Group) *Stat { return g.TTFT }, medianCell)},
		{"tok/s", "tokens_per_sec", of(func(g *Group) *Stat { return g.TokensPerSecond }, func(s *Stat) string { return number(s.Mean) })},
		{"host", "host_tokens_per_sec", func(g *Group) string { return positiveCell(g.HostTokensPerSecond) }},
		{"req/s", "requests_per_sec", func(g *Group) string { return positiveCell(g.RequestsPerSecond) }},
		{"good/s", "goodput", goodputCell},
		{"ok", "", func(g *Group) string { return say.Count(g.OK) }},
		{"failed", "", failedCell},
		{"queue", "queue", of(func(g *Group) *Stat { return g.Queue }, medianCell)},
	}
}

// legend says what the columns of a step's table are.
const legend = "mean, median with its 95% interval, and p95 of the latency; ttft and queue: medians; " +
	"tok/s: mean of the requests; host: all requests together"

// legendOf adds what only some tables have.
func legendOf(tables []stepTable) string {
	text := legend
	if slices.ContainsFunc(tables, func(t stepTable) bool { return t.levels }) {
		text = "level: requests at a time, or starts a second; " + text
	}
	for _, more := range []struct{ head, text string }{
		{"p95 due", "p95 due: from when a request was to start"},
		{"good/s", "good/s: requests that kept the limits of goodput"},
	} {
		if slices.ContainsFunc(tables, func(t stepTable) bool { return t.has(more.head) }) {
			text += "; " + more.text
		}
	}
	if slices.ContainsFunc(tables, stepTable.doubtful) {
		text += "; ?: the report's own error may pass 5% of the figure"
	}
	return text
}

func (t stepTable) has(head string) bool {
	return slices.ContainsFunc(t.columns, func(c column) bool { return c.head == head })
}

func (t stepTable) doubtful() bool {
	return slices.ContainsFunc(t.groups, func(g *Group) bool {
		return slices.ContainsFunc(t.columns, func(c column) bool { return c.doubted(g) })
	})
}

func (c column) doubted(g *Group) bool {
	return c.figure != "" && c.cell(g) != "" && slices.Contains(g.Doubtful, c.figure)
}

// text is the group's cell, with a mark where the figure is doubtful.
func (c column) text(g *Group) string {
	if c.doubted(g) {
		return c.cell(g) + "?"
	}
	return c.cell(g)
}

func of(stat func(*Group) *Stat, text func(*Stat) string) func(*Group) string {
	return func(g *Group) string {
		if s := stat(g); s != nil {
			return text(s)
		}
		return ""
	}
}

func latencyOf(g *Group) *Stat { return g.Latency }

func medianCell(s *Stat) string { return seconds(s.Median) }

func positiveCell(f float64) string {
	if f <= 0 {
		return ""
	}
	return number(f)
}

func goodputCell(g *Group) string {
	if g.Goodput == nil {
		return ""
	}
	return number(*g.Goodput)
}

func failedCell(g *Group) string {
	n := int64(g.Requests - g.OK)
	if n <= 0 {
		return ""
	}
	return say.Count(n)
}

// stepTables are the tables of a report. Steps and models come as in Groups, so the
// fastest first; of a model, levels come as a sweep goes through them.
func stepTables(r *Report) []stepTable {
	var tables []stepTable
	for _, step := range distinct(r.Groups, func(g *Group) string { return g.Step }) {
		t := stepTable{step: step}
		for i := range r.Groups {
			if g := &r.Groups[i]; g.Step == step {
				t.groups = append(t.groups, g)
			}
		}
		t.sort()
		for _, c := range columns() {
			if slices.ContainsFunc(t.groups, func(g *Group) bool { return c.cell(g) != "" }) {
				t.columns = append(t.columns, c)
			}
		}
		tables = append(tables, t)
	}
	return tables
}

func (t *stepTable) sort() {
	place := map[string]int{}
	for _, g := range t.groups {
		if _, ok := place[g.Model]; !ok {
			place[g.Model] = len(place)
		}
		t.levels = t.levels || g.Level != t.groups[0].Level
	}
	slices.SortStableFunc(t.groups, func(a, b *Group) int {
		if a.Model != b.Model {
			return place[a.Model] - place[b.Model]
		}
		return a.Level.compare(b.Level)
	})
}

// title names a step's table; the only step of a job needs no name.
func (t *stepTable) title() string {
	if t.step == "" || t.step == "main" {
		return "latency and throughput"
	}
	return "step " + brief(t.step, nameText)
}

// level is the group's level in a column of its own: "4", "2.5/s".
func (l Level) short() string { return strings.TrimSuffix(l.words(), " at a time") }

// distinct gives the values of a field, each once, in the order of the groups.
func distinct(groups []Group, field func(*Group) string) []string {
	var found []string
	seen := map[string]bool{}
	for i := range groups {
		if v := field(&groups[i]); !seen[v] {
			seen[v] = true
			found = append(found, v)
		}
	}
	return found
}
