package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/say"
)

const interruptedLine = "interrupted: requests in flight get 5 seconds; Ctrl-C again leaves at once"

func (a *app) newView(j *checkedJob, flags *applyFlags, events *eventFile) *view {
	var ids []string
	for _, s := range j.plan.Steps {
		ids = append(ids, s.ID)
	}
	rows := j.plan.Total
	if rows < 0 && j.checked.All {
		rows = j.checked.Rows
	}
	v := &view{app: a, meter: newMeter(time.Now(), ids, rows), events: events}
	if flags.stream {
		v.live = newLive(a.err, a.errTerminal)
		v.progress = silent{a.err}
		return v
	}
	v.progress = a.newProgress(v.meter)
	return v
}

// partOf says that only some rows are asked.
func partOf(rows string, whole int64) string {
	if whole < 0 {
		return rows + " of the job's rows"
	}
	return fmt.Sprintf("%s of %s", strings.TrimSuffix(strings.TrimSuffix(rows, "s"), " row"), say.Plural(whole, "row"))
}

// benchPhrase says how a benchmark measures.
func benchPhrase(b *specs.Bench) string {
	loads := make([]string, len(b.Levels))
	for i, l := range b.Levels {
		loads[i] = l.Text
	}
	phrase := "measured " + timesPhrase(b.Runs)
	if b.Warmup > 0 {
		phrase += " after " + say.Plural(b.Warmup, "warm-up")
	}
	if b.Interleaved {
		phrase += ", interleaved"
	}
	if b.Levels[0].Rate > 0 {
		return phrase + ", started at " + strings.Join(loads, ", ")
	}
	return phrase + ", " + strings.Join(loads, ", ") + " at a time"
}

func timesPhrase(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// firstLine says what is about to run.
func (r *applying) firstLine() string {
	plan := r.job.plan
	rows := rowsPhrase(plan, r.job.checked)
	if r.flags.partial() {
		rows = partOf(rows, r.job.all.Total)
	}
	line := fmt.Sprintf("%s, %s, %s", rows, say.Plural(len(plan.Steps), "step"), modelNames(r.job.checked))
	if r.offline {
		return line + ", nothing is asked"
	}
	where := r.server.name
	if r.server.report.Simulated {
		where = "a simulated server"
	}
	line += " on " + where
	if r.measures() {
		return line + ", " + benchPhrase(plan.Bench)
	}
	line += fmt.Sprintf(", %d at a time", plan.Concurrency)
	if plan.Rate > 0 {
		line += ", at most " + perSecond(plan.Rate)
	}
	return line
}
