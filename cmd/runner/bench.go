package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/batchrunner/runner/runner"
)

// benchFlags are the flags of bench.
type benchFlags struct {
	applyFlags
	runs    int
	counted bool // -n was given
	prompt  string
}

func (a *app) benchCommand() *cobra.Command {
	var flags benchFlags
	cmd := &cobra.Command{
		Use:   "bench [FILE]",
		Short: "Measure models: speed, waiting, quality; from a job or from flags",
		Long: `Asks each row several times, after a warm-up that does not count, and shows how fast
each model answered: time to the first token, latency, tokens per second, each with how
sure that is, failures, and whether models differ at all. How it is measured stands under
bench in the job file (docs/benchmarks.md); a job without it is measured three times.

Everything is measured anew by each command; an interrupted benchmark goes on where it
was. Answers are kept as those of apply are, reports are written the same way, and so are
the outputs of a job with bench, a record for each repetition; those of another job stay
as they are. One model that fails does not stop the others.

Without a file the models of -m are asked one prompt.`,
		Example: `  runner bench -m gemma3:4b -m qwen3:8b
  runner bench -m gemma3:4b -p "Why is the sky blue?" -n 20 --concurrency 4
  runner bench models.yaml
  runner bench models.yaml -n 20`,
		Args: arguments(0, 1, "one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.limited, flags.concurrent = cmd.Flags().Changed("limit"), cmd.Flags().Changed("concurrency")
			flags.counted = cmd.Flags().Changed("number")
			return a.bench(cmd.Context(), args, &flags)
		},
	}
	flags.addRun(cmd)
	fs := cmd.Flags()
	fs.IntVarP(&flags.runs, "number", "n", 0, "how often each row is measured (default: as the job says, else 3)")
	fs.StringVarP(&flags.prompt, "prompt", "p", "", "without a file: the prompt (default \""+defaultPrompt+"\")")
	fs.BoolVar(&flags.redo, "redo", false, "begin anew also where the last benchmark of this job was interrupted")
	return cmd
}

// benchTokens bounds the answers of a benchmark without a file: enough to tell a model's
// pace, and no model talks on.
const benchTokens = 256

// defaultPrompt is that of the Python helper's batch_benchmark.
const defaultPrompt = "Hello, how are you?"

func (a *app) bench(ctx context.Context, args []string, flags *benchFlags) error {
	flags.benchmark, flags.runsWanted = true, flags.runs
	switch {
	case flags.counted && flags.runs < 1:
		return fail(exitMistake, "-n %d: each row must be measured at least once", flags.runs)
	case len(args) == 1 && flags.prompt != "":
		return fail(exitMistake, "-p goes with no file: the prompt of a job stands in its file")
	case len(args) == 1:
		return a.apply(ctx, args, &flags.applyFlags)
	case len(flags.models) == 0:
		return fail(exitMistake, "bench needs a job file, or models: runner bench -m gemma3:4b -m qwen3:8b")
	}
	return a.benchModels(ctx, flags)
}

// benchModels measures the models of -m with one prompt: it writes the job that says so,
// and measures that. The job stays, so that its report can be made again.
func (a *app) benchModels(ctx context.Context, flags *benchFlags) error {
	text, err := benchJob(flags.models, flags.prompt)
	if err != nil {
		return err
	}
	dir := flags.root
	if dir == "" {
		if dir, err = findRoot("."); err != nil {
			return fail(exitMistake, "%v", err)
		}
	}
	state := filepath.Join(dir, stateFolder)
	if err := os.MkdirAll(state, 0o777); err != nil {
		return fail(exitDisk, "the folder %s can't be made: %s", state, reason(err))
	}
	file := filepath.Join(state, "bench.yaml")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fail(exitDisk, "%s can't be written: %s", file, reason(err))
	}
	flags.models = nil
	return a.apply(ctx, []string{file}, &flags.applyFlags)
}

// benchJob is the job of some models and one prompt. JSON is YAML, and writes any text.
func benchJob(models []string, prompt string) ([]byte, error) {
	if prompt == "" {
		prompt = defaultPrompt
	}
	seen := map[string]bool{}
	for _, m := range models {
		if m == "" {
			return nil, fail(exitMistake, "-m: name a model, as in -m gemma3:4b")
		}
		if seen[m] {
			return nil, fail(exitMistake, "-m %s is there twice", m)
		}
		seen[m] = true
	}
	text, err := json.MarshalIndent(map[string]any{
		"model": "{{ .model }}", "prompt": "{{ .prompt }}", "concurrency": 1,
		"options": map[string]int{"num_predict": benchTokens},
		"vars":    map[string]string{"prompt": prompt}, "matrix": map[string]any{"model": models},
	}, "", "  ")
	return append(text, '\n'), err
}

// nowhere takes the records of a benchmark without outputs: its report is what is shown.
type nowhere struct{}

func (nowhere) write(*runner.Record) error     { return nil }
func (nowhere) commit() (string, int64, error) { return "", 0, nil }
func (nowhere) keep() (string, error)          { return "", nil }
