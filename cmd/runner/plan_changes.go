package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/runner/preview"
	"github.com/batchrunner/runner/runner/store"
	"github.com/batchrunner/runner/specs/say"
)

// exitChanges is plan's with --detailed-exitcode where apply would ask something.
const exitChanges = 2

// A planDocument is a plan for programs, and what plan -o saves.
type planDocument struct {
	Version      int               `json:"v"`
	Job          string            `json:"job"`
	File         string            `json:"file"` // as the user named it
	Rows         int64             `json:"rows"`
	Totals       *preview.Totals   `json:"totals"`
	Models       map[string]string `json:"models"`      // digests by name
	ModelsFrom   string            `json:"models_from"` // who told the digests
	Expected     *expected         `json:"expected,omitempty"`
	Stale        []string          `json:"stale_files,omitempty"`
	Samples      []planSample      `json:"samples"`      // the first tasks that are not simply reused
	Fingerprints map[string]string `json:"fingerprints"` // SHA-256 of the files that the job is made of
	Flags        savedFlags        `json:"flags"`
}

// expected is what the tasks to ask will take, going by the known answers.
type expected struct {
	PromptTokens int64         `json:"prompt_tokens"`
	OutputTokens int64         `json:"output_tokens"`
	ModelTime    time.Duration `json:"model_time_ns"` // the server's own durations, one after the other
	GoingBy      int64         `json:"going_by_answers"`
}

type planSample struct {
	Row    int64          `json:"row"`
	ID     string         `json:"id"`
	Step   string         `json:"step"`
	Action preview.Action `json:"action"`
	Why    string         `json:"why,omitempty"`
}

// planVersion is the version of a plan's form.
const planVersion = 1

const maxSamples = 20

// A changePlan is one plan on its way from a loaded job to what is printed.
type changePlan struct {
	*app
	job     *loadedJob
	flags   *planFlags
	digests *digests
	doc     planDocument
	changed []string // files of earlier runs that no row names, changed since
	shown   int64
	more    int64
}

// planChanges says what a run would do, task by task, and why.
func (a *app) planChanges(ctx context.Context, j *loadedJob, models []string, flags *planFlags) error {
	p := &changePlan{app: a, job: j, flags: flags}
	known, end, err := p.openKnown(ctx)
	if err != nil {
		return err
	}
	defer end()
	left, err := p.findDigests(ctx, models, known != nil)
	if err != nil {
		return err
	}
	defer left()
	opts := preview.Options{Identify: p.digests.identify, Redo: flags.redo, RetryFailed: flags.retryFailed}
	if known != nil && j.plan.Bench == nil { // a benchmark finds nothing that was measured before
		opts.Known = known
	}
	each := p.tell
	if flags.json {
		each = p.sample
	}
	totals, err := preview.Walk(ctx, j.plan, opts, each)
	if err != nil {
		return a.planError(j, err)
	}
	if totals.Rows == 0 {
		return fail(exitMistake, "%s", noRows(&flags.jobFlags))
	}
	return p.end(totals)
}

// planError makes the exit of a walk that came to no end.
func (a *app) planError(j *loadedJob, err error) error {
	var trouble *store.Error
	if errors.As(err, &trouble) {
		return storeExit(err)
	}
	return a.mistaken(j.job, err)
}

// A knownStore is a snapshot of the store, as preview asks it.
type knownStore struct {
	*store.Snapshot
	job     string
	outputs *store.Store // what apply would take over from the job's own output files; nil: nothing
}

func (k *knownStore) Find(ctx context.Context, tasks []runner.Sought) ([]*runner.Stored, error) {
	found, err := k.Snapshot.Find(ctx, k.job, tasks)
	if err != nil || k.outputs == nil {
		return found, err
	}
	var lacking []runner.Sought
	var at []int
	for i := range found {
		if found[i] == nil {
			lacking, at = append(lacking, tasks[i]), append(at, i)
		}
	}
	taken, err := k.outputs.Find(ctx, k.job, lacking)
	for i := range taken {
		found[at[i]] = taken[i]
	}
	return found, err
}

func (k *knownStore) Last(ctx context.Context, tasks []preview.TaskID) ([]*preview.Last, error) {
	ids := make([]store.TaskID, len(tasks))
	for i, t := range tasks {
		ids[i] = store.TaskID(t)
	}
	found, err := k.Snapshot.Last(ctx, k.job, ids)
	last := make([]*preview.Last, len(found))
	for i, f := range found {
		if f != nil {
			last[i] = &preview.Last{Key: f.Key, Question: f.Question, Model: f.Model, OK: f.OK, Class: f.Class, Message: f.Message}
		}
	}
	return last, err
}

