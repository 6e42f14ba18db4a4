package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lockChild is the variable with the path that a child process of the tests locks.
const lockChild = "RUNNER_TEST_LOCK"

// TestLockChild is what a child process does: it waits for a line, tries to take the
// lock, says what came of it, and holds what it got until its input ends.
func TestLockChild(t *testing.T) {
	path := os.Getenv(lockChild)
	if path == "" {
		t.Skip("only in a child process")
	}
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return
	}
	lock, err := TakeLock(path, me())
	var held *Held
	switch {
	case err == nil:
		fmt.Printf("\ntold: got %d\n", os.Getpid())
	case errors.As(err, &held):
		fmt.Printf("\ntold: held %d\n", held.PID)
	default:
		fmt.Printf("\ntold: error %v\n", err)
	}
	_, _ = io.Copy(io.Discard, in)
	if lock != nil {
		_ = lock.Unlock()
	}
}

func me() Holder { return Holder{PID: os.Getpid(), Host: "gpu1", Since: time.Now()} }

// A child is a process of the test's own that locks.
type child struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startChild(t *testing.T, path string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0], "-test.run=^TestLockChild$")}
	c.Env = append(os.Environ(), lockChild+"="+path, "GORACE=atexit_sleep_ms=0")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewScanner(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// try tells the child to take the lock.
func (c *child) try(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(c.in, "now\n"); err != nil {
		t.Fatal(err)
	}
}

// told is what came of it: got or held, and a process.
func (c *child) told(t *testing.T) (what string, pid int) {
	t.Helper()
	for c.out.Scan() {
		text, ok := strings.CutPrefix(c.out.Text(), "told: ")
		if !ok {
			continue
		}
		if _, err := fmt.Sscan(text, &what, &pid); err != nil {
			t.Fatalf("the child says %q", text)
		}
		return what, pid
	}
	t.Fatal("the child says nothing")
	return "", 0
}

// end lets the child go, or kills it, and waits until it is gone.
func (c *child) end(t *testing.T, kill bool) {
	t.Helper()
	if kill {
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	} else if err := c.in.Close(); err != nil {
		t.Fatal(err)
	}
	for c.out.Scan() { // Wait closes the pipe
	}
	if err := c.Wait(); err != nil && !kill {
		t.Fatal(err)
	}
}

// Of eight processes that want a job at once one gets it; the others are told who. The
// next round begins with what a process leaves that was killed.
func TestOneOfEightProcessesGetsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job.lock")
	for round := range 6 {
		children := make([]*child, 8)
		for i := range children {
			children[i] = startChild(t, path)
		}
		for _, c := range children {
			c.try(t)
		}
		var winners, named []int
		for _, c := range children {
			what, pid := c.told(t)
			switch what {
			case "got":
				winners = append(winners, pid)
			case "held":
				named = append(named, pid)
			default:
				t.Errorf("round %d: a process says %s", round, what)
			}
		}
		if len(winners) != 1 || len(named) != 7 {
			t.Fatalf("round %d: %d processes got the lock, %d were refused", round, len(winners), len(named))
		}
		for _, pid := range named {
			if pid != winners[0] && pid != 0 { // 0: it had not said so yet
				t.Errorf("round %d: refused because of process %d, but %d has the lock", round, pid, winners[0])
			}
		}
		heldBy(t, path, winners[0])
		for _, c := range children {
			c.end(t, round%2 == 0)
		}
	}
	mustLock(t, path)
}

func heldBy(t *testing.T, path string, pid int) {
	t.Helper()
	_, err := TakeLock(path, me())
	var held *Held
	if !errors.As(err, &held) || held.PID != pid || held.Host != "gpu1" || held.Since.IsZero() {
		t.Errorf("the error is %v, want process %d on gpu1", err, pid)
	}
}

// mustLock takes a lock and gives it back.
func mustLock(t *testing.T, path string) {
	t.Helper()
	lock, err := TakeLock(path, me())
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockOfAKilledProcessIsFree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job.lock")
	for range 5 {
		c := startChild(t, path)
		c.try(t)
		if what, _ := c.told(t); what != "got" {
			t.Fatalf("the child says %s", what)
		}
		c.end(t, true)
		if _, err := os.Stat(path + holderSuffix); err != nil {
			t.Errorf("a killed process has removed its file: %v", err)
		}
		mustLock(t, path)
	}
}

