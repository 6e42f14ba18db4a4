package specs

import (
	"fmt"
	"slices"
)

// checkEntries holds that exclude speaks of axes and fields that there are. What
// include names beside axes are new variables.
func checkEntries(d *draft) {
	for _, entry := range d.job.Exclude {
		for _, name := range entry.Names {
			d.checkExcluded(entry, name)
		}
	}
}

// checkUnusedIncludes warns of variables that include sets and nothing reads, which
// are mostly misspelt axes.
func checkUnusedIncludes(d *draft) {
	if len(d.diags.Errors()) > 0 {
		return // a misspelt name may be what hides the use
	}
	for _, entry := range d.job.Include {
		d.checkIncluded(entry)
	}
}

func (d *draft) axis(name string) *Axis {
	for i := range d.job.Axes {
		if d.job.Axes[i].Name.Value == name {
			return &d.job.Axes[i]
		}
	}
	return nil
}

func (d *draft) axisNames() []string {
	var names []string
	for _, axis := range d.job.Axes {
		names = append(names, axis.Name.Value)
	}
	return names
}

func (d *draft) checkExcluded(entry Entry, name String) {
	axis := d.axis(name.Value)
	if axis == nil {
		help := didYouMean(name.Value, "the axes", d.axisNames(), quote)
		if len(d.job.Axes) == 0 {
			help = "the matrix has no axes, so there is nothing to exclude"
		}
		d.report(name.Pos, "", fmt.Sprintf("exclude names %q, which is no axis", name.Value), help)
		return
	}
	d.checkFields(entry, name, axis, "exclude")
}

// checkFields holds the fields that an entry gives of an axis against those it has.
func (d *draft) checkFields(entry Entry, name String, axis *Axis, what string) {
	fields, ok := entry.Values[name.Value].(map[string]any)
	if !ok || axis.Columns == nil {
		return
	}
	for _, field := range sortedKeys(fields) {
		if !slices.Contains(axis.Columns, field) {
			d.report(name.Pos, "", fmt.Sprintf("%s names the field %q of %q, which has none of that name", what, field, name.Value), didYouMean(field, "its fields", axis.Columns, quote))
		}
	}
}

func (d *draft) checkIncluded(entry Entry) {
	for _, name := range entry.Names {
		if axis := d.axis(name.Value); axis != nil {
			continue
		}
		if d.scope.reads(name.Value) || slices.ContainsFunc(d.job.Vars, func(v Var) bool { return v.Name.Value == name.Value }) {
			continue
		}
		help := "remove it"
		if meant := Nearest(name.Value, d.axisNames()); meant != "" {
			help = fmt.Sprintf("did you mean %q?", meant)
		}
		d.warn(name.Pos, "", fmt.Sprintf("include sets %q, which no template uses", name.Value), help)
	}
}
