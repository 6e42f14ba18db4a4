package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
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
	Required []string // keys that a mapping must have
	Items    *Shape   // of a list's elements; nil: any
	Enum     []string // the only values allowed, as JSON spells them; none: any
	Pattern  *regexp.Regexp
	Min, Max *json.Number // of numbers
	MinLength, MaxLength,
	MinItems, MaxItems,
	MinKeys, MaxKeys int // 0: no limit
	Examples []json.RawMessage
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

// JobShape returns the shape of a whole job file.
func JobShape() *Shape { return jobShape() }

var jobShape = sync.OnceValue(func() *Shape {
	root, err := readNode(json.NewDecoder(bytes.NewReader(job)))
	if err != nil {
		panic(fmt.Sprintf("the embedded job schema: %v", err)) // ours, and tested
	}
	return shapes{definitions: root.Definitions, made: map[string]*Shape{}}.of(root)
})

// shapes makes the shapes of a schema, each definition's once.
type shapes struct {
	definitions map[string]*node
	made        map[string]*Shape
}

func (b shapes) of(n *node) *Shape {
	s := &Shape{}
	if n.Ref != "" {
		s.lay(b.definition(strings.TrimPrefix(n.Ref, "#/definitions/")))
	}
	for _, one := range n.AnyOf {
		s.lay(b.of(one))
	}
	s.lay(b.own(n))
	return s
}

// definition returns the shape of a named definition. The job schema's
// definitions don't refer back to themselves.
func (b shapes) definition(name string) *Shape {
	if s, ok := b.made[name]; ok {
		return s
	}
	s := b.of(b.definitions[name])
	s.Name = name
	b.made[name] = s
	return s
}

// own is what a node says itself, its references and alternatives aside.
func (b shapes) own(n *node) *Shape {
	s := &Shape{
		Title: n.Title, Description: n.Description, Kinds: n.Type, Required: n.Required,
		Min: n.Minimum, Max: n.Maximum, MinLength: n.MinLength, MaxLength: n.MaxLength,
		MinItems: n.MinItems, MaxItems: n.MaxItems, MinKeys: n.MinKeys, MaxKeys: n.MaxKeys, Examples: n.Examples,
	}
	if n.Pattern != "" {
		s.Pattern = regexp.MustCompile(n.Pattern)
	}
	for _, value := range n.Enum {
		s.Enum = append(s.Enum, string(value))
	}
	for _, p := range n.Properties {
		s.Keys = append(s.Keys, Key{p.name, b.of(p.node)})
	}
	if n.Additional != nil {
		s.Others = b.of(n.Additional)
	}
	if n.Items != nil {
		s.Items = b.of(n.Items)
	}
	s.Wants = wants(n)
	return s
}

// wants says what a node asks for in words.
func wants(n *node) []string {
	if n.Enum != nil {
		var values []string
		for _, value := range n.Enum {
			values = append(values, string(value))
		}
		return values
	}
	if n.Type == nil {
		return nil
	}
	if len(n.Type) == 1 && n.Type[0] == "object" {
		return []string{wantsMapping(n)}
	}
	if n.Pattern != "" && n.Title != "" {
		return []string{n.Title}
	}
	var words []string
	for _, kind := range n.Type {
		if kind == "boolean" {
			words = append(words, "true", "false")
			continue
		}
		words = append(words, KindName(kind))
	}
	return words
}

func wantsMapping(n *node) string {
	const most = 5 // keys that can be read at a glance
	switch {
	case n.Title != "" && len(n.Properties) == 0 && n.Additional == nil:
		return n.Title
	case len(n.Properties) == 0 || len(n.Properties) > most || n.Additional != nil:
		return "a mapping"
	case len(n.Properties) == 1:
		return "{" + n.Properties[0].name + ": ...}"
	}
	var names []string
	for _, p := range n.Properties {
		names = append(names, p.name)
	}
	if len(n.Required) == len(names) {
		return "a mapping with " + strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
	}
	return "a mapping with " + choice(names)
}

// lay puts what another shape says over this one.
func (s *Shape) lay(o *Shape) {
	s.Kinds = append(s.Kinds, o.Kinds...)
	s.Wants = append(s.Wants, o.Wants...)
	s.Keys = append(s.Keys, o.Keys...)
	s.Required = append(s.Required, o.Required...)
	s.Enum = append(s.Enum, o.Enum...)
	for _, field := range []struct{ to, from *string }{{&s.Name, &o.Name}, {&s.Title, &o.Title}, {&s.Description, &o.Description}} {
		if *field.from != "" {
			*field.to = *field.from
		}
	}
	for _, field := range []struct{ to, from *int }{{&s.MinLength, &o.MinLength}, {&s.MaxLength, &o.MaxLength}, {&s.MinItems, &o.MinItems}, {&s.MaxItems, &o.MaxItems}, {&s.MinKeys, &o.MinKeys}, {&s.MaxKeys, &o.MaxKeys}} {
		if *field.from != 0 {
			*field.to = *field.from
		}
	}
	if o.Others != nil {
		s.Others = o.Others
	}
	if o.Items != nil {
		s.Items = o.Items
	}
	if o.Pattern != nil {
		s.Pattern = o.Pattern
	}
	if o.Min != nil {
		s.Min = o.Min
	}
	if o.Max != nil {
		s.Max = o.Max
	}
	if o.Examples != nil {
		s.Examples = o.Examples
	}
}
