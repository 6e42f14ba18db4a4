package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/runner/store"
	"github.com/batchrunner/runner/specs/say"
)

// A ran is how a run went, before anything is made of it.
type ran struct {
	summary  runner.Summary
	measured *measuring // nil: it was no benchmark
	cut      error      // why it did not come to all of its rows; nil: it did
}

// end puts the outputs in their place, keeps how the run went, and reports it.
func (r *applying) end(ctx context.Context, o *ran, total int64) error {
	end := &ending{
		app: r.app, records: r.records, summary: &o.summary, limit: r.job.plan.MaxFailures,
		simulated: r.flags.simulate || r.server != nil && r.server.report != nil && r.server.report.Simulated,
		noRows:    noRows(&r.flags.jobFlags), total: total, kept: r.keeping != nil,
	}
	err := end.finish(o.cut)
	if r.keeping == nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if trouble := r.keepEnd(ctx, o, err); trouble != nil && err == nil {
		return trouble
	}
	if o.cut != nil || codeOf(err) > exitFailedRows {
		return err
	}
	told := r.tell(ctx, &o.summary, err)
	if code := codeOf(told); code != codeOf(err) {
		if trouble := r.keeping.run.SetExit(ctx, code); trouble != nil {
			return storeExit(trouble)
		}
	}
	return told
}

// keepEnd keeps which files there are now, which models, and how the run ended.
func (r *applying) keepEnd(ctx context.Context, o *ran, ended error) error {
	if err := r.keeping.Flush(ctx); err != nil { // only now is the run's number settled
		return storeExit(err)
	}
	if files, ok := r.records.(*fileSink); ok && files.committed {
		if err := r.keepFiles(ctx, files.written); err != nil {
			return err
		}
	}
	if !r.offline { // later rows may have named models that were not known before
		if err := r.keeping.SawModels(ctx, r.digests.all()); err != nil {
			return storeExit(err)
		}
	}
	inputs, err := r.job.inputs(&r.flags.jobFlags)
	if err != nil {
		return err
	}
	code := codeOf(ended)
	end := store.Ending{
		State: stateOfExit(code, o.cut == nil), Exit: code, Summary: o.summary, Inputs: inputs,
		Reused: o.summary.Reused, Asked: o.summary.Attempts - o.summary.Retries,
	}
	if err := r.keeping.run.End(ctx, end); err != nil {
		return storeExit(err)
	}
	return nil
}

// codeOf is the exit code of an error.
func codeOf(err error) int {
	var e *exit
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &e):
		return e.code
	}
	return exitMistake
}

func stepIDs(plan *pipeline.Plan) []string {
	ids := make([]string, len(plan.Steps))
	for i := range plan.Steps {
		ids[i] = plan.Steps[i].ID
	}
	return ids
}

// stateOfExit names how a run ended. One that was cut short is never done, whatever its
// exit code: what it did not come to is still the job's.
func stateOfExit(code int, whole bool) string {
	switch {
	case code == exitInterrupted:
		return "interrupted"
	case whole && (code == exitOK || code == exitFailedRows):
		return "done"
	}
	return "failed"
}

// keepFiles notes the files that a whole run wrote, and deals with those of earlier runs
// that no row names any more.
func (r *applying) keepFiles(ctx context.Context, written []output.Written) error {
	before, err := r.keeping.Files(ctx, r.keeping.stored.job)
	if err != nil {
		return storeExit(err)
	}
	sums, err := output.Sums(r.job.folder.Root, written)
	if err != nil {
		return diskExit(err)
	}
	now := make([]store.File, 0, len(sums))
	for _, f := range sums {
		now = append(now, store.File(f))
	}
	stale, err := r.stale(before, written)
	if err != nil {
		return err
	}
	now = append(append(now, asBefore(before, written)...), stale...)
	if err := r.keeping.SetFiles(ctx, r.keeping.stored.job, r.keeping.run.ID(), now); err != nil {
		return storeExit(err)
	}
	return nil
}

// asBefore gives the files that stay as an earlier run left them, since a row of them
// failed: they are still the job's.
func asBefore(before []store.File, written []output.Written) []store.File {
	kept := map[string]bool{}
	for _, w := range written {
		kept[w.Path] = w.State == output.Kept
	}
	var files []store.File
	for _, f := range before {
		if kept[f.Path] {
			files = append(files, f)
		}
	}
	return files
}

// What is said of a file that an earlier run wrote and no row names any more.
const (
	staleOurs    = "%s is of an earlier run and no row names it any more; apply --prune deletes it"
	staleChanged = "%s is of an earlier run and no row names it any more; it was changed since, so it stays"
)

// stale gives the files that an earlier run wrote and no row names any more.
func (j *loadedJob) stale(before []store.File, named map[string]bool) ([]output.StaleFile, error) {
	var recorded []output.Recorded
	for _, f := range before {
		recorded = append(recorded, output.Recorded(f))
	}
	found, err := output.Stale(j.folder.Root, recorded, named)
	if err != nil {
		return nil, diskExit(err)
	}
	return found, nil
}

// stale tells of the files that an earlier run wrote and no row names any more, and
// removes them with --prune. It returns those that stay.
func (r *applying) stale(before []store.File, written []output.Written) ([]store.File, error) {
	named := map[string]bool{}
	for _, w := range written {
		named[w.Path] = true
	}
	found, err := r.job.stale(before, named)
	if err != nil {
		return nil, err
	}
	var left []store.File
	var removed []string
	if r.flags.prune {
		if removed, err = output.Prune(r.job.folder.Root, found); err != nil {
			return nil, diskExit(err)
		}
	}
	for _, f := range found {
		switch {
		case f.Gone || slices.Contains(removed, f.Path):
			continue
		case !f.Ours:
			r.info(staleChanged, say.Clean(f.Path))
			continue
		}
		r.info(staleOurs, say.Clean(f.Path))
		left = append(left, store.File(f.Recorded))
	}
	if len(removed) > 0 {
		r.info("deleted %s, of an earlier run", strings.Join(removed, ", "))
	}
	return left, nil
}
