package output_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/batchrunner/runner/runner/output"
)

func TestUnchangedFilesAreNotTouched(t *testing.T) {
	b := newBench(t, []string{"x"}, to(t, "{{ .x }}.jsonl"))
	records := []object{{"x": "a"}, {"x": "b"}}
	for i, vars := range records {
		b.write(ok(int64(i), vars, "r"))
	}
	b.commit()
	long := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, name := range []string{"a.jsonl", "b.jsonl"} {
		if err := os.Chtimes(filepath.Join(b.dir, name), long, long); err != nil {
			t.Fatal(err)
		}
	}
	b.again()
	b.write(ok(0, records[0], "r"), ok(1, records[1], "s")) // the same length, another byte
	if got := states(b.commit()); got != "a.jsonl: unchanged, 1 row\nb.jsonl: changed, 1 row" {
		t.Error(got)
	}
	for name, same := range map[string]bool{"a.jsonl": true, "b.jsonl": false} {
		info, err := os.Stat(filepath.Join(b.dir, name))
		if err != nil || info.ModTime().Equal(long) != same {
			t.Errorf("%s: %v, %v", name, info.ModTime(), err)
		}
	}
	if _, has := b.files()[".runner/partial/job/a.jsonl"]; has {
		t.Error("a partial file is left")
	}
}

func TestPermissionsAreKept(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such permissions")
	}
	b := newBench(t, nil, to(t, "a.jsonl"))
	b.put("a.jsonl", "old")
	if err := os.Chmod(filepath.Join(b.dir, "a.jsonl"), 0o640); err != nil {
		t.Fatal(err)
	}
	b.write(ok(0, nil, "r"))
	b.commit()
	info, err := os.Stat(filepath.Join(b.dir, "a.jsonl"))
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// What became a link or a folder during the run is not replaced, and no other file
// is before that is found.
func TestTargetsSwappedDuringTheRun(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		swap func(b *bench, at string) error
		want string
	}{
		{"link outside", func(_ *bench, at string) error { return os.Symlink(secret, at) }, "it is a symbolic link"},
		{"link inside", func(_ *bench, at string) error { return os.Symlink("a.jsonl", at) }, "it is a symbolic link"},
		{"dangling link", func(_ *bench, at string) error { return os.Symlink("none", at) }, "it is a symbolic link"},
		{"folder", func(_ *bench, at string) error { return os.Mkdir(at, 0o755) }, "it is a folder"},
	}
	for _, test := range tests {
		b := newBench(t, nil, to(t, "a.jsonl"), to(t, "z/b.jsonl"))
		b.put("a.jsonl", "old")
		b.put("z/keep", "old")
		b.write(ok(0, nil, "r"))
		if err := test.swap(b, filepath.Join(b.dir, "z", "b.jsonl")); err != nil {
			t.Fatal(err)
		}
		written, err := b.set.Commit()
		var trouble *output.Error
		if !errors.As(err, &trouble) || !strings.Contains(err.Error(), "replacing z/b.jsonl: "+test.want) || len(written) > 0 {
			t.Errorf("%s: %v, %v", test.name, written, err)
		}
		if kept := keptBy(err); kept != ".runner/partial/job" {
			t.Errorf("%s: the rest is said to be in %q", test.name, kept)
		}
		if b.read("a.jsonl") != "old" || b.read(".runner/partial/job/a.jsonl") == "" {
			t.Errorf("%s: a.jsonl was replaced, or its partial file is gone", test.name)
		}
	}
	if data, _ := os.ReadFile(secret); string(data) != "secret" {
		t.Error("a file outside the root was written")
	}
}

// keptBy is where a failed Commit says that the rest is.
func keptBy(err error) string {
	var unfinished *output.Unfinished
	if errors.As(err, &unfinished) {
		return unfinished.Kept
	}
	return "no *output.Unfinished"
}

// A commit that fails midway tells which files were done, and where the rest is.
func TestCommitFailsMidway(t *testing.T) {
	b := newBench(t, nil, to(t, "a.jsonl"), to(t, "z/b.jsonl"))
	b.write(ok(0, nil, "r"))
	if err := os.Symlink("nowhere", filepath.Join(b.dir, "z")); err != nil { // found when the folder is made
		t.Fatal(err)
	}
	written, err := b.set.Commit()
	if err == nil || keptBy(err) != ".runner/partial/job" {
		t.Fatalf("%v, kept in %q", err, keptBy(err))
	}
	if !strings.Contains(b.read(".runner/partial/job/z/b.jsonl"), `"row":0`) {
		t.Error("the rest is not there")
	}
	_, err = os.Stat(filepath.Join(b.dir, "a.jsonl"))
	placed := err == nil // mostly: both are dealt with at once
	if told := len(written) == 1 && written[0].Path == "a.jsonl"; told != placed || len(written) > 1 {
		t.Errorf("a.jsonl in its place: %v; told: %v", placed, written)
	}
}

