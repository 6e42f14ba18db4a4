package main

import "runtime/debug"

// Garbage is collected late while a command starts, since most of what it reads
// then stays: one collection is a tenth of a small run. A run of many rows goes on
// with Go's own measure, so that its memory stays small.
const (
	startingGC = 400 // percent; no collection below 16 MiB
	runningGC  = 200 // percent; a run needs some ten MiB, and collecting them seldom is a tenth of its time
	smallRun   = 100 // rows
)

// collectLate sets the measure for starting, unless GOGC in the environment sets one.
func (a *app) collectLate() {
	if a.getenv("GOGC") == "" {
		debug.SetGCPercent(startingGC)
	}
}

// collectFor sets the measure for a run over so many rows, or more if not all are known.
func (a *app) collectFor(rows int64, all bool) {
	if a.getenv("GOGC") == "" && (rows > smallRun || !all) {
		debug.SetGCPercent(runningGC)
	}
}
