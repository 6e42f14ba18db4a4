package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/batchrunner/runner/specs/say"
)

// A grid is a table of text for a terminal, its head first. text/tabwriter counts
// characters, and names of models may hold some that take two columns.
type grid struct {
	left  int // how many of its columns are text, to the left; the others are figures
	lines []gridLine
}

// A gridLine is a line of cells. Span is said in the place of all figures.
type gridLine struct {
	cells []string
	span  string
}

const gap = "  "

// least are the columns that a narrow terminal does without, the first one first.
var least = []string{"queue", "req/s", "good/s", "mean", "host", "p95 due", "p95", "tok/s"}

// gridOf makes the grid of a step's table.
func gridOf(t stepTable) *grid {
	g := &grid{left: 1, lines: []gridLine{{cells: []string{"model"}}}}
	if t.levels {
		g.left = 2
		g.lines[0].cells = append(g.lines[0].cells, "level")
	}
	for _, c := range t.columns {
		g.lines[0].cells = append(g.lines[0].cells, c.head)
	}
	for _, group := range t.groups {
		g.lines = append(g.lines, t.line(group))
	}
	return g
}

func (t stepTable) line(group *Group) gridLine {
	cells := []string{cmp.Or(oneLine(group.Model), noModel)}
	if t.levels {
		cells = append(cells, group.Level.short())
	}
	for _, c := range t.columns {
		cells = append(cells, c.text(group))
	}
	line := gridLine{cells: cells}
	if group.Error != "" {
		line.span = "all " + say.Count(group.tasks()) + " failed: " + brief(group.Error, textMessage)
	}
	return line
}

// noModel stands for the model of tasks that failed before anyone knew which to ask.
const noModel = "no model"

// tasks are how many a group has, those that failed before they were asked among them.
func (g *Group) tasks() int {
	for _, q := range g.Quality {
		if q.Name == PassRate {
			return q.N
		}
	}
	return g.Requests
}

// fit makes the grid at most width wide, by shorter names and then with fewer columns,
// whose heads it gives.
func (g *grid) fit(width int) (dropped []string) {
	for _, head := range least {
		if g.fixed()+modelWidth <= width {
			break
		}
		if i := slices.Index(g.lines[0].cells, head); i >= g.left {
			g.drop(i)
			dropped = append(dropped, head)
		}
	}
	names := max(width-g.fixed(), modelWidth)
	for i := range g.lines {
		g.lines[i].cells[0] = middle(g.lines[i].cells[0], names)
	}
	return dropped
}

// middle makes a name at most width wide. It keeps both ends, since models of one family
// differ in the last letters.
func middle(name string, width int) string {
	all := ansi.StringWidth(name)
	if all <= width {
		return name
	}
	first := (width - len("...")) / 3
	last := width - len("...") - first
	return ansi.Truncate(name, first, "") + "..." + ansi.TruncateLeft(name, all-last, "")
}

// fixed is the width of all but the names.
func (g *grid) fixed() (width int) {
	for _, w := range g.widths()[1:] {
		width += len(gap) + w
	}
	return width
}

func (g *grid) drop(column int) {
	for i := range g.lines {
		g.lines[i].cells = slices.Delete(g.lines[i].cells, column, column+1)
	}
}

func (g *grid) widths() []int {
	widths := make([]int, len(g.lines[0].cells))
	for _, line := range g.lines {
		for i, cell := range line.cells {
			if i < g.left || line.span == "" {
				widths[i] = max(widths[i], ansi.StringWidth(cell))
			}
		}
	}
	return widths
}

// render gives the lines without their ends.
func (g *grid) render() []string {
	widths := g.widths()
	return each(g.lines, func(line gridLine) string {
		var b strings.Builder
		for i, cell := range line.cells {
			if i == g.left && line.span != "" {
				b.WriteString(line.span)
				break
			}
			space := strings.Repeat(" ", widths[i]-ansi.StringWidth(cell))
			if i < g.left {
				b.WriteString(cell + space + gap)
			} else {
				b.WriteString(space + cell + gap)
			}
		}
		return strings.TrimRight(b.String(), " ")
	})
}
