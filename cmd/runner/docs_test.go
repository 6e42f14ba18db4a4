package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/batchrunner/runner/schema"
	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/templates"
)

// page reads a page of the documentation, from the top of the repository.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestJobFilePageHasEveryKey holds docs/job-file.md against the schema.
func TestJobFilePageHasEveryKey(t *testing.T) {
	text := page(t, "docs/job-file.md")
	keys := schemaKeys(t)
	for _, key := range keys {
		if !regexp.MustCompile("`[^`\n]*\\b" + regexp.QuoteMeta(key) + "\\b[^`\n]*`").MatchString(text) {
			t.Errorf("docs/job-file.md does not mention the key %q", key)
		}
	}
	t.Logf("SHOWS: %d keys of the job file, each documented", len(keys))
}

// schemaKeys are all keys that a job file may have, at any depth.
func schemaKeys(t *testing.T) []string {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal(schema.Job(), &document); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	var walk func(any)
	walk = func(at any) {
		switch node := at.(type) {
		case map[string]any:
			if properties, ok := node["properties"].(map[string]any); ok {
				for name := range properties {
					keys[name] = true
				}
			}
			for name, child := range node {
				if name != "examples" {
					walk(child)
				}
			}
		case []any:
			for _, child := range node {
				walk(child)
			}
		}
	}
	walk(document)
	return slices.Sorted(maps.Keys(keys))
}

