package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/batchrunner/runner/specs/say"
)

// A csvColumn is one column of the CSV form.
type csvColumn struct {
	name string
	cell func(r *Report, g *Group) string
}

// WriteCSV writes a line for each group, in the order of the report. Times are seconds,
// rates per second; an empty cell was not measured. The columns, in this order:
//
//   - run, job, hardware, step, model: what was measured
//   - concurrency or rate: the level of load; both are empty outside of benchmarks
//   - requests, ok, failed: counts; error: the first failure's message, where none was ok
//   - for each of latency, ttft, ttf_text, tpot, inter_chunk, schedule_latency, load,
//     queue, prompt, generate, tokens_per_sec, prompt_tokens_per_sec and late: its _n,
//     _mean, _median, _low and _high (the median's 95% interval), _stddev, _min, _p90,
//     _p95, _p99 and _max
//   - host_tokens_per_sec, requests_per_sec, goodput, prompt_tokens, output_tokens, cold
//   - doubtful: the names of the figures that are to be doubted, with spaces between
//   - for each figure of quality, in the order of its first use: quality_NAME (pass_rate
//     from 0 to 1) and quality_NAME_n
//
// New columns come last. Text that a spreadsheet would take for a formula has a ' before it.
func WriteCSV(w io.Writer, r *Report) error {
	columns := csvColumns(r)
	out := csv.NewWriter(w)
	header := each(columns, func(c csvColumn) string { return c.name })
	if err := out.Write(header); err != nil {
		return err
	}
	for i := range r.Groups {
		line := each(columns, func(c csvColumn) string { return c.cell(r, &r.Groups[i]) })
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func csvColumns(r *Report) []csvColumn {
	all := []csvColumn{
		{"run", func(r *Report, _ *Group) string { return strconv.FormatInt(r.Run.ID, 10) }},
		{"job", func(r *Report, _ *Group) string { return csvText(r.Run.Job) }},
		{"hardware", func(r *Report, _ *Group) string { return csvText(r.Run.Hardware) }},
		{"step", func(_ *Report, g *Group) string { return csvText(g.Step) }},
		{"model", func(_ *Report, g *Group) string { return csvText(g.Model) }},
		{"concurrency", func(_ *Report, g *Group) string { return csvPositive(float64(g.Level.Concurrency)) }},
		{"rate", func(_ *Report, g *Group) string { return csvPositive(g.Level.Rate) }},
		{"requests", func(_ *Report, g *Group) string { return strconv.Itoa(g.Requests) }},
		{"ok", func(_ *Report, g *Group) string { return strconv.Itoa(g.OK) }},
		{"failed", func(_ *Report, g *Group) string { return strconv.Itoa(g.Requests - g.OK) }},
		{"error", func(_ *Report, g *Group) string { return csvText(g.Error) }},
	}
	for _, s := range groupStats() {
		all = append(all, statColumns(s)...)
	}
	all = append(all,
		csvColumn{"host_tokens_per_sec", func(_ *Report, g *Group) string { return csvPositive(g.HostTokensPerSecond) }},
		csvColumn{"requests_per_sec", func(_ *Report, g *Group) string { return csvPositive(g.RequestsPerSecond) }},
		csvColumn{"goodput", func(_ *Report, g *Group) string { return csvNumber(g.Goodput) }},
		csvColumn{"prompt_tokens", func(_ *Report, g *Group) string { return strconv.FormatInt(g.PromptTokens, 10) }},
		csvColumn{"output_tokens", func(_ *Report, g *Group) string { return strconv.FormatInt(g.OutputTokens, 10) }},
		csvColumn{"cold", func(_ *Report, g *Group) string { return strconv.Itoa(g.Cold) }},
		csvColumn{"doubtful", func(_ *Report, g *Group) string { return csvText(strings.Join(g.Doubtful, " ")) }},
	)
	for _, name := range qualityNames(r) {
		all = append(all, qualityColumns(name)...)
	}
	return all
}

// A groupStat is a distribution of a group under its JSON name.
type groupStat struct {
	name string
	of   func(*Group) *Stat
}

// groupStats are all distributions of a group, in the order of its fields.
func groupStats() []groupStat {
	return []groupStat{
		{"latency", latencyOf},
		{"ttft", func(g *Group) *Stat { return g.TTFT }},
		{"ttf_text", func(g *Group) *Stat { return g.TTFText }},
		{"tpot", func(g *Group) *Stat { return g.TPOT }},
		{"inter_chunk", func(g *Group) *Stat { return g.Chunks }},
		{"schedule_latency", func(g *Group) *Stat { return g.Schedule }},
		{"load", func(g *Group) *Stat { return g.Load }},
		{"queue", func(g *Group) *Stat { return g.Queue }},
		{"prompt", func(g *Group) *Stat { return g.Prompt }},
		{"generate", func(g *Group) *Stat { return g.Generate }},
		{"tokens_per_sec", func(g *Group) *Stat { return g.TokensPerSecond }},
		{"prompt_tokens_per_sec", func(g *Group) *Stat { return g.PromptTokensPerSecond }},
		{"late", func(g *Group) *Stat { return g.Late }},
	}
}

func statColumns(s groupStat) []csvColumn {
	column := func(part string, value func(*Stat) *float64) csvColumn {
		return csvColumn{s.name + part, func(_ *Report, g *Group) string {
			if stat := s.of(g); stat != nil {
				return csvNumber(value(stat))
			}
			return ""
		}}
	}
	return []csvColumn{
		column("_n", func(s *Stat) *float64 { n := float64(s.N); return &n }),
		column("_mean", func(s *Stat) *float64 { return &s.Mean }),
		column("_median", func(s *Stat) *float64 { return &s.Median }),
		column("_low", func(s *Stat) *float64 { return s.Low }),
		column("_high", func(s *Stat) *float64 { return s.High }),
		column("_stddev", func(s *Stat) *float64 { return &s.StdDev }),
		column("_min", func(s *Stat) *float64 { return &s.Min }),
		column("_p90", func(s *Stat) *float64 { return &s.P90 }),
		column("_p95", func(s *Stat) *float64 { return &s.P95 }),
		column("_p99", func(s *Stat) *float64 { return &s.P99 }),
		column("_max", func(s *Stat) *float64 { return &s.Max }),
	}
}

// qualityNames are the figures of quality in the order of their first use.
func qualityNames(r *Report) (names []string) {
	for i := range r.Groups {
		for _, q := range r.Groups[i].Quality {
			if !slices.Contains(names, q.Name) {
				names = append(names, q.Name)
			}
		}
	}
	return names
}

func qualityColumns(name string) []csvColumn {
	find := func(g *Group, cell func(q *Quality) string) string {
		i := slices.IndexFunc(g.Quality, func(q Quality) bool { return q.Name == name })
		if i < 0 {
			return ""
		}
		return cell(&g.Quality[i])
	}
	head := "quality_" + oneLine(name)
	return []csvColumn{
		{head, func(_ *Report, g *Group) string {
			return find(g, func(q *Quality) string { return csvNumber(&q.Mean) })
		}},
		{head + "_n", func(_ *Report, g *Group) string { return find(g, func(q *Quality) string { return strconv.Itoa(q.N) }) }},
	}
}

// csvText is a cell of text: clean, and nothing that a spreadsheet would carry out.
func csvText(s string) string { return harmless(say.Clean(s)) }

// csvNumber writes a figure with all its digits; nil is an empty cell.
func csvNumber(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'g', 9, 64)
}

func csvPositive(f float64) string {
	if f <= 0 {
		return ""
	}
	return csvNumber(&f)
}
