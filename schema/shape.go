package schema

import (
	"encoding/json"
	"regexp"
	"sync"
)

// A Shape is what the job schema says of one place in a job file, made for
// walking: references are followed, and alternatives, which in that schema differ
// in kind, are laid over each other (a duration or a mapping has both Pattern and
// Keys). It is read only.
type Shape struct {
	Name        string // of the definition it comes from ("duration"), or empty
	Title       string // what to call it in a message ("a duration"), or empty
	Description string
	// Kinds are the kinds of value allowed, by JSON Schema's names: object, array,
	// string, integer, number, boolean. None: any value.
	Kinds []string
	// Wants says the alternatives in words: "a duration", "a mapping of file".
	Wants []string
	// Keys are the keys a mapping may have, in the schema's order.
	Keys []Key
	// Others is the shape of the values of all other keys; nil: there are none.
	Others   *Shape
	Required []string    // keys that a mapping must have
	Items    *Shape      // of a list's elements; nil: any
	Enum     []string    // the only values allowed, as JSON spells them; none: any
	Pattern  *Pattern    // of text; nil: any
	Min, Max json.Number // of numbers; empty: no limit
	MinLength, MaxLength,
	MinItems, MaxItems,
	MinKeys, MaxKeys int // 0: no limit
	Examples []string // as JSON spells them
}

// A Key is a key of a mapping, and the shape of its value.
type Key struct {
	Name  string
	Shape *Shape
}

// Key returns the shape of a key's value, nil where the mapping has no such key.
func (s *Shape) Key(name string) *Shape {
	for _, key := range s.Keys {
		if key.Name == name {
			return key.Shape
		}
	}
	return s.Others
}

// Allows says whether a value of this kind may stand here.
func (s *Shape) Allows(kind string) bool {
	for _, k := range s.Kinds {
		if k == kind || k == "number" && kind == "integer" {
			return true
		}
	}
	return len(s.Kinds) == 0
}

// Names returns the keys a mapping may have, in the schema's order.
func (s *Shape) Names() []string {
	names := make([]string, len(s.Keys))
	for i, key := range s.Keys {
		names[i] = key.Name
	}
	return names
}

// A Pattern is a regular expression that text must match, compiled when first used.
type Pattern struct {
	Text string

	once     sync.Once
	compiled *regexp.Regexp
}

// MatchString says whether a text matches.
func (p *Pattern) MatchString(text string) bool {
	p.once.Do(func() { p.compiled = regexp.MustCompile(p.Text) })
	return p.compiled.MatchString(text)
}

// JobShape returns the shape of a whole job file. It is in the binary as it is
// (job_shape.go): made from the schema's text it was a tenth of the time that
// loading a small job took.
func JobShape() *Shape { return &jobShape }
