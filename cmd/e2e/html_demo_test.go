//go:build e2e && unix

package e2e_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/batchrunner/runner/runner/report"
)

// A demo makes reports as a run would: of models with known speeds, over a sweep of
// concurrency, with the same figures each time.
type demo struct {
	rng    *rand.Rand
	models []string
	levels []int
	words  []string
}

func newDemo() *demo {
	return &demo{
		rng:    rand.New(rand.NewPCG(4, 2)),
		models: []string{"gemma3:4b", "qwen3:8b", "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M"},
		levels: []int{1, 2, 4, 8, 16},
		words:  strings.Fields("the harbour was quiet when morning came and nobody had told the captain that his ship would leave without him so he waited near the old lighthouse reading letters from a town across the water"),
	}
}

func (d *demo) text(n int) string {
	var words []string
	for range n {
		words = append(words, d.words[d.rng.IntN(len(d.words))])
	}
	return strings.Join(words, " ")
}

// sample are n measurements around a median, spread as durations usually are.
func (d *demo) sample(n int, median, spread float64) *report.Stat {
	values := make([]float64, n)
	s := &report.Stat{N: n, Min: math.Inf(1)}
	for i := range values {
		values[i] = median * math.Exp(spread*d.rng.NormFloat64())
		s.Min, s.Max = min(s.Min, values[i]), max(s.Max, values[i])
		s.Mean += values[i] / float64(n)
	}
	at := func(z float64) float64 { return min(s.Max, median*math.Exp(spread*z)) }
	low, high := median*0.975, median*1.03
	s.Median, s.P90, s.P95, s.P99, s.Low, s.High, s.StdDev = median, at(1.28), at(1.64), at(2.33), &low, &high, median*spread
	s.Histogram = make([]int, 30)
	for _, x := range values {
		s.Histogram[min(29, int(30*(x-s.Min)/(s.Max-s.Min)))]++
	}
	return s
}

func (d *demo) group(m, concurrency int) report.Group {
	c, base := float64(concurrency), []float64{0.62, 1.1, 0.48}[m]
	crowd := 1 + math.Max(0, c-4)*0.22 + c*0.02
	speed := []float64{71, 38, 93}[m] / math.Sqrt(crowd)
	goodput := 0.9 * c / (base * crowd)
	g := report.Group{
		Model: d.models[m], Step: "draft", Level: report.Level{Concurrency: concurrency}, Requests: 400, OK: 400,
		Latency: d.sample(400, base*crowd, 0.28), TTFT: d.sample(400, 0.09*crowd*crowd, 0.35), TPOT: d.sample(400, 1/speed, 0.1),
		Chunks: d.sample(400, 1/speed, 0.1), Queue: d.sample(400, 0.002+0.05*max(0, c-4), 0.5),
		Prompt: d.sample(400, 0.04, 0.2), Generate: d.sample(400, base*0.8, 0.25),
		TokensPerSecond: d.sample(400, speed, 0.1), PromptTokensPerSecond: d.sample(400, speed*11, 0.2),
		HostTokensPerSecond: speed * math.Min(c, 4+c*0.15) * 0.97, RequestsPerSecond: c / (base * crowd), Goodput: &goodput,
		PromptTokens: 24_112, OutputTokens: 18_340, Late: d.sample(400, 0.0002, 0.4),
		Quality: []report.Quality{{Name: "pass_rate", N: 400, Mean: 0.94 + 0.02*float64(m)}, {Name: "score", N: 400, Mean: 3.9 + 0.2*float64(m)}},
		Sample:  d.text(30),
	}
	if concurrency == 1 {
		g.Cold, g.Load = 2, d.sample(2, 2.4, 0.1)
		g.Load.Histogram = nil
	}
	if concurrency == 16 {
		g.Doubtful = []string{"ttft"}
		g.OK, g.Failures = 391, map[string]int{"timeout": 6, "schema": 3}
	}
	return g
}

// report is a benchmark over so many rows.
func (d *demo) report(rows int) *report.Report {
	began := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	full, part := 1.0, 0.82
	r := &report.Report{
		Version: report.Version,
		Run: report.Run{
			ID: 42, Job: "translate", File: "jobs/translate.yaml", Began: began, Ended: began.Add(26*time.Minute + 8*time.Second), State: "done",
			Host: "gpu-1", Runner: "1.4.0", Server: "localhost:11434", ServerVersion: "0.17.7", Hardware: "AMD Ryzen 9 7950X, 64 GB, NVIDIA RTX 4090",
			Models: []report.Model{
				{Name: d.models[0], Digest: "a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a", Accelerated: &full, Context: 4096},
				{Name: d.models[1], Digest: "500a1f067a9f782620b40bee6f7b0c89e17ae61f686b92c24933e4ca4b2b8b41", Accelerated: &part, Context: 4096},
			},
			Lag: &report.Lag{Median: 0.00004, P99: 0.0011},
		},
		Bench: &report.Bench{Runs: 3, Warmup: 1, Order: "grouped", Goodput: map[string]float64{"ttft": 0.5, "latency": 5}},
		Rows:  int64(rows) * 3, Asked: int64(rows)*3 - 40, Reused: 40,
		Hints: []string{
			"hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M wrote the most at 8 at a time; 16 at a time only made requests wait in the server",
			"qwen3:8b had 18% of its layers on the CPU",
		},
		Warnings: []string{"the times to first token at 16 at a time are doubtful: runner itself waited up to 5.2% of them for a processor"},
		Missed:   []report.Missed{{Name: "p95_latency", Message: "p95_latency of qwen3:8b is 3.02s, 51% over 2s"}},
		Columns:  []string{"language", "tone", "sentence"},
	}
	for m := range d.models {
		for _, c := range d.levels {
			r.Groups = append(r.Groups, d.group(m, c))
		}
	}
	slices.SortStableFunc(r.Groups, func(a, b report.Group) int { return cmp.Compare(a.Latency.Median, b.Latency.Median) })
	r.Groups = append(r.Groups, report.Group{Model: "phi4:14b", Step: "draft", Level: report.Level{Concurrency: 1}, Requests: 400,
		Failures: map[string]int{"does_not_fit": 400}, Error: `model "phi4:14b" needs 11.2 GB and the host has 8 GB free`})
	d.compare(r)
	d.answer(r, rows)
	d.timeline(r)
	return r
}

