//go:build linux || darwin

package output_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sourcegraph/conc"

	"github.com/batchrunner/runner/runner/output"
)

// Limits of a process can't be taken back, so that what tests them runs in a
// process of its own: this test binary, told by an environment variable.
const child = "RUNNER_OUTPUT_TEST_CHILD"

func inChild(t *testing.T, change func(*exec.Cmd)) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), child+"=1")
	if change != nil {
		change(cmd)
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}

func isChild() bool { return os.Getenv(child) != "" }

func limit(t *testing.T, which int, to uint64) {
	t.Helper()
	if err := setLimit(which, to); err != nil {
		t.Fatal(err)
	}
}

// asNobody runs the test again as a user whom permissions bind.
func asNobody(t *testing.T) {
	if isChild() {
		t.Fatal("still root")
	}
	dir, err := os.MkdirTemp("", "output-nobody")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	const nobody = 65534
	if err := errors.Join(os.Chown(dir, nobody, nobody), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	inChild(t, func(cmd *exec.Cmd) {
		binary := filepath.Join(dir, "test")
		data, err := os.ReadFile(os.Args[0])
		if err == nil {
			err = os.WriteFile(binary, data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
		cmd.Path, cmd.Dir = binary, dir
		cmd.Env = append(cmd.Env, "TMPDIR="+dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	})
}

func TestReadOnlyFolders(t *testing.T) {
	if os.Geteuid() == 0 {
		asNobody(t)
		return
	}
	readOnly(t)
}

// readOnly is carried out by a user whom permissions bind.
func readOnly(t *testing.T) {
	b := newBench(t, nil, to(t, "out/a.jsonl"))
	b.put("out/a.jsonl", "old")
	b.write(ok(0, nil, "r"))
	out := filepath.Join(b.dir, "out")
	if err := os.Chmod(out, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(out, 0o755) //nolint:errcheck // so that it can be removed
	_, err := b.set.Commit()
	var trouble *output.Error
	if !errors.As(err, &trouble) || !strings.Contains(err.Error(), "replacing out/a.jsonl: permission denied; make the folder") {
		t.Errorf("%v", err)
	}
	if b.read("out/a.jsonl") != "old" || !strings.Contains(b.read(".runner/partial/job/out/a.jsonl"), `"row":0`) {
		t.Error("old and partial file are not as they were")
	}

	b.again()
	b.set.Check(row(0, nil)) // tells where outputs go, so that Begin can try
	if err := b.set.Begin(); !errors.As(err, &trouble) || !strings.Contains(err.Error(), "writing to the folder out: permission denied; make the folder") {
		t.Errorf("%v", err)
	}

	b = newBench(t, nil, to(t, "a.jsonl"))
	if err := os.Chmod(b.dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(b.dir, 0o755) //nolint:errcheck // so that it can be removed
	if err := b.set.Write(ok(0, nil, "r")); !errors.As(err, &trouble) || !strings.Contains(err.Error(), "making the folder .runner/partial/job: permission denied") {
		t.Errorf("%v", err)
	}
}

// 10,000 files, in turns, with 128 descriptors.
func TestManyFiles(t *testing.T) {
	if !isChild() {
		inChild(t, nil)
		return
	}
	limit(t, syscall.RLIMIT_NOFILE, 128)
	const files, again = 10_000, 500 // the second time files are opened anew
	b := newBench(t, []string{"x"}, text(t, "out/{{ .x }}.md", "{{ .response }}\n"))
	for i := range int64(files + again) {
		b.write(ok(i, object{"x": fmt.Sprintf("%d/%d", i%files%100, i%files)}, fmt.Sprint(i/files)))
	}
	written := b.commit()
	if len(written) != files {
		t.Fatalf("%d files", len(written))
	}
	for i := range files {
		want := "0\n1\n"
		if i >= again {
			want = "0\n"
		}
		if got := b.read(fmt.Sprintf("out/%d/%d.md", i%100, i)); got != want {
			t.Fatalf("file %d: %q", i, got)
		}
	}
	if _, err := os.Stat(filepath.Join(b.dir, ".runner", "partial", "job")); !os.IsNotExist(err) {
		t.Error("the folder of partial files is left")
	}
}

// A file that can't grow any more, as on a full disk: the error names it, the old
// file stays, and every record before is whole in the partial file.
func TestFileCannotGrow(t *testing.T) {
	if !isChild() {
		inChild(t, nil)
		return
	}
	b := newBench(t, nil, to(t, "a.jsonl"))
	b.put("a.jsonl", "old\n")
	limit(t, syscall.RLIMIT_FSIZE, 64<<10)
	err := fill(b)
	if err == nil || !strings.Contains(err.Error(), "writing .runner/partial/job/a.jsonl: file too large; ") {
		t.Fatalf("%v", err)
	}
	checkAfterFull(t, b)
}

// A disk that is full. Where the test may not mount a small one, a process that
// may not write more stands for it.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if !smallDisk(t, dir) {
		t.Log("no small disk could be mounted: see TestFileCannotGrow")
		if !isChild() {
			inChild(t, nil)
			return
		}
		limit(t, syscall.RLIMIT_FSIZE, 64<<10)
	}
	b := benchIn(t, dir, nil, to(t, "a.jsonl"))
	b.put("a.jsonl", "old\n")
	err := fill(b)
	if err == nil || !strings.Contains(err.Error(), "writing .runner/partial/job/a.jsonl: ") {
		t.Fatalf("%v", err)
	}
	checkAfterFull(t, b)
}

// A full disk at the end of the run, under the outputs alone: the file is copied
// there, which fails, and the old one stays.
func TestOtherDiskFull(t *testing.T) {
	b := newBench(t, nil, to(t, "out/a.jsonl"))
	out := filepath.Join(b.dir, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	if !smallDisk(t, out) {
		t.Log("no small disk could be mounted: see TestMoveAcross")
		return
	}
	b.put("out/a.jsonl", "old\n")
	b.write(ok(0, nil, strings.Repeat("x", 512<<10)))
	if _, err := b.set.Commit(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "replacing out/a.jsonl: no space left on device; free some space") {
		t.Errorf("%v", err)
	}
	if b.read("out/a.jsonl") != "old\n" || len(b.read(".runner/partial/job/out/a.jsonl")) < 512<<10 {
		t.Error("old and partial file are not as they were")
	}
	b.again()
	b.write(ok(0, nil, "small"))
	if got := states(b.commit()); got != "out/a.jsonl: changed, 1 row" {
		t.Error(got)
	}
	if entries, _ := os.ReadDir(out); len(entries) != 1 {
		t.Errorf("left on the disk: %v", entries)
	}
}

// A run that is killed anywhere leaves each file as it was before, or new, and
// whole records but for the last one in the partial files.
func TestKilledAnywhere(t *testing.T) {
	if isChild() {
		rewrite(t, os.Getenv(childDir))
		return
	}
	dir := t.TempDir()
	for range 15 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledAnywhere$")
		cmd.Env = append(os.Environ(), child+"=1", childDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		awaitCommits(out, 1+rand.IntN(5))
		time.Sleep(rand.N(20 * time.Millisecond)) // anywhere: what must hold does not depend on it
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
		checkWhole(t, dir)
	}
}

const (
	childDir  = "RUNNER_OUTPUT_TEST_DIR"
	killedLen = 300 // records of each generation
)

// rewrite replaces two files again and again, until it is killed.
func rewrite(t *testing.T, dir string) {
	for generation := 0; ; generation++ {
		b := benchIn(t, dir, nil, to(t, "a.jsonl"), text(t, "out/b.txt", "{{ .response }}\n"))
		for i := range int64(killedLen) {
			b.write(ok(i, nil, fmt.Sprint(generation)))
		}
		b.commit()
		fmt.Println("committed")
	}
}

func awaitCommits(out io.Reader, n int) {
	lines := bufio.NewScanner(out)
	for ; n > 0 && lines.Scan(); n-- {
	}
}

func checkWhole(t *testing.T, dir string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "out", "b.txt"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(data), "\n")
	if string(data) != strings.Repeat(first+"\n", killedLen) {
		t.Errorf("out/b.txt is of several runs, or torn: %d bytes", len(data))
	}
	for _, name := range []string{"a.jsonl", ".runner/partial/job/a.jsonl"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && name != "a.jsonl" {
			continue // killed when there was none
		}
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			last := name != "a.jsonl" && !strings.HasSuffix(line, "\n")
			if !last && !json.Valid([]byte(line)) {
				t.Errorf("%s has a torn record: %q", name, line)
			}
		}
		if n := strings.Count(string(data), "\n"); name == "a.jsonl" && n != killedLen {
			t.Errorf("%s has %d records", name, n)
		}
	}
}

// Somebody swaps the output's folder for a link to the outside and back while runs
// end: nothing is ever written there.
func TestSymlinkRace(t *testing.T) {
	b := newBench(t, nil, to(t, "out/a.jsonl"))
	outside, out, aside := t.TempDir(), filepath.Join(b.dir, "out"), filepath.Join(b.dir, "aside")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var swapping conc.WaitGroup
	swapping.Go(func() {
		for !stop.Load() {
			_ = os.Rename(out, aside) // each step may fail where a run made the folder anew
			_ = os.Symlink(outside, out)
			_ = os.Remove(out)
			_ = os.Rename(aside, out)
		}
	})
	for i := range 100 {
		b.write(ok(0, nil, fmt.Sprint(i)))
		_, _ = b.set.Commit() // fails or not, as the swapping has it
		b.again()
	}
	stop.Store(true)
	swapping.Wait()
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("outside there are %v, %v", entries, err)
	}
	b.write(ok(0, nil, "undisturbed"))
	b.commit()
	if !strings.Contains(b.read("out/a.jsonl"), "undisturbed") {
		t.Error("what failed before spoils the run after it")
	}
}

// fill writes records until the disk is full.
func fill(b *bench) error {
	for i := range int64(10_000) {
		if err := b.set.Write(ok(i, nil, strings.Repeat("x", 1000))); err != nil {
			return err
		}
	}
	return nil
}

func checkAfterFull(t *testing.T, b *bench) {
	t.Helper()
	dir, err := b.set.Keep()
	if err != nil || dir != ".runner/partial/job" {
		t.Errorf("%q, %v", dir, err)
	}
	if b.read("a.jsonl") != "old\n" {
		t.Error("the old file was changed")
	}
	partial := b.read(dir + "/a.jsonl")
	lines := strings.Split(strings.TrimSuffix(partial, "\n"), "\n")
	if len(lines) < 20 || !strings.HasSuffix(partial, "\n") {
		t.Errorf("%d records, or the last one is torn", len(lines))
	}
	for i, line := range lines {
		var rec struct{ Row int }
		if err := json.Unmarshal([]byte(line), &rec); err != nil || rec.Row != i {
			t.Fatalf("record %d: %v", i, err)
		}
	}
}
