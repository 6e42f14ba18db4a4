package main

import (
	"fmt"
	"strings"
	"time"
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
	return fmt.Sprintf("%s of %s", strings.TrimSuffix(strings.TrimSuffix(rows, "s"), " row"), plural(whole, "row"))
}

// firstLine says what is about to run.
func (r *applying) firstLine() string {
	plan := r.job.plan
	rows := rowsPhrase(plan, r.job.checked)
	if r.flags.partial() {
		rows = partOf(rows, r.job.all.Total)
	}
	line := fmt.Sprintf("%s, %s, %s", rows, plural(int64(len(plan.Steps)), "step"), modelNames(r.job.checked))
	if r.offline {
		return line + ", nothing is asked"
	}
	where := r.server.name
	if r.server.report.Simulated {
		where = "a simulated server"
	}
	line += fmt.Sprintf(" on %s, %d at a time", where, plan.Concurrency)
	if plan.Rate > 0 {
		line += ", at most " + perSecond(plan.Rate)
	}
	return line
}
