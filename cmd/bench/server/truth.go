package main

import (
	"math"
	"slices"
	"time"
)

// A Truth is what completed requests were planned to be and what they were, on the
// server's clock from when each had been read. Of those with one prompt the newest
// counts: the ones before it were asked to warm up.
type Truth struct {
	Requests int     `json:"requests"`
	Planned  Figures `json:"planned"` // as if no request ever waited for the model or a slot
	Measured Figures `json:"measured"`
}

// Figures are the distributions of three times.
type Figures struct {
	TTFT     Quantiles `json:"ttft"`
	Latency  Quantiles `json:"latency"`
	PerToken Quantiles `json:"per_token"` // of each request: latency less TTFT over tokens less one
}

// Quantiles are those of one time, in milliseconds. The median of an even number is the
// mean of the middle two.
type Quantiles struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	Max float64 `json:"max_ms"`
}

// A Request is what the server tells of one, in milliseconds.
type Request struct {
	TTFT    float64 `json:"ttft_ms"`    // from when it was read to its first piece
	Latency float64 `json:"latency_ms"` // and to its last
}

// A times is when the pieces of a request came, from when it was read.
type times struct {
	ttft, latency time.Duration
	pieces        int
}

func (t times) perToken() time.Duration {
	return (t.latency - t.ttft) / time.Duration(max(t.pieces-1, 1))
}

func (p plan) times() times { return times{p.first, p.whole(), p.pieces} }

func (c *call) times() times { return times{c.first.Sub(c.read), c.end.Sub(c.read), c.plan.pieces} }

// truth sums up some calls; nil for none.
func truth(calls map[string]*call) *Truth {
	var planned, measured []times
	for _, c := range calls {
		planned, measured = append(planned, c.plan.times()), append(measured, c.times())
	}
	if len(planned) == 0 {
		return nil
	}
	return &Truth{Requests: len(planned), Planned: figures(planned), Measured: figures(measured)}
}

func figures(all []times) Figures {
	return Figures{
		TTFT:     quantiles(all, func(t times) time.Duration { return t.ttft }),
		Latency:  quantiles(all, func(t times) time.Duration { return t.latency }),
		PerToken: quantiles(all, times.perToken),
	}
}

func quantiles(all []times, of func(times) time.Duration) Quantiles {
	sorted := make([]time.Duration, len(all))
	for i, t := range all {
		sorted[i] = of(t)
	}
	slices.Sort(sorted)
	return Quantiles{P50: ms(middle(sorted)), P95: ms(quantile(sorted, 0.95)), Max: ms(sorted[len(sorted)-1])}
}

func middle(sorted []time.Duration) time.Duration {
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// quantile of sorted values: the smallest that at least the share q does not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	i := int(math.Ceil(q*float64(len(sorted))-1e-9)) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}
