package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/store"
)

func TestScan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner.db")
	s, err := store.Open(path, store.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	run := s.Begin(store.RunInfo{Job: "j"})
	for row := range int64(3) {
		question := fmt.Appendf(nil, `{"messages":[{"role":"system","content":"s"},{"role":"user","content":"question %d"}]}`, row)
		timing := pipeline.Timing{Sent: time.Now(), First: time.Duration(row) * time.Millisecond} // of the first row: not measured
		kept := make(chan error, 1)
		run.Keep(&runner.Outcome{
			Result: &runner.Result{
				Task: pipeline.Task{Step: "a", Row: row}, Key: pipeline.KeyOf(question), Attempts: 1,
				Request: &pipeline.Request{Model: "m"}, Answer: &pipeline.Answer{Response: "x", Model: "m", Timing: timing},
			},
			Question: question, Started: time.Now(),
		}, func(err error) { kept <- err })
		if err := <-kept; err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		code int
		out  string
	}{
		{"how many there are", []string{path}, 0, "3\n"},
		{"measured ones", []string{"-ttft", path}, 0, `{"prompt":"question 1","ttft_ns":1000000}` + "\n" + `{"prompt":"question 2","ttft_ns":2000000}` + "\n"},
		{"a folder", []string{t.TempDir()}, 1, ""},
		{"no store", nil, 2, ""},
		{"an unknown flag", []string{"-nope", path}, 2, ""},
	}
	for _, test := range tests {
		var out, errs bytes.Buffer
		if code := Main(test.args, &out, &errs); code != test.code || out.String() != test.out || (errs.Len() > 0) != (code != 0) {
			t.Errorf("%s: exit code %d, %q, %q; want %d, %q", test.name, code, out.String(), errs.String(), test.code, test.out)
		}
	}
}