// TestFunctionsPage holds docs/functions.md against the functions that there are;
// go test -update rewrites it.
func TestFunctionsPage(t *testing.T) {
	var want strings.Builder
	want.WriteString(functionsHead)
	for _, f := range templates.Describe() {
		fmt.Fprintf(&want, "| `%s` | %s |\n", f.Signature, strings.ReplaceAll(f.Text, "|", `\|`))
	}
	const name = "docs/functions.md"
	if *update {
		if err := os.WriteFile(filepath.Join("..", "..", name), []byte(want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if page(t, name) != want.String() {
		t.Errorf("%s is not up to date; rewrite it with: go test ./cmd/runner -run TestFunctionsPage -update", name)
	}
}

const functionsHead = `# Functions in templates

Functions read nothing but their arguments and change none of them: no clock, no random numbers, no environment, no
files. Arguments in capitals; "..." may be repeated; "[ ]" may be left out. With a pipe the value before it is the last
argument: "{{ .name | trunc 10 }}" is "{{ trunc 10 .name }}". Numbers may come as text, as csv has them.

| call | gives |
|---|---|
`

// TestTroubleshootingHasEveryClass holds the table of classes against the code.
func TestTroubleshootingHasEveryClass(t *testing.T) {
	text := page(t, "docs/troubleshooting.md")
	classes := failureClasses(t)
	if len(classes) < 20 {
		t.Fatalf("found only the classes %v", classes)
	}
	for _, class := range classes {
		if class != "interrupted" && !regexp.MustCompile("\\|[^|\n]*`"+class+"`[^|\n]*\\|").MatchString(text) {
			t.Errorf("docs/troubleshooting.md does not explain the class %q", class)
		}
	}
}

// failureClasses reads the constants of type Class in package runner.
func failureClasses(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../runner/class.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var classes []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Class" {
			classes = append(classes, strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		}
		return true
	})
	return classes
}

// TestReadmeShowsTheStarter holds README's job against what init writes.
func TestReadmeShowsTheStarter(t *testing.T) {
	starter, err := starterFiles.ReadFile("starters/translate/translate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, job, _ := strings.Cut(string(starter), "\n") // without the editor's line
	job = strings.ReplaceAll(job, "@MODEL@", fallbackModels[0])
	if !strings.Contains(page(t, "README.md"), "```yaml\n"+job+"```") {
		t.Error("README.md does not show the job that `runner init translate` writes")
	}
}

// TestReadmeRun runs README's first job, and holds what it shows against what is said.
func TestReadmeRun(t *testing.T) {
	text := page(t, "README.md")
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```\n\n```console\n(.*?)```").FindStringSubmatch(text)
	if block == nil {
		t.Fatal("README.md shows no job with its run")
	}
	t.Chdir(t.TempDir())
	writeFile(t, "translate.yaml", block[1])
	var out, said bytes.Buffer
	if code := Main(t.Context(), []string{"apply", "translate.yaml", "--simulate"}, nil, &out, &said); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &said)
	}
	shown := "$ runner apply translate.yaml --simulate\n" + said.String() + "$ jq -r .response .runner/simulated/translations.jsonl\n"
	for line := range strings.Lines(readFile(t, ".runner/simulated/translations.jsonl")) {
		var record struct{ Response string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		shown += record.Response + "\n"
	}
	took := regexp.MustCompile(` in [0-9.]+s`)
	if got, want := took.ReplaceAllString(block[2], " in a time"), took.ReplaceAllString(shown, " in a time"); got != want {
		t.Errorf("README.md shows\n%s\nand the run says\n%s", got, want)
	}
}

// TestReadmeHasEveryCommand holds README's table against the command.
func TestReadmeHasEveryCommand(t *testing.T) {
	text := page(t, "README.md")
	for _, c := range newApp(nil, os.Stdout, os.Stderr).root(nil).Commands() {
		if c.Hidden || c.Name() == "help" || c.Name() == "exit-codes" {
			continue
		}
		if !strings.Contains(text, c.Name()) {
			t.Errorf("README.md does not mention the command %q", c.Name())
		}
	}
}

// TestDocsJobs loads every job that a page shows, as far as it needs no files.
func TestDocsJobs(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	loaded := 0
	for _, name := range []string{"README.md", "docs/from-python.md", "docs/job-file.md"} {
		for _, m := range block.FindAllStringSubmatch(page(t, name), -1) {
			if !strings.Contains(m[1], "prompt:") || strings.Contains(m[1], "file:") {
				continue
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "job.yaml"), []byte(m[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, found := specs.Load(os.DirFS(dir), "job.yaml", specs.Options{}); len(found) > 0 {
				t.Errorf("%s shows a job with mistakes: %v\n%s", name, found, m[1])
			}
			loaded++
		}
	}
	if loaded < 2 {
		t.Errorf("only %d jobs found in the documentation", loaded)
	}
}

// TestDocsLinks follows every relative link of the documentation.
func TestDocsLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, name := range []string{"README.md", "docs/from-python.md", "docs/functions.md", "docs/job-file.md", "docs/ollama.md", "docs/troubleshooting.md"} {
		for _, m := range link.FindAllStringSubmatch(page(t, name), -1) {
			target := filepath.Join("..", "..", filepath.Dir(name), m[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s leads nowhere", name, m[1])
			}
		}
	}
}

// TestQuestionsToTheStore runs every SQL statement of docs/results.md on a real store.
func TestQuestionsToTheStore(t *testing.T) {
	text := page(t, "docs/results.md")
	questions := regexp.MustCompile(`(?m)^sqlite3 (?:-box )?\.runner/runner\.db "(.+)"$`).FindAllStringSubmatch(text, -1)
	if len(questions) < 4 {
		t.Fatalf("found only %d questions", len(questions))
	}
	t.Chdir(t.TempDir())
	writeFile(t, "translate.yaml", "model: gemma3:4b\nprompt: \"Say {{ .word }}\"\nmatrix: {word: [greeting-german, bye]}\nrow_id: \"{{ .word }}\"\noutput: a.jsonl\n")
	var out, errs bytes.Buffer
	if code := Main(t.Context(), []string{"apply", "translate.yaml", "--simulate", "--fault", "error times=0 match=bye"}, nil, &out, &errs); code > exitFailedRows {
		t.Fatalf("exit code %d\n%s", code, &errs)
	}
	db, err := sql.Open("sqlite", ".runner/simulated/runner.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range questions {
		rows, err := db.QueryContext(t.Context(), q[1])
		if err != nil {
			t.Errorf("%v in\n%s", err, q[1])
			continue
		}
		n := 0
		for rows.Next() {
			n++
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || n == 0 && !strings.Contains(q[1], "class IS NOT NULL") {
			t.Errorf("%d rows (%v) from\n%s", n, err, q[1])
		}
	}
}

// TestResultsPageHasEveryEvent holds the table of events against the code: a row for each
// kind, and each field of an event in some row.
func TestResultsPageHasEveryEvent(t *testing.T) {
	text := page(t, "docs/results.md")
	_, text, _ = strings.Cut(text, "## Events for programs")
	text, _, _ = strings.Cut(text, "\n## ")
	source := page(t, "runner/events.go") + page(t, "cmd/runner/view.go")
	kinds := regexp.MustCompile(`Kind = "(\w+)"|"event": "(\w+)"`).FindAllStringSubmatch(source, -1)
	fields := regexp.MustCompile("`json:\"(\\w+)").FindAllStringSubmatch(source, -1)
	if len(kinds) < 14 || len(fields) < 20 {
		t.Fatalf("the code has %d kinds and %d fields", len(kinds), len(fields))
	}
	for _, kind := range kinds {
		if name := kind[1] + kind[2]; !strings.Contains(text, "| `"+name+"` |") {
			t.Errorf("there is no row of %s", name)
		}
	}
	for _, field := range fields {
		if !strings.Contains(text, "`"+field[1]+"`") {
			t.Errorf("there is nothing about the field %s", field[1])
		}
	}
}
