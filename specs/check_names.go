package specs

import (
	"fmt"
	"slices"
)

var identifiers = pattern(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reserved are names that templates see beside the variables, and those that the
// matrix uses itself.
var reserved = []string{
	"row", "steps", "item", "rows", "missing", "repetition", "env", "include", "exclude",
	"response", "json", "thinking", "success", "error",
}

// checkNames holds the names of axes, constants and what include adds: templates
// must be able to write them, and each must mean one thing.
func checkNames(d *draft) {
	axes := map[string]Pos{}
	for _, axis := range d.job.Axes {
		axes[axis.Name.Value] = axis.Name.Pos
		d.checkName(axis.Name, "an axis")
	}
	for _, v := range d.job.Vars {
		d.checkName(v.Name, "a constant")
		if at, ok := axes[v.Name.Value]; ok {
			d.report(at, "", fmt.Sprintf("the axis %q has the name of a constant (at %s)", v.Name.Value, d.place(v.Name.Pos)), "rename one of the two")
		}
	}
	for _, entry := range d.job.Include {
		for _, name := range entry.Names {
			d.checkName(name, "a variable")
		}
	}
	d.checkStepIDs()
}

func (d *draft) checkName(name String, kind string) {
	shown := shorten(name.Value)
	switch {
	case name.Value == LoadVar && d.job.Bench != nil && d.job.Bench.Sweep:
		d.report(name.Pos, "", fmt.Sprintf("%q can't be the name of %s, since the levels of bench are read as .%s", LoadVar, kind, LoadVar), "choose another name")
	case slices.Contains(reserved, name.Value):
		d.report(name.Pos, "", fmt.Sprintf("%q can't be the name of %s, since %s", name.Value, kind, taken(name.Value)), "choose another name")
	case !identifiers().MatchString(name.Value):
		d.report(name.Pos, "", fmt.Sprintf("%q can't be the name of %s, since templates can't write it", shown, kind), "write letters, digits and _, not beginning with a digit: "+identifier(shown))
	}
}

func taken(name string) string {
	if name == "include" || name == "exclude" {
		return "the matrix has a key of that name"
	}
	return "templates see something else as ." + name
}

// checkStepIDs holds that no two steps share an id.
func (d *draft) checkStepIDs() {
	first := map[string]Pos{}
	for _, step := range d.job.Steps {
		id := step.ID
		if at, ok := first[id.Value]; ok && id.Value != "" {
			d.report(id.Pos, "", fmt.Sprintf("step %q is already defined at %s", id.Value, d.place(at)), "step ids must be unique")
			continue
		}
		first[id.Value] = id.Pos
	}
}
