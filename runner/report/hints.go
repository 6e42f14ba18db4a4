package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/batchrunner/runner/specs/say"
)

const (
	nearBest   = 0.95 // of the best throughput of a sweep is as good
	longQueue  = 0.2  // of the latency spent in the server's queue is worth a word
	rateMet    = 0.95 // of the rate that was asked for is that rate
	growth     = 1.5  // times the schedule latency at the end of an open loop than at its begin: the queue grew
	minTrend   = 20   // requests that show whether a queue grew
	farAbove   = 1.2  // times the latency is far above it
	minForHint = minSamples
)

// hints are what the figures suggest to do, each a sentence, and none that isn't sure.
func hints(r *Report, measured []*measuredGroup) []string {
	list := processorHints(r.Run.Models)
	if r.tookTurns() {
		return list // rates are of a time in which other models were asked too
	}
	for _, sweep := range sweeps(r.Groups) {
		list = append(list, sweepHints(r, sweep)...)
	}
	for _, g := range measured {
		list = append(list, openLoopHints(r, g)...)
	}
	return list
}

// sweeps are the closed loops of each model and step with enough measurements, by
// concurrency, in the order of the groups.
func sweeps(groups []Group) [][]*Group {
	var list [][]*Group
	for i := range groups {
		g := &groups[i]
		if g.Level.Rate > 0 || g.Latency == nil || g.Latency.N < minForHint {
			continue
		}
		at := slices.IndexFunc(list, func(s []*Group) bool { return s[0].Model == g.Model && s[0].Step == g.Step })
		if at < 0 {
			list = append(list, []*Group{g})
		} else {
			list[at] = append(list[at], g)
		}
	}
	for _, sweep := range list {
		slices.SortFunc(sweep, func(a, b *Group) int { return cmp.Compare(a.Level.Concurrency, b.Level.Concurrency) })
	}
	return list
}

func sweepHints(r *Report, sweep []*Group) []string {
	var list []string
	if hint := bestLevel(r, sweep); hint != "" {
		list = append(list, hint)
	}
	for _, g := range sweep {
		if hint := queueHint(r, g); hint != "" {
			return append(list, hint) // higher levels queue all the more
		}
	}
	return list
}

// bestLevel names the lowest level whose throughput is as good as the best one's.
func bestLevel(r *Report, sweep []*Group) string {
	if len(sweep) < 2 {
		return ""
	}
	best := slices.MaxFunc(sweep, func(a, b *Group) int { return cmp.Compare(a.HostTokensPerSecond, b.HostTokensPerSecond) })
	if best.HostTokensPerSecond <= 0 {
		return ""
	}
	at := slices.IndexFunc(sweep, func(g *Group) bool { return g.HostTokensPerSecond >= nearBest*best.HostTokensPerSecond })
	g, last := sweep[at], sweep[len(sweep)-1]
	sentence := fmt.Sprintf("%s does best with %s in flight: %s tokens/s", modelAndStep(r, g),
		say.Plural(g.Level.Concurrency, "request"), number(g.HostTokensPerSecond))
	switch {
	case g == last:
		return sentence + ", the most that was tried; more may do better still"
	case queueGrew(g, last):
		return sentence + "; with more, only its queue grew"
	default:
		return sentence + "; with more it gained nothing"
	}
}

func queueGrew(g, last *Group) bool {
	return g.Queue != nil && last.Queue != nil && last.Queue.Median > g.Queue.Median && last.waits()
}

// waits says whether a good part of the latency was spent in the server's queue.
func (g *Group) waits() bool {
	return g.Queue != nil && g.Latency != nil && g.Queue.Median > longQueue*g.Latency.Median
}

// queueHint says that requests of a closed loop waited in the server, and how many it
// works on at a time, which by Little's law is their rate times their time in work. Each
// of the means is of the same requests.
func queueHint(r *Report, g *Group) string {
	if !g.waits() || g.Level.Concurrency == 1 {
		return ""
	}
	sentence := fmt.Sprintf("%s waited in the server's queue for %s of %s (medians)", r.where(g), seconds(g.Queue.Median), seconds(g.Latency.Median))
	atOnce := int64(math.Round(g.RequestsPerSecond * (g.Latency.Mean - g.Queue.Mean)))
	if atOnce < 1 || g.Level.Concurrency > 0 && atOnce >= int64(g.Level.Concurrency) {
		return sentence + ": ask for fewer at a time, or raise OLLAMA_NUM_PARALLEL on the server"
	}
	return sentence + fmt.Sprintf(": it works on about %d at a time; ask for no more, or raise OLLAMA_NUM_PARALLEL on the server", atOnce)
}

func modelAndStep(r *Report, g *Group) string {
	if severalSteps(r.Groups) {
		return fmt.Sprintf("%s (step %s)", g.Model, g.Step)
	}
	return g.Model
}

func processorHints(models []Model) []string {
	var list []string
	for _, m := range models {
		switch {
		case m.Accelerated == nil || *m.Accelerated >= 1:
		case *m.Accelerated <= 0:
			list = append(list, fmt.Sprintf("%s ran on the CPU alone: nothing of it was in a GPU's memory", m.Name))
		default:
			list = append(list, fmt.Sprintf("only %.0f%% of %s was in a GPU's memory, and the rest ran on the CPU: a smaller context, quantization or model may fit whole",
				math.Floor(*m.Accelerated*100), m.Name))
		}
	}
	return list
}

func openLoopHints(r *Report, g *measuredGroup) []string {
	if g.Schedule == nil || g.Schedule.N < minForHint {
		return nil
	}
	var list []string
	if g.RequestsPerSecond < rateMet*g.Level.Rate && g.queueGrew() {
		list = append(list, fmt.Sprintf("%s was asked for %s requests/s and reached %s: that is more than the host can do, and its queue grew all along",
			r.where(&g.Group), number(g.Level.Rate), number(g.RequestsPerSecond)))
	}
	if g.Schedule.Median > farAbove*g.Latency.Median {
		list = append(list, fmt.Sprintf("%s: requests ended %s after they were to start, but took only %s once sent (medians): a user would see the first, schedule_latency",
			r.where(&g.Group), seconds(g.Schedule.Median), seconds(g.Latency.Median)))
	}
	return list
}

// queueGrew says whether the last quarter of an open loop's requests took much longer,
// from when they were to start, than the first. The rate reached alone can't tell: a short
// run ends with a wait for its last answers.
func (g *measuredGroup) queueGrew() bool {
	byDue := slices.Clone(g.warm)
	slices.SortFunc(byDue, func(a, b measure) int { return cmp.Compare(a.due, b.due) })
	times := figureOf((*measure).scheduleFigure).values(byDue)
	if len(times) < minTrend {
		return false
	}
	quarter := len(times) / 4
	first, last := newStat(times[:quarter]), newStat(times[len(times)-quarter:])
	return last.Median > growth*first.Median
}