// openKnown opens the job's store for reading, also while a run writes to it; nil where
// nothing is known. Of a job that the store does not know, what apply would take over from
// its output files is known, too.
func (p *changePlan) openKnown(ctx context.Context) (known *knownStore, end func(), err error) {
	where := p.flags.storeFlags.of(p.job, p.flags.simulate)
	var ends []func()
	end = func() {
		for _, f := range slices.Backward(ends) {
			f()
		}
	}
	defer func() {
		if err != nil {
			end()
		}
	}()
	knowsJob := false
	if where.exists() {
		s, err := store.Open(where.path, store.Options{ReadOnly: true})
		if err != nil {
			return nil, nil, storeExit(err)
		}
		ends = append(ends, func() { _ = s.Close() }) // only read from
		if known, err = snapshotOf(ctx, s, where.job, &ends); err != nil {
			return nil, nil, err
		}
		if knowsJob, err = s.HasJob(ctx, where.job); err != nil {
			return nil, nil, storeExit(err)
		}
		if err := p.findStale(ctx, s, where); err != nil {
			return nil, nil, err
		}
	}
	if knowsJob || len(p.job.job.Outputs) == 0 {
		return known, end, nil
	}
	outputs, n, err := p.readOutputs(ctx, where, &ends)
	switch {
	case err != nil:
		return nil, nil, err
	case n == 0:
	case known == nil:
		known, err = snapshotOf(ctx, outputs, where.job, &ends)
	default:
		known.outputs = outputs
	}
	return known, end, err
}

func snapshotOf(ctx context.Context, s *store.Store, job string, ends *[]func()) (*knownStore, error) {
	view, err := s.Snapshot(ctx)
	if err != nil {
		return nil, storeExit(err)
	}
	*ends = append(*ends, func() { _ = view.Close() }) // only read from
	return &knownStore{Snapshot: view, job: job}, nil
}

// readOutputs takes the records of the job's own output files into a store of its own,
// which end removes: the job's is made by apply.
func (p *changePlan) readOutputs(ctx context.Context, where stored, ends *[]func()) (*store.Store, int64, error) {
	dir, err := os.MkdirTemp("", "runner-plan-")
	if err != nil {
		return nil, 0, fail(exitDisk, "the output files can't be looked through: %s", reason(err))
	}
	*ends = append(*ends, func() { _ = os.RemoveAll(dir) }) // the system's to clean
	s, err := store.Open(filepath.Join(dir, storeFile), store.Options{Create: true})
	if err != nil {
		return nil, 0, storeExit(err)
	}
	*ends = append(*ends, func() { _ = s.Close() }) // it goes
	n, err := s.Adopt(ctx, adopted(output.Adopt(p.job.folder.Root, p.job.job, p.job.plan, output.Options{Base: where.base})))
	if err != nil {
		return nil, 0, storeExit(err)
	}
	return s, n, nil
}

// findStale lists the files of earlier runs that no row names, where the names can be
// told without an answer.
func (p *changePlan) findStale(ctx context.Context, s *store.Store, where stored) error {
	if p.flags.partial() {
		return nil
	}
	before, err := s.Files(ctx, where.job)
	if err != nil {
		return storeExit(err)
	}
	if len(before) == 0 {
		return nil
	}
	set, err := p.job.outputs(p.flags.simulate, true)
	if err != nil {
		return err
	}
	named, all := set.Named(p.job.plan.Rows)
	if !all {
		return nil
	}
	found, err := p.job.stale(before, named)
	if err != nil {
		return err
	}
	for _, f := range found {
		switch {
		case f.Gone:
		case f.Ours:
			p.doc.Stale = append(p.doc.Stale, f.Path)
		default:
			p.changed = append(p.changed, f.Path)
		}
	}
	return nil
}

// sample keeps the first tasks that are not simply reused.
func (p *changePlan) sample(t *preview.Task) error {
	if t.Action == preview.Reuse && t.Why == "" {
		return nil
	}
	if len(p.doc.Samples) < maxSamples {
		p.doc.Samples = append(p.doc.Samples, planSample{t.Row.Number, t.Row.ID, t.Step, t.Action, t.Why})
	}
	return nil
}

// tell prints a line for a task that is not simply reused: the first ones, or with
// --verbose all, each with what changed in its messages.
func (p *changePlan) tell(t *preview.Task) error {
	if t.Action == preview.Reuse && t.Why == "" {
		return nil
	}
	if p.shown >= maxSamples && !p.verbose {
		p.more++
		return nil
	}
	p.shown++
	fmt.Fprintf(p.out, "  %s, step %s: %s", say.Clean(rowName(t.Row.Number, t.Row.ID)), t.Step, t.Action)
	if t.Why != "" {
		fmt.Fprintf(p.out, ": %s", say.Clean(t.Why))
	}
	fmt.Fprintln(p.out)
	if p.verbose {
		p.tellDiff(t)
	}
	return p.sample(t)
}

func (p *changePlan) tellDiff(t *preview.Task) {
	before := t.Before.Messages()
	if t.Request == nil {
		return
	}
	for i, m := range t.Request.Messages {
		if i >= len(before) || before[i].Content == m.Content {
			continue
		}
		text := string(diff.Diff(m.Role+" before", []byte(ended(before[i].Content)), m.Role+" now", []byte(ended(m.Content))))
		_, text, _ = strings.Cut(text, "\n") // the command line of diff
		fmt.Fprintf(p.out, "    %s\n", indent(say.Clean(text)))
	}
}

