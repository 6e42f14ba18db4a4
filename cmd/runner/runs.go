package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/runner/store"
	"github.com/batchrunner/runner/specs/say"
)

// historyFlags say which store is looked at, and which runs in it.
type historyFlags struct {
	storeFlags
	root      string
	job       string
	simulated bool
}

func (f *historyFlags) add(flags *pflag.FlagSet) {
	f.storeFlags.add(flags)
	flags.StringVar(&f.root, "root", "", "the `folder` whose store it is (default: the nearest one upwards with .runner/)")
	flags.BoolVar(&f.simulated, "simulated", false, "the store of simulated runs")
}

// path is where the store is.
func (f *historyFlags) path() (string, error) {
	if f.store != "" {
		return f.store, nil
	}
	root, err := f.folder()
	if err != nil {
		return "", err
	}
	if f.simulated {
		return filepath.Join(root, filepath.FromSlash(output.Simulated), storeFile), nil
	}
	return filepath.Join(root, stateFolder, storeFile), nil
}

// folder is the root.
func (f *historyFlags) folder() (string, error) {
	if f.root != "" {
		return f.root, nil
	}
	found, err := findRoot(".")
	if err != nil {
		return "", fail(exitMistake, "%v", err)
	}
	return found, nil
}

// openStore opens the store that the flags name.
func (f *historyFlags) openStore(opts store.Options) (*store.Store, error) {
	path, err := f.path()
	if err != nil {
		return nil, err
	}
	s, err := store.Open(path, opts)
	if err != nil {
		err = storeExit(err)
		if hint := f.simulatedHint(); hint != "" && !(stored{path: path}).exists() {
			err = fail(codeOf(err), "%v%s", err, hint)
		}
		return nil, err
	}
	return s, nil
}

// simulatedHint tells somebody who has only tried a job with --simulate where its runs are.
func (f *historyFlags) simulatedHint() string {
	there := historyFlags{root: f.root, simulated: true}
	path, err := there.path()
	if err != nil || f.simulated || f.store != "" || !(stored{path: path}).exists() {
		return ""
	}
	return "; simulated runs are shown with --simulated"
}

func (a *app) runsCommand() *cobra.Command {
	var flags historyFlags
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List the runs that have changed something, the newest first",
		Args:  arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runs(cmd.Context(), &flags, limit, asJSON)
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&flags.job, "job", "", "only runs of this job, by its `name`")
	cmd.Flags().IntVarP(&limit, "number", "n", 20, "how many; 0: all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON lines")
	return cmd
}

