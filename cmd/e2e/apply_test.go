//go:build e2e && unix

package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A record is a line of JSONL output: a row, or one step of it.
type record struct {
	Row        int    `json:"row"`
	ID         string `json:"id"`
	Success    bool   `json:"success"`
	Response   string `json:"response"`
	Model      string `json:"model"`
	DoneReason string `json:"done_reason"`
	Error      string `json:"error"`
	ErrorClass string `json:"error_class"`
	Attempts   int    `json:"attempts"`

	PromptEvalCount    int   `json:"prompt_eval_count"`
	EvalCount          int   `json:"eval_count"`
	EvalDuration       int64 `json:"eval_duration"`
	PromptEvalDuration int64 `json:"prompt_eval_duration"`
	TotalDuration      int64 `json:"total_duration"`

	Steps map[string]*record `json:"steps"`
}

// An outcome is what a command left.
type outcome struct {
	code           int
	stdout, stderr string
}

// do runs bin/runner in a folder against a host to its end.
func do(t *testing.T, host, dir string, args ...string) outcome {
	t.Helper()
	p := begins(t, host, dir, args...)
	out, err := io.ReadAll(p.stdout)
	if err != nil {
		t.Fatal(err)
	}
	return p.end(t, string(out))
}

// A running command, whose standard output is read as it comes.
type running struct {
	cmd    *exec.Cmd
	stdout io.Reader
	errs   bytes.Buffer
}

func begins(t *testing.T, host, dir string, args ...string) *running {
	t.Helper()
	cmd, err := command(t.Context(), host, dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	p := &running{cmd: cmd}
	cmd.Stderr = &p.errs
	if p.stdout, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *running) end(t *testing.T, stdout string) outcome {
	t.Helper()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{code: p.cmd.ProcessState.ExitCode(), stdout: stdout, stderr: p.errs.String()}
}

// want fails the test where the exit code is another.
func (o outcome) want(t *testing.T, code int) {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", o.code, code, o.stdout, o.stderr)
	}
}

// records reads JSON lines.
func records(t *testing.T, text string) []*record {
	t.Helper()
	var all []*record
	for line := range strings.Lines(text) {
		r := &record{}
		if err := json.Unmarshal([]byte(line), r); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		all = append(all, r)
	}
	return all
}

// write puts files into a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// complete holds a row, and each of its steps, against what a finished answer has:
// text, a reason for its end, and the server's own counts and times.
func (r *record) complete(t *testing.T) {
	t.Helper()
	if !r.Success || r.Error != "" {
		t.Errorf("row %d failed: %s (%s)", r.Row, r.Error, r.ErrorClass)
		return
	}
	steps := r.Steps
	if len(steps) == 0 {
		steps = map[string]*record{"main": r}
	}
	for id, s := range steps {
		if strings.TrimSpace(s.Response) == "" {
			t.Errorf("row %d, %s: no text", r.Row, id)
		}
		if s.DoneReason != "stop" && s.DoneReason != "length" {
			t.Errorf("row %d, %s: done_reason %q", r.Row, id, s.DoneReason)
		}
		if s.PromptEvalCount <= 0 || s.EvalCount <= 0 || s.EvalDuration <= 0 {
			t.Errorf("row %d, %s: the server's account is %d tokens in, %d out in %d ns", r.Row, id, s.PromptEvalCount, s.EvalCount, s.EvalDuration)
		}
		if s.Model == "" {
			t.Errorf("row %d, %s: no model", r.Row, id)
		}
	}
}

// ordered holds records against one a row, from 0.
func ordered(t *testing.T, all []*record, rows int) {
	t.Helper()
	if len(all) != rows {
		t.Errorf("%d records, want %d", len(all), rows)
	}
	for i, r := range all {
		if r.Row != i {
			t.Fatalf("record %d is of row %d", i, r.Row)
		}
	}
}

// follow reads records as they come, up to a number of them.
func (p *running) follow(t *testing.T, n int) (*bufio.Reader, string) {
	t.Helper()
	reader := bufio.NewReader(p.stdout)
	var text strings.Builder
	for range n {
		line, err := reader.ReadString('\n')
		if err != nil {
			t.Fatalf("the run ended early: %v\n%s%s", err, text.String(), p.errs.String())
		}
		text.WriteString(line)
	}
	return reader, text.String()
}