// What a dead process left beside a lock is nobody's name.
func TestDeadHolderIsNotNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job.lock")
	c := startChild(t, path)
	c.try(t)
	_, dead := c.told(t)
	c.end(t, true)
	lock, err := TakeLock(path, me())
	if err != nil {
		t.Fatal(err)
	}
	for name, left := range map[string]string{
		"a dead process": fmt.Sprintf(`{"pid":%d,"host":"gpu1","since":"2026-01-02T03:04:05Z"}`, dead),
		"no JSON":        "pid 4711",
		"nothing":        "",
		"no process":     `{"pid":-1,"host":"gpu1"}`,
	} {
		if err := os.WriteFile(path+holderSuffix, []byte(left), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := TakeLock(path, me())
		if err == nil || err.Error() != "another run of this job is under way; wait for it, or stop it" {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestHeldSaysWho(t *testing.T) {
	now := time.Now()
	long := time.Date(2026, 1, 2, 14, 3, 0, 0, time.Local)
	tests := []struct {
		held Held
		want string
	}{
		{Held{Holder: Holder{4711, "gpu1", now}}, "another run of this job is under way: process 4711 on gpu1 since " + now.Format("15:04") + "; wait for it, or stop it"},
		{Held{Holder: Holder{4711, "gpu1", long}}, "another run of this job is under way: process 4711 on gpu1 since 2026-01-02 14:03; wait for it, or stop it"},
		{Held{Holder: Holder{PID: 4711}}, "another run of this job is under way: process 4711; wait for it, or stop it"},
		{Held{what: heldAny}, "a run is under way; wait for it, or stop it"},
	}
	for _, tt := range tests {
		if got := tt.held.Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// All locks of a folder exclude each run, and each run excludes them.
func TestTakeAll(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "job.lock"), filepath.Join(dir, "never seen.lock")
	run, err := TakeLock(path, me())
	if err != nil {
		t.Fatal(err)
	}
	mustLock(t, other) // jobs don't exclude one another
	_, err = TakeAll(dir, me())
	var held *Held
	if !errors.As(err, &held) || held.PID != os.Getpid() || !strings.HasPrefix(err.Error(), "a run is under way: process ") {
		t.Errorf("all locks while a run is under way: %v", err)
	}
	if err := run.Unlock(); err != nil {
		t.Fatal(err)
	}
	all, err := TakeAll(dir, me())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, other} {
		_, err := TakeLock(p, me())
		if !errors.As(err, &held) || held.PID != os.Getpid() || !strings.HasPrefix(err.Error(), "another process works on the whole store: process ") {
			t.Errorf("%s while all locks are taken: %v", p, err)
		}
	}
	if err := all.Unlock(); err != nil {
		t.Error(err)
	}
	mustLock(t, path)
}

func TestUnlockLeavesNobodysName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job.lock")
	mustLock(t, path)
	if _, err := os.Stat(path + holderSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the holder's file is still there (%v)", err)
	}
}

func TestLockThatCannotBeTaken(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "none", "job.lock")
	if _, err := TakeLock(missing, me()); err == nil || strings.Count(err.Error(), missing) > 1 || !strings.Contains(err.Error(), "can't be taken: ") {
		t.Errorf("in a folder that is not there: %v", err)
	}
	// A holder's file that can't be replaced: a folder with something in it stands there.
	path := filepath.Join(dir, "job.lock")
	if err := os.MkdirAll(filepath.Join(path+holderSuffix, "in it"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := TakeLock(path, me()); err == nil || !strings.Contains(err.Error(), "can't be written: ") {
		t.Errorf("a holder that can't be written: %v", err)
	}
	if err := os.RemoveAll(path + holderSuffix); err != nil {
		t.Fatal(err)
	}
	mustLock(t, path) // what failed holds nothing
}
