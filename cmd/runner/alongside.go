package main

import (
	"context"
	"time"

	"github.com/sourcegraph/conc"

	"github.com/batchrunner/runner/runner/preview"
)

// planAfter is how long a run goes on before it is worth saying what it will come to: a
// short one is over by then, and saves the second pass over its rows.
const planAfter = 2 * time.Second

// planAlongside looks at all rows while the run goes on, against what was stored when it
// began, and says how many tasks are to be asked. The caller calls end, perhaps twice;
// it ends the look, and waits for it.
func (r *applying) planAlongside(ctx context.Context, v *view) (end func()) {
	if r.keeping == nil || r.measures() || r.offline || r.quiet || r.flags.redo {
		return func() {}
	}
	known, err := r.keeping.HasJob(ctx, r.keeping.stored.job)
	if err != nil || !known { // everything is to be asked
		return func() {}
	}
	view, err := r.keeping.Snapshot(ctx)
	if err != nil {
		return func() {} // the run will meet the same trouble, and say so
	}
	ctx, cancel := context.WithCancel(ctx)
	var wait conc.WaitGroup
	wait.Go(func() {
		defer view.Close() // only read from
		select {
		case <-time.After(planAfter):
		case <-ctx.Done():
			return
		}
		opts := preview.Options{Known: &knownStore{Snapshot: view, job: r.keeping.stored.job}, Identify: r.digests.identify, RetryFailed: r.flags.retryFailed}
		totals, err := preview.Walk(ctx, r.job.plan, opts, func(*preview.Task) error { return ctx.Err() })
		if err == nil && ctx.Err() == nil {
			v.meter.know(totals)
			v.progress.say("in all: " + totalsLine(totals))
		}
	})
	return func() {
		cancel()
		wait.Wait()
	}
}
