package report

import (
	"math"

	"golang.org/x/perf/benchmath"
)

// confidence is that of a Stat's Low and High.
const confidence = 0.95

// minSamples is how many measurements the interval of a median needs: with 5, the odds
// that all lie on one side of it are 1 to 16, above what confidence leaves. Comparisons
// want as many of both models.
const minSamples = 6

// newStat describes a sample, nil an empty one. It sorts values.
//
// Percentiles are exact and by nearest rank: the smallest measurement that at least that
// share of all measurements doesn't pass. So each is a time that some request took. The
// median of an even number is the mean of the middle two, as everywhere.
func newStat(values []float64) *Stat {
	if len(values) == 0 {
		return nil
	}
	sample := newSample(values)
	summary := benchmath.AssumeNothing.Summary(sample, confidence)
	mean, deviation := spread(values)
	s := &Stat{
		N: len(values), Mean: mean, StdDev: deviation, Median: summary.Center,
		Min: values[0], Max: values[len(values)-1],
		P90: percentile(values, 90), P95: percentile(values, 95), P99: percentile(values, 99),
		Histogram: histogram(values),
	}
	if !math.IsInf(summary.Lo, 0) && !math.IsInf(summary.Hi, 0) {
		s.Low, s.High = &summary.Lo, &summary.Hi
	}
	return s
}

// newSample sorts values and makes them a sample for tests at 5%.
func newSample(values []float64) *benchmath.Sample {
	return benchmath.NewSample(values, &benchmath.Thresholds{CompareAlpha: alpha})
}

// percentile returns the measurement of the nearest rank; p is from 1 to 100. The rank is
// computed in integers: 0.95 x 20 is not 19 in every arithmetic.
func percentile(sorted []float64, p int) float64 {
	rank := (p*len(sorted) + 99) / 100
	return sorted[rank-1]
}

// spread returns the mean and the standard deviation (of a sample: over n - 1).
func spread(values []float64) (mean, deviation float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	if len(values) < 2 {
		return mean, 0
	}
	var squares float64
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(squares / (n - 1))
}

const (
	minHistogram = 10 // fewer measurements are dots, not a shape
	maxBins      = 40 // more are thinner than what a chart can show
)

// histogram counts sorted values in equal steps from the first to the last, by Rice's
// rule: twice the cube root of their number.
func histogram(sorted []float64) []int {
	low, high := sorted[0], sorted[len(sorted)-1]
	if len(sorted) < minHistogram || low == high {
		return nil
	}
	bins := min(maxBins, int(math.Ceil(2*math.Cbrt(float64(len(sorted))))))
	counts := make([]int, bins)
	for _, v := range sorted {
		counts[min(bins-1, int((v-low)/(high-low)*float64(bins)))]++
	}
	return counts
}

// maxWidth is how wide the interval of a median may be, as a share of the median, before
// it is called noisy: beyond it the median isn't known within 10% either way.
const maxWidth = 0.2

// noisy says whether s has an interval that is too wide to tell much.
func (s *Stat) noisy() bool {
	return s != nil && s.Low != nil && s.High != nil && *s.High-*s.Low > maxWidth*math.Abs(s.Median)
}

// medianOrInf is the median, or a time that is longer than any.
func medianOrInf(s *Stat) float64 {
	if s == nil {
		return math.Inf(1)
	}
	return s.Median
}
