package specs_test

import (
	"strings"
	"testing"

	"github.com/batchrunner/runner/specs"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

func TestDiagnosticString(t *testing.T) {
	for want, d := range map[string]specs.Diagnostic{
		`a.yaml:3:5: step "x": it is wrong; mend it`: {File: "a.yaml", Pos: specs.Pos{Line: 3, Col: 5}, Step: "x", Message: "it is wrong", Help: "mend it"},
		`a.yaml:3:5: it is wrong`:                    {File: "a.yaml", Pos: specs.Pos{Line: 3, Col: 5}, Message: "it is wrong"},
		`a.yaml: it is wrong`:                        {File: "a.yaml", Message: "it is wrong"},
		`it is wrong`:                                {Message: "it is wrong"},
		`a.yaml:1:1: warning: it is odd`:             {File: "a.yaml", Pos: specs.Pos{Line: 1, Col: 1}, Message: "it is odd", Warning: true},
	} {
		if got := d.String(); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

func TestExcerpt(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		col    int
		want   string
	}{
		"plain":              {"prompt: hi", 9, "    prompt: hi\n            ^"},
		"after tabs":         {"a:\t\tb", 5, "    a:\t\tb\n      \t\t^"},
		"after wide":         {"世界x", 3, "    世界x\n        ^"},
		"after an emoji":     {"👨‍👩‍👧 x", 7, "    👨‍👩‍👧 x\n       ^"},
		"combining":          {"e\u0301x", 3, "    e\u0301x\n     ^"},
		"at the end":         {"ab", 3, "    ab\n      ^"},
		"beyond the end":     {"ab", 99, "    ab\n      ^"},
		"control characters": {"a\x1b[31mb", 7, "    a\ufffd[31mb\n          ^"},
		"other direction":    {"a\u202eb", 3, "    a\ufffdb\n      ^"},
		"no line":            {"", 1, ""},
		"blank line":         {"   ", 1, ""},
		"no place":           {"ab", 0, ""},
	} {
		d := specs.Diagnostic{Pos: specs.Pos{Line: 1, Col: c.col}, Source: c.source}
		if got := d.Excerpt(); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// Of a long line only what is around the caret is shown, and the caret stays under it.
func TestExcerptOfALongLine(t *testing.T) {
	line := strings.Repeat("x", 5000) + "HERE" + strings.Repeat("y", 5000)
	d := specs.Diagnostic{Pos: specs.Pos{Line: 1, Col: 5001}, Source: line}
	shown, caret, _ := strings.Cut(d.Excerpt(), "\n")
	at := len(caret) - 1
	if w := ansi.StringWidth(shown); w > 110 || !strings.HasPrefix(shown[at:], "HERE") {
		t.Errorf("%d wide:\n%s\n%s", w, shown, caret)
	}
}

func TestDiagnosticsSort(t *testing.T) {
	at := func(file string, line, col int, message string, warning bool) specs.Diagnostic {
		return specs.Diagnostic{File: file, Pos: specs.Pos{Line: line, Col: col}, Message: message, Warning: warning}
	}
	ds := specs.Diagnostics{
		at("b", 1, 1, "x", false), at("a", 2, 1, "x", false), at("a", 1, 2, "x", false), at("a", 1, 1, "y", true),
		at("a", 1, 1, "x", true), at("a", 1, 1, "z", false), at("a", 0, 0, "x", false),
	}
	ds.Sort()
	want := "a: x\na:1:1: z\na:1:1: warning: x\na:1:1: warning: y\na:1:2: x\na:2:1: x\nb:1:1: x"
	if diff := cmp.Diff(want, ds.String()); diff != "" {
		t.Error(diff)
	}
	if errors := ds.Errors(); len(errors) != 5 {
		t.Errorf("%d errors", len(errors))
	}
}
