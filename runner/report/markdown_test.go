package report

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extended "github.com/yuin/goldmark/extension/ast"
	renderer "github.com/yuin/goldmark/renderer/html"
	source "github.com/yuin/goldmark/text"

	"github.com/batchrunner/runner/specs/say"
)

func writeMarkdown(t *testing.T, r *Report, limit int) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteMarkdown(&b, r, limit); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// github reads Markdown as GitHub does, and passes HTML on.
func github() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote), goldmark.WithRendererOptions(renderer.WithUnsafe()))
}

func TestMarkdown(t *testing.T) {
	got := writeMarkdown(t, fixture(), 0)
	checkGolden(t, "report.md.want", got)
	checkMarkdown(t, got)
}

// ours are the kinds of things that a report is made of.
var ours = []ast.NodeKind{
	ast.KindDocument, ast.KindHeading, ast.KindParagraph, ast.KindList, ast.KindListItem, ast.KindTextBlock, ast.KindText, ast.KindString,
	ast.KindEmphasis, ast.KindRawHTML,
	extended.KindTable, extended.KindTableHeader, extended.KindTableRow, extended.KindTableCell,
}

// checkMarkdown finds anything in a report that the report did not put there.
func checkMarkdown(t *testing.T, page string) {
	t.Helper()
	text := []byte(page)
	root := github().Parser().Parse(source.NewReader(text))
	err := ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if !slices.Contains(ours, n.Kind()) {
			t.Errorf("a %s is in it", n.Kind())
		}
		if raw, ok := n.(*ast.RawHTML); ok {
			if tag := string(raw.Segments.Value(text)); !slices.Contains([]string{"<code>", "</code>", "<!-- -->"}, tag) {
				t.Errorf("HTML is in it: %s", tag)
			}
		}
		if list, ok := n.Parent().(*ast.ListItem); ok && n.Kind() == ast.KindList {
			t.Errorf("a list in a list: %v", list)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	checkTables(t, page)
}

// checkTables holds each row of a table against its head.
func checkTables(t *testing.T, page string) {
	t.Helper()
	bars := 0
	for line := range strings.Lines(page) {
		n := strings.Count(line, "|")
		switch {
		case !strings.HasPrefix(line, "| "):
			if n > 0 {
				t.Errorf("bars outside of a table: %q", line)
			}
			bars = 0
		case bars == 0:
			bars = n
		case n != bars:
			t.Errorf("%d bars, its head has %d: %q", n, bars, line)
		}
	}
}

func TestMarkdownIsHarmless(t *testing.T) {
	checkMarkdown(t, writeMarkdown(t, hostileReport(), 0))
	checkHarmless(t, writeMarkdown(t, hostileReport(), 0), 0)
}

var tags = regexp.MustCompile(`<[^>]*>`)

// What is shown is the text itself, wherever it stands, and GitHub finds no mention,
// reference or address in it.
func checkShown(t *testing.T, s string) {
	t.Helper()
	for _, form := range []string{codeSpan(s), markdown(s)} {
		for _, place := range []string{"%s\n", "- %s\n", "| a |\n| --- |\n| %s |\n"} {
			page := fmt.Sprintf(place, form)
			checkMarkdown(t, page)
			var b bytes.Buffer
			if err := github().Convert([]byte(page), &b); err != nil {
				t.Fatal(err)
			}
			shown := strings.TrimSpace(html.UnescapeString(tags.ReplaceAllString(b.String(), "")))
			want := oneLine(s)
			if strings.HasPrefix(place, "|") {
				want = strings.TrimSpace("a " + want)
				shown = strings.Join(strings.Fields(shown), " ")
			}
			if shown != want {
				t.Errorf("%q shows as %q in %q", s, shown, page)
			}
		}
		if regexp.MustCompile(`@\w|(^|[^&])#\d|://|www\.`).MatchString(form) {
			t.Errorf("a mention, a reference or an address in %q", form)
		}
	}
}

func TestMarkdownShowsTheText(t *testing.T) {
	for _, s := range append(append([]string{"- item", "+ item", "1. item", "12) item", "=====", "-----", "[^1]", "a@b.example", "~~x~~", "&amp;", `\|`}, hostile...), payloads...) {
		checkShown(t, s)
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range append(append([]string{"- a", "1. a", "[^1]: x", "&#124;", `a\`, "    code", "a  \nb", "http://a.example", "\ufeff# a", "$$x$$"}, hostile...), payloads...) {
		f.Add(s)
	}
	f.Fuzz(checkShown)
}

// A report of 100,000 rows, 10,000 of them with long answers, stays within what GitHub
// takes, and says what is missing.
func TestMarkdownLimit(t *testing.T) {
	r := fixture()
	r.Rows, r.Answers = 100_000, nil
	long := strings.Repeat("pipes | and <b>tags</b> ", 2000/24+1)
	for i := range MaxRows {
		r.Answers = append(r.Answers, fixtureRow(int64(i), long))
	}
	for _, limit := range []int{0, 1 << 20, 65_536, leastLimit} {
		got := writeMarkdown(t, r, limit)
		if most := max(limit, 1); len(got) > most && limit > 0 || len(got) > 1<<20 {
			t.Errorf("limit %d: %d bytes", limit, len(got))
		}
		if limit != leastLimit && len(got) < limit*9/10 {
			t.Errorf("limit %d: only %d bytes, so more rows had room", limit, len(got))
		}
		checkTables(t, got)
		last := got[strings.LastIndex(strings.TrimSpace(got), "\n"):]
		shown := strings.Count(got, "\n| <code>s")
		if want := say.Count(MaxRows-shown) + " rows, 90,000 rows that the report holds no answers of."; !strings.Contains(last, want) {
			t.Errorf("limit %d: the last line has no %q: %s", limit, want, last)
		}
	}
	if err := WriteMarkdown(&bytes.Buffer{}, r, 100); err == nil || err.Error() != "a report in Markdown needs at least 2,048 bytes, not 100" {
		t.Error(err)
	}
}

// Whatever is long, the limit holds.
func TestMarkdownLimitOfEverything(t *testing.T) {
	big := strings.Repeat("|<@`", 100_000)
	r := hostileReport()
	r.Run.Job, r.Hints, r.Warnings = big, append(r.Hints, big), append(r.Warnings, big)
	for range 1000 {
		r.Groups = append(r.Groups, Group{Model: big[:5000], Step: "draft", Error: big, Requests: 1})
		r.Missed = append(r.Missed, Missed{Name: big[:5000], Message: big[:5000]})
	}
	for _, limit := range []int{leastLimit, 10_000, 1 << 20} {
		if got := writeMarkdown(t, r, limit); len(got) > limit {
			t.Errorf("limit %d: %d bytes", limit, len(got))
		} else {
			checkMarkdown(t, got)
		}
	}
}
