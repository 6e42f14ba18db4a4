package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/batchrunner/runner/specs/say"
)

const (
	// summaryLimit is what GitHub takes as a step summary (1,024 KiB), less some space
	// for what others of the step wrote.
	summaryLimit = 1<<20 - 16<<10
	leastLimit   = 2 << 10 // below it there is no room for what a report is about
	noteRoom     = 512     // kept free for the note on what was left out
	answerText   = 400     // characters of an answer
	errorHead    = "error" // of the column of messages, which is text among figures
)

// WriteMarkdown writes the report for a pull request or a step summary: tables of GitHub's
// Markdown, at most limit bytes of it (0: what a step summary may have). What there is no
// room for is left out from the end: answers first, then failures. The last line says how
// many. Text of models and servers shows as text: it ends no table, and is no markup, link
// or mention.
func WriteMarkdown(w io.Writer, r *Report, limit int) error {
	if limit == 0 {
		limit = summaryLimit
	}
	if limit < leastLimit {
		return fmt.Errorf("a report in Markdown needs at least %s bytes, not %s", say.Count(leastLimit), say.Count(limit))
	}
	p := &markdownPage{limit: limit - noteRoom, report: r}
	p.header()
	p.list("missed", "missed thresholds", each(r.Missed, func(m Missed) string { return "**" + brieflyMarkdown(m.Message) + "**" }))
	p.steps()
	p.list("comparisons", "comparisons", p.comparisons())
	p.quality()
	p.list("loads of the models", "loads", coldLoads(r, codeSpan))
	p.list("warnings", "warnings", each(r.Warnings, brieflyMarkdown))
	p.list("hints", "hints", each(r.Hints, brieflyMarkdown))
	if own := ownError(r); own != "" {
		p.list("error of this report", "lines", []string{own})
	}
	p.list("changes since the baseline", "changes", changes(r, codeSpan))
	p.list("failures", "failures", each(r.Failures, func(f Failure) string { return f.sentence(brieflyCode) }))
	p.answers()
	p.note()
	_, err := io.WriteString(w, p.text.String())
	return err
}

func brieflyMarkdown(s string) string { return markdown(brief(s, textMessage)) }

func brieflyCode(s string) string { return codeSpan(brief(s, textMessage)) }

// A markdownPage is a report that is being written, as far as there is room.
type markdownPage struct {
	text   strings.Builder
	report *Report
	limit  int
	left   []string // "20 failures": what there was no room for
}

// blocks writes head and then one block after the other. Once there is no room it writes
// no further one, so that what is missing is missing at the end. A head is written with
// its first block or not at all.
func (p *markdownPage) blocks(things, head string, n int, block func(i int) string) {
	for i := range n {
		text := block(i)
		if i == 0 {
			text = head + text
		}
		if p.text.Len()+len(text) > p.limit {
			p.leave(int64(n-i), things)
			return
		}
		p.text.WriteString(text)
	}
}

func (p *markdownPage) leave(n int64, things string) {
	p.left = append(p.left, say.Count(n)+" "+things)
}

func (p *markdownPage) list(heading, things string, lines []string) {
	p.blocks(things, "\n### "+heading+"\n\n", len(lines), func(i int) string { return "- " + lines[i] + "\n" })
}

// table writes rows of cells that are Markdown already. The first left columns are text,
// the others figures.
func (p *markdownPage) table(things, heading string, head []string, left, n int, row func(i int) []string) {
	rule := make([]string, len(head))
	for i := range rule {
		if rule[i] = "---:"; i < left || head[i] == errorHead {
			rule[i] = "---"
		}
	}
	p.blocks(things, heading+tableRow(head)+tableRow(rule), n, func(i int) string { return tableRow(row(i)) })
}