// ended is a text that ends with a line's end.
func ended(text string) string { return strings.TrimSuffix(text, "\n") + "\n" }

// end prints the totals, or the whole document, and saves it if asked to.
func (p *changePlan) end(totals *preview.Totals) error {
	if err := p.fill(totals); err != nil {
		return err
	}
	if p.flags.output != "" {
		if err := p.save(); err != nil {
			return err
		}
	}
	if p.flags.json {
		if err := p.print(); err != nil {
			return err
		}
	} else {
		p.tellTotals()
	}
	if p.flags.detailed && totals.ToAsk()+totals.Actions[preview.Depends]+int64(len(p.doc.Stale)) > 0 {
		return &exit{code: exitChanges}
	}
	return nil
}

func (p *changePlan) fill(totals *preview.Totals) error {
	d := &p.doc
	d.Version, d.Job, d.File = planVersion, p.job.job.Name, p.job.file
	d.Rows, d.Totals = totals.Rows, totals
	d.Models, d.ModelsFrom = p.digests.all(), p.digests.from
	d.Flags = p.flags.saved()
	if d.Samples == nil {
		d.Samples = []planSample{}
	}
	if n := totals.ToAsk(); n > 0 && totals.Known > 0 {
		d.Expected = &expected{
			PromptTokens: totals.PromptTokens * n / totals.Known, OutputTokens: totals.OutputTokens * n / totals.Known,
			ModelTime: totals.Took / time.Duration(totals.Known) * time.Duration(n), GoingBy: totals.Known,
		}
	}
	var err error
	d.Fingerprints, err = p.job.folder.fingerprints()
	return err
}

func (p *changePlan) print() error {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return printed(encoder.Encode(p.doc))
}

func (p *changePlan) save() error {
	text, err := json.MarshalIndent(p.doc, "", "  ")
	if err == nil {
		err = os.WriteFile(p.flags.output, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fail(exitDisk, "-o %s: %s", p.flags.output, reason(err))
	}
	return nil
}

// tellTotals prints what the plan comes to.
func (p *changePlan) tellTotals() {
	d, t := &p.doc, p.doc.Totals
	if p.more > 0 {
		fmt.Fprintf(p.out, "  and %s more; --verbose shows all\n", say.Plural(p.more, "task"))
	}
	fmt.Fprintln(p.out, totalsLine(t))
	if t.ToAsk() > 0 {
		fmt.Fprintln(p.out, p.askedLine())
	}
	if e := d.Expected; e != nil {
		fmt.Fprintf(p.out, "about %s tokens read and %s written, %s of the model's time, going by %s\n",
			say.Count(e.PromptTokens), say.Count(e.OutputTokens), span(e.ModelTime), say.Plural(e.GoingBy, "known answer"))
	}
	for _, name := range d.Stale {
		fmt.Fprintf(p.out, staleOurs+"\n", say.Clean(name))
	}
	for _, name := range p.changed {
		fmt.Fprintf(p.out, staleChanged+"\n", say.Clean(name))
	}
	if p.flags.output != "" {
		fmt.Fprintf(p.out, "saved; to do just this: runner apply %s\n", p.flags.output)
	}
}

// totalsLine is "3 to ask (1 new, 2 changed or failed), 97 known, 1 of them a failure".
func totalsLine(t *preview.Totals) string {
	line := "nothing to ask"
	if n := t.ToAsk(); n > 0 {
		line = say.Plural(n, "task") + " to ask"
		if t.AtMost {
			line = "at most " + line
		}
		line += fmt.Sprintf(" (%s new, %s changed or failed)", say.Count(t.Actions[preview.Create]), say.Count(t.Actions[preview.Redo]))
	}
	if n := t.Actions[preview.Depends]; n > 0 {
		line += fmt.Sprintf(", %s on answers not known yet", plurals(n, "depends", "depend"))
	}
	line += ", " + say.Count(t.Actions[preview.Reuse]) + " known"
	if t.Failures > 0 {
		line += fmt.Sprintf(" (%s)", plurals(t.Failures, "stays failed", "stay failed"))
	}
	if n := t.Actions[preview.Fail]; n > 0 {
		line += ", " + plurals(n, "can't be asked", "can't be asked")
	}
	return line
}

func plurals(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return say.Count(n) + " " + more
}

// askedLine says of which models the tasks are asked.
func (p *changePlan) askedLine() string {
	by := map[string]int64{}
	for _, models := range p.doc.Totals.Asked {
		for model, n := range models {
			by[model] += n
		}
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%s %s", say.Count(by[name]), say.Clean(name)))
	}
	return fmt.Sprintf("of %s (digests from %s)", strings.Join(parts, ", "), say.Clean(p.doc.ModelsFrom))
}