func (d *demo) compare(r *report.Report) {
	for _, c := range d.levels[:3] {
		level := report.Level{Concurrency: c}
		r.Comparisons = append(r.Comparisons,
			report.Comparison{Step: "draft", Level: level, Figure: "latency", A: d.models[2], B: d.models[0], Delta: 0.29, P: 0.0002, Shown: true},
			report.Comparison{Step: "draft", Level: level, Figure: "latency", A: d.models[0], B: d.models[1], Delta: 0.77, P: 0.0001, Shown: true},
			report.Comparison{Step: "draft", Level: level, Figure: "ttft", A: d.models[0], B: d.models[1], Delta: 0.01, P: 0.41})
	}
	r.Changes = []report.Change{
		{Model: d.models[0], Step: "draft", Level: report.Level{Concurrency: 1}, Figure: "latency", Base: 0.71, Now: 0.62, Delta: -0.127, Shown: true},
		{Model: d.models[1], Step: "draft", Level: report.Level{Concurrency: 1}, Figure: "latency", Base: 0.95, Now: 1.1, Delta: 0.158, Shown: true, Worse: true, Missed: true},
	}
	for _, language := range languages {
		r.ByAxis = append(r.ByAxis, report.AxisQuality{Axis: "language", Value: language, Quality: []report.Quality{{Name: "pass_rate", N: 3000, Mean: 0.9 + 0.08*d.rng.Float64()}, {Name: "score", N: 3000, Mean: 3.5 + d.rng.Float64()}}})
	}
}

var (
	languages = []string{"Spanish", "French", "German", "Japanese", "Arabic"}
	tones     = []string{"neutral", "formal"}
)

const timeoutMessage = "no answer within 30s (attempt 3 of 3)"

func (d *demo) answer(r *report.Report, rows int) {
	for i := range rows {
		row := d.row(i)
		for c := range row.Cells {
			if cell := &row.Cells[c]; i < rows/50 && c == i%3 {
				cell.Response, cell.Class, cell.Message = "", []string{"timeout", "schema"}[i%2], []string{timeoutMessage, "the answer is not of the schema: score is missing"}[i%2]
				cell.Latency, cell.TTFT, cell.Tokens, cell.Speed = 0, 0, 0, 0
				r.Failed++
			} else {
				r.OK++
			}
		}
		r.Answers = append(r.Answers, row)
	}
	r.Failures = []report.Failure{
		{Class: "timeout", Message: timeoutMessage, Count: int64(rows / 100), Rows: []int64{0, 6, 12, 18, 24, 30, 36, 42, 48, 54}},
		{Class: "schema", Message: "the answer is not of the schema: score is missing", Count: int64(rows / 100), Rows: []int64{4, 10, 16}},
	}
}

func (d *demo) row(i int) report.Row {
	language, tone := languages[i%len(languages)], tones[i/5%2]
	sentence := d.text(6 + d.rng.IntN(10))
	row := report.Row{Number: int64(i) * 3, ID: fmt.Sprintf("s%05d-%s", i, strings.ToLower(language)), Vars: map[string]string{"language": language, "tone": tone, "sentence": sentence}}
	for m, model := range d.models {
		n := 12 + d.rng.IntN(60)
		if i%9 == 0 {
			n += 120
		}
		row.Cells = append(row.Cells, report.Cell{
			Step: "draft", Model: model, Row: int64(i)*3 + int64(m), Count: 3, Prompt: fmt.Sprintf("Translate to %s (%s): %s", language, tone, sentence),
			Response: d.text(n), Latency: 0.5 + d.rng.Float64(), TTFT: 0.1 * (1 + d.rng.Float64()), Tokens: n * 4 / 3, Speed: 40 + 40*d.rng.Float64(), Reused: i%250 == 7,
		})
	}
	return row
}

// timeline is the run model by model, each loaded once, at all levels.
func (d *demo) timeline(r *report.Report) {
	now := 0.0
	for m, model := range d.models {
		r.Timeline = append(r.Timeline, report.Span{Kind: "load", Model: model, From: now, To: now + 2.4})
		now += 2.4
		for _, level := range d.levels {
			free := make([]float64, level)
			for n := range 60 {
				lane := n % level
				from := max(now, free[lane])
				span := report.Span{Kind: "request", Model: model, Step: "draft", Row: int64(n*3 + m), From: from, Queue: 0.03 * float64(max(0, level-4)), First: 0.1 + 0.03*float64(level)}
				span.To = from + 0.5 + 0.4*d.rng.Float64() + span.First
				if n%31 == 30 {
					span.Error = "timeout"
				}
				free[lane] = span.To
				r.Timeline = append(r.Timeline, span)
			}
			for _, end := range free {
				now = max(now, end)
			}
		}
	}
}
