package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// An item is one piece of work that contestants do in turn, and what is held
// against a limit afterwards.
type item struct {
	key, title  string
	each        int  // runs of each contestant in a round; 0 is 1
	once        bool // one round is enough: it is long, and has many requests
	contestants []contestant
	checks      []check
}

// A contestant is a program with work to do.
type contestant struct {
	name string
	program
	work
}

// A work is rows for a client on a load server.
type work struct {
	rows        int
	concurrency int
	slots       int
	service     time.Duration
	sigma       float64
	chunks      int
	rate        float64 // starts per second, 0: none
	axis        string  // txt, csv, or either in turn where empty; none
	known       bool    // every row was answered before; the server is asked nothing
	matched     bool    // the server's own times are asked for, row by row

	// Of a benchmark, and of the server that it is of.
	warmups  int           // requests before the rows
	tokens   float64       // mean length of answers that come token by token; 0: they take service
	load     time.Duration // that the model takes to get into memory
	freeze   time.Duration // in which the server does nothing
	freezeAt time.Duration // after the first request
}

// none is the axis of a work whose rows are the repetitions of a benchmark.
const none = "none"

// unbounded is the concurrency of an open load: what runner bounds it by itself.
const unbounded = 4_096

const loadTime = 2 * time.Second

// A check is a figure of one contestant, or its ratio to another's, with a limit.
type check struct {
	what     string
	of, over string // contestants' names; without over the figure itself has the limit
	get      func(figure) float64
	show     func(float64) string
	limit    float64 // 0: the figure is only shown

	least      bool                // the limit is the least, not the most
	arithmetic float64             // what the figure is to be, for a ratio to that; 0: no ratio, or to another's
	beside     string              // with arithmetic: a contestant that is shown and not held
	note       func(figure) string // what is shown beside a figure alone
}

// items are what is measured, each as it was asked for.
func items() []item {
	fixed := work{rows: 500, concurrency: 5, slots: 5, service: 100 * time.Millisecond, axis: "txt"}
	short := work{rows: 20_000, concurrency: 64, slots: 64, axis: "txt"}
	streamed := work{rows: 2_000, concurrency: 32, slots: 32, service: 50 * time.Millisecond, sigma: 0.5, chunks: 16, axis: "txt"}
	one := work{rows: 1, concurrency: 1, slots: 1, axis: "txt"}
	open := work{rows: 2_000, concurrency: 1_000, slots: 1_000, service: 3 * time.Second, chunks: 16, axis: "txt"}
	known := work{rows: 100_000, concurrency: 64, slots: 64, axis: "txt", known: true}
	allKnown := work{rows: 1_000_000, concurrency: 64, slots: 64, axis: "txt", known: true}
	million := work{rows: 1_000_000, concurrency: 64, slots: 64}
	tenThousand := work{rows: 10_000, concurrency: 64, slots: 64}
	return []item{
		against("a", "500 rows of 100 ms at 5", "bare", bare, fixed, makespan(1.01)),
		against("b", "20,000 rows of 0 ms at 64", "plain", plain, short, cpuPerRow(short.rows, 2), peak("plain", 3)),
		against("c", "2,000 streamed rows, lognormal, at 32", "bare", bare, streamed, makespan(1.01)),
		often(8, started(one)),
		often(8, item{
			key: "version", title: "runner version, and an empty main with its imports",
			contestants: []contestant{{name: "runner", program: version}, {name: "empty", program: empty}},
			checks:      []check{wall("empty", 1.2)},
		}),
		against("streams", "1,000 streams held open", "plain", plain, open, peak("plain", 1.5)),
		{
			key: "rows", title: "1,000,000 rows from a file, and 10,000",
			contestants: []contestant{{"runner", runner, million}, {"10,000", runner, tenThousand}},
			checks:      []check{peak("10,000", 1.25)},
		},
		paced(50, 500),
		paced(500, 5_000),
		stored("a+store", "(a) with the store, and without", fixed, check{what: "makespan", over: "without", show: seconds, limit: 1.02}),
		stored("c+store", "(c) with the store, and without", streamed, check{what: "makespan", over: "without", show: seconds, limit: 1.02}),
		{
			key: "b+store", title: "(b) with the store",
			contestants: []contestant{{"runner", keeping, short}, {"plain", plain, short}},
			checks:      []check{cpuPerRow(short.rows, 2.5)},
		},
		{
			key: "known", title: "apply of 100,000 known rows, a plain read of their results",
			contestants: []contestant{{"runner", again, known}, {"scan", scan, known}},
			checks:      []check{wall("scan", 3)},
		},
		{
			key: "plan", title: "plan of 1,000,000 known rows",
			contestants: []contestant{{"runner", planned, allKnown}},
			checks:      []check{{what: "peak memory", of: "runner", show: mebibytes, limit: 300 << 20, get: func(f figure) float64 { return float64(f.peak) }}},
		},
		truly(1),
		truly(16),
		loaded(80),
		loaded(120),
		frozen(),
		timed(streamed),
	}
}

