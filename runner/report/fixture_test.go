package report

import (
	"flag"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// checkGolden holds text against a file of testdata.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); go test ./runner/report -update rewrites it\n%s", name, diff)
	}
}

// Models of the fixture: one is fast, one has a name that forms have to care for, and one
// fails wholly.
const (
	fast   = "gemma3:4b"
	slow   = "hf.co/bartowski/Qwen|2.5_*7B*:Q4_K_M"
	broken = "llama3.3:70b"
)

// hostile are answers that try to be more than text.
var hostile = []string{
	"<script>alert(1)</script></script><img src=x onerror=alert(2)>",
	"a | b | c\n|---|---|\n```\nfence\n~~~\n# heading\n- item\n1. one\n> quote",
	"\x1b[31mred\x1b[0m \x1b]0;title\x07 \u009b31m bell\a back\b nul\x00 \u202eevil\u202c \u2066iso\u2069",
	"]]> <![CDATA[ &amp; &#0; \ufffe \uffff bad \xff utf8",
	"::add-mask::secret\n::stop-commands::x\n##[add-mask]y\n##vso[task.complete]z",
	"=HYPERLINK(\"http://example.com\",\"click\")\t@SUM(1)\r-1+1",
	"@octocat see #1 and https://example.com/x www.example.com $x^2$ :smile: [a](b) ![c](d) *e* _f_ `g`",
}

func ref(f float64) *float64 { return &f }

// stat is a sample with its middle at median and a spread of a tenth of it.
func stat(n int, median float64) *Stat {
	s := &Stat{
		N: n, Mean: median * 1.02, Median: median, StdDev: median / 10, Min: median * 0.85,
		P90: median * 1.12, P95: median * 1.2, P99: median * 1.29, Max: median * 1.3,
	}
	if n >= 6 {
		s.Low, s.High = ref(median*0.96), ref(median*1.04)
		s.Histogram = []int{1, n - 3, 1, 1}
	}
	return s
}

// group is what was measured of a model that answers 20 requests of a step.
func group(model string, level Level, latency float64) Group {
	return Group{
		Model: model, Step: "draft", Level: level, Requests: 20, OK: 20,
		Latency: stat(20, latency), TTFT: stat(20, latency/10), TPOT: stat(20, latency/50), Chunks: stat(20, latency/48),
		Queue: stat(20, latency/100), Prompt: stat(20, latency/12), Generate: stat(20, latency*0.8),
		TokensPerSecond: stat(20, 60/latency), PromptTokensPerSecond: stat(20, 1234/latency),
		HostTokensPerSecond: 48 / latency * float64(max(1, level.Concurrency)), RequestsPerSecond: 1 / latency,
		PromptTokens: 620, OutputTokens: 960, Goodput: ref(0.9 / latency), Late: stat(20, 0.0001),
		Quality: []Quality{{Name: "pass_rate", N: 20, Mean: 0.95}, {Name: "score", N: 20, Mean: 4.2}},
		Sample:  "Bonjour, \"toi\"\nça va ?",
	}
}

func fixtureGroups() []Group {
	one, four, open := Level{Concurrency: 1}, Level{Concurrency: 4}, Level{Rate: 2.5}
	groups := []Group{
		group(fast, one, 0.82), group(fast, four, 1.234), group(slow, one, 1.5),
		group(fast, open, 1.8), group(slow, four, 4.2),
		{
			Model: broken, Step: "draft", Level: one, Requests: 20, Failures: map[string]int{"does_not_fit": 20},
			Error: "model \"llama3.3:70b\" needs 41 GB, \x1b[31mthe host\x1b[0m has 24 GB\n::error::x",
		},
	}
	groups[0].Cold, groups[0].Load = 1, stat(1, 2.1)
	groups[2].OK, groups[2].Failures = 18, map[string]int{"timeout": 1, "schema": 1}
	groups[2].Cold, groups[2].Load = 2, stat(2, 5.4)
	groups[2].Sample, groups[4].Sample = hostile[0], hostile[4]
	groups[3].Schedule = stat(20, 2.6)
	groups[3].Doubtful = []string{"ttft", "latency"}
	groups[4].TTFText = stat(20, 0.7)
	return groups
}

