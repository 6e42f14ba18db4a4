package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/runner/report"
	"github.com/batchrunner/runner/runner/simulate"
)

// A benched is one command against a server that remembers what it was asked.
type benched struct {
	code     int
	out, err string
	history  simulate.History
}

func bench(t *testing.T, config simulate.Config, args ...string) benched {
	t.Helper()
	server := simulate.New(config)
	listening := httptest.NewServer(server)
	defer listening.Close()
	var out, errs bytes.Buffer
	code := Main(context.Background(), append(args, "--host", listening.URL), nil, &out, &errs)
	return benched{code, out.String(), errs.String(), server.History()}
}

// models are those of the requests, in the order in which they began, runs of one
// counted: a3 b3.
func (b benched) models() []string {
	requests := slices.Clone(b.history.Requests)
	slices.SortFunc(requests, func(x, y simulate.Exchange) int { return x.Arrived.Compare(y.Arrived) })
	var all []string
	for _, r := range requests {
		if n := len(all); n > 0 && strings.HasPrefix(all[n-1], r.Model) {
			all[n-1] += "+"
			continue
		}
		all = append(all, r.Model+"+")
	}
	return all
}

func readReport(t *testing.T, name string) *report.Report {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := report.ReadJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const benchText = `model: "{{ .model }}"
prompt: Say {{ .word }}
matrix: {word: [x, y], model: [a, b]}
output: out.jsonl
report: report.json
`

// Grouped, a model's rows are asked together, its warm-up first; interleaved, each
// repetition goes over all models. Outputs and report count the measured ones alone, and
// everything is measured anew by the next command.
func TestBenchOrder(t *testing.T) {
	for _, tt := range []struct {
		order string
		want  []string
	}{
		{"grouped", []string{"a++++++++", "b++++++++"}},
		{"interleaved", []string{"a++++", "b++++", "a++", "b++", "a++", "b++"}},
	} {
		t.Run(tt.order, func(t *testing.T) {
			t.Chdir(t.TempDir())
			writeFile(t, "job.yaml", benchText+"concurrency: 1\nbench: {runs: 3, order: "+tt.order+"}\n")
			for range 2 {
				got := bench(t, simulate.Config{}, "apply", "job.yaml")
				if got.code != 0 {
					t.Fatalf("exit code %d: %s", got.code, got.err)
				}
				if diff := cmp.Diff(tt.want, got.models()); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
			if n := strings.Count(readFile(t, "out.jsonl"), "\n"); n != 12 {
				t.Errorf("%d records, want 12", n)
			}
			r := readReport(t, "report.json")
			if r.Rows != 12 || r.OK != 12 || r.Asked != 12 || r.Reused != 0 || len(r.Groups) != 2 || r.Groups[0].Requests != 6 {
				t.Errorf("the report counts %d rows, %d ok, %d asked, %d reused, groups %+v", r.Rows, r.OK, r.Asked, r.Reused, r.Groups)
			}
		})
	}
}

// No more requests are in flight than each load allows, and the loads stand apart in the report.
func TestBenchSweep(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", "model: a\nprompt: Say {{ .n }}\nmatrix: {n: {count: 20}}\nreport: report.json\nbench: {runs: 1, warmup: 0, concurrency: [1, 3]}\n")
	got := bench(t, simulate.Config{Parallel: 8, Timing: simulate.Timing{Service: 2 * time.Millisecond}}, "bench", "job.yaml")
	if got.code != 0 || got.history.MaxFlight > 3 || got.history.Asked != 40 {
		t.Fatalf("exit code %d, %d in flight, %d asked: %s", got.code, got.history.MaxFlight, got.history.Asked, got.err)
	}
	var levels []int
	for _, g := range readReport(t, "report.json").Groups {
		levels = append(levels, g.Level.Concurrency)
		if g.OK != 20 || g.Latency == nil || g.Latency.N != 20 {
			t.Errorf("at %d: %+v", g.Level.Concurrency, g)
		}
	}
	slices.Sort(levels)
	if !slices.Equal(levels, []int{1, 3}) {
		t.Errorf("the report's loads are %v", levels)
	}
	if !strings.Contains(got.out, "latency") {
		t.Errorf("the report is not shown:\n%s", got.out)
	}
}

// One model that is not there does not stop the others: its line has the error.
func TestBenchOfAMissingModel(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("HOME", t.TempDir())
	server := simulate.New(simulate.Config{Models: []simulate.Model{{Name: "a"}}, Faults: []simulate.Fault{{Kind: "missing", Model: regexp.MustCompile("gone")}}})
	listening := httptest.NewServer(server)
	defer listening.Close()
	var out, errs bytes.Buffer
	code := Main(context.Background(), []string{"bench", "-m", "gone", "-m", "a", "-n", "2", "--host", listening.URL}, nil, &out, &errs)
	if code != exitFailedRows {
		t.Errorf("exit code %d, want %d: %s", code, exitFailedRows, &errs)
	}
	var text bytes.Buffer
	if code := Main(context.Background(), []string{"report", "--format", "json"}, nil, &text, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	r, err := report.ReadJSON(&text)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range r.Groups {
		switch {
		case g.Model == "a" && (g.OK != 2 || g.Error != ""), g.Model == "gone" && (g.OK != 0 || !strings.Contains(g.Error, "gone")):
			t.Errorf("%s: %d ok, error %q", g.Model, g.OK, g.Error)
		}
	}
	if len(r.Groups) != 2 {
		t.Errorf("%d groups, want one for each model", len(r.Groups))
	}
}

// A judge's stages come after the draft's, with its answers: no model is loaded twice.
func TestBenchOfSteps(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", `steps:
  - {id: draft, model: a, prompt: "Say {{ .n }}"}
  - {id: judge, model: b, prompt: "Rate {{ .steps.draft.response }}"}
matrix: {n: {count: 3}}
output: out.jsonl
report: report.json
bench: {runs: 2}
`)
	got := bench(t, simulate.Config{MaxLoaded: 1}, "apply", "job.yaml")
	if got.code != 0 {
		t.Fatalf("exit code %d: %s", got.code, got.err)
	}
	if loads := len(got.history.Loads); loads != 2 || got.history.Asked != 2*9 {
		t.Errorf("%d loads, %d asked; want 2, and 6 rows and 3 warm-ups in each of 2 steps", loads, got.history.Asked)
	}
	for i, line := range strings.Split(strings.TrimSpace(readFile(t, "out.jsonl")), "\n") {
		var rec struct{ Success bool }
		if err := json.Unmarshal([]byte(line), &rec); err != nil || !rec.Success {
			t.Errorf("row %d: %v, %s", i, err, line)
		}
	}
	r := readReport(t, "report.json")
	if len(r.Groups) != 2 || r.Groups[0].OK != 6 || r.Groups[1].OK != 6 {
		t.Errorf("the groups are %+v", r.Groups)
	}
	if r.Run.Lag == nil || r.Run.ServerVersion == "" || r.Groups[0].Load == nil || r.Groups[0].Load.N != 1 {
		t.Errorf("the run is %+v, the first load %+v", r.Run, r.Groups[0].Load)
	}
}

// A report is made anew only by a run that asked something; thresholds are held against
// what is stored in any case.
func TestReportsAreLeftAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", "model: a\nprompt: Say {{ .n }}\nmatrix: {n: {count: 3}}\noutput: out.jsonl\nreports: [r/report.html, r/report.md]\n")
	if got := bench(t, simulate.Config{}, "apply", "job.yaml"); got.code != 0 {
		t.Fatal(got.err)
	}
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"r/report.html", "r/report.md"} {
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if got := bench(t, simulate.Config{}, "apply", "job.yaml"); got.code != 0 || got.history.Asked > 0 {
		t.Fatal(got.err)
	}
	for _, name := range []string{"r/report.html", "r/report.md"} {
		if info, err := os.Stat(name); err != nil || time.Since(info.ModTime()) < time.Minute {
			t.Errorf("%s was written again (%v)", name, err)
		}
	}
	if files, err := filepath.Glob("r/*"); err != nil || len(files) != 2 {
		t.Errorf("the reports' folder holds %v (%v)", files, err)
	}
	writeFile(t, "job.yaml", readFile(t, "job.yaml")+"thresholds: {pass_rate: 100%}\n")
	if got := bench(t, simulate.Config{}, "apply", "job.yaml"); got.code != 0 || got.history.Asked > 0 {
		t.Errorf("exit code %d: %s", got.code, got.err)
	}
}

// A benchmark of a part of the rows reports these, not what an earlier one measured of the
// others, whose thresholds it did not miss.
func TestBenchOfAPart(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", benchText+"bench: {runs: 3}\nthresholds: {p95_latency: 1h}\n")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "2 models, 12 rows, 12 ok\n"},
		{[]string{"--only", "model=a"}, "1 model, 6 rows, 6 ok\n"},
	} {
		got := bench(t, simulate.Config{}, append([]string{"bench", "job.yaml"}, tt.args...)...)
		if got.code != 0 || !strings.Contains(got.out, tt.want) {
			t.Errorf("%q: exit code %d, not %q:\n%s%s", tt.args, got.code, tt.want, got.err, got.out)
		}
	}
}

// A report that could not be written hides nothing of what was measured, and the next run
// makes up for it, though it asks nothing.
func TestReportThatCantBeWritten(t *testing.T) {
	for _, tt := range []struct{ command, more string }{
		{"bench", "bench: {runs: 2}\n"},
		{"apply", ""},
	} {
		t.Run(tt.command, func(t *testing.T) {
			t.Chdir(t.TempDir())
			writeFile(t, "job.yaml", benchText+tt.more+"thresholds: {requests_per_sec: 1000000}\n")
			if err := os.Mkdir("report.json", 0o777); err != nil {
				t.Fatal(err)
			}
			got := bench(t, simulate.Config{}, tt.command, "job.yaml")
			if got.code != exitDisk || !strings.Contains(got.err, "requests_per_sec of a is") || tt.more != "" && !strings.Contains(got.out, "latency and throughput") {
				t.Errorf("exit code %d:\n%s%s", got.code, got.err, got.out)
			}
			if err := os.Remove("report.json"); err != nil {
				t.Fatal(err)
			}
			if got := bench(t, simulate.Config{}, tt.command, "job.yaml"); got.code != exitFailedRows {
				t.Errorf("exit code %d: %s", got.code, got.err)
			}
			if r := readReport(t, "report.json"); r.Asked == 0 || r.Groups[0].Latency == nil {
				t.Errorf("the report is of %d asked tasks", r.Asked)
			}
		})
	}
}

// A job that is no benchmark itself is measured without touching its outputs, whose keys
// need not be unique over repetitions; --limit is of its own rows.
func TestBenchOfAnOrdinaryJob(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", `{model: a, prompt: "Say {{ .n }}", matrix: {n: {count: 3}}, outputs: [{file: out.json, key: "{{ .n }}", value: "{{ .response }}"}], report: report.json}`)
	if got := bench(t, simulate.Config{}, "apply", "job.yaml"); got.code != 0 {
		t.Fatal(got.err)
	}
	before := readFile(t, "out.json")
	got := bench(t, simulate.Config{}, "bench", "job.yaml", "-n", "4", "--limit", "2")
	if got.code != 0 || got.history.Asked != 10 {
		t.Fatalf("exit code %d, %d asked, want 4 of each of 2 rows and a warm-up of each\n%s", got.code, got.history.Asked, got.err)
	}
	if after := readFile(t, "out.json"); after != before {
		t.Errorf("the output was\n%s\nand is\n%s", before, after)
	}
	if r := readReport(t, "report.json"); len(r.Groups) != 1 || r.Groups[0].OK != 8 {
		t.Errorf("the groups are %+v", r.Groups)
	}
}
