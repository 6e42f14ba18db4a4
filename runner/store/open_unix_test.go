//go:build unix

package store

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// openChild is the variable with the path that a child process of the tests opens.
const openChild = "RUNNER_TEST_OPEN"

// nobody is a user who owns nothing.
const nobody = 65534

// TestOpenChild is what a child process does: as a user whom permissions bind, it opens a
// store in both ways and says what comes of it.
func TestOpenChild(t *testing.T) {
	path := os.Getenv(openChild)
	if path == "" {
		t.Skip("only in a child process")
	}
	if os.Getuid() == 0 {
		if err := syscall.Setuid(nobody); err != nil {
			t.Fatal(err)
		}
	}
	for _, opts := range []Options{{ReadOnly: true}, {Create: true}} {
		fmt.Printf("\ntold: %s\n", whatOpens(t, path, opts))
	}
}

func whatOpens(t *testing.T, path string, opts Options) string {
	s, err := Open(path, opts)
	if err != nil {
		return strings.TrimPrefix(err.Error(), "the store "+path+" ")
	}
	defer closed(t, s)
	key := answered(0, "a", "x").Result.Key
	if found := finds(t, s, key)[0]; found == nil || found.Answer.Response != "x" {
		return fmt.Sprintf("found %+v", found)
	}
	view, err := s.Snapshot(t.Context())
	if err != nil {
		return err.Error()
	}
	if err := view.Close(); err != nil {
		return err.Error()
	}
	return "read"
}

// A store that can't be written is still read, and whoever would write is told before
// anything is asked.
func TestPermissions(t *testing.T) {
	const (
		denied = "can't be written: no permission; see who owns it and its folder"
		stuck  = "can't be opened; see whether its folder is there and may be written to"
	)
	tests := []struct {
		name         string
		file, folder os.FileMode
		died         bool // a run has died and left its log
		want         []string
	}{
		{"all may be written", 0o666, 0o777, false, []string{"read", "read"}},
		{"the file may not", 0o444, 0o777, false, []string{"read", denied}},
		{"the folder may not", 0o666, 0o555, false, []string{"read", denied}},
		{"neither may", 0o444, 0o555, false, []string{"read", denied}},
		{"after a run that died", 0o666, 0o777, true, []string{"read", "read"}},
		{"the file of one that died", 0o444, 0o777, true, []string{"read", denied}},
		{"the folder of one that died", 0o444, 0o555, true, []string{stuck, stuck}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(openTo(t), "runner.db")
			leave(t, path, tt.died, tt.file)
			if err := os.Chmod(filepath.Dir(path), tt.folder); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, toldByChild(t, path)); diff != "" {
				t.Errorf("reading and writing (-want +got):\n%s", diff)
			}
		})
	}
}

// openTo is a folder that every user may come to.
func openTo(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("", "store")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(base, "state")
	t.Cleanup(func() {
		if os.Chmod(dir, 0o700) != nil || os.RemoveAll(base) != nil {
			t.Errorf("%s can't be removed", base)
		}
	})
	if os.Chmod(base, 0o755) != nil || os.Mkdir(dir, 0o700) != nil {
		t.Fatal("the folder can't be made")
	}
	return dir
}

// leave leaves a store with an answer in it, which a run that died left in its log.
func leave(t *testing.T, path string, died bool, mode os.FileMode) {
	t.Helper()
	s := open(t, path)
	keep(t, s.Begin(RunInfo{Job: "j"}), answered(0, "a", "x"))
	files := map[string][]byte{}
	for _, suffix := range []string{"", "-wal"} {
		files[path+suffix] = read(t, path+suffix)
	}
	closed(t, s)
	if !died {
		files = map[string][]byte{path: read(t, path)}
	}
	for name, text := range files {
		write(t, name, text)
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
}

func toldByChild(t *testing.T, path string) (told []string) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestOpenChild$")
	c.Env = append(os.Environ(), openChild+"="+path)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "told: "); ok {
			told = append(told, text)
		}
	}
	return told
}
