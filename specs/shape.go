package specs

import (
	"fmt"
	"strings"

	"github.com/batchrunner/runner/schema"
	"gopkg.in/yaml.v3"
)

// A shaper walks the job's nodes and the shape of a job file together, and finds
// unknown and missing keys and values of the wrong kind.
type shaper struct {
	*draft
	step string // the id of the step we are in
}

// value checks a node. Its label is how messages call it: `"rate"`.
func (s *shaper) value(n *yaml.Node, shape *schema.Shape, label string) {
	if s.wrong[n] || shape == nil || len(s.diags) >= maxSaid {
		return
	}
	kind := kindOf(n)
	if len(shape.Kinds) > 0 && kind == "null" {
		s.refuse(n, label+" has no value", "give it one, or remove the key")
		return
	}
	if label == `"concurrency"` && n.Value == "auto" && len(shape.Kinds) == 1 {
		s.refuse(n, `"concurrency": auto is not there yet`, "write how many requests are in flight at once: concurrency: 5")
		return
	}
	if !shape.Allows(kind) {
		s.refuse(n, s.wrongKind(n, shape, label, kind), s.helpKind(n, shape, label, kind))
		return
	}
	switch kind {
	case "object":
		s.mapping(n, shape, label)
	case "array":
		s.list(n, shape, label)
	case "string":
		s.text(n, shape, label)
	case "integer", "number":
		s.number(n, shape, label)
	}
}

// refuse reports a mistake, so that nobody after us reports what follows from it.
func (s *shaper) refuse(n *yaml.Node, message, help string) {
	s.report(posOf(n), s.step, message, help)
	s.wrong[n] = true
}

// kindOf gives a node's kind by JSON Schema's names. Dates are text.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "object"
	case yaml.SequenceNode:
		return "array"
	}
	switch n.ShortTag() {
	case "!!int":
		return "integer"
	case "!!float":
		return "number"
	case "!!bool":
		return "boolean"
	case "!!null":
		return "null"
	}
	return "string"
}

func (s *shaper) mapping(n *yaml.Node, shape *schema.Shape, label string) {
	if len(shape.Keys) == 0 && shape.Others == nil {
		return // any mapping
	}
	switch keys := len(n.Content) / 2; {
	case keys < shape.MinKeys:
		s.refuse(n, label+" is empty", example(label, shape))
		return
	case shape.MaxKeys > 0 && keys > shape.MaxKeys:
		s.refuse(n, fmt.Sprintf("%s has %d keys, and the most is %d", label, keys, shape.MaxKeys), "large data belongs in a data file")
		return
	}
	meant := map[string]bool{}
	for key, value := range pairs(n) {
		if s.wrong[key] {
			continue
		}
		child := shape.Key(key.Value)
		if child == nil {
			meant[s.unknownKey(key, shape)] = true
			s.wrong[value] = true
			continue
		}
		s.value(value, child, quote(key.Value))
	}
	for _, name := range shape.Required {
		if !has(n, name) && !meant[name] {
			s.report(posOf(n), s.step, fmt.Sprintf("%s has no %q", label, name), example(quote(name), shape.Key(name)))
		}
	}
}

func (s *shaper) list(n *yaml.Node, shape *schema.Shape, label string) {
	if len(n.Content) < shape.MinItems {
		s.refuse(n, emptyList(label, shape), emptyHelp(shape))
		return
	}
	if shape.MaxItems > 0 && len(n.Content) > shape.MaxItems {
		s.refuse(n, fmt.Sprintf("%s has %d elements, and the most is %d", label, len(n.Content), shape.MaxItems), "")
		return
	}
	steps := shape == schema.JobShape().Key("steps")
	for _, item := range n.Content {
		if steps {
			s.step = stepID(item)
		}
		s.value(item, shape.Items, elementLabel(shape, label))
	}
	if steps {
		s.step = ""
	}
}

func emptyList(label string, shape *schema.Shape) string {
	if shape.Name == "axis" {
		return "the axis " + label + " has no values, and an axis without values makes no rows"
	}
	return label + " is an empty list"
}

func emptyHelp(shape *schema.Shape) string {
	if shape.Name == "axis" {
		return "give it values, or remove it"
	}
	return "fill it, or remove the key"
}

func elementLabel(shape *schema.Shape, label string) string {
	if shape.Items != nil && strings.HasPrefix(shape.Items.Title, "a") {
		return shape.Items.Title
	}
	return "an element of " + label
}

// stepID is the id that a step's node gives, empty where it gives none.
func stepID(n *yaml.Node) string {
	for key, value := range pairs(n) {
		if key.Value == "id" && value.Kind == yaml.ScalarNode {
			return shorten(value.Value)
		}
	}
	return ""
}
