package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxAliased is how many values the aliases of one YAML value may stand for: more
// than a person repeats, and far less than an alias bomb.
const maxAliased = 100_000

// FromYAML gives a YAML value as data files have it, with its spelling: true and
// false are bools, null is nil, numbers that JSON allows are json.Number, and every
// other scalar is the text that stands there, be it 007, 0x1F, 1_000, .inf, .nan, a
// date, or one of the words that only YAML 1.1 takes for bools (yes, no, on, off).
// Keys are the text that stands there, too (1: gives "1").
//
// Aliases are resolved. What has no such value is an *Error without a file: keys
// that are no scalars or stand twice, merge keys (<<), tags other than YAML's own
// for these kinds, an alias inside what it names, too many aliases, and too deep
// nesting.
func FromYAML(node *yaml.Node) (any, error) {
	return (&converter{}).value(node, 0)
}

// A converter counts what it visits by aliases.
type converter struct {
	aliases int // that value is inside of
	aliased int // values visited in them
}

func (c *converter) value(n *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, nodeError(n, "lists and objects are nested deeper than 1,000 levels, or an alias names what it stands in", "")
	}
	if c.aliases > 0 {
		if c.aliased++; c.aliased > maxAliased {
			return nil, nodeError(n, "aliases stand for more than 100,000 values", "write them out, or keep them in a data file")
		}
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return c.value(n.Content[0], depth)
	case yaml.AliasNode:
		c.aliases++
		v, err := c.value(n.Alias, depth+1)
		c.aliases--
		return v, err
	case yaml.SequenceNode:
		return c.list(n, depth)
	case yaml.MappingNode:
		return c.object(n, depth)
	}
	return scalar(n)
}

func (c *converter) list(n *yaml.Node, depth int) (any, error) {
	if tag := n.ShortTag(); tag != "!!seq" {
		return nil, tagError(n, tag)
	}
	list := make([]any, len(n.Content))
	for i, e := range n.Content {
		v, err := c.value(e, depth+1)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}

func (c *converter) object(n *yaml.Node, depth int) (any, error) {
	if tag := n.ShortTag(); tag != "!!map" {
		return nil, tagError(n, tag)
	}
	object := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, err := key(n.Content[i])
		if err != nil {
			return nil, err
		}
		if _, ok := object[name]; ok {
			return nil, nodeError(n.Content[i], fmt.Sprintf("%q stands in this object twice", name), "remove one of them")
		}
		if object[name], err = c.value(n.Content[i+1], depth+1); err != nil {
			return nil, err
		}
	}
	return object, nil
}

func key(n *yaml.Node) (string, error) {
	if n.Kind == yaml.AliasNode && n.Alias.Kind == yaml.ScalarNode {
		n = n.Alias
	}
	switch {
	case n.Kind != yaml.ScalarNode:
		return "", nodeError(n, "a key is a list or an object", "keys are plain text")
	case n.ShortTag() == "!!merge":
		return "", nodeError(n, `merge keys ("<<") are not read`, "write the fields out")
	case n.ShortTag() == "!!null":
		return "", nodeError(n, "a key is empty (null)", `keys are plain text; put quotes around it: "null"`)
	}
	return n.Value, nil
}

func scalar(n *yaml.Node) (any, error) {
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return nil, nil
	case "!!bool":
		return boolean(n)
	case "!!int", "!!float":
		if isNumber(n.Value) {
			return json.Number(n.Value), nil
		}
		return n.Value, nil
	case "!!str", "!!timestamp", "!!merge":
		return n.Value, nil
	default:
		return nil, tagError(n, tag)
	}
}

// boolean reads what YAML 1.2 calls a bool. With an explicit tag (!!bool yes)
// anything may stand there.
func boolean(n *yaml.Node) (any, error) {
	switch strings.ToLower(n.Value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return nil, nodeError(n, fmt.Sprintf("%q is neither true nor false", n.Value), "")
}

// isNumber says whether a text is a number as JSON writes it.
func isNumber(s string) bool {
	return s != "" && (s[0] == '-' || '0' <= s[0] && s[0] <= '9') && json.Valid([]byte(s))
}

func nodeError(n *yaml.Node, message, help string) *Error {
	return &Error{Line: n.Line, Col: n.Column, Message: message, Help: help, row: true}
}

func tagError(n *yaml.Node, tag string) *Error {
	return nodeError(n, fmt.Sprintf("the tag %s is not read", tag), "remove it")
}

const oneYAMLList = "a YAML data file is one list: a line with a dash for each element"

// yamlList gives the elements of a file that is one YAML list.
type yamlList struct {
	converter
	list []*yaml.Node
}

func newYAMLList(in *text) (*yamlList, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxYAML+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxYAML {
		return nil, &Error{Message: "is larger than 4 MiB", Help: "turn it into jsonl, which is read line by line"}
	}
	root, err := document(data)
	if err != nil {
		return nil, err
	}
	if root.Kind != yaml.SequenceNode || root.ShortTag() != "!!seq" {
		return nil, &Error{Line: root.Line, Col: root.Column, Message: "is no list", Help: oneYAMLList}
	}
	return &yamlList{list: root.Content}, nil
}

// document parses the file's only document.
func document(data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		return nil, &Error{Message: "is empty", Help: oneYAMLList}
	}
	if err == nil {
		if err = dec.Decode(&second); err == nil {
			return nil, &Error{Line: second.Line, Col: second.Column, Message: "a second document begins here", Help: oneYAMLList}
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, yamlError(err)
	}
	return doc.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// yamlError takes the line out of yaml.v3's message.
func yamlError(err error) error {
	m := yamlLine.FindStringSubmatch(err.Error())
	e := &Error{Message: "is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	if m != nil {
		e.Message = "is not YAML: " + strings.TrimPrefix(err.Error(), m[0])
		e.Line, _ = strconv.Atoi(m[1]) // empty: no place
	}
	return e
}

func (y *yamlList) next() (row, error) {
	if len(y.list) == 0 {
		return row{}, io.EOF
	}
	n := y.list[0]
	y.list = y.list[1:]
	v, err := y.value(n, 0)
	return row{value: v, names: names(n)}, err
}

// names gives an object's keys in their order, nil for other values.
func names(n *yaml.Node) []string {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return nil
	}
	var names []string
	for i := 0; i < len(n.Content); i += 2 {
		if name, err := key(n.Content[i]); err == nil {
			names = append(names, name)
		}
	}
	return names
}
