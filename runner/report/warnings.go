package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/batchrunner/runner/specs/say"
)

const (
	failedShare = 0.01 // of a group's requests; below, the figures are of nearly all of them
	maxNamed    = 5    // groups in a sentence
	manyPairs   = 20   // comparisons, of which one is expected to differ by chance
)

// warnings are why figures are to be doubted, each a sentence.
func warnings(r *Report) []string {
	var list []string
	list = append(list, runWarnings(&r.Run)...)
	list = appendNamed(list, "without the requests that failed, figures are of the rest: ", r.named(failedMany))
	if r.Bench != nil {
		list = appendNamed(list, "requests found the model not loaded, in the measured part; their load is in no other figure: ", r.named(foundCold))
	}
	list = appendNamed(list, fmt.Sprintf("too few measurements to say how sure a median is (at least %d are needed): ", minSamples), r.named(fewMeasured))
	list = appendNamed(list, "too much noise: the median latency isn't known within 10% either way; more runs would help: ", r.named(noisyLatency))
	list = appendNamed(list, "the report's own error passes 5% of these figures: ", r.named(doubted))
	list = append(list, interleavedWarning(r)...)
	list = append(list, sameModelWarnings(r.Run.Models)...)
	return append(list, comparisonWarnings(r)...)
}

// sameModelWarnings tell of models that are one under several names.
func sameModelWarnings(models []Model) []string {
	var list []string
	told := map[string]bool{"": true}
	for i, m := range models {
		digest := bareDigest(m.Digest)
		if told[digest] {
			continue
		}
		told[digest] = true
		names := []string{m.Name}
		for _, other := range models[i+1:] {
			if bareDigest(other.Digest) == digest {
				names = append(names, other.Name)
			}
		}
		if len(names) > 1 {
			list = append(list, fmt.Sprintf("%s are one model, %s: a difference between them is of the server, the order or chance", say.And(names), shortDigest(m.Digest)))
		}
	}
	return list
}

func runWarnings(run *Run) []string {
	var list []string
	if run.Simulated {
		list = append(list, "these figures are a simulated server's; they say nothing about a model")
	}
	if run.Partial {
		list = append(list, "the run was over a part of the job's rows")
	}
	switch run.State {
	case "running":
		list = append(list, "the run has not ended; figures are of what is there by now")
	case "interrupted":
		list = append(list, "the run was interrupted; figures are of what it had done by then")
	}
	return list
}

// named lists the groups that say something, each with what it says.
func (r *Report) named(say func(*Group) string) []string {
	var list []string
	for i := range r.Groups {
		if said := say(&r.Groups[i]); said != "" {
			list = append(list, fmt.Sprintf("%s: %s", r.where(&r.Groups[i]), said))
		}
	}
	return list
}

// appendNamed makes one sentence of what groups say, the first five by name.
func appendNamed(list []string, sentence string, named []string) []string {
	if len(named) == 0 {
		return list
	}
	more := ""
	if n := len(named) - maxNamed; n > 0 {
		more = fmt.Sprintf("; and %d more", n)
		named = named[:maxNamed]
	}
	return append(list, sentence+strings.Join(named, "; ")+more)
}

func failedMany(g *Group) string {
	failed := g.Requests - g.OK
	if g.OK == 0 || float64(failed) < failedShare*float64(g.Requests) || failed == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s failed", say.Count(failed), say.Count(g.Requests))
}

func foundCold(g *Group) string {
	if g.Cold == 0 {
		return ""
	}
	return say.Count(g.Cold)
}

func fewMeasured(g *Group) string {
	if g.Latency == nil || g.Latency.N >= minSamples {
		return ""
	}
	return say.Count(g.Latency.N)
}

func noisyLatency(g *Group) string {
	if !g.Latency.noisy() {
		return ""
	}
	return fmt.Sprintf("%s to %s", seconds(*g.Latency.Low), seconds(*g.Latency.High))
}

func doubted(g *Group) string { return strings.Join(g.Doubtful, ", ") }

// interleavedWarning tells that a model's share of the time isn't what the host could do
// with it alone.
func interleavedWarning(r *Report) []string {
	if !r.tookTurns() {
		return nil
	}
	return []string{"the models took turns (order: interleaved): requests/s and tokens/s of the host are over a time in which others were asked too"}
}

// tookTurns says whether several models were asked side by side.
func (r *Report) tookTurns() bool {
	return r.Bench != nil && r.Bench.Order == "interleaved" &&
		slices.ContainsFunc(r.Groups, func(g Group) bool { return g.Model != r.Groups[0].Model })
}

func comparisonWarnings(r *Report) []string {
	var list []string
	if n := modelsCompared(r.Groups); n > maxPairwise {
		list = append(list, fmt.Sprintf("with %d models, each is compared with the fastest one only", n))
	}
	tested := 0
	for _, c := range r.Comparisons {
		if c.Too != tooFew {
			tested++
		}
	}
	if tested >= manyPairs {
		list = append(list, fmt.Sprintf("of %d comparisons at 5%%, about %.0f would show a difference by chance alone", tested, math.Round(float64(tested)*alpha)))
	}
	return list
}

// modelsCompared is the largest number of models that were measured in one step and level.
func modelsCompared(groups []Group) int {
	models := make(map[groupKey]int)
	most := 0
	for i := range groups {
		if g := &groups[i]; g.Latency != nil {
			key := groupKey{step: g.Step, level: g.Level}
			models[key]++
			most = max(most, models[key])
		}
	}
	return most
}
