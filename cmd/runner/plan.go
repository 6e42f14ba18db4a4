package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner/ollama"
	"github.com/batchrunner/runner/specs/say"
	"github.com/spf13/cobra"
)

// planFlags choose what plan prints.
type planFlags struct {
	jobFlags
	hostFlags
	storeFlags
	prompts, json     bool
	simulate          bool
	redo, retryFailed bool
	detailed          bool
	output            string
	checked           *pipeline.Checked
}

func (a *app) planCommand() *cobra.Command {
	var flags planFlags
	cmd := &cobra.Command{
		Use:   "plan FILE",
		Short: "Show what apply would ask and why, without asking",
		Long: `Shows what apply would do with each task: create, redo, reuse or depends (on an
answer that is not known yet), and why. With --verbose all of them, and what changed
in their prompts. No model is asked; the server is only asked which models it has, and
where it is down runner.lock or the last run tells. It works while a run goes on.

-o saves the plan: "runner apply plan.json" does it, unless the job, its data or its
models have changed since. --json prints it for programs.

With --prompts, the requests themselves, exactly as they would be sent to /api/chat:
readable on a terminal, JSON lines elsewhere or with --json. No server is needed.

A step that reads an earlier step's answer can't be shown before that answer is
there; plan says which answers it waits for.`,
		Example: "  runner plan translate.yaml --prompts --row greeting-spanish\n  runner plan translate.yaml --prompts --json | jq .request",
		Args:    arguments(1, 1, "one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.limited, flags.concurrent = cmd.Flags().Changed("limit"), cmd.Flags().Changed("concurrency")
			return a.plan(cmd.Context(), args[0], &flags)
		},
	}
	flags.addFile(cmd)
	flags.addRows(cmd)
	fs := cmd.Flags()
	flags.hostFlags.add(fs)
	flags.storeFlags.add(fs)
	fs.BoolVar(&flags.simulate, "simulate", false, "the plan of apply --simulate")
	fs.BoolVar(&flags.redo, "redo", false, "the plan of apply --redo")
	fs.BoolVar(&flags.retryFailed, "retry-failed", false, "the plan of apply --retry-failed")
	fs.BoolVar(&flags.detailed, "detailed-exitcode", false, "exit code 2 where there is something to do, 0 where not")
	fs.StringVarP(&flags.output, "output", "o", "", "save the plan to this `file`, for apply")
	cmd.Flags().BoolVar(&flags.prompts, "prompts", false, "print the requests")
	cmd.Flags().StringVar(&flags.rowID, "row", "", "only the row with this `ID` (with --prompts)")
	cmd.Flags().BoolVar(&flags.json, "json", false, "print the plan as JSON; with --prompts the requests as JSON lines")
	return cmd
}

func (a *app) plan(ctx context.Context, file string, flags *planFlags) error {
	if !flags.prompts && flags.rowID != "" {
		return fail(exitMistake, "--row goes with --prompts")
	}
	j, err := a.load(file, &flags.jobFlags)
	if err != nil {
		return err
	}
	defer j.close()
	checked, err := a.check(j)
	if err != nil {
		return err
	}
	if err := flags.choose(j.plan); err != nil {
		return err
	}
	if flags.prompts {
		return a.planPrompts(j, flags)
	}
	flags.checked = checked
	if !flags.json {
		if err := a.planTotals(j, checked, flags); err != nil {
			return err
		}
	}
	if namesNoModel(j.job) {
		return nil // what is asked is not known; planTotals has said so
	}
	return a.planChanges(ctx, j, checked.Models, flags)
}

// planTotals says how much a job would ask, and what its includes did.
func (a *app) planTotals(j *loadedJob, checked *pipeline.Checked, flags *planFlags) error {
	rows := rowsPhrase(j.plan, checked)
	if flags.partial() {
		n, err := a.countRows(j)
		if err != nil {
			return err
		}
		rows = say.Plural(n, "row")
	}
	fmt.Fprintf(a.out, "%s, %s, %s\n", rows, say.Plural(len(j.plan.Steps), "step"), modelNames(checked))
	if j.plan.Bench != nil {
		fmt.Fprintf(a.out, "a benchmark: %s\n", benchPhrase(j.plan.Bench))
	}
	a.planIncludes(j)
	return nil
}

// planIncludes says what each include does, where that is known.
func (a *app) planIncludes(j *loadedJob) {
	if j.plan.Effects == nil {
		return
	}
	for i, joined := range j.plan.Effects.Joined {
		fmt.Fprintf(a.out, "include at line %d: %s\n", j.job.Include[i].Pos.Line, includePhrase(joined))
	}
}

