package main

import (
	"bytes"
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expected requests and outputs of the examples")

// TestExamples plans and runs every example against the simulated server, and
// holds its requests and outputs against those in testdata/examples.
func TestExamples(t *testing.T) {
	jobs, err := filepath.Glob("../../examples/*/*.yaml")
	if err != nil || len(jobs) < 7 {
		t.Fatalf("found %d examples: %v", len(jobs), err)
	}
	for _, job := range jobs {
		t.Run(strings.TrimSuffix(filepath.Base(job), ".yaml"), func(t *testing.T) { testExample(t, job) })
	}
	t.Logf("SHOWS: %d examples, their requests and outputs as expected", len(jobs))
}

func testExample(t *testing.T, job string) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Dir(job))); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	file := filepath.Base(job)
	name := strings.TrimSuffix(file, ".yaml")
	golden := filepath.Join(packageFolder, "testdata", "examples", name)

	var stdout, stderr bytes.Buffer
	if code := Main(context.Background(), []string{"plan", file, "--prompts", "--json"}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("plan: exit code %d\n%s", code, &stderr)
	}
	files := map[string]string{"requests.jsonl": stdout.String()}
	stderr.Reset()
	if code := Main(context.Background(), []string{"apply", file, "--simulate"}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("apply: exit code %d\n%s", code, &stderr)
	}
	readTree(t, filepath.Join(".runner", "simulated"), files)
	compareTree(t, golden, files)
}

// packageFolder is where go test starts its tests.
var packageFolder, _ = os.Getwd()

// readTree adds the files below dir to files, but for runner's own state.
func readTree(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".runner" || d.Name() == "locks" {
			return fs.SkipDir
		}
		if strings.HasPrefix(d.Name(), storeFile) || strings.HasPrefix(d.Name(), "report.") {
			return nil // what was measured differs from run to run
		}
		if d.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		files[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func compareTree(t *testing.T, golden string, files map[string]string) {
	t.Helper()
	if *update {
		if err := os.RemoveAll(golden); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			path := filepath.Join(golden, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := map[string]string{}
	readTree(t, golden, want)
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("not as in %s (go test -update rewrites it):\n%s", golden, diff)
	}
}