// A folder swapped for a link to the outside leads nowhere.
func TestFolderSwappedForLink(t *testing.T) {
	outside := t.TempDir()
	b := newBench(t, nil, to(t, "z/b.jsonl"))
	b.write(ok(0, nil, "r"))
	if err := os.Symlink(outside, filepath.Join(b.dir, "z")); err != nil {
		t.Fatal(err)
	}
	if written, err := b.set.Commit(); err == nil || !strings.Contains(err.Error(), "z/b.jsonl: ") {
		t.Errorf("%v, %v", written, err)
	}
	if entries, _ := os.ReadDir(outside); len(entries) > 0 {
		t.Errorf("outside there are %v", entries)
	}
	if !strings.Contains(b.read(".runner/partial/job/z/b.jsonl"), `"row":0`) {
		t.Error("the partial file is gone")
	}
}

// The folder of partial files itself may be a link to somewhere else.
func TestPartialFolderIsALink(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "job"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, nil, to(t, "b.jsonl"))
	b.put(".runner/config", "x")
	if err := os.Symlink(outside, filepath.Join(b.dir, ".runner", "partial")); err != nil {
		t.Fatal(err)
	}
	if err := b.set.Begin(); err == nil || !strings.Contains(err.Error(), ".runner/partial/job: ") {
		t.Errorf("%v", err)
	}
	if data, _ := os.ReadFile(filepath.Join(outside, "job")); string(data) != "x" {
		t.Error("a file outside the root was removed")
	}
}

func TestKeep(t *testing.T) {
	b := newBench(t, nil, to(t, "a.jsonl"), to(t, "b.json"), text(t, "c.md", "{{ .response }}\n"))
	b.put("a.jsonl", "old")
	b.write(ok(0, nil, "r"))
	if got := b.read(".runner/partial/job/c.md"); got != "r\n" {
		t.Errorf("during the run: %q", got)
	}
	dir, err := b.set.Keep()
	if err != nil || dir != ".runner/partial/job" {
		t.Fatalf("%q, %v", dir, err)
	}
	files := b.files()
	if files["a.jsonl"] != "old" || files[dir+"/c.md"] != "r\n" || !strings.HasSuffix(files[dir+"/b.json"], "}\n]\n") || len(files) != 4 {
		t.Errorf("%v", files)
	}

	b.again()
	b.write(ok(0, nil, "s")) // the next run begins anew
	if got := b.read(".runner/partial/job/c.md"); got != "s\n" {
		t.Errorf("the next run: %q", got)
	}
}

