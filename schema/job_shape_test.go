package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"os"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite job_shape.go from job.schema.json")

// TestJobShapeIsTheSchemas makes the shape of the job schema and compares it, as Go,
// with the one in the binary.
func TestJobShapeIsTheSchemas(t *testing.T) {
	root, err := readNode(json.NewDecoder(bytes.NewReader(job)))
	if err != nil {
		t.Fatal(err)
	}
	made := shapes{definitions: root.Definitions, made: map[string]*Shape{}}.of(root)
	want, err := shapesInGo(made)
	if err != nil {
		t.Fatal(err)
	}
	const file = "job_shape.go"
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what job.schema.json says; rewrite it with: go test ./schema -run TestJobShape -update", file)
	}
}

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
		MinItems: n.MinItems, MaxItems: n.MaxItems, MinKeys: n.MinKeys, MaxKeys: n.MaxKeys,
	}
	if n.Pattern != "" {
		s.Pattern = &Pattern{Text: n.Pattern}
	}
	for _, value := range n.Enum {
		s.Enum = append(s.Enum, string(value))
	}
	for _, value := range n.Examples {
		s.Examples = append(s.Examples, string(value))
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
	if o.Min != "" {
		s.Min = o.Min
	}
	if o.Max != "" {
		s.Max = o.Max
	}
	if o.Examples != nil {
		s.Examples = o.Examples
	}
}

// shapesInGo writes a shape and those below it as Go declarations without a call, so
// that the compiler lays them out and nothing is left to do at the start.
func shapesInGo(top *Shape) ([]byte, error) {
	p := printer{names: map[*Shape]string{top: "jobShape"}}
	p.WriteString("// Code generated from job.schema.json by \"go test ./schema -run TestJobShape -update\"; DO NOT EDIT.\n\npackage schema\n")
	p.declare(top)
	return format.Source(p.Bytes())
}

type printer struct {
	bytes.Buffer
	names map[*Shape]string
}

// name returns the variable of a shape; one without is declared first.
func (p *printer) name(s *Shape) string {
	name, ok := p.names[s]
	if !ok {
		name = fmt.Sprintf("shape%d", len(p.names))
		p.names[s] = name
		p.declare(s)
	}
	return "&" + name
}

func (p *printer) declare(s *Shape) {
	var b strings.Builder
	field := func(name string, set bool, value any) {
		if set {
			fmt.Fprintf(&b, "\t%s: %v,\n", name, value)
		}
	}
	text := func(name, value string) { field(name, value != "", literal(value)) }
	texts := func(name string, values []string) {
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = literal(v)
		}
		field(name, values != nil, "[]string{"+strings.Join(list, ", ")+"}")
	}
	count := func(name string, n int) { field(name, n != 0, n) }
	text("Name", s.Name)
	text("Title", s.Title)
	text("Description", s.Description)
	texts("Kinds", s.Kinds)
	texts("Wants", s.Wants)
	var keys strings.Builder
	for _, k := range s.Keys {
		fmt.Fprintf(&keys, "\t\t{%q, %s},\n", k.Name, p.name(k.Shape))
	}
	field("Keys", s.Keys != nil, "[]Key{\n"+keys.String()+"\t}")
	if s.Others != nil {
		field("Others", true, p.name(s.Others))
	}
	texts("Required", s.Required)
	if s.Items != nil {
		field("Items", true, p.name(s.Items))
	}
	texts("Enum", s.Enum)
	if s.Pattern != nil {
		field("Pattern", true, fmt.Sprintf("&Pattern{Text: %s}", literal(s.Pattern.Text)))
	}
	text("Min", s.Min.String())
	text("Max", s.Max.String())
	count("MinLength", s.MinLength)
	count("MaxLength", s.MaxLength)
	count("MinItems", s.MinItems)
	count("MaxItems", s.MaxItems)
	count("MinKeys", s.MinKeys)
	count("MaxKeys", s.MaxKeys)
	texts("Examples", s.Examples)
	fmt.Fprintf(p, "\nvar %s = Shape{\n%s}\n", strings.TrimPrefix(p.names[s], "&"), b.String())
}

// literal is a text in Go, without backslashes where that can be had.
func literal(text string) string {
	if strings.ContainsAny(text, "\"\\") && strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}
