package specs_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/batchrunner/runner/specs"
	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "rewrite the .want files")

// manyBad is how many bad job files there are at least, each with its exact output.
const manyBad = 90

func TestGoodJobsAreSilent(t *testing.T) {
	for _, file := range jobs(t, "good") {
		job, diags := load(file)
		if len(diags) > 0 || job == nil {
			t.Errorf("%s:\n%s", file, shown(diags))
		}
	}
}

func TestBadJobs(t *testing.T) {
	files := jobs(t, "bad")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			job, diags := load(file)
			if len(diags) == 0 {
				t.Fatal("nothing was found")
			}
			if (job == nil) != (len(diags.Errors()) > 0) {
				t.Errorf("a job is given exactly when there are no mistakes")
			}
			inside(t, diags)
			golden(t, strings.TrimSuffix(file, ".yaml")+".want", shown(diags))
		})
	}
	t.Logf("SHOWS: %d bad job files", len(files))
	if len(files) < manyBad {
		t.Errorf("%d bad job files, and there should be at least %d", len(files), manyBad)
	}
}

// options are what the tests say on the command line for all files.
func options(file string) specs.Options {
	return specs.Options{Shown: filepath.Base(file), Env: map[string]string{"ALLOWED": "value"}}
}

func load(file string) (*specs.Job, specs.Diagnostics) {
	root := os.DirFS("testdata")
	name := filepath.ToSlash(strings.TrimPrefix(file, "testdata/"))
	opts := options(file)
	opts.Backstop = true
	return specs.Load(root, name, opts)
}

// shown is what a person sees on a terminal.
func shown(diags specs.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		b.WriteString(d.String() + "\n")
		if excerpt := d.Excerpt(); excerpt != "" {
			b.WriteString(excerpt + "\n")
		}
	}
	return b.String()
}

// inside checks that every diagnostic points into its file, and that examples are YAML.
func inside(t *testing.T, diags specs.Diagnostics) {
	t.Helper()
	for _, d := range diags {
		if _, line, found := strings.Cut(d.Help, "for example: "); found {
			var example map[string]any
			if err := yaml.Unmarshal([]byte(line), &example); err != nil || len(example) != 1 {
				t.Errorf("the example of %s is no line of a job: %v", d, err)
			}
		}
		if d.Pos == (specs.Pos{}) {
			continue
		}
		text, err := os.ReadFile(filepath.Join("testdata", "bad", d.File))
		if err != nil {
			t.Errorf("%s: %v", d, err)
			continue
		}
		lines := strings.Split(strings.TrimPrefix(string(text), "\ufeff"), "\n")
		if d.Pos.Line < 1 || d.Pos.Line > len(lines) || d.Pos.Col < 1 || d.Pos.Col > utf8.RuneCountInString(lines[d.Pos.Line-1])+1 {
			t.Errorf("%s lies outside of its file", d)
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func jobs(t *testing.T, folder string) []string {
	t.Helper()
	files, err := fs.Glob(os.DirFS("testdata"), folder+"/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", folder, err)
	}
	for i, file := range files {
		files[i] = filepath.Join("testdata", file)
	}
	return files
}
