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
		k = &known{}
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
	unsure bool // they may be anything
	looks  []look
}

// A look says what a value, or all values of one kind, may have where a path of fields
// leads; nil: nothing.
type look func(path []string) *place

// A place is what may stand where a path of fields leads.
type place struct {
	fields []string // of objects
	list   bool     // a list
	any    bool     // nobody knows
}

func (k *known) has(path []string) bool {
	return slices.ContainsFunc(k.looks, func(at look) bool { return at(path) != nil })
}

// at puts together what stands where a path leads.
func (k *known) at(path []string) place {
	all, seen := place{}, map[string]bool{}
	for _, look := range k.looks {
		p := look(path)
		if p == nil {
			continue
		}
		all.list, all.any = all.list || p.list, all.any || p.any
		for _, name := range p.fields {
			if !seen[name] {
				seen[name] = true
				all.fields = append(all.fields, name)
			}
		}
	}
	return all
}

func (k *known) value(v any) {
	k.looks = append(k.looks, func(path []string) *place { return placeIn(v, path) })
}

func placeIn(v any, path []string) *place {
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		if v, ok = object[name]; !ok {
			return nil
		}
	}
	switch v := v.(type) {
	case map[string]any:
		return &place{fields: sortedKeys(v)}
	case []any:
		return &place{list: true}
	}
	return &place{}
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
	k.looks = append(k.looks, func(path []string) *place {
		switch {
		case len(path) == 0:
			return &place{fields: axis.Columns}
		case !slices.Contains(axis.Columns, path[0]) || flat && len(path) > 1:
			return nil
		}
		return &place{any: !flat}
	})
}
