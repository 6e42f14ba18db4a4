package say

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 日本語 👩‍🔬":                       "plain é 日本語 👩‍🔬",
		"a\x1b[31mred\x1b[0m":                   "ared",
		"\x1b]0;title\x07text":                  "text",
		"\x1b]8;;http://x\x1b\\l\x1b]8;;\x1b\\": "l",
		"\x1b]52;c;ZXZpbA==\x1b\\safe":          "safe",
		"\x1bP1$r\x1b\\x\x1b[2J\x1b":            "x",
		"\x1b[2J\x1b[Hhome":                     "home",
		"\x1b[6n":                               "",
		"c1 \u009b2J":                           "c1 2J",
		"over\rwritten\bx\x00\x7f":              "overwrittenx",
		"crlf\r\nline":                          "crlf\nline",
		"bell\abs\bff\fvt\v":                    "bellbsffvt",
		"\u202egpj.exe\u2066x\u2069":            "gpj.exex",
		"bad \xff":                              "bad \ufffd",
		"tab\tand\nnewline":                     "tab\tand\nnewline",
		"a\u2028b\u2029c\u0085d":                "a\nb\nc\nd",
	} {
		if got := Clean(text); got != want {
			t.Errorf("Clean(%q) is %q, want %q", text, got, want)
		}
	}
}

// What is clean stays as it is, whatever it came from.
func FuzzClean(f *testing.F) {
	f.Add("a\x1b[31mred\u202e\u2028\r\n\xff")
	f.Add("\x1b\u009b\x1b]\x1b\\\x1bP")
	f.Fuzz(func(t *testing.T, text string) {
		once := Clean(text)
		if i := strings.IndexFunc(once, obeyed); i >= 0 {
			t.Errorf("Clean(%q) is %q: a terminal would obey %q", text, once, once[i:])
		}
		if again := Clean(once); again != once {
			t.Errorf("Clean(%q) is %q, which becomes %q", text, once, again)
		}
	})
}

func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		" two\r\n lines\t":                  "two lines",
		" a \n\tb\u2028c\u0085d ":           "a b c d",
		"\x1b[31mred\x1b[0m \u202eabc\x00 ": "red abc",
		"":                                  "",
	} {
		if got := Line(text); got != want {
			t.Errorf("Line(%q) is %q, want %q", text, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 rows", 1: "1 row", 2: "2 rows", 999: "999 rows", 1_000: "1,000 rows", 1_234_567: "1,234,567 rows",
		-1: "-1 rows", -999: "-999 rows", -1_000: "-1,000 rows",
	} {
		if got := Plural(n, "row"); got != want {
			t.Errorf("Plural(%d) is %q, want %q", n, got, want)
		}
	}
	if got := Plural(2, "retry"); got != "2 retries" {
		t.Errorf("two: %q", got)
	}
}

func TestJoined(t *testing.T) {
	for _, c := range []struct{ words, and, or string }{
		{"", "", ""}, {"a", "a", "a"}, {"a b", "a and b", "a or b"}, {"a b c", "a, b and c", "a, b or c"},
	} {
		words := strings.Fields(c.words)
		if got := And(words); got != c.and {
			t.Errorf("And(%q) is %q", words, got)
		}
		if got := Or(words); got != c.or {
			t.Errorf("Or(%q) is %q", words, got)
		}
	}
}

func TestCause(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(os.TempDir(), filepath.Join(dir, "link")); err != nil {
		if runtime.GOOS != "windows" { // which asks for a privilege
			t.Fatal(err)
		}
		t.Skip(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, name := range []string{"link/x", "../x"} {
		if _, err := root.Open(name); !errors.Is(Cause(err), ErrOutside) {
			t.Errorf("%s: %v, which is %v", name, err, Cause(err))
		}
		if err := root.Rename(name, "y"); !errors.Is(Cause(err), ErrOutside) {
			t.Errorf("%s renamed: %v, which is %v", name, err, Cause(err))
		}
	}
	if _, err := root.Open("gone"); Cause(err).Error() != "no such file or directory" && !errors.Is(Cause(err), fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", Cause(err))
	}
	if err := Cause(nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
}
