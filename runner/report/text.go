package report

import (
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/batchrunner/runner/specs/say"
)

// TextOptions are what a terminal can show.
type TextOptions struct {
	Width int  // columns; 0: 100
	Color bool // whether it shows colors
}

const (
	textWidth   = 100 // of a terminal that does not tell
	narrowest   = 40  // narrower ones wrap
	textLines   = 40  // of comparisons or failures; other forms have all
	textMessage = 300 // characters of a message
	nameText    = 100 // characters of a name that stands among other words
	modelWidth  = 16  // columns; what is always shown of a model's name
)

// WriteText writes the report for a person at a terminal: a table a step with the models
// as lines, the fastest first, and in sentences what the figures show, what failed and
// what the report itself may be wrong by. No text of a model or a server reaches the
// terminal as anything but text.
func WriteText(w io.Writer, r *Report, opts TextOptions) error {
	p := &textPage{width: max(opts.Width, narrowest), color: opts.Color, report: r}
	if opts.Width <= 0 {
		p.width = textWidth
	}
	p.header()
	p.tables()
	p.section("loads of the models", coldLoads(r, oneLine))
	p.quality()
	p.section("comparisons", p.comparisons())
	p.section("changes since the baseline", firstOf(changes(p.report, oneLine)))
	p.section("failures", p.failures())
	p.section("hints", each(r.Hints, oneLine))
	p.painted(yellow).section("warnings", each(r.Warnings, oneLine))
	p.painted(red).section("missed", each(r.Missed, func(m Missed) string { return oneLine(m.Message) }))
	p.section("an answer of each model", p.samples())
	if own := ownError(r); own != "" {
		p.section("error of this report", []string{own})
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

// A textPage is a report that is being written.
type textPage struct {
	text   strings.Builder
	report *Report
	width  int
	color  bool
	paint  string // of the next section's lines
}

const (
	bold   = "1"
	red    = "31"
	yellow = "33"
)

func (p *textPage) painted(code string) *textPage {
	p.paint = code
	return p
}

func (p *textPage) put(code, line string) {
	if p.color && code != "" {
		line = "\x1b[" + code + "m" + line + "\x1b[0m"
	}
	p.text.WriteString(line + "\n")
}

// section writes lines under a heading, and nothing without lines.
func (p *textPage) section(heading string, lines []string) {
	if len(lines) > 0 {
		p.heading(heading)
	}
	for _, line := range lines {
		p.wrapped(p.paint, "  ", line)
	}
	p.paint = ""
}

func (p *textPage) heading(text string) {
	p.put("", "")
	p.wrapped(bold, "", text)
}

// wrapped writes a line, in parts where it is wider than the terminal.
func (p *textPage) wrapped(code, indent, line string) {
	for i, part := range wrap(line, p.width-len(indent)-2) {
		if i > 0 {
			part = "  " + part
		}
		p.put(code, indent+part)
	}
}

// wrap breaks a line at spaces, else where it has to. A part that begins as a CI
// service's command begins otherwise.
func wrap(line string, width int) []string {
	const spare = 2 // one for the guard below, one since Wrap may put a hyphen past its width
	parts := strings.Split(ansi.Wrap(line, width-spare, ""), "\n")
	return each(parts, func(part string) string {
		if strings.HasPrefix(part, "::") {
			part = ": " + part[1:]
		}
		return part
	})
}

func (p *textPage) header() {
	name := func(s string) string { return brief(s, nameText) }
	p.wrapped(bold, "", summary(p.report, name))
	for _, line := range circumstances(p.report, name) {
		p.wrapped("", "", line)
	}
}

func (p *textPage) tables() {
	tables := stepTables(p.report)
	var left []string
	for _, t := range tables {
		p.heading(t.title())
		g := gridOf(t)
		left = append(left, g.fit(p.width-2)...)
		p.grid(g)
	}
	if len(tables) == 0 {
		return
	}
	text := legendOf(tables)
	if slices.Sort(left); len(left) > 0 {
		text += "; not shown at this width: " + strings.Join(slices.Compact(left), ", ")
	}
	p.wrapped("", "  ", "("+text+")")
}

func (p *textPage) grid(g *grid) {
	for i, line := range g.render() {
		code := ""
		if i > 0 && g.lines[i].span != "" {
			code = red
		}
		p.put(code, "  "+ansi.Truncate(line, p.width-2, "..."))
	}
}

func (p *textPage) quality() {
	for _, t := range qualityTables(p.report, oneLine) {
		g := &grid{left: 1, lines: []gridLine{{cells: append([]string{t.of}, each(t.heads, oneLine)...)}}}
		for _, line := range t.lines {
			g.lines = append(g.lines, gridLine{cells: append([]string{line.name}, line.cells...)})
		}
		p.heading(t.title)
		g.fit(p.width - 2)
		p.grid(g)
	}
}

func (p *textPage) comparisons() []string {
	at := placesOf(p.report)
	return firstOf(each(p.report.Comparisons, func(c Comparison) string {
		return at.of(c.Step, c.Level, oneLine) + c.sentence(oneLine)
	}))
}

func (p *textPage) failures() []string {
	message := func(s string) string { return brief(s, textMessage) }
	return firstOf(each(p.report.Failures, func(f Failure) string { return f.sentence(message) }))
}

// samples are an answer of each model, one line each.
func (p *textPage) samples() (lines []string) {
	groups := p.report.Groups
	for _, model := range distinct(groups, func(g *Group) string { return g.Model }) {
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Model == model && g.Sample != "" })
		if i >= 0 {
			name := oneLine(model) + ": "
			lines = append(lines, name+brief(groups[i].Sample, max(p.width-len(name)-8, 20)))
		}
	}
	return lines
}

// firstOf keeps as many lines as a terminal should show, and says how many it left out.
func firstOf(lines []string) []string {
	if len(lines) <= textLines {
		return lines
	}
	more := say.Count(len(lines)-textLines) + " more are in the other forms of the report"
	return append(lines[:textLines:textLines], more)
}

// each makes one thing of each element of a list.
func each[T, U any](list []T, of func(T) U) []U {
	out := make([]U, len(list))
	for i, v := range list {
		out[i] = of(v)
	}
	return out
}