func includePhrase(joined int64) string {
	switch {
	case joined < 0:
		return "joins some rows"
	case joined == 0:
		return "a new row at the end"
	}
	return "joins " + say.Plural(joined, "row")
}

func (a *app) countRows(j *loadedJob) (int64, error) {
	var n int64
	for row, err := range j.plan.Rows {
		if row == nil {
			return n, a.mistaken(j.job, err)
		}
		n++
	}
	return n, nil
}

// modelNames lists the models of a job, in the order of their first use.
func modelNames(checked *pipeline.Checked) string {
	names := checked.Models
	switch len(names) {
	case 0:
		return "no model chosen (-m)"
	case 1, 2, 3:
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more models", strings.Join(names[:2], ", "), len(names)-2)
}

// planPrompts prints every request that can be made before a run.
func (a *app) planPrompts(j *loadedJob, flags *planFlags) error {
	out := bufio.NewWriter(a.out)
	err := a.writeRequests(out, j, flags)
	if flushed := out.Flush(); flushed != nil && err == nil {
		err = fail(exitDisk, "the requests can't be printed: %s", reason(flushed))
	}
	return err
}

func (a *app) writeRequests(out io.Writer, j *loadedJob, flags *planFlags) error {
	write := writeRequest
	if flags.json || !a.outTerminal {
		write = writeRequestJSON
	}
	var rows, bad int64
	for row, err := range j.plan.Rows {
		if row == nil {
			return a.mistaken(j.job, err)
		}
		rows++
		for i := range j.plan.Steps {
			task := plannedTask(j.plan, i, row, err)
			if task.Error != "" {
				bad++
			}
			if err := write(out, task); err != nil {
				return fail(exitDisk, "the requests can't be printed: %s", reason(err))
			}
		}
	}
	switch {
	case rows == 0:
		return fail(exitMistake, "%s", noRows(&flags.jobFlags))
	case bad > 0:
		return fail(exitMistake, "%s can't be made", say.Plural(bad, "request"))
	}
	return nil
}

// noRows says why no row is left.
func noRows(flags *jobFlags) string {
	if flags.rowID != "" {
		return fmt.Sprintf("there is no row %q", flags.rowID)
	}
	return "no row meets --only"
}

// A planned task is one line of plan --prompts.
type planned struct {
	Row       int64           `json:"row"`
	ID        string          `json:"id"`
	Step      string          `json:"step"`
	Request   json.RawMessage `json:"request,omitempty"`
	DependsOn []string        `json:"depends_on,omitempty"`
	Error     string          `json:"error,omitempty"`

	request *pipeline.Request
}

func plannedTask(plan *pipeline.Plan, i int, row *pipeline.Row, rowErr error) *planned {
	step := &plan.Steps[i]
	p := &planned{Row: row.Number, ID: row.ID, Step: step.ID}
	if rowErr != nil {
		p.Error = rowErr.Error()
		return p
	}
	for _, n := range step.Needs {
		p.DependsOn = append(p.DependsOn, plan.Steps[n].ID)
	}
	if len(p.DependsOn) > 0 {
		return p
	}
	req, err := step.Request(&pipeline.Scope{Row: row, Answers: make([]*pipeline.Answer, len(plan.Steps))})
	if err != nil {
		p.Error = err.Error()
		return p
	}
	body, err := ollama.Body(req)
	if err != nil {
		p.Error = err.Error()
		return p
	}
	p.request, p.Request = req, body
	return p
}

func writeRequestJSON(w io.Writer, p *planned) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(p)
}

// writeRequest prints a request for a person.
func writeRequest(w io.Writer, p *planned) error {
	fmt.Fprintf(w, "%s, step %s", say.Clean(rowName(p.Row, p.ID)), p.Step)
	switch {
	case p.Error != "":
		fmt.Fprintf(w, ": %s\n", say.Clean(p.Error))
	case len(p.DependsOn) > 0:
		fmt.Fprintf(w, ": depends on the answer of %s\n", strings.Join(p.DependsOn, ", "))
	default:
		fmt.Fprintf(w, ", %s\n", say.Clean(p.request.Model))
		for _, m := range p.request.Messages {
			fmt.Fprintf(w, "  %s: %s\n", m.Role, indent(say.Clean(m.Content)))
		}
		fmt.Fprintf(w, "  options: %s\n", optionsLine(p.request.Options))
	}
	_, err := fmt.Fprintln(w)
	return err
}

func indent(text string) string {
	return strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}

func optionsLine(options map[string]any) string {
	var parts []string
	for name, value := range options {
		parts = append(parts, fmt.Sprintf("%s %v", name, value))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