// What a cut run kept outlives the next one's beginning, and every end of it
// without an answer; it goes when a run has put answers in the outputs' place.
func TestKeptUntilARunIsWhole(t *testing.T) {
	const first, older = ".runner/partial/job/a.jsonl", ".runner/partial/job.previous/a.jsonl"
	b := newBench(t, nil, to(t, "a.jsonl"), to(t, `{{ .response | default "none" }}/b.jsonl`))
	b.write(ok(0, nil, "one"), ok(1, nil, "../out"))
	if dir, err := b.set.Keep(); err != nil || dir != ".runner/partial/job" {
		t.Fatalf("%q, %v", dir, err)
	}
	endings := map[string]func() error{
		"killed at once":   func() error { return b.set.Begin() },
		"discarded":        func() error { return errors.Join(b.set.Begin(), b.set.Discard()) },
		"cut with nothing": func() error { return errors.Join(b.set.Begin(), keepNothing(b)) },
		"cut, all failed":  func() error { return errors.Join(b.set.Write(failed(0, nil)), keepNothing(b)) },
		"whole, all failed": func() error {
			_, err := b.set.Commit()
			return err
		},
	}
	for name, end := range endings {
		b.again()
		if err := end(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		files := b.files()
		if !strings.Contains(files[older], "one") || !strings.Contains(files[".runner/unplaced/job.previous.jsonl"], "../out") {
			t.Errorf("%s: the kept rows are gone: %v", name, files)
		}
	}

	b.again()
	b.write(ok(0, nil, "two"))
	if _, err := b.set.Keep(); err != nil || !strings.Contains(b.read(older), "one") || !strings.Contains(b.read(first), "two") {
		t.Errorf("cut again: %v", err)
	}
	b.again()
	if err := b.set.Begin(); err != nil || !strings.Contains(b.read(older), "two") {
		t.Errorf("one generation: %v", err)
	}
	b.write(ok(0, nil, "three"))
	b.commit()
	for name := range b.files() {
		if strings.HasPrefix(name, ".runner/partial/") || strings.HasPrefix(name, ".runner/unplaced/") {
			t.Errorf("%s is left by a whole run", name)
		}
	}
}

func keepNothing(b *bench) error {
	dir, err := b.set.Keep()
	if dir != "" {
		return fmt.Errorf("%s is kept", dir)
	}
	return err
}

// What is no folder of ours goes: a link is removed, and where it leads stays.
func TestEarlierFolderIsALink(t *testing.T) {
	b := newBench(t, nil, to(t, "a.jsonl"))
	b.put("mine/a.jsonl", "x")
	b.put(".runner/partial/other", "x")
	if err := os.Symlink("../../mine", filepath.Join(b.dir, ".runner", "partial", "job")); err != nil {
		t.Fatal(err)
	}
	b.write(ok(0, nil, "r"))
	b.commit()
	if b.read("mine/a.jsonl") != "x" || !strings.Contains(b.read("a.jsonl"), `"row":0`) {
		t.Error("the link was followed")
	}
}

func TestKeepNothingAndDiscard(t *testing.T) {
	b := newBench(t, nil, to(t, "a.jsonl"))
	if dir, err := b.set.Keep(); dir != "" || err != nil {
		t.Errorf("%q, %v", dir, err)
	}
	if err := b.set.Begin(); err != nil {
		t.Fatal(err)
	}
	if dir, err := b.set.Keep(); dir != "" || err != nil {
		t.Errorf("%q, %v", dir, err)
	}
	b.again()
	b.write(ok(0, nil, "r"))
	if err := b.set.Discard(); err != nil {
		t.Error(err)
	}
	if files := b.files(); len(files) > 0 {
		t.Errorf("%v", files)
	}
}

// Another run of the job clears the partial files of this one: it says so, and
// mixes nothing.
func TestTwoRunsOfOneJob(t *testing.T) {
	mine := newBench(t, nil, to(t, "a.jsonl"))
	mine.put("a.jsonl", "old")
	mine.write(ok(0, nil, "mine"))
	other := benchIn(t, mine.dir, nil, to(t, "a.jsonl"))
	other.write(ok(0, nil, "other"))
	_, err := mine.set.Commit()
	var trouble *output.Error
	if !errors.As(err, &trouble) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "is another run of this job under way?") {
		t.Errorf("%v", err)
	}
	if kept := keptBy(err); kept != ".runner/partial/job.previous" || !strings.Contains(mine.read(kept+"/a.jsonl"), "mine") {
		t.Errorf("the rest is said to be in %q", kept)
	}
	if mine.read("a.jsonl") != "old" {
		t.Error("the file was replaced")
	}
	other.commit()
	if !strings.Contains(other.read("a.jsonl"), "other") {
		t.Error("the other run's file is not there")
	}
}

// A file system may take names for equal that differ to us.
func TestNameTakenByThePartialFolder(t *testing.T) {
	b := newBench(t, nil, to(t, "{{ .response }}.jsonl"))
	b.write(ok(0, nil, "a"))
	b.put(".runner/partial/job/b.jsonl", "as if it were a.jsonl")
	b.write(ok(1, nil, "b"))
	if _, n, rest := b.set.Problems(); n != 1 || !strings.Contains(b.read(rest), `"response":"b"`) {
		t.Errorf("%d problems", n)
	}
	b.commit()
}

// Large records and large files are compared and written as small ones are.
func TestLargeRecords(t *testing.T) {
	b := newBench(t, nil, to(t, "a.jsonl"), text(t, "b.txt", "{{ .response }}"))
	big := string(bytes.Repeat([]byte("0123456789abcdef"), 200_000)) // 3.2 MB
	for _, want := range []string{"created", "unchanged"} {
		b.write(ok(0, nil, big), ok(1, nil, "small"))
		for _, w := range b.commit() {
			if string(w.State) != want {
				t.Errorf("%v, want %s", w, want)
			}
		}
		if got := b.read("b.txt"); got != big+"small" {
			t.Errorf("%d bytes", len(got))
		}
		b.again()
	}
}
