package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

func text(t *testing.T, r *Report, opts TextOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteText(&b, r, opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	checkGolden(t, "text.want", text(t, fixture(), TextOptions{}))
	checkGolden(t, "text_narrow.want", text(t, fixture(), TextOptions{Width: 72}))
	checkGolden(t, "text_color.want", text(t, fixture(), TextOptions{Width: 120, Color: true}))
}

// A job that was no benchmark has less to tell, and is told without empty headings.
func TestTextOfPlainRun(t *testing.T) {
	r := &Report{Run: Run{ID: 3, Job: "translate", State: "interrupted", Server: "localhost:11434", Runner: "v1", Began: time.Unix(0, 0), Ended: time.Unix(9, 0)}, Rows: 8, OK: 8, Asked: 8}
	r.Groups = []Group{{Model: fast, Step: "main", Requests: 8, OK: 8, Latency: stat(3, 0.5), OutputTokens: 96}}
	checkGolden(t, "text_plain.want", text(t, r, TextOptions{}))
	if got := text(t, &Report{Run: Run{Job: "empty"}}, TextOptions{}); !strings.HasPrefix(got, "empty: 0 models, 0 rows, 0 ok\n") {
		t.Errorf("an empty report: %q", got)
	}
}

// Nothing of a model, a server or a job is obeyed by a terminal or by a CI service's log,
// and no line is wider than the terminal.
func TestTextIsHarmless(t *testing.T) {
	for _, width := range []int{40, 72, 100, 200} {
		checkHarmless(t, text(t, hostileReport(), TextOptions{Width: width}), width)
	}
}

// hostileReport has a hostile text in the place of every text that isn't our own.
func hostileReport() *Report {
	all := strings.Join(hostile, "\n") + strings.Repeat("\u65e5\u672c", 400)
	r := fixture()
	r.Run.Job, r.Run.Host, r.Run.Hardware, r.Run.Server, r.Run.Runner = all, all, all, all, all
	r.Run.State, r.Run.ServerVersion, r.Bench.Order = "::"+all, all, all
	r.Hints, r.Warnings = append(r.Hints, all), append(r.Warnings, all, "::error::x", "- item", "1. item", "# head")
	r.Missed = append(r.Missed, Missed{Name: all, Message: all})
	for i, text := range hostile {
		g := &r.Groups[i%len(r.Groups)]
		g.Sample, g.Quality = text, append(g.Quality, Quality{Name: text, N: 1, Mean: 1})
		r.Groups = append(r.Groups, Group{Model: text, Step: text, Requests: 1, Error: text, Failures: map[string]int{text: 1}})
		r.Failures = append(r.Failures, Failure{Class: "::" + text, Message: text, Count: 1, Rows: []int64{1}})
		r.Comparisons = append(r.Comparisons, Comparison{Step: text, Figure: text, A: text, B: text, Shown: true, Delta: 1})
		r.Changes = append(r.Changes, Change{Model: text, Step: text, Figure: text, Shown: true})
		r.ByAxis = append(r.ByAxis, AxisQuality{Axis: text, Value: text, Quality: []Quality{{Name: text, N: 1, Mean: 1}}})
		r.Answers = append(r.Answers, Row{Number: int64(i), ID: text, Cells: []Cell{{Step: text, Model: text, Count: 1, Prompt: text, Class: text, Message: text}}})
	}
	return r
}

func checkHarmless(t *testing.T, got string, width int) {
	t.Helper()
	for line := range strings.Lines(got) {
		line = strings.TrimSuffix(line, "\n")
		if width > 0 && ansi.StringWidth(line) > width {
			t.Errorf("wider than %d: %q", width, line)
		}
		if i := strings.IndexFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }); i >= 0 {
			t.Errorf("a control character: %q", line)
		}
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") || strings.Contains(line, "##vso[") {
			t.Errorf("a command: %q", line)
		}
	}
}

// Long reports stay readable on a terminal.
func TestTextIsBounded(t *testing.T) {
	r := fixture()
	for i := range 1000 {
		r.Failures = append(r.Failures, Failure{Class: "server", Message: fmt.Sprint(i, strings.Repeat(" word", 1000)), Count: 1})
		r.Comparisons = append(r.Comparisons, r.Comparisons[0])
	}
	got := text(t, r, TextOptions{})
	if n := strings.Count(got, "\n"); n > 400 {
		t.Errorf("%d lines", n)
	}
	for _, want := range []string{"963 more are in the other forms", "964 more are in the other forms"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
