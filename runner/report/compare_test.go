package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// models makes tasks of models one after the other, each with its latencies in seconds.
func models(latencies map[string][]float64) []*Task {
	var tasks []*Task
	for _, model := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		for _, latency := range latencies[model] {
			task := timed(int64(len(tasks)), model, 0, time.Duration(latency*float64(time.Second)))
			task.Measured.First, task.OutputTokens = 0, 0 // neither ttft nor tokens/s
			tasks = append(tasks, task)
		}
	}
	return tasks
}

func compareAll(t *testing.T, latencies map[string][]float64) *Report {
	t.Helper()
	return mustMake(t, Run{}, Options{MaxRows: 1}, models(latencies)...)
}

func run(n int, value func(i int) float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = value(i)
	}
	return values
}

func constant(v float64) func(int) float64 { return func(int) float64 { return v } }

func rising(from, step float64) func(int) float64 {
	return func(i int) float64 { return from + step*float64(i) }
}

func TestCompareTwoModels(t *testing.T) {
	tests := []struct {
		name      string
		a, b      []float64
		too       string
		shown     bool
		from, to  float64 // p
		wantDelta float64
	}{
		{"five each are too few", run(5, rising(1, 0.01)), run(5, rising(2, 0.01)), tooFew, false, 1, 1, 2.02/1.02 - 1},
		// All of a before all of b: 2 of binomial(12, 6) = 924 orders are as extreme.
		{"six each, all apart", run(6, rising(1, 0.01)), run(6, rising(2, 0.01)), "", true, 2.0/924 - 1e-9, 2.0/924 + 1e-9, 2.025/1.025 - 1},
		{"all equal", run(20, constant(1)), run(20, constant(1)), "", false, 1, 1, 0},
		{"all equal, and too many for the exact test", run(300, constant(1)), run(300, constant(1)), "", false, 1, 1, 0},
		{"too much noise", run(8, rising(1, 0.3)), run(8, rising(1.1, 0.3)), tooNoisy, false, 0.05, 1, 2.15/2.05 - 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := compareAll(t, map[string][]float64{"a": tt.a, "b": tt.b}).Comparisons
			if len(got) != 1 {
				t.Fatalf("%d comparisons: %+v", len(got), got)
			}
			c := got[0]
			if c.Figure != "latency" || c.Too != tt.too || c.Shown != tt.shown || c.P < tt.from || c.P > tt.to {
				t.Errorf("%+v; want too %q, shown %t, p %v to %v", c, tt.too, tt.shown, tt.from, tt.to)
			}
			if math.Abs(c.Delta-tt.wantDelta) > 1e-9 {
				t.Errorf("delta %v; want %v", c.Delta, tt.wantDelta)
			}
		})
	}
}

func TestCompareNamesTheFasterOneOfEachFigure(t *testing.T) {
	var tasks []*Task
	for i := range int64(6) {
		quick, wordy := timed(i, "quick", 0, ms(200)), timed(i+6, "wordy", 0, ms(900))
		quick.Measured.First, wordy.Measured.First = ms(100), ms(30)
		wordy.OutputTokens = 50
		tasks = append(tasks, quick, wordy)
	}
	sortRows(tasks)
	got := make(map[string]string)
	for _, c := range mustMake(t, Run{}, Options{}, tasks...).Comparisons {
		got[c.Figure] = c.A
		if c.Figure == "tokens_per_sec" && c.Delta > 0 {
			t.Errorf("the slower one has %v more tokens/s", c.Delta)
		}
	}
	for figure, want := range map[string]string{"latency": "quick", "ttft": "wordy", "tokens_per_sec": "wordy"} {
		if got[figure] != want {
			t.Errorf("%s: %q is the faster one; want %q", figure, got[figure], want)
		}
	}
}

func TestCompareManyModels(t *testing.T) {
	latencies := make(map[string][]float64)
	for i, model := range []string{"a", "b", "c", "d", "e", "f"} {
		latencies[model] = run(6, rising(float64(6-i), 0.001))
		r := compareAll(t, latencies)
		want := (i + 1) * i / 2
		if i == 5 {
			want = 5 // only with the fastest one
		}
		if len(r.Comparisons) != want {
			t.Errorf("%d models: %d comparisons; want %d", i+1, len(r.Comparisons), want)
		}
		warned := strings.Contains(strings.Join(r.Warnings, "\n"), "each is compared with the fastest one only")
		if warned != (i == 5) {
			t.Errorf("%d models: warnings %q", i+1, r.Warnings)
		}
		for _, c := range r.Comparisons {
			if i == 5 && c.A != "f" {
				t.Errorf("compared with %q; the fastest is f", c.A)
			}
		}
	}
}

// TestComparePower repeats a comparison of 20 runs of two models with a spread of 10%.
//
// What to expect was computed apart from this code and its libraries. Of the rank sums of
// 20 and 20, those whose U is at most 127 are below 5% on both sides together (counted
// exactly: 4.91%), so that two equal models are told apart in 49 repetitions of 1,000,
// give or take 7: 30 to 70 is within three standard deviations. For models that differ by
// 10%, 40,000 simulated comparisons by that U gave a power of 0.808 where the times are
// normal, 0.815 where they are lognormal (each with 10% of its own mean), and 0.852 where
// both have the standard deviation of the faster one. So 800 of 1,000 is what one gets on
// average, not at the least: three standard deviations (12 each) below 0.808 are 770.
// The asymptotic relative efficiency of the test (3/pi, to the t test) gives 0.84, too
// much for samples this small.
func TestComparePower(t *testing.T) {
	sigma := math.Sqrt(math.Log(1.01)) // a lognormal's with a coefficient of variation of 10%
	shapes := []struct {
		name  string
		value func(r *rand.Rand, mean float64) float64
	}{
		{"normal", func(r *rand.Rand, mean float64) float64 { return mean * (1 + 0.1*r.NormFloat64()) }},
		{"lognormal", func(r *rand.Rand, mean float64) float64 { return mean * math.Exp(sigma*r.NormFloat64()) }},
	}
	differences := []struct {
		by       float64
		from, to int
	}{{0, 30, 70}, {0.1, 770, 852}}
	for _, shape := range shapes {
		for _, difference := range differences {
			t.Run(fmt.Sprintf("%s/%v", shape.name, difference.by), func(t *testing.T) {
				told := 0
				for seed := range uint64(1000) {
					r := rand.New(rand.NewPCG(seed+1, 0))
					draw := func(mean float64) []float64 {
						return run(20, func(int) float64 { return shape.value(r, mean) })
					}
					c := compareAll(t, map[string][]float64{"a": draw(1), "b": draw(1 + difference.by)}).Comparisons[0]
					if c.Shown {
						told++
					}
				}
				t.Logf("told apart in %d of 1,000", told)
				if told < difference.from || told > difference.to {
					t.Errorf("told apart in %d of 1,000; want %d to %d", told, difference.from, difference.to)
				}
			})
		}
	}
}
