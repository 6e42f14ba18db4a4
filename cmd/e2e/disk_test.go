//go:build e2e && linux

package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sourcegraph/conc"

	"github.com/batchrunner/runner/runner/simulate"
)

// diskJob writes files of several forms.
const diskJob = `model: gemma3:4b
prompt: "say {{ .n }}"
matrix: {n: {count: 12}}
outputs:
  - file: all.jsonl
  - file: out/table.csv
  - {file: catalogue.json, key: "{{ .n }}", value: "{{ .response }}"}
`

// simulated serves a simulated Ollama for the test.
func simulated(t *testing.T) string {
	t.Helper()
	server := simulate.New(simulate.Config{Parallel: 4, Models: []simulate.Model{{Name: "gemma3:4b"}}})
	listener, err := simulate.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving conc.WaitGroup
	serving.Go(func() { _ = server.Serve(t.Context(), listener) }) // ends with the test
	t.Cleanup(serving.Wait)
	return listener.Addr().String()
}

// A fault is a system call that fails, or at which the process is killed.
type fault struct {
	call, what string // fsync, error=EIO
}

// strace runs apply with a fault at the n-th such call for one of paths, 0 for none but
// noting them. It gives the calls as strace writes them, with the names of their files.
// strace counts the calls of each thread by itself: a fault at the n-th of them may be
// met never, or once in each of several threads. Only the calls tell.
func strace(t *testing.T, host, dir string, f fault, paths []string, n int) (o outcome, calls string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "strace.log")
	args := []string{"-f", "-y", "-qq", "-o", log, "-e", "trace=" + f.call, "-e", "signal=none"}
	for _, path := range paths {
		args = append(args, "-P", path)
	}
	if n > 0 {
		args = append(args, "-e", fmt.Sprintf("inject=%s:%s:when=%d", f.call, f.what, n))
	}
	cmd, err := command(t.Context(), host, dir, "apply", "job.yaml", "--host", host)
	if err != nil {
		t.Fatal(err)
	}
	traced := exec.CommandContext(t.Context(), "strace", append(append(args, cmd.Path), cmd.Args[1:]...)...)
	traced.Dir, traced.Env = cmd.Dir, cmd.Env
	var out, errs bytes.Buffer
	traced.Stdout, traced.Stderr = &out, &errs
	err = traced.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("strace is needed here (Debian: strace): %v", err)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return outcome{traced.ProcessState.ExitCode(), out.String(), errs.String()}, string(text)
}

// kills says whether the fault is the end of the process.
func (f fault) kills() bool { return strings.Contains(f.what, "SIGKILL") }

// met says whether a run came to the fault: strace marks the calls that it lets fail, and
// ends as the process does that it kills.
func (f fault) met(o outcome, calls string) bool {
	if f.kills() {
		return o.code == -1
	}
	return strings.Contains(calls, "(INJECTED)")
}

// called says in how many of the calls a file is open, or named in full: what strace
// takes for calls for it. Names in an open folder are the folder's.
func called(calls, call, path string) (n int) {
	for line := range strings.Lines(calls) {
		line = strings.ReplaceAll(line, "AT_FDCWD<", "AT_FDCWD ") // where the process stands
		if strings.Contains(line, call+"(") && (strings.Contains(line, "<"+path+">") || strings.Contains(line, `"`+path+`"`)) {
			n++
		}
	}
	return n
}

// diskPaths are the files and folders that a run of diskJob writes.
func diskPaths(dir string) []string {
	var paths []string
	for _, name := range []string{
		"", "out", "all.jsonl", "out/table.csv", "catalogue.json", ".runner", ".runner/.gitignore", ".runner/runner.db", ".runner/runner.db-wal", ".runner/runner.db-shm",
		".runner/locks", ".runner/locks/job.lock", ".runner/locks/job.lock.holder", ".runner/locks/job.lock.holder.new",
		".runner/partial", ".runner/partial/job", ".runner/partial/job/all.jsonl", ".runner/partial/job/out/table.csv", ".runner/partial/job/catalogue.json",
	} {
		paths = append(paths, filepath.Join(dir, name))
	}
	return paths
}

func outputs(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"all.jsonl", "out/table.csv", "catalogue.json"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}