func (a *app) runs(ctx context.Context, flags *historyFlags, limit int, asJSON bool) error {
	s, err := flags.openStore(store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer s.Close() // only read from
	runs, err := s.Runs(ctx, flags.job, limit)
	if err != nil {
		return storeExit(err)
	}
	if asJSON {
		return a.printLines(runs)
	}
	if len(runs) == 0 {
		a.info("%s", flags.noRun(flags.job))
		return nil
	}
	table := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RUN\tJOB\tBEGAN\tTOOK\tSTATE\tROWS\tFAILED\tASKED\tKNOWN")
	for i := range runs {
		r := &runs[i]
		rows, failed, asked, known := "-", "-", "-", "-" // they are noted at the end
		if !r.Ended.IsZero() {
			rows, failed, asked, known = say.Count(r.Rows), say.Count(r.Failed), say.Count(r.Asked), say.Count(r.Reused)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, say.Clean(r.Job), r.Began.Local().Format(time.DateTime), took(r), runState(r), rows, failed, asked, known)
	}
	return printed(table.Flush())
}

// noRun says that there is no run, of a job where one is named.
func (f *historyFlags) noRun(job string) string {
	if job != "" {
		return fmt.Sprintf("there is no run of a job %q", job)
	}
	return "there are no runs yet" + f.simulatedHint()
}

// printLines prints values as JSON lines.
func (a *app) printLines(runs []store.RunRow) error {
	encoder := json.NewEncoder(a.out)
	for i := range runs {
		if err := encoder.Encode(runJSON(&runs[i])); err != nil {
			return printed(err)
		}
	}
	return nil
}

// runJSON is a run for programs; its names are those of the store's columns.
func runJSON(r *store.RunRow) map[string]any {
	doc := map[string]any{
		"id": r.ID, "job": r.Job, "file": r.File, "began": r.Began, "state": r.State, "pid": r.PID, "host": r.Host, "version": r.Version,
		"server": r.Server, "simulated": r.Simulated, "partial": r.Partial, "rows": r.Rows, "ok": r.OK, "failed": r.Failed,
		"asked": r.Asked, "reused": r.Reused, "prompt_tokens": r.PromptTokens, "output_tokens": r.OutputTokens,
	}
	if !r.Ended.IsZero() {
		doc["ended"], doc["exit"] = r.Ended, r.Exit
	}
	return doc
}

func took(r *store.RunRow) string {
	if r.Ended.IsZero() {
		return "-"
	}
	return span(r.Ended.Sub(r.Began))
}

// runState says how a run is or was; one without an end goes on, or its process died.
func runState(r *store.RunRow) string {
	here, err := os.Hostname()
	switch {
	case r.State == "running" && (err != nil || here != r.Host):
		return "running or died"
	case r.State == "running" && !store.Alive(r.PID):
		return "died"
	case r.State == "running":
		return "running"
	case r.Partial:
		return r.State + ", a part of the rows"
	}
	return r.State
}

func (a *app) showCommand() *cobra.Command {
	var flags historyFlags
	var row string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [RUN]",
		Short: "Show a run, or one row of it: prompt, answer, attempts, times",
		Long: `Shows a run, by default the last one: how it went, and which tasks failed. With --row
everything about one row as it was then: each step's messages, answer, failed attempts
and times.`,
		Example: "  runner show --row greeting-german\n  runner show 17",
		Args:    arguments(0, 1, "one run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.show(cmd.Context(), &flags, args, row, asJSON)
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&flags.job, "job", "", "the last run of this job, by its `name`")
	cmd.Flags().StringVar(&row, "row", "", "the row with this `ID`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON: a line for the run, one for each task")
	return cmd
}

func (a *app) show(ctx context.Context, flags *historyFlags, args []string, row string, asJSON bool) error {
	s, err := flags.openStore(store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer s.Close() // only read from
	run, err := theRun(ctx, s, flags.job, args)
	if err != nil {
		return err
	}
	if asJSON {
		return a.showJSON(ctx, s, run, row)
	}
	if row != "" {
		return a.showRow(ctx, s, run, row)
	}
	return a.showRun(ctx, s, run)
}

// theRun is the one that args name, else the last one.
func theRun(ctx context.Context, s *store.Store, job string, args []string) (*store.RunRow, error) {
	var run *store.RunRow
	var err error
	if len(args) == 0 {
		run, err = s.LastRun(ctx, job)
	} else {
		id, bad := strconv.ParseInt(args[0], 10, 64)
		if bad != nil {
			return nil, fail(exitMistake, "%q is no run; runner runs lists them", args[0])
		}
		run, err = s.RunOf(ctx, id)
	}
	switch {
	case err != nil:
		return nil, storeExit(err)
	case run == nil && len(args) > 0:
		return nil, fail(exitMistake, "there is no run %s; runner runs lists them", args[0])
	case run == nil && job != "":
		return nil, fail(exitMistake, "there is no run of a job %q; runner runs lists all", job)
	case run == nil:
		return nil, fail(exitMistake, "there are no runs yet")
	}
	return run, nil
}

// showRun prints how a run went and what failed in it.
func (a *app) showRun(ctx context.Context, s *store.Store, run *store.RunRow) error {
	fmt.Fprintf(a.out, "run %d of %s (%s), %s\n", run.ID, say.Clean(run.Job), say.Clean(run.File), runState(run))
	server := run.Server
	if run.ServerVersion != "" {
		server += ", version " + run.ServerVersion
	}
	fmt.Fprintf(a.out, "began %s on %s, process %d, took %s; server %s\n", run.Began.Local().Format(time.DateTime), say.Clean(run.Host), run.PID, took(run), say.Clean(server))
	if run.Ended.IsZero() {
		fmt.Fprintln(a.out, "it has not come to its end; what was answered is kept")
	} else {
		fmt.Fprintf(a.out, "%s: %s ok, %s failed; tasks: %s asked, %s known\n", say.Plural(run.Rows, "row"), say.Count(run.OK), say.Count(run.Failed), say.Count(run.Asked), say.Count(run.Reused))
	}
	failures := int64(0)
	for t, err := range s.Tasks(ctx, run, "") {
		if err != nil {
			return storeExit(err)
		}
		if t.Err == nil {
			continue
		}
		if failures++; failures <= maxSamples || a.verbose {
			fmt.Fprintf(a.out, "  %s, step %s: %s: %s\n", say.Clean(rowName(t.Row, t.RowID)), t.Step, t.Err.Class, say.Clean(t.Err.Message))
		}
	}
	if failures > maxSamples && !a.verbose {
		fmt.Fprintf(a.out, "  and %s more; --verbose shows all\n", say.Plural(failures-maxSamples, "task"))
	}
	return nil
}

func (a *app) showRow(ctx context.Context, s *store.Store, run *store.RunRow, row string) error {
	found := false
	for t, err := range s.Tasks(ctx, run, row) {
		if err != nil {
			return storeExit(err)
		}
		found = true
		if err := a.showTask(ctx, s, t); err != nil {
			return err
		}
	}
	if !found {
		return fail(exitMistake, "run %d has no row %q", run.ID, row)
	}
	return nil
}

func (a *app) showTask(ctx context.Context, s *store.Store, t *store.TaskRow) error {
	fmt.Fprintf(a.out, "%s, step %s, %s\n", say.Clean(rowName(t.Row, t.RowID)), t.Step, say.Clean(t.Model))
	if q, err := pipeline.ReadQuestion(t.Question); err == nil {
		for _, m := range q.Messages {
			fmt.Fprintf(a.out, "  %s: %s\n", m.Role, indent(say.Clean(m.Content)))
		}
		fmt.Fprintf(a.out, "  options: %s\n  digest: %s\n", optionsLine(q.Options), say.Clean(q.Digest))
	}
	if err := a.showAttempts(ctx, s, t); err != nil {
		return err
	}
	if t.Err != nil {
		fmt.Fprintf(a.out, "  failed: %s: %s\n", t.Err.Class, say.Clean(t.Err.Message))
	}
	if answer := t.Answer; answer != nil {
		if answer.Thinking != "" {
			fmt.Fprintf(a.out, "  thinking: %s\n", indent(say.Clean(answer.Thinking)))
		}
		fmt.Fprintf(a.out, "  answer: %s\n", indent(say.Clean(answer.Response)))
		fmt.Fprintf(a.out, "  %s tokens read in %s, %s written in %s, %s in all, model load %s (%s)\n", say.Count(answer.PromptEvalCount), span(answer.PromptEvalDuration),
			say.Count(answer.EvalCount), span(answer.EvalDuration), span(answer.TotalDuration), span(answer.LoadDuration), say.Clean(answer.DoneReason))
		for _, text := range answer.Warnings {
			fmt.Fprintf(a.out, "  warning: %s\n", say.Line(text))
		}
	}
	switch {
	case t.Run == 0 && !t.Stored.IsZero():
		fmt.Fprintln(a.out, "  taken over from an output file")
	case !t.Asked && t.Run != 0:
		fmt.Fprintf(a.out, "  known since run %d\n", t.Run)
	}
	if !t.Key.IsZero() {
		fmt.Fprintf(a.out, "  key: %s\n", t.Key)
	}
	fmt.Fprintln(a.out)
	return nil
}

func (a *app) showAttempts(ctx context.Context, s *store.Store, t *store.TaskRow) error {
	if t.Run == 0 {
		return nil
	}
	attempts, err := s.Attempts(ctx, t.Run, t.Row, t.Step)
	if err != nil {
		return storeExit(err)
	}
	for _, at := range attempts {
		fmt.Fprintf(a.out, "  attempt %d at %s, %s: %s: %s\n", at.Attempt, at.Started.Local().Format(time.TimeOnly), span(at.Elapsed), at.Class, say.Clean(at.Message))
	}
	return nil
}

func (a *app) showJSON(ctx context.Context, s *store.Store, run *store.RunRow, row string) error {
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(runJSON(run)); err != nil {
		return printed(err)
	}
	found := false
	for t, err := range s.Tasks(ctx, run, row) {
		if err != nil {
			return storeExit(err)
		}
		found = true
		if err := encoder.Encode(taskJSON(t)); err != nil {
			return printed(err)
		}
	}
	if row != "" && !found {
		return fail(exitMistake, "run %d has no row %q", run.ID, row)
	}
	return nil
}

// taskJSON is a task for programs.
func taskJSON(t *store.TaskRow) map[string]any {
	doc := map[string]any{"row": t.Row, "id": t.RowID, "step": t.Step, "asked": t.Asked}
	if !t.Key.IsZero() {
		doc["key"] = t.Key.String()
	}
	if t.Question != nil {
		doc["question"] = json.RawMessage(t.Question)
	}
	if t.Model != "" {
		doc["model"], doc["attempts"] = t.Model, t.Attempts
	}
	if t.Err != nil {
		doc["error"], doc["error_class"] = t.Err.Message, t.Err.Class
	}
	if a := t.Answer; a != nil {
		doc["response"], doc["thinking"], doc["done_reason"] = a.Response, a.Thinking, a.DoneReason
		doc["prompt_eval_count"], doc["eval_count"] = a.PromptEvalCount, a.EvalCount
		doc["total_duration"], doc["load_duration"] = a.TotalDuration, a.LoadDuration
		doc["prompt_eval_duration"], doc["eval_duration"] = a.PromptEvalDuration, a.EvalDuration
	}
	return doc
}
