package specs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// checkSteps finds out which steps wait for which, and that none waits for itself.
func checkSteps(d *draft) {
	for i := range d.job.Steps {
		d.readNeeds(i)
	}
	d.checkCycles()
}

func (d *draft) stepIndex(id string) int {
	return slices.IndexFunc(d.job.Steps, func(s Step) bool { return s.ID.Value == id })
}

func (d *draft) stepIDs() []string {
	var ids []string
	for _, s := range d.job.Steps {
		if s.ID.Value != "" && !slices.Contains(ids, s.ID.Value) {
			ids = append(ids, s.ID.Value)
		}
	}
	return ids
}

// stepsUnsure says that a step's id could not be read: any name may be its.
func (d *draft) stepsUnsure() bool {
	if d.single {
		return false
	}
	list := d.file.Steps
	return list == nil || slices.ContainsFunc(list.Content, func(n *yaml.Node) bool { return d.wrong[n] }) ||
		slices.ContainsFunc(d.steps, func(f stepFile) bool { return f.ID == nil })
}

// readNeeds gathers the steps whose answers a step reads and those it names.
func (d *draft) readNeeds(i int) {
	s := &d.job.Steps[i]
	needs := map[int]bool{}
	for _, t := range s.templates() {
		for _, ref := range t.Refs() {
			switch {
			case len(ref.Path) > 1 && ref.Path[0] == "steps":
				if j := d.stepIndex(ref.Path[1]); j >= 0 {
					needs[j] = true
				}
			case len(ref.Path) == 0, ref.Path[0] == "steps":
				for j := range i { // which of them can't be told
					needs[j] = true
				}
			}
		}
	}
	if n := d.steps[i].Needs; n != nil && n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if j := d.namedNeed(item, s); j >= 0 {
				needs[j] = true
			}
		}
	}
	s.Needs = slices.Sorted(maps.Keys(needs))
}

// namedNeed reads one element of needs, -1 where it is reported as wrong.
func (d *draft) namedNeed(n *yaml.Node, s *Step) int {
	if d.wrong[n] {
		return -1
	}
	j := d.stepIndex(n.Value)
	if j < 0 && !d.stepsUnsure() {
		d.report(posOf(n), s.ID.Value, fmt.Sprintf("it needs %q, which is no step", n.Value), didYouMean(n.Value, "the steps", d.stepIDs(), quote))
	}
	return j
}

// templates are a step's templates that see earlier steps.
func (s *Step) templates() []*Template {
	var all []*Template
	for _, m := range s.Messages {
		if m.Content != nil {
			all = append(all, m.Content)
		}
	}
	for _, o := range s.Options {
		if o.Template != nil {
			all = append(all, o.Template)
		}
	}
	return all
}

// checkCycles reports each group of steps that wait for each other, once.
func (d *draft) checkCycles() {
	done := map[int]bool{} // known to end
	for i := range d.job.Steps {
		cycle := d.cycle(i, nil, done)
		if cycle == nil {
			continue
		}
		d.reportCycle(cycle)
		for _, j := range cycle {
			done[j] = true
		}
	}
}

// cycle follows what a step needs until it comes back to where it was.
func (d *draft) cycle(i int, path []int, done map[int]bool) []int {
	if at := slices.Index(path, i); at >= 0 {
		return path[at:]
	}
	if done[i] {
		return nil
	}
	for _, j := range d.job.Steps[i].Needs {
		if found := d.cycle(j, append(slices.Clip(path), i), done); found != nil {
			return found
		}
	}
	done[i] = true
	return nil
}

func (d *draft) reportCycle(cycle []int) {
	first := slices.Min(cycle)
	for cycle[0] != first { // told from the step that comes first in the file
		cycle = append(cycle[1:], cycle[0])
	}
	s := &d.job.Steps[first]
	at := d.needPos(s, cycle[(1)%len(cycle)])
	if len(cycle) == 1 {
		d.report(at, "", fmt.Sprintf("step %q waits for its own answer", s.ID.Value), "a step reads the answers of other steps")
		return
	}
	var ids []string
	for _, j := range append(slices.Clip(cycle), first) {
		ids = append(ids, quote(d.job.Steps[j].ID.Value))
	}
	d.report(at, "", "steps wait for each other: "+strings.Join(ids, " -> "), "take one of these references out")
}

// needPos is where a step shows that it needs another.
func (d *draft) needPos(s *Step, need int) Pos {
	id := d.job.Steps[need].ID.Value
	for _, t := range s.templates() {
		for _, ref := range t.Refs() {
			if len(ref.Path) > 1 && ref.Path[0] == "steps" && ref.Path[1] == id && t.File == d.src.file {
				return t.At(ref.Line, ref.Col)
			}
		}
	}
	if n := d.steps[d.stepIndex(s.ID.Value)].Needs; n != nil {
		for _, item := range n.Content {
			if item.Value == id {
				return posOf(item)
			}
		}
	}
	return s.ID.Pos
}
