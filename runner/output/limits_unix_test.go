//go:build linux || darwin

package output_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

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
	t.Cleanup(func() { os.RemoveAll(dir) })
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
	const files = 10_000
	b := newBench(t, []string{"x"}, text(t, "out/{{ .x }}.md", "{{ .response }}\n"))
	for round := range int64(2) {
		for i := range int64(files) {
			b.write(ok(round*files+i, object{"x": fmt.Sprintf("%d/%d", i%100, i)}, fmt.Sprint(round)))
		}
	}
	written := b.commit()
	if len(written) != files {
		t.Fatalf("%d files", len(written))
	}
	for i := range files {
		if got := b.read(fmt.Sprintf("out/%d/%d.md", i%100, i)); got != "0\n1\n" {
			t.Fatalf("file %d: %q", i, got)
		}
	}
	if _, err := os.Stat(filepath.Join(b.dir, ".runner/partial/job")); !os.IsNotExist(err) {
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
