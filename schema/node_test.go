package schema

import (
	"bytes"
	"encoding/json"
)

// node is the part of JSON Schema that the job schema uses.
type node struct {
	Ref         string
	Title       string
	Description string
	Type        []string
	Properties  []property // in the order of the document
	Additional  *node      // nil: no other keys
	Required    []string
	Items       *node
	AnyOf       []*node
	Enum        []json.RawMessage
	Pattern     string
	Minimum     json.Number
	Maximum     json.Number
	MinLength   int
	MaxLength   int
	MinItems    int
	MaxItems    int
	MinKeys     int
	MaxKeys     int
	Examples    []json.RawMessage
	Definitions map[string]*node
}

type property struct {
	name string
	node *node
}

// readNode reads one schema.
func readNode(dec *json.Decoder) (*node, error) {
	n := &node{}
	err := members(dec, func(key string) error {
		if target := n.plain(key); target != nil {
			return dec.Decode(target)
		}
		return n.read(dec, key)
	})
	return n, err
}

// plain is where a member goes that decodes as it is, nil for others.
func (n *node) plain(key string) any {
	switch key {
	case "$ref":
		return &n.Ref
	case "title":
		return &n.Title
	case "description":
		return &n.Description
	case "required":
		return &n.Required
	case "enum":
		return &n.Enum
	case "pattern":
		return &n.Pattern
	case "examples":
		return &n.Examples
	case "minimum":
		return &n.Minimum
	case "maximum":
		return &n.Maximum
	case "minLength":
		return &n.MinLength
	case "maxLength":
		return &n.MaxLength
	case "minItems":
		return &n.MinItems
	case "maxItems":
		return &n.MaxItems
	case "minProperties":
		return &n.MinKeys
	case "maxProperties":
		return &n.MaxKeys
	}
	return nil
}

// read reads a member that holds schemas, or that has two forms; others are passed over.
func (n *node) read(dec *json.Decoder, key string) (err error) {
	switch key {
	case "properties":
		return members(dec, func(name string) error {
			child, err := readNode(dec)
			n.Properties = append(n.Properties, property{name, child})
			return err
		})
	case "definitions":
		n.Definitions = map[string]*node{}
		return members(dec, func(name string) error {
			n.Definitions[name], err = readNode(dec)
			return err
		})
	case "items":
		n.Items, err = readNode(dec)
	case "anyOf":
		return elements(dec, func() error {
			child, err := readNode(dec)
			n.AnyOf = append(n.AnyOf, child)
			return err
		})
	case "type":
		return n.readType(dec)
	case "additionalProperties":
		return n.readAdditional(dec)
	default:
		var ignored json.RawMessage
		return dec.Decode(&ignored)
	}
	return err
}

// readType reads one kind or a list of them.
func (n *node) readType(dec *json.Decoder) error {
	var text json.RawMessage
	if err := dec.Decode(&text); err != nil {
		return err
	}
	if text[0] == '[' {
		return json.Unmarshal(text, &n.Type)
	}
	n.Type = []string{""}
	return json.Unmarshal(text, &n.Type[0])
}

// readAdditional reads false, or the schema of a mapping's other values.
func (n *node) readAdditional(dec *json.Decoder) error {
	var text json.RawMessage
	if err := dec.Decode(&text); err != nil || string(text) == "false" {
		return err
	}
	child, err := readNode(json.NewDecoder(bytes.NewReader(text)))
	n.Additional = child
	return err
}

// members reads an object: member reads the value of each key.
func members(dec *json.Decoder, member func(key string) error) error {
	return elements(dec, func() error {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		return member(key.(string)) // the decoder takes nothing else for a key
	})
}

// elements reads what stands between brackets: element reads one.
func elements(dec *json.Decoder, element func() error) error {
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}
