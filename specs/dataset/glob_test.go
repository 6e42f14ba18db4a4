package dataset

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder makes files of that content and opens their folder as a root.
func folder(t *testing.T, files map[string]string) (string, fs.FS) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return dir, root.FS()
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

func TestGlob(t *testing.T) {
	_, fsys := folder(t, map[string]string{
		"b.md": "", "a.md": "", "a.txt": "", "docs/c.md": "", "docs/deep/er/d.md": "", ".hidden/e.md": "", "docs/.f.md": "",
		".git/g.md": "", ".runner/h.md": "", "docs/.runner/simulated/i.md": "", "docs/[1].md": "", "outside/j.md": "",
	})
	for pattern, want := range map[string][]string{
		"*.md":                 {"a.md", "b.md"},
		"**/*.md":              {".hidden/e.md", "a.md", "b.md", "docs/.f.md", "docs/[1].md", "docs/c.md", "docs/deep/er/d.md", "outside/j.md"},
		"{b,a}.{md,txt}":       {"a.md", "a.txt", "b.md"},
		"{*,a}.md":             {"a.md", "b.md"},
		"docs/*":               {"docs/.f.md", "docs/[1].md", "docs/c.md"},
		"docs/**":              {"docs/.f.md", "docs/[1].md", "docs/c.md", "docs/deep/er/d.md"},
		"docs/\\[1\\].md":      {"docs/[1].md"},
		"a.md":                 {"a.md"},
		"docs":                 nil,
		"gone/*.md":            nil,
		"gone.md":              nil,
		".git/*":               nil,
		".git/g.md":            nil,
		"{.git,.runner}/*.md":  nil,
		"docs/.runner/**/*.md": nil,
	} {
		got, err := Glob(fsys, pattern)
		if err != nil {
			t.Errorf("Glob(%q): %v", pattern, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("Glob(%q) (-want +got):\n%s", pattern, d)
		}
	}
	for _, pattern := range []string{"[a", "{a", "a\\", "../*.md", ".."} {
		var e *Error
		if _, err := Glob(fsys, pattern); !errors.As(err, &e) || e.File != pattern {
			t.Errorf("Glob(%q) = %v", pattern, err)
		}
	}
}

func TestGlobOfLinksAndPipes(t *testing.T) {
	dir, fsys := folder(t, map[string]string{"in/a.md": "A", "in/sub/b.md": "B"})
	outside := filepath.Join(t.TempDir(), "secret.md")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	link(t, outside, filepath.Join(dir, "in", "out.md"))
	link(t, filepath.Dir(outside), filepath.Join(dir, "in", "outdir"))
	link(t, "a.md", filepath.Join(dir, "in", "same.md"))
	link(t, "gone.md", filepath.Join(dir, "in", "dangling.md"))
	link(t, ".", filepath.Join(dir, "in", "loop"))
	pipe(t, filepath.Join(dir, "in", "pipe.md"))
	for _, pattern := range []string{"in/*.md", "in/**/*.md", "**/*.md", "in/pipe.md", "in/out.md", "in/outdir/*.md", "{in,gone}/*.md"} {
		got, err := Glob(fsys, pattern)
		for _, name := range got {
			if name != "in/a.md" && name != "in/same.md" && name != "in/sub/b.md" {
				t.Errorf("Glob(%q) found %s", pattern, name)
			}
			if _, err := Document(fsys, name); err != nil {
				t.Error(err)
			}
		}
		if err != nil && !strings.Contains(err.Error(), "leads outside the root") {
			t.Errorf("Glob(%q): %v", pattern, err)
		}
		if strings.Contains(pattern, "**") && (err != nil || len(got) != 3) {
			t.Errorf("Glob(%q) = %q, %v", pattern, got, err)
		}
	}
	if _, err := Document(fsys, "in/out.md"); err == nil || err.Error() != "in/out.md: leads outside the root" {
		t.Errorf("a link out of the root: %v", err)
	}
	s := Source{Path: "in/out.md", Shown: "../in/out.md", Format: "txt"}
	for _, err := range s.Rows(fsys) {
		if err == nil || err.Error() != "../in/out.md: leads outside the root" {
			t.Errorf("a data file that is a link out of the root: %v", err)
		}
	}
}

func TestUnreadableFolder(t *testing.T) {
	dir, fsys := folder(t, map[string]string{"a/x.md": "", "b/y.md": ""})
	if err := os.Chmod(filepath.Join(dir, "b"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "b"), 0o755) })
	if _, err := os.ReadDir(filepath.Join(dir, "b")); err == nil {
		t.Skip("this user reads every folder")
	}
	if got, err := Glob(fsys, "**/*.md"); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("Glob = %q, %v: a folder was left out without a word", got, err)
	}
}

func TestDocument(t *testing.T) {
	_, fsys := folder(t, map[string]string{
		"docs/a.b.md": "\uFEFFone\r\ntwo", "empty": "", "latin.md": "ok\ncaf\xe9", "nul.md": "a\x00", "long.md": strings.Repeat("x", maxRow+1), "most.md": strings.Repeat("x", maxRow),
	})
	for name, want := range map[string]object{
		"docs/a.b.md": {"path": "docs/a.b.md", "dir": "docs", "stem": "a.b", "text": "one\r\ntwo"},
		"empty":       {"path": "empty", "dir": ".", "stem": "empty", "text": ""},
	} {
		got, err := Document(fsys, name)
		if err != nil {
			t.Error(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("Document(%s) (-want +got):\n%s", name, d)
		}
	}
	if doc, err := Document(fsys, "most.md"); err != nil || doc["text"] != strings.Repeat("x", maxRow) {
		t.Errorf("a document of 16 MiB: %v", err)
	}
	for name, want := range map[string]string{
		"latin.md": "latin.md:2: byte 0xE9 is not UTF-8 (perhaps Latin-1 or Windows-1252); save the file as UTF-8",
		"nul.md":   "nul.md:1: holds a NUL byte: UTF-16, or no text at all; save the file as UTF-8",
		"long.md":  "long.md: is larger than 16 MiB; split it, or leave it out of the pattern",
		"gone.md":  "gone.md: there is no such file",
		"docs":     "docs: is a folder, not a file",
	} {
		if _, err := Document(fsys, name); err == nil || err.Error() != want {
			t.Errorf("Document(%s): %v, want %s", name, err, want)
		}
	}
}
