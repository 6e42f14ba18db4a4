package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/runner/simulate"
)

const againJob = `matrix:
  who: {file: people.csv}
steps:
  - {id: greet, model: gemma3:4b, prompt: "Greet {{ .who.name }}, please"}
  - {id: reply, model: qwen3:8b, prompt: "Reply to {{ .steps.greet.response }} as {{ .who.name }}"}
row_id: "{{ .who.name }}"
outputs:
  - file: out/all.jsonl
  - {file: out/names.json, key: "{{ .who.name }}", value: "{{ .response }}"}
`

// A heard server is a simulated one that notes what it is asked.
type heard struct {
	simulated http.Handler
	mu        sync.Mutex
	paths     []string
}

func (h *heard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.paths = append(h.paths, r.URL.Path)
	h.mu.Unlock()
	h.simulated.ServeHTTP(w, r)
}

// An again is a job, its server, and what an apply of it has asked.
type again struct {
	*testing.T
	models []simulate.Model
}

// apply runs the job against a fresh server and returns the tasks that were asked, and
// the paths of all requests.
func (a *again) apply(args ...string) (tasks, paths []string) {
	a.Helper()
	server := simulate.New(simulate.Config{Models: a.models})
	h := &heard{simulated: server}
	listening := httptest.NewServer(h)
	defer listening.Close()
	var out, errs bytes.Buffer
	args = append([]string{"apply", "job.yaml", "--host", strings.TrimPrefix(listening.URL, "http://")}, args...)
	if code := Main(context.Background(), args, nil, &out, &errs); code != 0 {
		a.Fatalf("exit code %d\n%s", code, &errs)
	}
	for _, r := range server.History().Requests {
		tasks = append(tasks, strings.Fields(r.Prompt)[0]+" "+r.Prompt[strings.LastIndexAny(strings.TrimSuffix(r.Prompt, ", please"), " ")+1:])
	}
	for i := range tasks {
		tasks[i] = strings.TrimSuffix(tasks[i], ", please")
	}
	slices.Sort(tasks)
	return tasks, h.paths
}

func (a *again) wants(what string, want ...string) {
	a.Helper()
	if got, _ := a.apply(); !slices.Equal(got, want) {
		a.Errorf("%s: asked %q, want %q", what, got, want)
	}
}

func (a *again) replace(name, from, to string) {
	a.Helper()
	text := readFile(a.T, name)
	if !strings.Contains(text, from) {
		a.Fatalf("%s has no %q", name, from)
	}
	writeFile(a.T, name, strings.ReplaceAll(text, from, to))
}

// times are the modification times of the output files.
func times(t *testing.T) map[string]time.Time {
	t.Helper()
	files, err := filepath.Glob("out/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%q, %v", files, err)
	}
	at := map[string]time.Time{}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		at[f] = info.ModTime()
	}
	return at
}

func TestWhatIsAskedAgain(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", againJob)
	writeFile(t, "people.csv", "name\nAnn\nBob\n")
	a := &again{T: t, models: []simulate.Model{{Name: "gemma3:4b"}, {Name: "qwen3:8b"}}}
	a.wants("everything is new", "Greet Ann", "Greet Bob", "Reply Ann", "Reply Bob")

	before := times(t)
	_, paths := a.apply()
	slices.Sort(paths)
	if want := []string{"/api/tags", "/api/version"}; !slices.Equal(paths, want) {
		t.Errorf("an apply with nothing to ask requests %q, want %q", paths, want)
	}
	if diff := cmp.Diff(before, times(t)); diff != "" {
		t.Errorf("an apply with nothing to ask touches the outputs (-before +after):\n%s", diff)
	}

	a.replace("job.yaml", "Reply to", "Answer")
	a.wants("a word of the second step's prompt", "Answer Ann", "Answer Bob")
	a.replace("job.yaml", "Greet {{", "Welcome {{")
	a.wants("a word of the first step's prompt", "Answer Ann", "Answer Bob", "Welcome Ann", "Welcome Bob")
	a.replace("people.csv", "Ann\n", "Ann\nCid\n")
	a.wants("a row more, in the middle", "Answer Cid", "Welcome Cid")
	a.replace("job.yaml", "id: reply", "id: response_of")
	a.replace("job.yaml", "steps:", "concurrency: 2\nsteps:")
	a.wants("a step's name and the concurrency")

	a.models[1].Digest = strings.Repeat("ab", 32)
	var out, errs bytes.Buffer
	listening := httptest.NewServer(simulate.New(simulate.Config{Models: a.models}))
	code := Main(t.Context(), []string{"plan", "job.yaml", "--host", strings.TrimPrefix(listening.URL, "http://")}, nil, &out, &errs)
	listening.Close()
	if code != 0 || strings.Count(out.String(), "redo: model qwen3:8b moved from digest ") != 3 || !strings.Contains(out.String(), " to abababababab\n") ||
		!strings.Contains(out.String(), "3 tasks to ask (0 new, 3 changed or failed), 3 known") {
		t.Errorf("the plan ends with %d:\n%s%s", code, &out, &errs)
	}
	a.wants("a model's digest", "Answer Ann", "Answer Bob", "Answer Cid")

	if err := os.RemoveAll(".runner"); err != nil {
		t.Fatal(err)
	}
	before = times(t)
	a.wants("the store is gone, the outputs are there")
	if diff := cmp.Diff(before, times(t)); diff != "" {
		t.Errorf("taking answers over touches the outputs (-before +after):\n%s", diff)
	}
	a.wants("once more, with the new store")
}

