//go:build e2e && unix

package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// exampleJobs are the job files of the examples.
func exampleJobs(root string) ([]string, error) {
	jobs, err := filepath.Glob(filepath.Join(root, "examples", "*", "*.yaml"))
	if err == nil && len(jobs) == 0 {
		err = errors.New("there are no examples")
	}
	return jobs, err
}

// modelName is what a model's name with its tag looks like; a job's other words do not.
var modelName = regexp.MustCompile(`^[a-z][a-z0-9._/-]*:[a-z0-9._-]+$`)

// exampleModels are the models that the examples name, in model: or as values of an axis.
func exampleModels(root string) ([]string, error) {
	jobs, err := exampleJobs(root)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, job := range jobs {
		text, err := os.ReadFile(job)
		if err != nil {
			return nil, err
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			return nil, fmt.Errorf("%s: %w", job, err)
		}
		names = append(names, scalars(&doc, modelName)...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func scalars(n *yaml.Node, like *regexp.Regexp) (found []string) {
	if n.Kind == yaml.ScalarNode && like.MatchString(n.Value) {
		found = append(found, n.Value)
	}
	for _, c := range n.Content {
		found = append(found, scalars(c, like)...)
	}
	return found
}

// every is the output that the tests add to each example: all that is known of each row.
const every = "e2e-records.jsonl"

// prepare copies an example and adds the output. It gives the files that the
// example itself writes, as patterns.
func prepare(t *testing.T, job string) (dir string, patterns []string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Dir(job))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, filepath.Base(job))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	patterns = addOutput(doc.Content[0])
	text, err = yaml.Marshal(&doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, patterns
}

var action = regexp.MustCompile(`\{\{.*?\}\}`)

// addOutput makes output: PATH a list and adds ours.
func addOutput(job *yaml.Node) (patterns []string) {
	ours := &yaml.Node{}
	_ = ours.Encode(map[string]any{"file": every, "timings": true}) // of a map of words
	for i := 0; i < len(job.Content); i += 2 {
		key, value := job.Content[i], job.Content[i+1]
		switch key.Value {
		case "output":
			key.Value = "outputs"
			own := &yaml.Node{}
			_ = own.Encode(map[string]any{"file": value.Value})
			job.Content[i+1] = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{own, ours}}
			return []string{action.ReplaceAllString(value.Value, "*")}
		case "outputs":
			for _, o := range value.Content {
				patterns = append(patterns, action.ReplaceAllString(field(o, "file"), "*"))
			}
			value.Content = append(value.Content, ours)
			return patterns
		}
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Value: "outputs"}
	job.Content = append(job.Content, key, &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{ours}})
	return nil
}

func field(mapping *yaml.Node, name string) string {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1].Value
		}
	}
	return ""
}

// TestExamples applies every example as it stands, but for one output more: one
// record a row, in order, with text and the server's own counts, and the files that
// the example promises.
func TestExamples(t *testing.T) {
	jobs, err := exampleJobs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, job := range jobs {
		name := filepath.Base(job)
		t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
			dir, patterns := prepare(t, job)
			planned := do(t, "127.0.0.1:1", dir, "plan", name, "--prompts", "--json") // needs no server
			planned.want(t, 0)
			rows := plannedRows(t, planned.stdout)

			applied := do(t, ollama.host, dir, "apply", name)
			applied.want(t, 0)
			t.Logf("%s", applied.stderr)
			text, err := os.ReadFile(filepath.Join(dir, every))
			if err != nil {
				t.Fatal(err)
			}
			all := records(t, string(text))
			ordered(t, all, rows)
			for _, r := range all {
				r.complete(t)
				if r.TotalDuration <= 0 && len(r.Steps) == 0 {
					t.Errorf("row %d: no total_duration, with timings", r.Row)
				}
			}
			written(t, dir, patterns)
			total += rows
		})
	}
	t.Logf("SHOWS: %d rows of %d examples answered by a real server", total, len(jobs))
}

// plannedRows counts the rows of plan --prompts --json.
func plannedRows(t *testing.T, text string) int {
	t.Helper()
	rows := map[int]bool{}
	for line := range strings.Lines(text) {
		var p struct{ Row int }
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		rows[p.Row] = true
	}
	if len(rows) == 0 {
		t.Fatal("no rows are planned")
	}
	return len(rows)
}

// written holds a folder against the outputs of its job: each is there, and says something.
func written(t *testing.T, dir string, patterns []string) {
	t.Helper()
	for _, p := range patterns {
		found := 0
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil || !matches(p, filepath.ToSlash(rel)) {
				return err
			}
			found++
			if info, err := d.Info(); err != nil || info.Size() == 0 {
				t.Errorf("%s is empty (%v)", rel, err)
			}
			return nil
		})
		if err != nil || found == 0 {
			t.Errorf("no file %s was written (%v)", p, err)
		}
	}
}

// matches is filepath.Match whose stars match slashes too.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(name)
}