// fixture is a report with everything that a report can have.
func fixture() *Report {
	one := Level{Concurrency: 1}
	began := time.Date(2026, 11, 27, 9, 30, 0, 0, time.UTC)
	r := &Report{
		Version: Version,
		Run: Run{
			ID: 12, Job: "compare", File: "jobs/compare.yaml", Began: began, Ended: began.Add(185 * time.Second), State: "done",
			Host: "gpu1", Runner: "v1.2.3", Server: "localhost:11434", ServerVersion: "0.17.7", Hardware: "16 x AMD EPYC, 64 GB, 1 x RTX 4090",
			Models: []Model{
				{Name: fast, Digest: "a2af6cc3eb7f", Accelerated: ref(1), Context: 8192},
				{Name: slow, Digest: "845dbda0ea48", Accelerated: ref(0.4), Context: 8192},
				{Name: broken, Digest: "a6eb4748fd29"},
			},
			Lag: &Lag{Median: 0.000012, P99: 0.0011},
		},
		Bench: &Bench{Runs: 5, Warmup: 1, Order: "interleaved", Levels: []Level{{Concurrency: 1}, {Concurrency: 4}, {Rate: 2.5}}, Goodput: map[string]float64{"ttft": 0.5, "latency": 3}},
		Rows:  120, OK: 98, Failed: 22, Asked: 118, Reused: 2,
		Groups: fixtureGroups(),
		Comparisons: []Comparison{
			{Step: "draft", Level: one, Figure: "latency", A: fast, B: slow, Delta: 0.829, P: 0.0004, Shown: true},
			{Step: "draft", Level: one, Figure: "tokens_per_sec", A: fast, B: slow, Delta: -0.07, P: 0.012, Shown: true},
			{Step: "draft", Level: one, Figure: "ttft", A: fast, B: slow, Delta: 0.02, P: 0.41},
			{Step: "draft", Level: one, Figure: "latency", A: fast, B: broken, Delta: 0, P: 1, Too: "too few"},
		},
		Failures: []Failure{
			{Class: "does_not_fit", Message: "model \"llama3.3:70b\" needs 41 GB | the host has 24 GB", Count: 20, Rows: []int64{40, 41, 42, 43, 44, 45, 46, 47, 48, 49}},
			{Class: "schema", Message: "the answer is not JSON: \x1b[2J<b>::add-mask::oops</b>\n::warning::x ]]>", Count: 1, Rows: []int64{23}},
			{Class: "timeout", Message: "no answer within 30s", Count: 1, Rows: []int64{27}},
		},
		Hints: []string{
			"gemma3:4b gave the most tokens/s at 4 at a time; more did not help",
			"hf.co/bartowski/Qwen|2.5_*7B*:Q4_K_M ran on the CPU for 60% of its layers",
		},
		Warnings: []string{"20 requests of a model are few for a p99"},
		Missed:   []Missed{{Name: "p95_latency", Message: "p95_latency of gemma3:4b is 2.16s, 8% over 2s"}, {Name: "pass_rate", Message: "pass_rate is 95%, below 98%"}},
		Changes: []Change{
			{Model: fast, Step: "draft", Level: one, Figure: "latency", Base: 0.75, Now: 0.82, Delta: 0.0933, Shown: true, Worse: true},
			{Model: slow, Step: "draft", Level: one, Figure: "tokens_per_sec", Base: 30, Now: 40, Delta: 1.0 / 3, Shown: true},
			{Model: slow, Step: "draft", Level: one, Figure: "ttft", Base: 0.15, Now: 0.151, Delta: 0.0067, Worse: true},
		},
		ByAxis: []AxisQuality{
			{Axis: "language", Value: "French", Quality: []Quality{{Name: "pass_rate", N: 60, Mean: 0.9}, {Name: "score", N: 54, Mean: 4.25}}},
			{Axis: "language", Value: "a|b `c` <i>", Quality: []Quality{{Name: "pass_rate", N: 60, Mean: 0.7333}}},
		},
		Timeline: []Span{
			{Kind: "load", Model: fast, From: 0.1, To: 2.2},
			{Kind: "request", Model: fast, Step: "draft", Row: 1, From: 2.2, To: 3.1, Queue: 0.01, First: 0.08},
			{Kind: "request", Model: slow, Step: "draft", Row: 23, From: 9, To: 9.7, Error: "schema"},
		},
		Columns: []string{"language", "sentence"},
		Dropped: 100_000 - MaxRows,
	}
	for i, text := range hostile {
		r.Answers = append(r.Answers, fixtureRow(int64(i), text))
	}
	return r
}

