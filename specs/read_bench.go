package specs

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// readBench reads how the job is measured, if it is: by the job file, or because the
// command line says so.
func (d *draft) readBench() {
	n := d.file.Bench
	if n == nil && !d.opts.Bench {
		return
	}
	b := &Bench{Runs: DefaultRuns, Warmup: DefaultWarmup}
	var f benchFile
	if n != nil {
		b.Pos = posOf(n)
		d.fill(n, &f)
	}
	if f.Runs != nil {
		b.Runs = int(integer(f.Runs))
	}
	if d.opts.Runs > 0 {
		b.Runs = d.opts.Runs
	}
	if f.Warmup != nil {
		b.Warmup = int(integer(f.Warmup))
	}
	b.Interleaved = f.Order != nil && f.Order.Value == "interleaved"
	d.readLevels(b, &f)
	d.readGoodput(b, f.Goodput)
	d.job.Bench = b
}

// readLevels reads the loads; without any there is one, the job's own.
func (d *draft) readLevels(b *Bench, f *benchFile) {
	if f.Concurrency != nil && f.Rate != nil {
		d.report(posOf(f.Rate), "", fmt.Sprintf(`"rate" starts requests whatever is in flight, and "concurrency" (at %s) bounds what is in flight`, d.place(posOf(f.Concurrency))), "remove one of the two")
	}
	for _, n := range oneOrMore(f.Concurrency) {
		if d.opts.Concurrency == 0 {
			d.addLevel(b, n, Level{Concurrency: int(integer(n)), Text: n.Value})
		}
	}
	for _, n := range oneOrMore(f.Rate) {
		d.addLevel(b, n, Level{Rate: d.readRate(n, ""), Text: n.Value})
	}
	b.Sweep = len(b.Levels) > 0
	if !b.Sweep {
		b.Levels = []Level{{Concurrency: d.job.Concurrency, Text: strconv.Itoa(d.job.Concurrency)}}
	}
}

func oneOrMore(n *yaml.Node) []*yaml.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.SequenceNode:
		return n.Content
	}
	return []*yaml.Node{n}
}

func (d *draft) addLevel(b *Bench, n *yaml.Node, level Level) {
	if d.wrong[n] {
		return
	}
	same := func(l Level) bool { return l.Concurrency == level.Concurrency && l.Rate == level.Rate }
	if slices.ContainsFunc(b.Levels, same) {
		d.reportf(n, "", "the load %s is there twice", n.Value)
		return
	}
	b.Levels = append(b.Levels, level)
}

func (d *draft) readGoodput(b *Bench, n *yaml.Node) {
	var f goodputFile
	d.fill(n, &f)
	for _, limit := range []struct {
		node *yaml.Node
		to   *time.Duration
		name string
	}{{f.TTFT, &b.Goodput.TTFT, `"ttft"`}, {f.TPOT, &b.Goodput.TPOT, `"tpot"`}, {f.Latency, &b.Goodput.Latency, `"latency"`}} {
		if limit.node == nil {
			continue
		}
		if *limit.to, _ = time.ParseDuration(limit.node.Value); *limit.to <= 0 {
			d.report(posOf(limit.node), "", limit.name+" can't be kept by any answer", "give a time above 0, or remove it for no limit")
		}
	}
}

// readThresholds reads what the run has to reach.
func (d *draft) readThresholds() {
	for key, value := range pairs(d.file.Thresholds) {
		if d.wrong[key] || d.wrong[value] {
			continue
		}
		t := Threshold{Pos: posOf(key), Figure: key.Value, Text: value.Value}
		if step, figure, ok := strings.Cut(key.Value, "."); ok {
			t.Step, t.Figure = step, figure
		}
		if !slices.Contains(d.figures(), t.Figure) || d.readLimit(&t, value) { // names are checked later
			d.job.Thresholds = append(d.job.Thresholds, t)
		}
	}
}

// figures are the names that a threshold may have: of figures of a report, and of the
// columns of outputs.
func (d *draft) figures() []string {
	names := Figures()
	for _, o := range d.job.Outputs {
		for _, c := range o.Columns {
			names = append(names, c.Name.Value)
		}
	}
	return names
}

// readLimit reads ">= 95%", "2s", "40". It is false for a limit that doesn't go with
// what its figure is measured in.
func (d *draft) readLimit(t *Threshold, n *yaml.Node) bool {
	text := n.Value
	for _, op := range []string{">=", "<=", ">", "<"} {
		if rest, ok := strings.CutPrefix(text, op); ok {
			t.Op, text = op, strings.TrimSpace(rest)
			break
		}
	}
	kind, value := limitOf(text)
	if value < 0 || math.IsInf(value, 0) || math.IsNaN(value) {
		d.reportf(n, "", "the threshold %q: %s is no limit", t.Figure, n.Value)
		return false
	}
	t.Value = value
	want := unitOf(t.Figure)
	if want == share && kind == number && value <= 1 {
		kind = share
	}
	if kind != want {
		d.report(posOf(n), "", fmt.Sprintf("the threshold %q: %s is no limit for it", t.Figure, show(n, kindOf(n))), limitHelp[want])
		return false
	}
	if t.Op == "" {
		t.Op = ">="
		if want == seconds {
			t.Op = "<="
		}
	}
	return true
}

var limitHelp = map[unit]string{
	number:  `write a number, for example ">= 40"`,
	share:   `write a share of the rows, for example ">= 95%"`,
	seconds: `write a duration, for example "2s"`,
}

func limitOf(text string) (unit, float64) {
	if percent, ok := strings.CutSuffix(text, "%"); ok {
		v, _ := strconv.ParseFloat(percent, 64)
		return share, v / 100
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return number, v
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return seconds, -1
	}
	return seconds, v.Seconds()
}

// readReports reads the reports, or the one of the short form.
func (d *draft) readReports() {
	if n := d.file.Report; n != nil {
		d.readReport(n)
		if d.file.Reports != nil {
			d.report(posOf(n), "", fmt.Sprintf(`"report" is short for one entry of "reports", which are given too (at %s)`, d.place(posOf(d.file.Reports))), "move it to reports")
		}
	}
	if d.file.Reports == nil {
		return
	}
	for _, n := range d.file.Reports.Content {
		if !d.wrong[n] {
			d.readReport(n)
		}
	}
}

func (d *draft) readReport(n *yaml.Node) {
	form := strings.TrimPrefix(strings.ToLower(path.Ext(n.Value)), ".")
	if !slices.Contains(ReportForms(), form) {
		d.report(posOf(n), "", fmt.Sprintf("no form of report is known for %q", n.Value), "end its name with ."+strings.Join(ReportForms(), ", ."))
		return
	}
	d.job.Reports = append(d.job.Reports, Report{File: str(n), Form: form})
}