func tableRow(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func (p *markdownPage) header() {
	lines := append([]string{"## " + summary(p.report, brieflyCode)}, circumstances(p.report, brieflyCode)...)
	p.blocks("lines about the run", "", len(lines), func(i int) string {
		if i == 0 {
			return lines[i] + "\n\n"
		}
		return lines[i] + "  \n"
	})
}

func (p *markdownPage) steps() {
	tables := stepTables(p.report)
	for _, t := range tables {
		p.step(t)
	}
	if len(tables) > 0 {
		p.blocks("legends", "", 1, func(int) string { return "\n" + markdown(legendOf(tables)) + "\n" })
	}
}

func (p *markdownPage) step(t stepTable) {
	head := []string{"model"}
	if t.levels {
		head = append(head, "level")
	}
	left := len(head)
	head = append(head, each(t.columns, func(c column) string { return c.head })...)
	errs := slices.ContainsFunc(t.groups, func(g *Group) bool { return g.Error != "" })
	if errs {
		head = append(head, errorHead)
	}
	p.table("groups", "\n### "+markdown(t.title())+"\n\n", head, left, len(t.groups), func(i int) []string {
		cells := t.markdown(t.groups[i])
		if errs {
			cells = append(cells, brieflyCode(t.groups[i].Error))
		}
		return cells
	})
}

func (t stepTable) markdown(g *Group) []string {
	cells := []string{codeSpan(g.Model)}
	if t.levels {
		cells = append(cells, g.Level.short())
	}
	for _, c := range t.columns {
		cells = append(cells, c.text(g))
	}
	return cells
}

func (p *markdownPage) quality() {
	for _, t := range qualityTables(p.report, codeSpan) {
		head := append([]string{markdown(t.of)}, each(t.heads, brieflyCode)...)
		p.table("lines of quality", "\n### "+markdown(t.title)+"\n\n", head, 1, len(t.lines), func(i int) []string {
			return append([]string{t.lines[i].name}, t.lines[i].cells...)
		})
	}
}

func (p *markdownPage) comparisons() []string {
	at := placesOf(p.report)
	return each(p.report.Comparisons, func(c Comparison) string {
		return at.of(c.Step, c.Level, codeSpan) + c.sentence(codeSpan)
	})
}

// answers shows what the models answered, side by side: a column for each step and model.
func (p *markdownPage) answers() {
	r := p.report
	heads, index := answerHeads(r)
	names := append([]string{"row", "asked"}, each(heads, codeSpan)...)
	p.table("rows", "\n### answers\n\n", names, len(names), len(r.Answers), func(i int) []string {
		row := &r.Answers[i]
		cells := make([]string, len(names))
		cells[0] = codeSpan(brief(row.ID, textMessage))
		for _, c := range row.Cells {
			at := 2 + index[answerHead(&c)]
			cells[at] = answerCell(&c)
			if cells[1] == "" {
				cells[1] = brieflyCode(c.Prompt)
			}
		}
		return cells
	})
	if r.Dropped > 0 {
		p.leave(r.Dropped, "rows that the report holds no answers of")
	}
}

// answerHeads are the columns of the answers, and the place of each by answerHead.
func answerHeads(r *Report) (heads []string, index map[string]int) {
	index = map[string]int{}
	for i := range r.Answers {
		for j := range r.Answers[i].Cells {
			head := answerHead(&r.Answers[i].Cells[j])
			if _, ok := index[head]; !ok {
				index[head] = len(heads)
				heads = append(heads, head)
			}
		}
	}
	return heads, index
}

func answerHead(c *Cell) string {
	if c.Step == "" || c.Step == "main" {
		return c.Model
	}
	return strings.TrimSuffix(c.Step+" "+c.Model, " ")
}

func answerCell(c *Cell) string {
	if c.Class != "" {
		return "**" + markdown(c.Class) + "** " + brieflyCode(c.Message)
	}
	return codeSpan(brief(c.Response, answerText))
}

// note says what there was no room for.
func (p *markdownPage) note() {
	if len(p.left) == 0 {
		return
	}
	const room = noteRoom - 64
	text := strings.Join(p.left, ", ")
	p.text.WriteString("\n_Left out: " + shorten(text, room) + ". The other forms of the report have more._\n")
}
