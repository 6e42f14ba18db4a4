package templates

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzTemplate parses and renders anything: never a panic; of a mistake one
// message, in the text and without Go's words; of a rendering the same text twice.
func FuzzTemplate(f *testing.F) {
	for _, g := range Describe() {
		f.Add(g.Example)
	}
	for _, text := range hostile {
		if len(text) < 1000 {
			f.Add(text)
		}
	}
	for _, text := range []string{
		"{{ .p.unit-price }}", "{{ if .a == 1 }}", "{{/*", "{{- ", "{{ 'x", "{{ \"\\", "{{ $x", "{{ 1.2.3", "{{ .a[0] }}", "{{.a\n}}", "é{{ . }}\n{{ $.ü.b | x }}",
		"{{ with $x := .p }}{{ $x.a }}{{ else with .tags }}{{ . }}{{ end }}", "{{ define `a` }}{{ end }}{{ template \"a\" . }}", "{{else if}}", "{{break}}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tmpl, err := Parse(text)
		if err != nil {
			checkPlace(t, text, err)
			return
		}
		for _, r := range tmpl.Refs() {
			checkPosition(t, text, r.Line, r.Col)
		}
		tmpl.limits.time = time.Minute // a slow machine is no mistake of the template
		tmpl.limits.steps, tmpl.limits.bytes, tmpl.limits.work = 1000, 1<<20, 10_000_000
		got, err := tmpl.Render(row())
		again, errAgain := tmpl.Render(row())
		if got != again || (err == nil) != (errAgain == nil) {
			t.Fatalf("%q gives %q, %v, then %q, %v", text, got, err, again, errAgain)
		}
		if err != nil {
			checkPlace(t, text, err)
		}
		if tmpl.Single() {
			_, err = tmpl.Value(row())
			if err != nil {
				checkPlace(t, text, err)
			}
		}
	})
}

func checkPlace(t *testing.T, text string, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Message == "" {
		t.Fatalf("%q: the error is %#v", text, err)
	}
	checkPosition(t, text, e.Line, e.Col)
	for _, word := range []string{"interface {}", "map[string]", "json.Number", "reflect.", "runtime error", "executing \"", "\x00"} {
		if strings.Contains(e.Message, word) && !strings.Contains(text, word) {
			t.Fatalf("%q: the message says %q: %s", text, word, e)
		}
	}
}

func checkPosition(t *testing.T, text string, line, col int) {
	t.Helper()
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) || col < 1 || col > utf8.RuneCountInString(lines[line-1])+1 {
		t.Fatalf("%q: the place %d:%d is not in it", text, line, col)
	}
}

// FuzzTokens holds our tokens against the parser: where a text parses, every action
// is closed, and nothing in it is bad.
func FuzzTokens(f *testing.F) {
	for _, g := range Describe() {
		f.Add(g.Example)
	}
	f.Add("a {{- /* c */ -}} b {{- .x.y 'c' `d` \"\\\"}}\" -1.5e+3 0x1F $x.z | (y) -}} z")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Parse(text); err != nil {
			return
		}
		open := false
		var kinds []tokenKind
		for tok := range tokens(text) {
			kinds = append(kinds, tok.kind)
			if tok.kind == openToken {
				open = true
			}
			if tok.kind == closeToken {
				open = false
			}
		}
		if open || slices.Contains(kinds, badToken) {
			t.Fatalf("%q parses, but its tokens are %v", text, kinds)
		}
	})
}