func fixtureRow(n int64, text string) Row {
	row := Row{
		Number: n, ID: "s" + string(rune('a'+n%26)), Vars: map[string]string{"language": "French", "sentence": "How | are <b>you</b>?"},
		Cells: []Cell{
			{Step: "draft", Model: fast, Count: 15, Prompt: "Translate to French: How are you?", Response: text, Latency: 0.83, TTFT: 0.081, Tokens: 48, Speed: 61.2},
			{Step: "draft", Model: slow, Count: 10, Prompt: "Translate to French: How are you?", Response: "Comment vas-tu ?", Latency: 1.52, TTFT: 0.15, Tokens: 9, Speed: 40, Reused: n == 1},
			{Step: "draft", Model: broken, Count: 5, Class: "does_not_fit", Message: "model \"llama3.3:70b\" needs 41 GB"},
		},
	}
	if n == 3 {
		row.Cells[1].Class, row.Cells[1].Message = "schema", "the answer is not JSON: "+hostile[4]
	}
	return row
}

// fixtureTasks are tasks like those that the fixture was made from, a few of each kind.
func fixtureTasks() iter.Seq2[*Task, error] {
	one, four := Level{Concurrency: 1}, Level{Concurrency: 4}
	sent := time.Date(2026, 11, 27, 9, 30, 1, 0, time.UTC)
	answered := func(row int64, model string, level Level, latency time.Duration) *Task {
		return &Task{
			Row: row, RowID: "s" + string(rune('a'+row)), Step: "draft", Model: model, Level: level, Repetition: 1,
			Asked: true, Attempts: 1, Response: hostile[row], DoneReason: "stop", PromptTokens: 31, OutputTokens: 48,
			Total: latency, Load: 30 * time.Millisecond, Prompt: latency / 12, Generate: latency * 8 / 10,
			Measured: &Measured{Due: sent, Sent: sent, First: latency / 10, FirstText: latency / 10, Newest: latency, Last: latency + time.Millisecond, Chunks: 48},
		}
	}
	cold := answered(0, fast, one, 3*time.Second)
	cold.Load = 2100 * time.Millisecond
	reused := answered(1, slow, one, time.Second)
	reused.Asked, reused.Measured = false, nil
	failed := &Task{
		Row: 3, RowID: "s]]>\x00d", Step: "draft", Model: slow, Level: one, Repetition: 2, Asked: true, Attempts: 3,
		Class: "schema", Message: "the answer is not JSON: \x1b[2J<b>x</b>\n::warning::x ]]>", Response: hostile[3],
	}
	unasked := &Task{Row: 4, RowID: "se", Step: "judge", Level: one, Repetition: 1, Class: "upstream", Message: `step "draft" failed`}
	interrupted := &Task{Row: 5, RowID: "sf", Step: "draft", Model: fast, Level: one, Repetition: 1, Asked: true, Class: "interrupted"}
	tasks := []*Task{
		cold, answered(1, fast, one, 820*time.Millisecond), answered(2, fast, one, 830*time.Millisecond),
		answered(1, fast, four, 1234*time.Millisecond), reused, answered(2, slow, one, 1500*time.Millisecond), failed, unasked, interrupted,
	}
	return func(yield func(*Task, error) bool) {
		for _, t := range tasks {
			if !yield(t, nil) {
				return
			}
		}
	}
}
