package main

import (
	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/say"
	"github.com/spf13/cobra"
)

func (a *app) validateCommand() *cobra.Command {
	flags := jobFlags{backstop: true}
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Find all mistakes of job files, without any server",
		Long: `Checks job files and the files they name: shape, templates, variables, data,
the requests of all rows, the names of outputs. It needs no server and writes
nothing. All mistakes are printed, each with its place. (A run looks at the first
rows only before it begins, where there are more than 10,000.)`,
		Example: "  runner validate translate.yaml\n  runner validate jobs/*.yaml",
		Args:    arguments(1, -1, "a job file"),
		RunE: func(_ *cobra.Command, args []string) error {
			var failed error
			for _, file := range args {
				if err := a.validate(file, &flags); err != nil {
					failed = a.remember(failed, err)
				}
			}
			return failed
		},
	}
	flags.addFile(cmd)
	return cmd
}

func (a *app) validate(file string, flags *jobFlags) error {
	j, err := a.load(file, flags)
	if err != nil {
		return err
	}
	defer j.close()
	checked, err := a.checkWith(j, pipeline.CheckAll)
	if err != nil {
		return err
	}
	a.info("%s: %s, %s: ok", file, rowsPhrase(j.plan, checked), say.Plural(len(j.plan.Steps), "step"))
	return nil
}

// check expands and renders the job's rows as far as can be done beforehand, and
// prints all mistakes. Its error is an exit.
func (a *app) check(j *loadedJob) (*pipeline.Checked, error) { return a.checkWith(j, pipeline.Check) }

func (a *app) checkWith(j *loadedJob, check func(*pipeline.Plan, *specs.Job, func(*pipeline.Row) specs.Diagnostics) *pipeline.Checked) (*pipeline.Checked, error) {
	names, err := j.outputNames()
	if err != nil {
		return nil, err
	}
	checked := check(j.plan, j.job, names)
	for i := range checked.Diagnostics {
		d := &checked.Diagnostics[i]
		d.Source = j.job.Line(d.File, d.Pos.Line)
	}
	a.diagnose(checked.Diagnostics)
	if len(checked.Diagnostics.Errors()) > 0 {
		return nil, mistakes()
	}
	return checked, nil
}

// rowsPhrase says how many rows a job has, as far as that is known.
func rowsPhrase(plan *pipeline.Plan, checked *pipeline.Checked) string {
	switch {
	case checked.All:
		return say.Plural(checked.Rows, "row")
	case plan.Total >= 0:
		return say.Plural(plan.Total, "row")
	}
	return "more than " + say.Plural(checked.Rows, "row")
}

// remember keeps what a command over several files ends with: the first
// mistake's exit, saying the message of each.
func (a *app) remember(first, err error) error {
	if first == nil {
		return err
	}
	a.report(err)
	return first
}
