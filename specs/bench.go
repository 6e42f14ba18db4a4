package specs

import (
	"strings"
	"time"
)

// A Bench says how a job is measured.
type Bench struct {
	Pos         Pos // of bench in the job file; zero where the command line asks for it alone
	Runs        int // measured repetitions of each row
	Warmup      int // repetitions before them, for each model and level, which nobody sees
	Interleaved bool
	Levels      []Level // one after the other; one at least
	Sweep       bool    // the job names its levels: they tell rows apart
	Goodput     Goodput
}

// A Level is a load that a benchmark measures under: requests in flight, or, where
// Rate is set, starts a second whatever is in flight.
type Level struct {
	Concurrency int
	Rate        float64
	Text        string // as the author wrote it: "4", "10/s"
}

// Goodput are the limits of an answer that counts as a good one; 0: no limit.
type Goodput struct{ TTFT, TPOT, Latency time.Duration }

// Defaults of a benchmark.
const (
	DefaultRuns   = 3 // the Python helper's
	DefaultWarmup = 1 // the first answer after a load is always slower
)

// Names of the variables that a benchmark adds to its rows: the repetition's number from
// 1, and where it names its levels the level as it is written there.
const (
	RepetitionVar = "repetition"
	LoadVar       = "load"
)

// A Threshold is what a run has to reach.
type Threshold struct {
	Pos    Pos
	Step   string  // empty: every step
	Figure string  // one of Figures, or a column of an output
	Op     string  // >=, <=, > or <
	Value  float64 // seconds, a share from 0 to 1, or a number
	Text   string  // as the author wrote it
}

// A unit is what a figure is measured in.
type unit int

const (
	number unit = iota
	share       // of rows
	seconds
)

// timed are the figures that are durations, each with its percentiles.
var timed = []string{"latency", "ttft", "tpot", "queue", "schedule_latency"}

// quantiles begin the names of a duration's figures; the name alone is its mean.
var quantiles = []string{"median_", "p50_", "p90_", "p95_", "p99_"}

// Figures are the names of the figures of a report that a threshold may be about,
// beside the columns of outputs.
func Figures() []string {
	names := []string{"pass_rate", "tokens_per_sec", "prompt_tokens_per_sec", "host_tokens_per_sec", "requests_per_sec", "goodput"}
	for _, name := range timed {
		names = append(names, name)
		for _, q := range quantiles {
			names = append(names, q+name)
		}
	}
	return names
}

func unitOf(figure string) unit {
	if figure == "pass_rate" {
		return share
	}
	for _, name := range timed {
		if figure == name || strings.HasSuffix(figure, "_"+name) {
			return seconds
		}
	}
	return number
}

// A Report is a report to write when a run has ended.
type Report struct {
	File String // its path, relative to the job file
	Form string // by its extension: html, md, json, csv, txt, xml or bench
}

// ReportForms are the extensions of reports, which are their forms.
func ReportForms() []string { return []string{"html", "md", "json", "csv", "txt", "xml", "bench"} }
