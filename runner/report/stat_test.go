package report

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestStatByHand(t *testing.T) {
	low, high := 2.0, 9.0
	tests := []struct {
		name   string
		values []float64
		want   *Stat
	}{
		{"no measurements", nil, nil},
		{"one", []float64{3}, &Stat{N: 1, Mean: 3, Median: 3, Min: 3, P90: 3, P95: 3, P99: 3, Max: 3}},
		{"five have no interval", []float64{5, 1, 2, 4, 3}, &Stat{N: 5, Mean: 3, Median: 3, StdDev: math.Sqrt(2.5), Min: 1, P90: 5, P95: 5, P99: 5, Max: 5}},
		{
			// P(2 <= binomial(10, 1/2) <= 8) = 1 - 2 x 11/1024 = 97.9%: the second to the ninth.
			"one to ten", []float64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1},
			&Stat{
				N: 10, Mean: 5.5, Median: 5.5, Low: &low, High: &high, StdDev: math.Sqrt(82.5 / 9), Min: 1, P90: 9, P95: 10, P99: 10, Max: 10,
				Histogram: []int{2, 2, 2, 2, 2},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, newStat(tt.values), near); diff != "" {
				t.Errorf("newStat (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStatPercentilesAreExact(t *testing.T) {
	values := make([]float64, 20)
	for i := range values {
		values[i] = float64(i + 1)
	}
	s := newStat(values)
	if s.P90 != 18 || s.P95 != 19 || s.P99 != 20 {
		t.Errorf("p90, p95, p99 of 1 to 20 are %v, %v, %v; want 18, 19, 20", s.P90, s.P95, s.P99)
	}
}

func TestStatLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1e6), 1, 300).Draw(t, "values")
		s := newStat(slices.Clone(values))
		order := []float64{s.Min, s.Median, s.P90, s.P95, s.P99, s.Max}
		if !slices.IsSorted(order) {
			t.Fatalf("min, median, p90, p95, p99, max are not in order: %v", order)
		}
		if slack := 1e-9 * (1 + s.Max); s.Mean < s.Min-slack || s.Mean > s.Max+slack {
			t.Fatalf("mean %v is not between %v and %v", s.Mean, s.Min, s.Max)
		}
		if (s.Low != nil) != (len(values) >= minSamples) || (s.Low == nil) != (s.High == nil) {
			t.Fatalf("%d measurements: interval %v to %v", len(values), s.Low, s.High)
		}
		if s.Low != nil && (*s.Low > s.Median || *s.High < s.Median) {
			t.Fatalf("median %v is not in %v to %v", s.Median, *s.Low, *s.High)
		}
		for _, p := range []float64{s.P90, s.P95, s.P99} {
			if !slices.Contains(values, p) {
				t.Fatalf("percentile %v is nobody's measurement", p)
			}
		}
		total := 0
		for _, n := range s.Histogram {
			total += n
		}
		if s.Histogram != nil && total != len(values) {
			t.Fatalf("the histogram counts %d of %d", total, len(values))
		}
	})
}
