package report

// maxError is the largest error of a figure, as a share of it, that the report lets pass
// without a word.
const maxError = 0.05

// doubtful names the figures of g whose error passes 5% of them, by their JSON names.
//
// A time that the client measured may be late by the run's lag: the figure is doubtful
// when the median lag passes 5% of its median, or the lag's p99 5% of its p99. Of tpot
// and inter_chunk the lag falls on all gaps of a request together, so that it is divided
// by their number (that of the median request). A schedule latency counts from when a
// request was to start, and is doubtful for late sendings alike. In a closed loop late
// sendings lower the throughput: by as much as their median is of the median latency.
func doubtful(g *Group, warm []measure, lag *Lag) []string {
	var names []string
	add := func(name string, is bool) {
		if is {
			names = append(names, name)
		}
	}
	if lag != nil {
		add("latency", g.Latency.errs(*lag))
		add("ttft", g.TTFT.errs(*lag))
		add("ttf_text", g.TTFText.errs(*lag))
		add("tpot", g.TPOT.errs(lag.over(gaps(warm, func(m *measure) int32 { return m.tokens }))))
		add("inter_chunk", g.Chunks.errs(lag.over(gaps(warm, func(m *measure) int32 { return m.chunks }))))
	}
	add("schedule_latency", lag != nil && g.Schedule.errs(*lag) || g.Late != nil && g.Schedule.errs(Lag{g.Late.Median, g.Late.P99}))
	slowed := g.Level.Rate == 0 && g.Late != nil && g.Latency != nil && g.Late.Median > maxError*g.Latency.Median
	add("host_tokens_per_sec", slowed && g.HostTokensPerSecond > 0)
	add("requests_per_sec", slowed && g.RequestsPerSecond > 0)
	return names
}

// errs says whether delays as in lag are too large an error of s.
func (s *Stat) errs(lag Lag) bool {
	return s != nil && (lag.Median > maxError*s.Median || lag.P99 > maxError*s.P99)
}

func (l Lag) over(gaps float64) Lag { return Lag{l.Median / gaps, l.P99 / gaps} }

// gaps returns the median number of gaps between a request's tokens or chunks; at least 1.
func gaps(of []measure, count func(*measure) int32) float64 {
	gaps := figureOf(func(m *measure) (float64, bool) { return float64(count(m) - 1), count(m) > 1 }).stat(of)
	if gaps == nil {
		return 1
	}
	return max(1, gaps.Median)
}