// timed compares what two clients add to the server's own times to first tokens.
func timed(w work) item {
	w.matched = true
	return item{
		key: "ttft", title: "time to first tokens, (c) with the store", contestants: []contestant{{"runner", keeping, w}, {"plain", plain, w}},
		checks: []check{{what: "added", of: "runner", over: "plain", show: millis, limit: 1.2, get: func(f figure) float64 { return f.added.Seconds() }}},
	}
}

// stored compares a work with the store to the same without.
func stored(key, title string, w work, c check) item {
	c.of = "runner"
	c.get = func(f figure) float64 { return f.stats.Makespan / 1000 }
	return item{key: key, title: title, contestants: []contestant{{"runner", keeping, w}, {"without", runner, w}}, checks: []check{c}}
}

func against(key, title, name string, p program, w work, checks ...check) item {
	return item{key: key, title: title, checks: checks, contestants: []contestant{{"runner", runner, w}, {name, p, w}}}
}

// started is a row from start to exit. Its limit was set before runner had its imports, of
// which the empty main is the floor: what they do before main takes more than plain's whole
// run, nearly half of it the schemas of JSON Schema, which jsonschema compiles whether or
// not one is needed.
func started(w work) item {
	it := against("d", "one row, start to exit", "plain", plain, w, wall("plain", 2))
	it.contestants = append(it.contestants, contestant{name: "empty", program: empty})
	it.checks = append(it.checks, check{what: "time, of which its imports", of: "runner", over: "empty", show: millis, get: it.checks[0].get})
	return it
}

func often(each int, it item) item {
	it.each = each
	return it
}

// paced starts rows evenly for ten seconds, beside a client that only sleeps.
func paced(rate float64, rows int) item {
	w := work{rows: rows, concurrency: 64, slots: 64, rate: rate, axis: "txt"}
	return item{
		key: fmt.Sprintf("%.0f/s", rate), title: fmt.Sprintf("starts at %.0f/s", rate),
		contestants: []contestant{{"runner", runner, w}, {"sleeper", bare, w}},
		checks: []check{
			rateKept(rate),
			{what: "lateness, 99th percentile", of: "runner", over: "sleeper", show: millis, limit: 1.2, get: func(f figure) float64 { return f.stats.LateP99 / 1000 }},
		},
	}
}

func rateKept(rate float64) check {
	return check{what: "rate, off by", of: "runner", show: percent, limit: 0.005, get: func(f figure) float64 { return abs(f.stats.Rate/rate - 1) }}
}

func makespan(limit float64) check {
	return check{what: "makespan", of: "runner", over: "bare", show: seconds, limit: limit, get: func(f figure) float64 { return f.stats.Makespan / 1000 }}
}

func cpuPerRow(rows int, limit float64) check {
	return check{what: "CPU per row", of: "runner", over: "plain", show: micros, limit: limit, get: func(f figure) float64 { return f.cpu.Seconds() / float64(rows) }}
}

func peak(over string, limit float64) check {
	return check{what: "peak memory", of: "runner", over: over, show: mebibytes, limit: limit, get: func(f figure) float64 { return float64(f.peak) }}
}

func wall(over string, limit float64) check {
	return check{what: "time", of: "runner", over: over, show: millis, limit: limit, get: func(f figure) float64 { return f.wall.Seconds() }}
}

func abs(x float64) float64 { return max(x, -x) }

func keys(all []item) []string {
	names := make([]string, len(all))
	for i, it := range all {
		names[i] = it.key
	}
	return names
}

// choose picks items by their keys, in the order of the table; all for none.
func choose(all []item, only string) ([]item, error) {
	if only == "" {
		return all, nil
	}
	wanted := strings.Split(only, ",")
	for _, key := range wanted {
		if !slices.Contains(keys(all), key) {
			return nil, fmt.Errorf("no item %q; there are %s", key, strings.Join(keys(all), ", "))
		}
	}
	return slices.DeleteFunc(all, func(it item) bool { return !slices.Contains(wanted, it.key) }), nil
}
