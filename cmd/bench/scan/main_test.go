package main

import (
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
		question := []byte{'q', byte('0' + row)}
		kept := make(chan error, 1)
		run.Keep(&runner.Outcome{
			Result: &runner.Result{
				Task: pipeline.Task{Step: "a", Row: row}, Key: pipeline.KeyOf(question), Attempts: 1,
				Request: &pipeline.Request{Model: "m"}, Answer: &pipeline.Answer{Response: "x", Model: "m"},
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
	if n, err := scan(t.Context(), path); n != 3 || err != nil {
		t.Errorf("%d results, %v; 3 are there", n, err)
	}
	if code := Main([]string{path}); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if code := Main([]string{t.TempDir()}); code != 1 {
		t.Errorf("exit code %d for a folder", code)
	}
	if code := Main(nil); code != 2 {
		t.Errorf("exit code %d without arguments", code)
	}
}
