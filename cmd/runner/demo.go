package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// demoJob is what the demo runs. Its faults are scripted: one answer's
// connection is cut in the middle, and one row's prompt does not fit the context.
const demoJob = `model: gemma3:4b
system: You are a translator. Reply with the translation only.
prompt: "Translate to {{ .language }}: {{ .sentence.text }}"

matrix:                                  # every sentence with every language
  sentence: {file: sentences.csv}        # .sentence.id and .sentence.text
  language: [Spanish, German]
  exclude: [{sentence: {id: novel}, language: German}]   # one of them only into Spanish
row_id: "{{ .sentence.id }}-{{ .language | lower }}"

options: {num_ctx: 512, num_predict: 100}
concurrency: 4

outputs:
  - file: out/translations.jsonl         # one record a row, in this order
  - file: out/table.csv
    columns: {id: "{{ .row.id }}", text: "{{ .sentence.text }}", translation: "{{ .response }}"}
`

// demoFault cuts the connection in the middle of one row's first answer.
const demoFault = "cut after=3 times=1 match='German: Where is the station'"

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "demo",
		Short:  "Show a run from beginning to end, against a simulated server",
		Hidden: true,
		Args:   arguments(0, 0, "no arguments"),
		RunE:   func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context()) },
	}
}

// demo runs demoJob in a folder of its own. The row that fails makes apply end
// with exit code 1, which is part of the story and not the demo's own.
func (a *app) demo(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "runner-demo-")
	if err != nil {
		return fail(exitDisk, "no temporary folder can be made: %s", reason(err))
	}
	defer os.RemoveAll(dir)
	back, err := os.Getwd()
	if err != nil {
		return fail(exitDisk, "%s", reason(err))
	}
	if err := os.Chdir(dir); err != nil {
		return fail(exitDisk, "%s", reason(err))
	}
	defer os.Chdir(back) //nolint:errcheck // the process ends here
	if err := writeDemo(); err != nil {
		return fail(exitDisk, "%s", reason(err))
	}
	a.demoStory(ctx)
	return nil
}

func writeDemo() error {
	sentences := "id,text\n" +
		"hello,\"Hello, how are you?\"\n" +
		"love,I love programming.\n" +
		"station,Where is the station?\n" +
		"novel,\"" + longText(3000) + "\"\n" +
		"coffee,\"Two coffees, please.\"\n"
	if err := os.WriteFile("sentences.csv", []byte(sentences), 0o644); err != nil {
		return err
	}
	return os.WriteFile("translate.yaml", []byte(demoJob), 0o644)
}

// longText is a text of n characters: too long for the demo's num_ctx.
func longText(n int) string {
	const sentence = "It was a long story about a very long train. "
	text := ""
	for len(text) < n {
		text += sentence
	}
	return text[:n]
}

func (a *app) demoStory(ctx context.Context) {
	a.title("A job: five sentences, two languages, nine rows (translate.yaml)")
	fmt.Fprint(a.out, demoJob)
	a.title("runner apply translate.yaml --simulate")
	a.note("The server is SIMULATED: its answers are made up. Two things go wrong on purpose:",
		"one answer's connection is cut in the middle, and it is asked again; one sentence",
		"is far too long for the model's context, and its row fails and says so.")
	code := Main(ctx, []string{"apply", "translate.yaml", "--simulate", "--root", ".", "--verbose", "--fault", demoFault}, a.in, a.out, a.err)
	a.note(fmt.Sprintf("exit code %d: a row failed, and max_failures is 0", code))
	base := filepath.Join(stateFolder, "simulated")
	a.showFile(filepath.Join(base, "out", "translations.jsonl"), 9)
	a.showFile(filepath.Join(base, "out", "table.csv"), 10)
	a.demoKill(ctx)
	a.title("Now with your own Ollama")
	a.demoEnd(ctx)
}

func (a *app) title(text string) { fmt.Fprintf(a.out, "\n== %s\n\n", text) }

func (a *app) note(lines ...string) {
	for _, l := range lines {
		fmt.Fprintf(a.out, "   %s\n", l)
	}
	fmt.Fprintln(a.out)
}

// showFile prints the first lines of a file, long lines shortened.
func (a *app) showFile(name string, lines int) {
	a.title(filepath.ToSlash(name))
	f, err := os.Open(name)
	if err != nil {
		fmt.Fprintf(a.out, "   not there: %s\n", reason(err))
		return
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		fmt.Fprintf(a.out, "   can't be read: %s\n", reason(err))
		return
	}
	printShort(a.out, string(text), lines)
}

// demoEnd ends with the command for the reader's own server.
func (a *app) demoEnd(ctx context.Context) {
	models, err := a.hostModels(ctx, &hostFlags{})
	switch {
	case err != nil:
		a.note("No Ollama was found on this machine. When it runs:", "", "  ollama pull gemma3:4b",
			"  runner init translate && runner apply translate.yaml")
	case len(models) == 0:
		a.note("Ollama was found, without models yet:", "", "  ollama pull gemma3:4b",
			"  runner init translate && runner apply translate.yaml")
	default:
		a.note("Ollama was found, with "+models[0]+". Try:", "",
			"  runner init translate && runner apply translate.yaml")
	}
}