// TestEveryWriteFails lets each write, sync and rename of a run fail in turn, and kills
// another run at each: no panic, nothing falsely ok, and the next run completes with the
// files of an undisturbed one.
func TestEveryWriteFails(t *testing.T) {
	host := simulated(t)
	clean := write(t, map[string]string{"job.yaml": diskJob})
	do(t, host, clean, "apply", "job.yaml", "--host", host).want(t, 0)
	want := outputs(t, clean)
	random := seeded(t)
	met, died := 0, 0
	try := func(f fault, name string, n int) bool {
		t.Helper()
		dir := write(t, map[string]string{"job.yaml": diskJob})
		got, calls := strace(t, host, dir, f, []string{filepath.Join(dir, name)}, n)
		if !f.met(got, calls) {
			return false
		}
		met++
		where := fmt.Sprintf("%s %s, call %d for %q", f.call, f.what, n, name)
		switch {
		case f.kills():
			died++
		case got.code != 0 && got.code != 5:
			t.Errorf("%s: exit code %d, want 5\n%s", where, got.code, got.stderr)
		}
		if strings.Contains(got.stderr, "panic") || strings.Contains(got.stderr, "goroutine ") {
			t.Errorf("%s: a panic\n%s", where, got.stderr)
		}
		next := do(t, host, dir, "apply", "job.yaml", "--host", host)
		if next.code != 0 {
			t.Errorf("%s: the next run ends with exit code %d\n%s", where, next.code, next.stderr)
			return true
		}
		if diff := cmp.Diff(want, outputs(t, dir)); diff != "" {
			t.Errorf("%s: the files differ (-want +got):\n%s", where, diff)
		}
		return true
	}
	for _, f := range []fault{
		{call: "pwrite64", what: "error=ENOSPC"}, {call: "pwrite64", what: "error=EIO"}, {call: "write", what: "error=ENOSPC"}, {call: "write", what: "error=EIO"},
		{call: "fsync", what: "error=EIO"}, {call: "fsync", what: "error=ENOSPC"}, {call: "renameat", what: "error=ENOSPC"}, {call: "renameat", what: "error=EIO"},
		{call: "ftruncate", what: "error=EIO"},
		{call: "pwrite64", what: "signal=SIGKILL"}, {call: "write", what: "signal=SIGKILL"}, {call: "fsync", what: "signal=SIGKILL"},
		{call: "renameat", what: "signal=SIGKILL"}, {call: "unlinkat", what: "signal=SIGKILL"},
	} {
		dir := write(t, map[string]string{"job.yaml": diskJob})
		_, calls := strace(t, host, dir, f, diskPaths(dir), 0)
		files := 0
		for _, path := range diskPaths(dir) {
			count := called(calls, f.call, path)
			name, err := filepath.Rel(dir, path)
			if err != nil || count == 0 {
				continue
			}
			files++
			if soaked(10) == 1 { // one of each file in a short run, all in a long one
				if n := 1 + random.IntN(count); !try(f, name, n) && !try(f, name, 1) {
					t.Errorf("%s %s: no call for %q was met", f.call, f.what, name)
				}
				continue
			}
			for n := 1; n <= count; n++ {
				fired := false
				for range 5 { // which thread calls is chance
					fired = fired || try(f, name, n)
				}
				if !fired && n == 1 {
					t.Errorf("%s %s: no call for %q was met", f.call, f.what, name)
				}
			}
		}
		if files == 0 {
			t.Errorf("%s: not called", f.call)
		}
	}
	t.Logf("SHOWS: %d runs met a failing disk or died at a write (%d), each gone on with", met, died)
}

// TestFullDisk runs a job on a file system of 8 MB that fills up: exit code 5, and with
// room again the same command completes.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Fatalf("a tmpfs is needed here, which takes root: %v: %s", err, out)
	}
	defer func() {
		for range 50 { // a file may still be held for a moment
			if exec.CommandContext(t.Context(), "umount", dir).Run() == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	host := simulated(t)
	job := strings.Replace(diskJob, "{count: 12}", "{count: 2000}", 1)
	job = strings.Replace(job, "say {{ .n }}", "say {{ .n }} "+strings.Repeat("and a long text ", 150), 1)
	if err := os.WriteFile(filepath.Join(dir, "job.yaml"), []byte(job), 0o600); err != nil {
		t.Fatal(err)
	}
	got := do(t, host, dir, "apply", "job.yaml", "--host", host)
	if got.code != 5 || !strings.Contains(got.stderr, "disk is full") && !strings.Contains(got.stderr, "no space left") {
		t.Errorf("exit code %d, want 5\n%s", got.code, got.stderr)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,size=64m", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	next := do(t, host, dir, "apply", "job.yaml", "--host", host)
	next.want(t, 0)
	if !strings.Contains(next.stderr, "2,000 of 2,000 ok") || !strings.Contains(next.stderr, " known") {
		t.Errorf("the next run says\n%s", next.stderr)
	}
	t.Logf("SHOWS: a disk of 8 MB filled up, and was gone on with")
}
