package main

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/batchrunner/runner/runner/ollama"
	"github.com/batchrunner/runner/schema"
	"github.com/batchrunner/runner/specs/say"
	"github.com/spf13/cobra"
)

//go:embed starters
var starterFiles embed.FS

// starters are the jobs that init writes, and what each one shows.
var starters = []struct{ name, shows string }{
	{"translate", "a table of sentences into several languages"},
	{"compare", "the same questions to several models"},
	{"chain", "two steps, the second reading the first one's answer"},
	{"classify", "answers as checked JSON"},
}

// fallbackModels stand in a starter where no server says what it has.
var fallbackModels = []string{"gemma3:4b", "llama3.2:3b"}

// modelsWait bounds the look for models: init must work without a server too.
const modelsWait = 2 * time.Second

func (a *app) initCommand() *cobra.Command {
	var host hostFlags
	var names []string
	long := "Writes a small job that works into this folder, with its data and the schema\nfor editors. It picks a model that your Ollama has, and overwrites nothing.\n\n"
	for _, s := range starters {
		names = append(names, s.name)
		long += "  " + s.name + strings.Repeat(" ", 12-len(s.name)) + s.shows + "\n"
	}
	cmd := &cobra.Command{
		Use:       "init [" + strings.Join(names, "|") + "]",
		Short:     "Write a small job that works, with its data",
		Long:      long,
		Example:   "  runner init translate && runner apply translate.yaml",
		ValidArgs: names,
		Args:      arguments(0, 1, "one name: "+strings.Join(names, ", ")),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := "translate"
			if len(args) == 1 {
				name = args[0]
			}
			return a.init(cmd.Context(), name, &host)
		},
	}
	host.add(cmd.Flags())
	return cmd
}

func (a *app) init(ctx context.Context, name string, host *hostFlags) error {
	dir := path.Join("starters", name)
	if _, err := fs.Stat(starterFiles, dir); err != nil {
		return fail(exitMistake, "there is no starter %q; the starters are %s", name, starterNames())
	}
	files, err := starterContents(dir)
	if err != nil {
		return err
	}
	if err := refuseToOverwrite(files); err != nil {
		return err
	}
	models, found := a.pickModels(ctx, host)
	used := models[:1]
	for _, f := range files {
		if strings.Contains(f.text, "@MODELS@") {
			used = models
		}
		text := strings.ReplaceAll(f.text, "@MODELS@", strings.Join(quoteAll(models), ", "))
		text = strings.ReplaceAll(text, "@MODEL@", models[0])
		if err := writeNew(f.path, text); err != nil {
			return fail(exitDisk, "%s can't be written: %s", f.path, reason(err))
		}
		a.info("wrote %s", f.path)
	}
	if err := a.initState(); err != nil {
		return err
	}
	if !found {
		it := "it"
		if len(used) > 1 {
			it = "them"
		}
		a.info("no Ollama was found, so the job names %s; change %s, or fetch %[2]s with: ollama pull %s", say.And(used), it, strings.Join(used, " && ollama pull "))
		a.info("without Ollama, see it work with: runner apply %s.yaml --simulate", name)
	}
	a.info("next: runner apply %s.yaml", name)
	return nil
}

func starterNames() string {
	var names []string
	for _, s := range starters {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// A starterFile is a file of a starter, its path relative to the folder it is written to.
type starterFile struct{ path, text string }

func starterContents(dir string) ([]starterFile, error) {
	var files []starterFile
	err := fs.WalkDir(starterFiles, dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(starterFiles, p)
		files = append(files, starterFile{strings.TrimPrefix(p, dir+"/"), string(text)})
		return err
	})
	return files, err
}

func refuseToOverwrite(files []starterFile) error {
	var there []string
	for _, f := range files {
		if _, err := os.Lstat(filepath.FromSlash(f.path)); err == nil {
			there = append(there, f.path)
		}
	}
	if len(there) == 0 {
		return nil
	}
	be := "is"
	if len(there) > 1 {
		be = "are"
	}
	return fail(exitMistake, "%s %s here already, and init overwrites nothing; use another folder", strings.Join(there, ", "), be)
}

func writeNew(name, text string) error {
	name = filepath.FromSlash(name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// initState makes .runner/ with the schema for editors, and keeps it out of git.
func (a *app) initState() error {
	schemaFile := filepath.Join(stateFolder, "job.schema.json")
	if err := os.MkdirAll(stateFolder, 0o755); err != nil {
		return fail(exitDisk, "the folder %s can't be made: %s", stateFolder, reason(err))
	}
	if err := os.WriteFile(schemaFile, schema.Job(), 0o644); err != nil {
		return fail(exitDisk, "%s can't be written: %s", schemaFile, reason(err))
	}
	a.info("wrote %s", filepath.ToSlash(schemaFile))
	return a.ignoreState()
}

// ignoreState adds .runner/ to .gitignore unless a line says so already.
func (a *app) ignoreState() error {
	const line = stateFolder + "/"
	text, err := os.ReadFile(".gitignore")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(exitDisk, ".gitignore can't be read: %s", reason(err))
	}
	for have := range strings.Lines(string(text)) {
		switch strings.TrimSpace(have) {
		case line, stateFolder, "/" + line, "/" + stateFolder:
			return nil
		}
	}
	if len(text) > 0 && !strings.HasSuffix(string(text), "\n") {
		text = append(text, '\n')
	}
	if err := os.WriteFile(".gitignore", append(text, line+"\n"...), 0o644); err != nil {
		return fail(exitDisk, ".gitignore can't be written: %s", reason(err))
	}
	a.info("wrote .gitignore: %s", line)
	return nil
}

// pickModels returns the models a starter should name, and whether the server
// has them: at least one, at most three, the smallest first.
func (a *app) pickModels(ctx context.Context, host *hostFlags) ([]string, bool) {
	have, err := a.hostModels(ctx, host)
	if err != nil || len(have) == 0 {
		return fallbackModels, false
	}
	return have[:min(3, len(have))], true
}

// hostModels lists the models on the server that can answer, the smallest first.
func (a *app) hostModels(ctx context.Context, host *hostFlags) ([]string, error) {
	address, err := host.address(a.getenv)
	if err != nil {
		return nil, err
	}
	client, err := ollama.New(ollama.Config{Host: address, Connections: 1, Proxy: host.proxy})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, modelsWait)
	defer cancel()
	list, err := client.List(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(a, b ollama.ModelInfo) int { return int(min(1, max(-1, a.Size-b.Size))) })
	var names []string
	for _, m := range list {
		if !strings.Contains(m.Name, "embed") && m.Remote == "" {
			names = append(names, m.Name)
		}
	}
	return names, nil
}

func quoteAll(names []string) []string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = `"` + n + `"`
	}
	return quoted
}
