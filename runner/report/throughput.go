package report

import (
	"slices"
	"time"
)

// throughput fills the figures of all requests of the group together. They count warm
// requests that were ok, over the time from the first sending to the last end: of each part
// that was measured by itself, what others did between two parts left out.
func (g *measuredGroup) throughput(bench *Bench) {
	seen := slices.DeleteFunc(slices.Clone(g.warm), func(m measure) bool { return !m.seen })
	seconds := elapsed(seen, bench != nil && bench.Order == "interleaved").Seconds()
	if seconds <= 0 {
		return
	}
	var tokens, good int64
	for i := range seen {
		tokens += int64(seen[i].tokens)
		if bench != nil && seen[i].keeps(bench.Goodput) {
			good++
		}
	}
	g.HostTokensPerSecond = float64(tokens) / seconds
	g.RequestsPerSecond = float64(len(seen)) / seconds
	if bench != nil && len(bench.Goodput) > 0 {
		rate := float64(good) / seconds
		g.Goodput = &rate
	}
}

// A part is what was measured of a group without a pause. An interrupted benchmark has one
// before the pause and one after it, an interleaved one has one for each repetition, since
// between two of them the other models are asked.
type part struct {
	run        int64
	repetition int32 // 0 where it is not interleaved
}

// elapsed is the time from the first sending to the last end of each part together.
func elapsed(list []measure, interleaved bool) time.Duration {
	type span struct{ from, to time.Duration }
	spans := map[part]span{}
	for i := range list {
		m := &list[i]
		p := part{run: m.run}
		if interleaved {
			p.repetition = m.repetition
		}
		s, ok := spans[p]
		if !ok {
			s = span{m.sent, m.end()}
		}
		spans[p] = span{min(s.from, m.sent), max(s.to, m.end())}
	}
	var all time.Duration
	for _, s := range spans {
		all += s.to - s.from
	}
	return all
}

// keeps says whether a request kept all limits, in seconds by figure. An answer of one
// token has no time between tokens, and keeps any limit of it.
func (m *measure) keeps(limits map[string]float64) bool {
	for name, limit := range limits {
		if name == "tpot" && m.tokens < 2 {
			continue
		}
		of, ok := goodputFigures()[name]
		if !ok {
			return false
		}
		if v, ok := of(m); !ok || v > limit {
			return false
		}
	}
	return true
}

func goodputFigures() map[string]figureOf {
	return map[string]figureOf{
		"latency": (*measure).latencyFigure,
		"ttft":    (*measure).ttftFigure,
		"tpot":    (*measure).tpotFigure,
	}
}
