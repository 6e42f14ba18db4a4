package specs

import (
	"encoding/json"
	"slices"
)

// A scope is what the rows of a job have: their variables, and what is known of
// those. It is made once, since a job may have thousands of names and of references.
type scope struct {
	names  []string          // of axes, constants, and what include adds, in this order
	values map[string]*known // by name
	read   map[string]bool   // the names that a template reads
	all    bool              // a template reads everything
}

func (s *scope) has(name string) bool { return s.values[name] != nil }

// reads says whether any template reads a variable, or might.
func (s *scope) reads(name string) bool { return s.all || s.read[name] }

func (s *scope) known(name string) *known {
	k := s.values[name]
	if k == nil {
		k = &known{seen: map[string]bool{}}
		s.values[name] = k
		s.names = append(s.names, name)
	}
	return k
}

// readScope gathers what axes, constants and include say of variables, and what
// templates read.
func (d *draft) readScope() *scope {
	s := &scope{values: map[string]*known{}, read: map[string]bool{}}
	for i := range d.job.Axes {
		s.known(d.job.Axes[i].Name.Value).axis(&d.job.Axes[i])
	}
	for _, v := range d.job.Vars {
		s.known(v.Name.Value).value(v.Value)
	}
	for _, entry := range d.job.Include {
		for _, name := range entry.Names {
			s.known(name.Value).value(entry.Values[name.Value])
		}
	}
	if d.job.Bench != nil {
		s.known(RepetitionVar).value(json.Number("1"))
		if d.job.Bench.Sweep {
			s.known(LoadVar).value("1")
		}
	}
	for _, u := range d.uses {
		for _, ref := range u.Refs() {
			if len(ref.Path) == 0 {
				s.all = true
				continue
			}
			s.read[ref.Path[0]] = true
		}
	}
	return s
}

// known is what is known of a variable's values.
type known struct {
	unsure bool     // they may be anything
	fields []string // of those that are objects
	seen   map[string]bool
	tests  []func(path []string) bool // whether a value may have the fields
}

func (k *known) has(path []string) bool {
	return slices.ContainsFunc(k.tests, func(test func([]string) bool) bool { return test(path) })
}

func (k *known) value(v any) {
	if object, ok := v.(map[string]any); ok {
		for _, name := range sortedKeys(object) {
			k.field(name)
		}
	}
	k.tests = append(k.tests, func(path []string) bool { return valueHas(v, path) })
}

func (k *known) field(name string) {
	if !k.seen[name] {
		k.seen[name] = true
		k.fields = append(k.fields, name)
	}
}

func valueHas(v any, path []string) bool {
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return false
		}
		if v, ok = object[name]; !ok {
			return false
		}
	}
	return true
}

func (k *known) axis(axis *Axis) {
	switch {
	case axis.List != nil:
		for _, v := range axis.List {
			k.value(v)
		}
	case axis.Count > 0:
	case axis.Columns != nil:
		k.columns(axis)
	case axis.File != nil && axis.File.Format == "txt":
	default:
		k.unsure = true
	}
}

// columns are the fields of files' rows; those of csv and tsv, and of files
// themselves, are text.
func (k *known) columns(axis *Axis) {
	flat := axis.File == nil || axis.File.Format == "csv" || axis.File.Format == "tsv"
	for _, name := range axis.Columns {
		k.field(name)
	}
	k.tests = append(k.tests, func(path []string) bool {
		return slices.Contains(axis.Columns, path[0]) && (len(path) == 1 || !flat)
	})
}
