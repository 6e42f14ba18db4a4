package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := median(test.values); got != test.want {
			t.Errorf("median(%v) = %v, want %v", test.values, got, test.want)
		}
	}
}

func TestLineHoldsTheRatioOfMediansAgainstTheLimit(t *testing.T) {
	it := against("x", "x", "plain", plain, work{}, peak("plain", 1.5))
	of := func(peaks ...int64) (fs []figure) {
		for _, p := range peaks {
			fs = append(fs, figure{peak: p})
		}
		return fs
	}
	tests := []struct {
		name          string
		runner, plain []figure
		held          float64
		missed        bool
	}{
		{"within", of(30, 10, 90), of(20, 20, 20), 1.5, false},
		{"beyond", of(31, 10, 90), of(20, 20, 20), 1.55, true},
		{"nothing was measured", of(0), of(0), math.NaN(), true},
	}
	for _, test := range tests {
		l := it.checks[0].line(it, [][]figure{test.runner, test.plain})
		same := l.held() == test.held || math.IsNaN(l.held()) && math.IsNaN(test.held)
		if !same || l.missed() != test.missed {
			t.Errorf("%s: held = %v, missed = %v; want %v, %v", test.name, l.held(), l.missed(), test.held, test.missed)
		}
	}
}

func TestTable(t *testing.T) {
	it := items()[0]
	lines := []line{
		{check: it.checks[0], value: 10.25, base: 10},
		{check: paced(50, 1).checks[0], value: 0.001, again: true},
		{check: started(work{}).checks[1], value: 0.018, base: 0.012},
	}
	var out bytes.Buffer
	missed := writeItem(&out, it, lines)
	want := "(a) 500 rows of 100 ms at 5: makespan                                      10.250 s   10.000 s bare        1.025  1.01     MISSED\n" +
		"    rate, off by                                                            0.100 %                               0.500 %  ok (second time)\n" +
		"    time, of which its imports                                             18.00 ms   12.00 ms empty       1.500\n"
	if missed != 1 || out.String() != want {
		t.Errorf("%d missed:\n%s\nwant 1:\n%s", missed, out.String(), want)
	}
}

// TestTableFitsAScreen counts the lines of the whole table, and the longest heading.
func TestTableFitsAScreen(t *testing.T) {
	lines := 2
	for _, it := range items() {
		lines += len(it.checks)
		if first := it.heading() + ": " + it.checks[0].what; len(first) > 72 {
			t.Errorf("%q is longer than its column", first)
		}
		for _, c := range it.checks {
			for _, name := range []string{c.of, c.over, c.beside} {
				if name != "" && !strings.Contains(names(it), name) {
					t.Errorf("(%s) measures %q, which is not among %s", it.key, name, names(it))
				}
			}
		}
	}
	if lines > 30 {
		t.Errorf("the table has %d lines", lines)
	}
}

func names(it item) string {
	all := ""
	for _, c := range it.contestants {
		all += c.name + " "
	}
	return all
}

func TestChoose(t *testing.T) {
	got, err := choose(items(), "c,a")
	if err != nil || strings.Join(keys(got), " ") != "a c" {
		t.Errorf("choose = %v, %v", keys(got), err)
	}
	if _, err := choose(items(), "a,zz"); err == nil || !strings.Contains(err.Error(), `no item "zz"; there are a, b, c`) {
		t.Errorf("choose of an unknown item: %v", err)
	}
}

func TestMainRefusesWrongFlags(t *testing.T) {
	for _, args := range [][]string{{"-only", "zz"}, {"-rounds", "0"}, {"-nope"}, {"stray"}} {
		var out, errs bytes.Buffer
		if code := Main(args, &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("Main(%q) = %d, said %q", args, code, errs.String())
		}
	}
}

func TestRunThatDidNotDoAllIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := site{output: dir + "/out.jsonl"}
	if err := os.WriteFile(s.output, []byte("{}\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		c    contestant
		got  stats
		want string // in the error; empty for none
	}{
		{"all", contestant{program: plain, work: work{rows: 2, concurrency: 1}}, stats{Completed: 2, MaxOpen: 1}, ""},
		{"one unanswered", contestant{program: plain, work: work{rows: 2, concurrency: 1}}, stats{Completed: 1, MaxOpen: 1}, "1 of 2 rows were answered"},
		{"too many at once", contestant{program: plain, work: work{rows: 2, concurrency: 1}}, stats{Completed: 2, MaxOpen: 2}, "2 requests were open at once"},
		{"one unwritten", contestant{program: runner, work: work{rows: 3, concurrency: 1}}, stats{Completed: 3, MaxOpen: 1}, "2 of 3 records were written"},
		{"bare writes nothing", contestant{program: bare, work: work{rows: 3, concurrency: 1}}, stats{Completed: 3, MaxOpen: 1}, ""},
		{"a benchmark writes a report", contestant{program: benching, work: work{rows: 3, warmups: 2, concurrency: 1}}, stats{Completed: 5, MaxOpen: 1}, ""},
		{"one did not warm up", contestant{program: benching, work: work{rows: 3, warmups: 2, concurrency: 1}}, stats{Completed: 4, MaxOpen: 1}, "4 of 5 rows were answered"},
	}
	for _, test := range tests {
		err := test.c.complete(s, test.got)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

func TestPrepareClearsTheOutputOfTheRoundBefore(t *testing.T) {
	b := bench{dir: t.TempDir()}
	w := work{rows: 3, concurrency: 2, rate: 50}
	s, err := b.prepare(w, 1)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(s.data)
	if want := "id,text\nr0,what comes to mind at line 0 of a long list\n"; err != nil || !strings.HasPrefix(string(data), want) {
		t.Errorf("data %q, %v", data, err)
	}
	job, err := os.ReadFile(s.job)
	if err != nil || !strings.Contains(string(job), "{{ .line.text }}") || !strings.Contains(string(job), "\nrate: 50/s\n") {
		t.Errorf("job %q, %v", job, err)
	}
	if err := os.WriteFile(s.output, []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.prepare(w, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.output); !os.IsNotExist(err) {
		t.Errorf("the old output is still there: %v", err)
	}
}

func TestEmptyMainIsAProgram(t *testing.T) {
	source := emptyMain([]string{"fmt", "github.com/spf13/cobra"})
	file, err := parser.ParseFile(token.NewFileSet(), "empty.go", source, parser.AllErrors)
	if err != nil || len(file.Imports) != 2 {
		t.Errorf("%v:\n%s", err, source)
	}
}

func TestSpendTellsWhatAFailingProgramSaid(t *testing.T) {
	_, err := spend(exec.CommandContext(t.Context(), "go", "no-such-command"))
	if err == nil || !strings.Contains(err.Error(), "no-such-command") {
		t.Errorf("spend = %v", err)
	}
}

// TestItemMeasuresRealPrograms builds the load server and both reference clients and
// lets them do a small item on real sockets.
func TestItemMeasuresRealPrograms(t *testing.T) {
	dir := t.TempDir()
	b := bench{rounds: 2, dir: dir, log: &bytes.Buffer{}}
	if err := b.clients.buildOurs(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	w := work{rows: 40, concurrency: 4, slots: 4, service: time.Millisecond, chunks: 3, axis: "txt"}
	it := item{
		key: "t", title: "small", contestants: []contestant{{"plain", plain, w}, {"bare", bare, w}},
		checks: []check{
			{what: "makespan", of: "plain", over: "bare", show: seconds, limit: 1e6, get: func(f figure) float64 { return f.stats.Makespan }},
			{what: "CPU", of: "plain", show: seconds, limit: 1e6, get: func(f figure) float64 { return f.cpu.Seconds() }},
			{what: "impossible", of: "plain", show: seconds, limit: 1e-12, get: func(f figure) float64 { return f.wall.Seconds() }},
		},
	}
	lines, err := b.item(t.Context(), it)
	if err != nil {
		t.Fatal(err)
	}
	if l := lines[0]; l.value < 10 || l.base < 10 || l.again {
		t.Errorf("makespans of %v and %v ms; 40 rows of 1 ms on 4 slots take 10 at least", l.value, l.base)
	}
	if l := lines[1]; l.value <= 0 {
		t.Errorf("no CPU was spent: %+v", l)
	}
	if l := lines[2]; !l.missed() || !l.again {
		t.Errorf("a missed limit was not measured again: %+v", l)
	}
}
