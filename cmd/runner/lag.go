package main

import (
	"math"
	"runtime/metrics"
	"time"

	"github.com/batchrunner/runner/runner/store"
)

// lagName is the runtime's histogram of how long goroutines waited for a processor when
// they could run: by so much every time that they measure may be late.
const lagName = "/sched/latencies:seconds"

// A lagMeter measures this process's own error from when it was made.
type lagMeter struct{ before []uint64 }

func newLagMeter() *lagMeter {
	counts, _ := readLag()
	return &lagMeter{counts}
}

func readLag() (counts []uint64, bounds []float64) {
	sample := []metrics.Sample{{Name: lagName}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return nil, nil
	}
	h := sample[0].Value.Float64Histogram()
	return h.Counts, h.Buckets
}

// lag is what was measured so far, nil where the runtime does not tell.
func (m *lagMeter) lag() *store.Lag {
	counts, bounds := readLag()
	if len(counts) == 0 || len(counts) != len(m.before) {
		return nil
	}
	var total uint64
	for i := range counts {
		counts[i] -= m.before[i]
		total += counts[i]
	}
	if total == 0 {
		return &store.Lag{}
	}
	return &store.Lag{Median: lagAt(counts, bounds, total, 0.5), P99: lagAt(counts, bounds, total, 0.99)}
}

// lagAt is the upper bound of the bucket that holds a quantile.
func lagAt(counts []uint64, bounds []float64, total uint64, q float64) time.Duration {
	want := uint64(math.Ceil(q * float64(total)))
	var seen uint64
	for i, n := range counts {
		if seen += n; seen >= want {
			bound := bounds[i+1]
			if math.IsInf(bound, 1) {
				bound = bounds[i]
			}
			return time.Duration(bound * float64(time.Second))
		}
	}
	return 0
}
