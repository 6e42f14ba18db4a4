package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReadReport(t *testing.T) {
	whole := `{"v":1,"groups":[{"ok":20,"latency":{"n":19,"median":0.2,"p95":0.4,"p99":0.5,"max":0.6},"ttft":{"n":19,"median":0.08},"load":{"n":1,"median":2}}]}`
	tests := []struct {
		name, text string
		want       string // in the error; empty for none
	}{
		{"all were measured, one of them cold", whole, ""},
		{"one failed", strings.Replace(whole, `"ok":20`, `"ok":19`, 1), "19 of 20 requests were measured"},
		{"one was not measured", strings.Replace(whole, `"n":19,"median":0.2`, `"n":18,"median":0.2`, 1), "19 of 20 requests were measured"},
		{"no group", `{"v":1,"groups":[]}`, "the report has 0 groups, want 1"},
		{"no report", `{"v":1,`, "unexpected end"},
	}
	for _, test := range tests {
		path := filepath.Join(t.TempDir(), "report.json")
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readReport(path, 20)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
		if test.want == "" && (got.Latency.P99 != 0.5 || got.TTFT.Median != 0.08 || got.Load.Median != 2) {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
	if _, err := readReport(filepath.Join(t.TempDir(), "report.json"), 20); !os.IsNotExist(err) {
		t.Errorf("a missing report: %v", err)
	}
}

func TestLatencyCountsFromTheScheduleWhereThereIsOne(t *testing.T) {
	closed := told{Latency: quantiles{N: 5, Median: 1}}
	open := told{Latency: quantiles{N: 5, Median: 1}, Schedule: quantiles{N: 5, Median: 3}}
	if closed.asUsed().Median != 1 || open.asUsed().Median != 3 {
		t.Errorf("closed %v, open %v", closed.asUsed().Median, open.asUsed().Median)
	}
}

func TestAddedIsMatchedRowByRow(t *testing.T) {
	server := map[string]request{"a": {TTFT: 100}, "b": {TTFT: 50}, "c": {TTFT: 10}}
	client := []first{{"b", 53e6}, {"a", 101e6}, {"c", 12e6}} // 3, 1 and 2 ms more
	if got, err := added(3, client, server); err != nil || got != 2*time.Millisecond {
		t.Errorf("added = %v, %v; want 2ms", got, err)
	}
	if _, err := added(4, client, server); err == nil || err.Error() != "of 4 rows the client timed 3, the server 3" {
		t.Errorf("a row is missing: %v", err)
	}
	if _, err := added(3, append(client[:2:2], first{"z", 1}), server); err == nil || !strings.Contains(err.Error(), `never asked "z"`) {
		t.Errorf("a prompt of nobody: %v", err)
	}
}

// trueOnes are the truth of the tests: 80 ms, 20 ms a token.
func trueOnes() trueFigures {
	return trueFigures{TTFT: trueQuantiles{80, 80, 80}, Latency: trueQuantiles{220, 460, 600}, PerToken: trueQuantiles{20, 20, 20}}
}

func exact() told {
	return told{
		TTFT: quantiles{Median: 0.080, P95: 0.080, Max: 0.080}, Latency: quantiles{Median: 0.220, P95: 0.460, Max: 0.600},
		TPOT: quantiles{Median: 0.020, P95: 0.020, Max: 0.020},
	}
}

func TestFarthestFromTheTruth(t *testing.T) {
	w := work{load: 2 * time.Second}
	tests := []struct {
		name   string
		change func(*told)
		want   deviation
	}{
		{"nothing is wrong", func(*told) {}, deviation{"median ttft", 0}},
		{"a median, too long", func(r *told) { r.TTFT.Median = 0.0816 }, deviation{"median ttft", 0.02}},
		{"a p95, too short", func(r *told) { r.Latency.P95 = 0.437 }, deviation{"p95 latency", 0.05}},
		{"the worst of several", func(r *told) { r.TTFT.P95, r.Latency.Median, r.TPOT.Median = 0.0808, 0.2222, 0.0206 }, deviation{"median tpot", 0.03}},
		{"a longest one that the machine delayed", func(r *told) { r.Latency.Max = 0.9 }, deviation{"median ttft", 0}},
		{"the load in a latency", func(r *told) { r.Latency.Max = 2.4 }, deviation{"load in latency", 3}},
		{"the load in a first token", func(r *told) { r.TTFT.Max, r.Latency.Max = 2.08, 2.2 }, deviation{"load in ttft", 25}},
		{"the load in its own figure", func(r *told) { r.Load = quantiles{N: 1, Median: 2.02} }, deviation{"load", 0.01}},
	}
	for _, test := range tests {
		f := figure{told: exact(), stats: stats{Truth: &truth{Planned: trueOnes()}}}
		test.change(&f.told)
		got := w.farthest(f)
		if near := math.Abs(got.by-test.want.by) < 1e-9; !near || test.want.by > 1e-9 && got.name != test.want.name {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestFigureTellsItsDeviations(t *testing.T) {
	f := figure{told: exact(), stats: stats{Truth: &truth{Planned: trueOnes(), Measured: trueOnes()}}}
	f.told.TTFT.P95 = 0.0824
	f.stats.Truth.Measured.TTFT.P95 = 82.4
	if got := f.String(); !strings.Contains(got, "; p95 ttft 3.000 % (0.000 %); median latency 0.000 % (0.000 %);") {
		t.Errorf("figure = %q", got)
	}
}

func TestLineOfTheTruthNamesTheFarthestFigure(t *testing.T) {
	it := truly(1)
	var runs []figure
	for _, p95 := range []float64{0.0808, 0.0840, 0.0812} {
		f := figure{told: exact(), stats: stats{Truth: &truth{Planned: trueOnes()}}}
		f.told.TTFT.P95 = p95
		runs = append(runs, f)
	}
	l := it.checks[0].line(it, [][]figure{runs})
	if l.shown != "p95 ttft" || math.Abs(l.value-0.015) > 1e-9 || l.missed() {
		t.Errorf("line = %v beside %q, missed: %v", l.value, l.shown, l.missed())
	}
}

// TestMedianOfQueueAgainstASimulation serves requests in their order on slots, one by one.
func TestMedianOfQueueAgainstASimulation(t *testing.T) {
	w := work{rows: 1_200, slots: 10, service: 100 * time.Millisecond, rate: 120}
	free := make([]float64, w.slots)
	var latencies []float64
	for i := range w.rows {
		due := float64(i) / w.rate
		slices.Sort(free)
		free[0] = max(free[0], due) + w.service.Seconds()
		latencies = append(latencies, free[0]-due)
	}
	simulated, arithmetic := median(latencies), w.medianOfQueue()
	if math.Abs(arithmetic-1.099) > 0.001 || math.Abs(simulated/arithmetic-1) > 0.05 {
		t.Errorf("median = %v by arithmetic, %v when simulated", arithmetic, simulated)
	}
}

func TestP99OfFreezeAgainstASimulation(t *testing.T) {
	w := work{rows: 1_000, rate: 100, service: 20 * time.Millisecond, freeze: time.Second}
	const begin = 4.003 // between two starts
	var latencies []float64
	for i := range w.rows {
		due := float64(i) / w.rate
		end := due + w.service.Seconds()
		switch thaw := begin + w.freeze.Seconds(); {
		case due >= begin && due < thaw:
			end = thaw + w.service.Seconds()
		case end >= begin && end < thaw:
			end = thaw
		}
		latencies = append(latencies, end-due)
	}
	slices.Sort(latencies)
	simulated, arithmetic := latencies[989], w.p99OfFreeze() // the smallest that 99% don't exceed
	if math.Abs(arithmetic-0.94) > 1e-9 || math.Abs(simulated-arithmetic) > 0.0101 {
		t.Errorf("p99 = %v by arithmetic, %v when simulated", arithmetic, simulated)
	}
}

func TestLinesOfAnOpenLoad(t *testing.T) {
	run := func(latency, schedule float64) []figure {
		r := told{Latency: quantiles{N: 1, Median: latency, P99: latency}}
		if schedule > 0 {
			r.Schedule = quantiles{N: 1, Median: schedule, P99: schedule}
		}
		return []figure{{told: r, stats: stats{Rate: 80}}}
	}
	tests := []struct {
		name   string
		it     item
		open   []figure
		closed []figure
		held   float64
		missed bool
		line   string
	}{
		{"a queue that is seen", loaded(120), run(0.1, 1.099), run(0.1, 0), 1, false, "1.099 s   0.100 s closed       1.000  >= 0.90  ok"},
		{"a queue that is hidden", loaded(120), run(0.1, 0.2), run(0.1, 0), 0.182, true, "0.200 s   0.100 s closed       0.182  >= 0.90  MISSED"},
		{"no queue", loaded(80), run(0.1, 0.11), run(0.1, 0), 1.1, false, "0.110 s   0.100 s closed       1.100  1.25     ok"},
		{"a queue where none is to be", loaded(80), run(0.1, 0.2), run(0.1, 0), 2, true, "0.200 s   0.100 s closed       2.000  1.25     MISSED"},
		{"a freeze that is seen", frozen(), run(0.02, 0.893), run(0.02, 0), 0.95, false, "0.893 s   0.020 s closed       0.950  >= 0.90  ok"},
		{"nothing was measured", frozen(), run(0, math.NaN()), run(0, 0), math.NaN(), true, "MISSED"},
	}
	for _, test := range tests {
		l := test.it.checks[0].line(test.it, [][]figure{test.open, test.closed})
		var out bytes.Buffer
		writeItem(&out, test.it, []line{l})
		same := math.Abs(l.held()-test.held) < 1e-3 || math.IsNaN(test.held)
		if !same || l.missed() != test.missed || !strings.HasSuffix(strings.TrimSpace(out.String()), test.line) {
			t.Errorf("%s: held = %v, missed = %v; want %v, %v:\n%s", test.name, l.held(), l.missed(), test.held, test.missed, out.String())
		}
	}
}

func TestJobOfABenchmark(t *testing.T) {
	open, closed := loaded(120).contestants[0].work, loaded(120).contestants[1].work
	for _, test := range []struct {
		w    work
		want string
	}{{open, "\nbench: {runs: 1200, warmup: 1, rate: 120/s}\n"}, {closed, "\nbench: {runs: 1200, warmup: 10, concurrency: 10}\n"}} {
		b := bench{dir: t.TempDir()}
		s, err := b.prepare(test.w, 0)
		if err != nil {
			t.Fatal(err)
		}
		job, err := os.ReadFile(s.job)
		if err != nil || !strings.Contains(string(job), test.want) || !strings.Contains(string(job), "{{ .repetition }}") {
			t.Errorf("job %s, %v; want %s", job, err, test.want)
		}
		if err := os.WriteFile(s.report, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := b.prepare(test.w, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(s.report); !os.IsNotExist(err) {
			t.Errorf("the old report is still there: %v", err)
		}
	}
}

// TestBenchmarkOfRunnerOnAKnownServer lets a real runner measure a small load: its report
// and its store are read, and the server's account, on real sockets.
func TestBenchmarkOfRunnerOnAKnownServer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds runner")
	}
	dir := t.TempDir()
	b := bench{rounds: 1, dir: dir, log: &bytes.Buffer{}}
	b.clients.runner = filepath.Join(dir, "runner")
	if err := goBuild(t.Context(), b.clients.runner, house+"/runner"); err != nil {
		t.Fatal(err)
	}
	if err := b.clients.buildOurs(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	w := work{rows: 12, warmups: 2, concurrency: 2, slots: 2, axis: none, tokens: 3, sigma: 0.5, load: 50 * time.Millisecond}
	f, err := b.run(t.Context(), contestant{"runner", benching, w}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if f.told.TTFT.Median < 0.08 || f.told.Latency.N != 12 || f.stats.Truth == nil || f.stats.Truth.Planned.TTFT.P50 != 80 {
		t.Errorf("told %+v, stats %+v", f.told, f.stats)
	}
	open := w
	open.concurrency, open.rate, open.freeze = unbounded, 100, 20*time.Millisecond
	if f, err = b.run(t.Context(), contestant{"open", benching, open}, 0); err != nil {
		t.Fatal(err)
	}
	if f.told.Schedule.N != 12 || f.stats.Rate <= 0 {
		t.Errorf("told %+v, stats %+v", f.told, f.stats)
	}
	matched := work{rows: 30, concurrency: 4, slots: 4, service: time.Millisecond, chunks: 3, axis: "txt", matched: true}
	for _, p := range []program{keeping, plain} {
		if f, err = b.run(t.Context(), contestant{"client", p, matched}, 0); err != nil {
			t.Fatal(err)
		}
		if f.added <= 0 {
			t.Errorf("%s adds %v to the times of the server", b.clients.path(p), f.added)
		}
	}
}
