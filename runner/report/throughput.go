package report

import (
	"cmp"
	"slices"
	"time"
)

// maxPause is the longest time without any request in flight that an earlier, interrupted
// run may have had. A longer one is the time between two runs, in which nobody measured.
const maxPause = time.Minute

// throughput fills the figures of all requests of the group together. They count warm
// requests that were ok, over the time from the first sending to the last end.
func (g *measuredGroup) throughput(bench *Bench) {
	seen := slices.DeleteFunc(slices.Clone(g.warm), func(m measure) bool { return !m.seen })
	seconds := elapsed(seen).Seconds()
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

// elapsed is the time from the first sending to the last end, the pauses before this run
// left out that an interrupted one made. It sorts list by sending.
func elapsed(list []measure) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.SortFunc(list, func(a, b measure) int { return cmp.Compare(a.sent, b.sent) })
	end, paused := list[0].end(), time.Duration(0)
	for i := range list {
		if pause := list[i].sent - end; pause > maxPause && end < 0 {
			paused += pause
		}
		end = max(end, list[i].end())
	}
	return end - list[0].sent - paused
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
