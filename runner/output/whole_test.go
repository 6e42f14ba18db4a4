package output

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteWhole(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	read := func() string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, "out", "report.md"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, s := range []string{"first", "second, longer"} {
		if err := WriteWhole(root, "out/report.md", text(s)); err != nil {
			t.Fatal(err)
		}
		if got := read(); got != s {
			t.Errorf("the file has %q, want %q", got, s)
		}
	}
	broken := errors.New("the writer gives up")
	err = WriteWhole(root, "out/report.md", func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	if got := read(); got != "second, longer" {
		t.Errorf("the file is %q after a failed write", got)
	}
	if files, err := os.ReadDir(filepath.Join(dir, "out")); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v (%v), want the report alone", files, err)
	}
	for name, bad := range map[string]string{"a way out": "../report.md", "a folder's name": "out"} {
		var disk *Error
		if err := WriteWhole(root, bad, text("x")); !errors.As(err, &disk) {
			t.Errorf("%s: the error is %v, want one of the disk", name, err)
		}
	}
}

// A disk that is full ends it with the file as it was. /dev/full takes nothing.
func TestWriteWholeOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here")
	}
	var disk *Error
	if err := fill(full, "report.md", func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }); !errors.As(err, &disk) {
		t.Errorf("the error is %v", err)
	}
}
