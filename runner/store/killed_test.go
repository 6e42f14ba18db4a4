package store

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/batchrunner/runner/pipeline"
)

// writerChild is the variable with the path and the job of a child process that keeps.
const writerChild = "RUNNER_TEST_WRITER"

// TestWriterChild is what a child process does: it keeps results without end, and says
// of each when it is durable.
func TestWriterChild(t *testing.T) {
	path, job, ok := strings.Cut(os.Getenv(writerChild), "|")
	if !ok {
		t.Skip("only in a child process")
	}
	s := open(t, path)
	run := s.Begin(RunInfo{Job: job})
	slots := make(chan struct{}, 2*groupResults)
	for i := int64(0); ; i++ {
		slots <- struct{}{}
		run.Keep(answered(i, job, "x"), func(err error) {
			fmt.Printf("\ntold: %d %v\n", i, err)
			<-slots
		})
	}
}

// What processes that share a file have reported durable is there when they are killed,
// and the file is whole.
func TestKilledWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner.db")
	for round := range 3 {
		var wait sync.WaitGroup
		var mu sync.Mutex
		durable := map[string]pipeline.Key{}
		for n := range 3 {
			wait.Go(func() {
				job := fmt.Sprint("job", round, n)
				for _, row := range killedAfter(t, path, job, 50+100*n) {
					mu.Lock()
					durable[fmt.Sprint(job, " ", row)] = answered(row, job, "x").Result.Key
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		s := open(t, path)
		for name, key := range durable {
			if finds(t, s, key)[0] == nil {
				t.Errorf("%s was reported durable and is not there", name)
			}
		}
		err := s.Verify(t.Context(), func(problem string) { t.Error(problem) })
		if err != nil || len(durable) < 450 {
			t.Errorf("%d results of three processes (%v)", len(durable), err)
		}
		closed(t, s)
	}
}

// killedAfter starts a child, kills it when it has said a number of lines, and gives
// all rows that it has reported durable.
func killedAfter(t *testing.T, path, job string, lines int) (rows []int64) {
	c := exec.Command(os.Args[0], "-test.run=^TestWriterChild$")
	c.Env = append(os.Environ(), writerChild+"="+path+"|"+job)
	pipe, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Error(err)
		return nil
	}
	for out := bufio.NewScanner(pipe); out.Scan(); {
		text, ok := strings.CutPrefix(out.Text(), "told: ")
		var row int64
		var end string
		if n, _ := fmt.Sscanf(text, "%d %s", &row, &end); !ok || n < 2 {
			continue // a line that was cut by the kill, too
		}
		if end != "<nil>" {
			t.Errorf("the child says %q", text)
		}
		if rows = append(rows, row); len(rows) == lines {
			if err := c.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	_ = c.Wait() // it was killed
	return rows
}
