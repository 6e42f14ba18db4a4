package report

import "slices"

// A qualityTable is the quality of the answers: a line a model, or a value of a variable;
// a column a figure.
type qualityTable struct {
	title string
	of    string   // what the lines are
	heads []string // names of the figures
	lines []qualityLine
}

type qualityLine struct {
	name  string   // as its form writes it
	cells []string // empty: not known
}

// qualityTables are the table of the models and those of the variables, as far as there
// is something in them.
func qualityTables(r *Report, name namer) []qualityTable {
	models := qualityTable{title: "quality of the answers", of: "model"}
	at := placesOf(r)
	for _, step := range stepTables(r) {
		for _, g := range step.groups {
			if len(g.Quality) > 0 {
				models.add(at.named(g, name), g.Quality)
			}
		}
	}
	var tables []qualityTable
	if len(models.lines) > 0 && !slices.ContainsFunc(r.Groups, saysMore) {
		return axisTables(r, name) // all passed, as the table of latencies says
	}
	if len(models.lines) > 0 {
		tables = append(tables, models)
	}
	return append(tables, axisTables(r, name)...)
}

// saysMore says whether a group's quality is more than that all of its answers passed.
func saysMore(g Group) bool {
	return slices.ContainsFunc(g.Quality, func(q Quality) bool { return q.Name != PassRate || q.Mean < 1 })
}

func axisTables(r *Report, name namer) (tables []qualityTable) {
	for i, a := range r.ByAxis {
		if i == 0 || a.Axis != r.ByAxis[i-1].Axis {
			tables = append(tables, qualityTable{title: "quality by " + brief(a.Axis, nameText), of: brief(a.Axis, nameText)})
		}
		if len(a.Quality) > 0 {
			tables[len(tables)-1].add(name(a.Value), a.Quality)
		}
	}
	return tables
}

// add adds a line, and columns for figures that no line had before.
func (t *qualityTable) add(name string, quality []Quality) {
	for _, q := range quality {
		if !slices.Contains(t.heads, q.Name) {
			t.heads = append(t.heads, q.Name)
		}
	}
	line := qualityLine{name: name, cells: make([]string, len(t.heads))}
	for _, q := range quality {
		line.cells[slices.Index(t.heads, q.Name)] = figureText(q.Name, q.Mean)
	}
	t.lines = append(t.lines, line)
	for i := range t.lines {
		for len(t.lines[i].cells) < len(t.heads) {
			t.lines[i].cells = append(t.lines[i].cells, "")
		}
	}
}
