package report

import (
	"slices"
	"strings"
	"testing"
)

// judged is a report of two models in one step, as Make could have made it.
func judged() *Report {
	group := func(model string, latency, pass, score float64) Group {
		return Group{
			Model: model, Step: "main", Latency: &Stat{N: 20, Mean: latency, Median: latency * 0.9, P90: latency * 1.2, P95: latency * 1.3, P99: latency * 1.4},
			TokensPerSecond: &Stat{N: 20, Mean: 42}, HostTokensPerSecond: 160, RequestsPerSecond: 4,
			Quality: []Quality{{PassRate, 200, pass}, {"score", 190, score}},
		}
	}
	return &Report{Groups: []Group{group("gemma3:4b", 2, 0.912, 4.2), group("qwen3:8b", 3, 0.99, 3.7)}}
}

func TestJudge(t *testing.T) {
	tests := []struct {
		name  string
		limit Threshold
		want  []string
	}{
		{"kept", Threshold{Figure: "latency", Op: "<=", Value: 3}, nil},
		{"kept at the limit", Threshold{Figure: "pass_rate", Op: ">=", Value: 0.912}, nil},
		{"not kept at an open limit", Threshold{Figure: "score", Op: ">", Value: 4.2}, []string{
			"score of gemma3:4b is 4.20, not above the limit of 4.20", "score of qwen3:8b is 3.70, 12% below the limit of 4.20",
		}},
		{"a time", Threshold{Figure: "p95_latency", Op: "<=", Value: 2.5}, []string{
			"p95_latency of gemma3:4b is 2.60s, 4% above the limit of 2.50s", "p95_latency of qwen3:8b is 3.90s, 56% above the limit of 2.50s",
		}},
		{"by very little", Threshold{Figure: "p50_latency", Op: "<", Value: 2.6999}, []string{"p50_latency of qwen3:8b is 2.7s, 0.00370% above the limit of 2.6999s"}},
		{"a share", Threshold{Figure: "pass_rate", Op: ">=", Value: 0.95}, []string{"pass_rate of gemma3:4b is 91.2%, 3.80 points below the limit of 95.0%"}},
		{"a rate", Threshold{Figure: "tokens_per_sec", Op: ">=", Value: 84}, []string{
			"tokens_per_sec of gemma3:4b is 42.0, 50% below the limit of 84.0", "tokens_per_sec of qwen3:8b is 42.0, 50% below the limit of 84.0",
		}},
		{"a column", Threshold{Figure: "score", Op: ">=", Value: 4}, []string{"score of qwen3:8b is 3.70, 7.5% below the limit of 4.00"}},
		{"not measured", Threshold{Figure: "ttft", Op: "<=", Value: 1, Text: "1s"}, []string{
			"ttft of gemma3:4b was not measured in this run; its limit is 1s", "ttft of qwen3:8b was not measured in this run; its limit is 1s",
		}},
		{"no such column", Threshold{Figure: "grade", Op: ">=", Value: 4, Text: ">= 4"}, []string{"grade was not measured in this run; its limit is >= 4"}},
		{"no such step", Threshold{Step: "judge", Figure: "latency", Op: "<=", Value: 4}, []string{`latency of step "judge" was not measured in this run; its limit is <= 4.00s`}},
		{"a limit of nothing", Threshold{Figure: "score", Op: "<=", Value: 0}, []string{"score of gemma3:4b is 4.20, above the limit of 0", "score of qwen3:8b is 3.70, above the limit of 0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := judged()
			r.Judge([]Threshold{tt.limit})
			var got []string
			for _, m := range r.Missed {
				if m.Name != tt.limit.Figure {
					t.Errorf("name %q; want %q", m.Name, tt.limit.Figure)
				}
				got = append(got, m.Message)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("missed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestJudgeSaysWhere(t *testing.T) {
	r := judged()
	r.Groups[0].Step, r.Groups[0].Level = "draft", Level{Concurrency: 4}
	r.Judge([]Threshold{{Step: "draft", Figure: "latency", Op: "<=", Value: 1}})
	if want := "latency of gemma3:4b (step draft, 4 at a time) is 2.00s, 100% above the limit of 1.00s"; len(r.Missed) != 1 || r.Missed[0].Message != want {
		t.Errorf("missed %+v; want %q", r.Missed, want)
	}
}

func TestFigures(t *testing.T) {
	names := Figures()
	if !slices.IsSorted(names) || len(names) != 5*6+5+1 {
		t.Errorf("%d figures %q; want 36, sorted", len(names), names)
	}
	reused := Group{Quality: []Quality{{PassRate, 3, 1}}}
	full := judged().Groups[0]
	full.TTFT, full.TPOT, full.Queue, full.Schedule, full.PromptTokensPerSecond = full.Latency, full.Latency, full.Latency, full.Latency, full.Latency
	full.Goodput = new(float64)
	for _, name := range names {
		if _, ok := full.Figure(name); !ok {
			t.Errorf("Figure(%q) of a group that has all: not measured", name)
		}
		if v, ok := reused.Figure(name); ok != (name == PassRate) {
			t.Errorf("Figure(%q) of reused answers: %v, %t", name, v, ok)
		}
	}
	for name, want := range map[string]float64{"latency": 2, "median_latency": 1.8, "p50_latency": 1.8, "p90_latency": 2.4, "p95_latency": 2.6, "p99_latency": 2.8, "score": 4.2} {
		if got, _ := full.Figure(name); got-want > 1e-9 || want-got > 1e-9 {
			t.Errorf("Figure(%q) = %v; want %v", name, got, want)
		}
	}
}