// TestDownServerIsAWarningWhereAllIsKnown applies without a server.
func TestDownServerIsAWarningWhereAllIsKnown(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", againJob)
	writeFile(t, "people.csv", "name\nAnn\nBob\n")
	a := &again{T: t, models: []simulate.Model{{Name: "gemma3:4b"}, {Name: "qwen3:8b"}}}
	a.apply()
	apply := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		code := Main(t.Context(), append([]string{"apply", "job.yaml", "--host", "127.0.0.1:1"}, args...), nil, &out, &errs)
		if code != want {
			t.Errorf("%q: exit code %d, want %d\n%s", args, code, want, &errs)
		}
		return errs.String() + out.String()
	}
	if text := apply(0); !strings.Contains(text, "every task has its result, so nothing is asked") {
		t.Errorf("the messages are\n%s", text)
	}
	apply(0, "--offline")
	apply(exitServer, "--redo")
	a.replace("people.csv", "Bob\n", "Bob\nCid\n")
	apply(exitServer)
	if text := apply(exitFailedRows, "--offline"); !strings.Contains(text, "2 of 3 ok, 1 failed (1 not_stored)") {
		t.Errorf("the messages are\n%s", text)
	}
	apply(0, "--limit", "2") // the rows that are known; the third has none, so they are printed
}

// TestPartOfTheRows writes the files where all other rows are known, else it prints.
func TestPartOfTheRows(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", againJob)
	writeFile(t, "people.csv", "name\nAnn\nBob\n")
	a := &again{T: t, models: []simulate.Model{{Name: "gemma3:4b"}, {Name: "qwen3:8b"}}}
	a.apply("--limit", "1")
	if _, err := os.Stat("out"); err == nil {
		t.Error("files are written though a row has no answer")
	}
	if got, _ := a.apply("--only", "who.name=Bob"); !slices.Equal(got, []string{"Greet Bob", "Reply Bob"}) {
		t.Errorf("asked %q", got)
	}
	if text := readFile(t, "out/all.jsonl"); strings.Count(text, "\n") != 2 {
		t.Errorf("out/all.jsonl is\n%s", text)
	}
	before := times(t)
	if got, _ := a.apply("--redo", "--only", "who.name=Ann"); !slices.Equal(got, []string{"Greet Ann", "Reply Ann"}) {
		t.Errorf("asked again %q, want Ann's", got)
	}
	if diff := cmp.Diff(before, times(t)); diff != "" {
		t.Errorf("equal answers touch the files:\n%s", diff)
	}
	for only, want := range map[string]string{"who.name=Ann": "1 of 2 rows, 2 steps, ", "who.name=Anne": "runner: no row meets --only"} {
		var out, errs bytes.Buffer
		code := Main(t.Context(), []string{"apply", "job.yaml", "--only", only, "--host", "127.0.0.1:1"}, nil, &out, &errs)
		if !strings.Contains(errs.String(), want) || strings.HasPrefix(want, "runner") != (code == exitMistake) {
			t.Errorf("--only %s, where every answer is there: exit code %d\n%s", only, code, &errs)
		}
	}
}

func TestStaleFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", strings.Replace(againJob, "out/all.jsonl", "out/{{ .who.name | lower }}/all.jsonl", 1))
	writeFile(t, "people.csv", "name\nAnn\nBob\nCid\n")
	a := &again{T: t, models: []simulate.Model{{Name: "gemma3:4b"}, {Name: "qwen3:8b"}}}
	a.apply()
	writeFile(t, "people.csv", "name\nAnn\n")
	a.apply()
	if _, err := os.Stat("out/bob/all.jsonl"); err != nil {
		t.Error("a file that no row names any more is deleted unasked")
	}
	writeFile(t, "out/cid/all.jsonl", "changed by a person\n")
	a.apply("--prune")
	for name, stays := range map[string]bool{"out/ann/all.jsonl": true, "out/bob": false, "out/cid/all.jsonl": true} {
		if _, err := os.Stat(name); (err == nil) != stays {
			t.Errorf("%s is there: %v, want %v", name, err == nil, stays)
		}
	}
}
