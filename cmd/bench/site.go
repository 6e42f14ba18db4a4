package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A site is the folder where a work is done: its job, its data and its output.
type site struct {
	dir, job, data, output, report string
}

// prepare makes the site of a work, or clears the one of an earlier round. A work that
// names no axis has its rows in a txt file in one round, in a csv in the next.
func (b *bench) prepare(w work, n int) (site, error) {
	axis := w.axis
	if axis == "" {
		axis = [2]string{"txt", "csv"}[n%2]
	}
	dir := filepath.Join(b.dir, fmt.Sprintf("%s-%d-%d-%g-%v", axis, w.rows, w.concurrency, w.rate, w.known))
	s := site{dir: dir, job: filepath.Join(dir, "job.yaml"), data: filepath.Join(dir, "lines."+axis), output: filepath.Join(dir, "out.jsonl"), report: filepath.Join(dir, "report.json")}
	if w.known && s.ready() {
		return s, nil
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, ".runner")), os.RemoveAll(s.report)); err != nil {
		return s, err
	}
	if err := os.Remove(s.output); !errors.Is(err, fs.ErrNotExist) {
		return s, err // of a folder that is ready: nil, as a rule
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, err
	}
	if err := os.WriteFile(s.job, []byte(w.yaml(axis)), 0o600); err != nil {
		return s, err
	}
	if axis == none {
		return s, nil
	}
	return s, writeRows(s.data, axis, w.rows)
}

// store is where the job's results are kept.
func (s site) store() string { return filepath.Join(s.dir, ".runner", "runner.db") }

// ready says whether all rows of the site are known.
func (s site) ready() bool {
	_, err := os.Stat(s.output)
	return err == nil
}

// benchmark is the job of a work whose rows are repetitions. Each has a prompt of its own,
// and those to warm up the first one's.
func (w work) benchmark() string {
	load := fmt.Sprintf("concurrency: %d", w.concurrency)
	if w.rate > 0 {
		load = fmt.Sprintf("rate: %g/s", w.rate)
	}
	return fmt.Sprintf(`model: bench
prompt: "What comes to mind at {{ .repetition }}?"
options: {num_predict: 1000}
bench: {runs: %d, warmup: %d, %s}
reports: [report.json]
`, w.rows, w.warmups, load)
}

// yaml is the job of a work. Its prompts are those of the plain client.
func (w work) yaml(axis string) string {
	if axis == none {
		return w.benchmark()
	}
	field, rate := ".line", ""
	if axis == "csv" {
		field = ".line.text"
	}
	if w.rate > 0 {
		rate = fmt.Sprintf("rate: %g/s\n", w.rate)
	}
	return fmt.Sprintf(`model: bench
prompt: "Answer in one word: {{ %s }}"
options: {num_predict: 64}
matrix:
  line: {file: lines.%s}
concurrency: %d
%soutput: out.jsonl
`, field, axis, w.concurrency, rate)
}

func writeRows(path, axis string, rows int) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out := bufio.NewWriter(file)
	form := "what comes to mind at line %d of a long list\n"
	if axis == "csv" {
		fmt.Fprintln(out, "id,text")
		form = "r%[1]d,what comes to mind at line %[1]d of a long list\n"
	}
	for n := range rows {
		fmt.Fprintf(out, form, n)
	}
	return out.Flush()
}
