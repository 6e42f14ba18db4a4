package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/ollama"
	"github.com/batchrunner/runner/specs/say"
	"github.com/spf13/cobra"
)

func (a *app) modelsCommand() *cobra.Command {
	var flags jobFlags
	var host hostFlags
	var pull bool
	cmd := &cobra.Command{
		Use:   "models FILE",
		Short: "Show the models a job needs: present, digest, size, loaded",
		Example: `  runner models translate.yaml
  runner models translate.yaml --pull`,
		Args: arguments(1, 1, "one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.models(cmd.Context(), args[0], &flags, &host, pull)
		},
	}
	flags.addFile(cmd)
	host.add(cmd.Flags())
	cmd.Flags().BoolVar(&pull, "pull", false, "fetch those that are not on the server")
	return cmd
}

func (a *app) models(ctx context.Context, file string, flags *jobFlags, host *hostFlags, pull bool) error {
	j, err := a.loadChecked(file, flags)
	if err != nil {
		return err
	}
	defer j.close()
	if namesNoModel(j.job) {
		return a.noModel(ctx, file, host)
	}
	s, end, err := a.begin(ctx, host, false)
	if err != nil {
		return err
	}
	defer end()
	wanted := needs(j.checked, j.job)
	report, err := s.Preflight(ctx, wanted)
	if report == nil {
		return fail(exitServer, "%v", err)
	}
	if pull && len(report.Missing()) > 0 {
		if err := a.pull(ctx, s, report.Missing()); err != nil {
			return err
		}
		report, err = s.Preflight(ctx, wanted)
		if report == nil {
			return fail(exitServer, "%v", err)
		}
	}
	return a.printModels(ctx, s, report, wanted, err)
}

// printModels prints a table of the models; problem is what is wrong with them.
func (a *app) printModels(ctx context.Context, s *server, report *ollama.Report, wanted []ollama.Need, problem error) error {
	if err := s.Describe(ctx, report); err != nil {
		return fail(exitServer, "%v", err)
	}
	table := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MODEL\tSTEPS\tDIGEST\tSIZE\tCONTEXT\tSTATE")
	seen := map[string]bool{}
	for _, need := range wanted {
		if seen[need.Model] {
			continue
		}
		seen[need.Model] = true
		fmt.Fprintln(table, modelLine(report, need))
	}
	if err := table.Flush(); err != nil {
		return fail(exitDisk, "the table can't be printed: %s", reason(err))
	}
	if problem != nil {
		return fail(exitServer, "%v", problem)
	}
	return nil
}

func modelLine(report *ollama.Report, need ollama.Need) string {
	name, steps := say.Clean(need.Model), strings.Join(need.Steps, ",")
	info, ok := report.Models[need.Model]
	if !ok {
		return fmt.Sprintf("%s\t%s\t-\t-\t-\t%s", name, steps, stateOf(report.Unusable[need.Model].Class))
	}
	state := "present"
	if info.Loaded {
		state = "loaded"
		if info.SizeLoaded > 0 && info.SizeVRAM < info.SizeLoaded {
			state += fmt.Sprintf(" (%d%% on the GPU)", info.SizeVRAM*100/info.SizeLoaded)
		}
	}
	return fmt.Sprintf("%s\t%s\t%.12s\t%s\t%d\t%s", name, steps, info.Digest, byteSize(info.Size), info.ContextLength, state)
}

// stateOf says in a word why a model can't be asked.
func stateOf(class runner.Class) string {
	if class == runner.ModelMissing {
		return "missing"
	}
	return "can't be asked"
}

// pull fetches models, one after the other, and tells how far each one is.
func (a *app) pull(ctx context.Context, s *server, models []string) error {
	for _, m := range models {
		a.info("fetching %s", m)
		shown := pullLine{app: a}
		err := s.Pull(ctx, m, shown.update)
		shown.end()
		if err != nil {
			return fail(exitServer, "model %q can't be fetched: %v", m, err)
		}
	}
	return nil
}

// A pullLine shows a pull: rewritten in place on a terminal, elsewhere a line
// whenever something else is being done.
type pullLine struct {
	app    *app
	status string
	drawn  time.Time
	open   bool // the terminal's line is not ended
}

func (l *pullLine) update(p ollama.Progress) {
	switch {
	case l.app.quiet:
	case l.app.errTerminal && time.Since(l.drawn) > 100*time.Millisecond:
		l.drawn, l.open = time.Now(), true
		fmt.Fprintf(l.app.err, "\r\x1b[K  %s%s", p.Status, pullShare(p))
	case !l.app.errTerminal && p.Status != l.status:
		l.status = p.Status
		fmt.Fprintf(l.app.err, "  %s\n", p.Status)
	}
}

func (l *pullLine) end() {
	if l.open {
		fmt.Fprint(l.app.err, "\r\x1b[K")
	}
}

func pullShare(p ollama.Progress) string {
	if p.Total <= 0 {
		return ""
	}
	return fmt.Sprintf(" %d%% of %s", p.Completed*100/p.Total, byteSize(p.Total))
}
