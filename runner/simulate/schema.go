package simulate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A node is a JSON value that remembers the order of its keys, which the order of
// an answer's follows.
type node struct {
	keys   []string
	fields map[string]*node
	items  []*node
	isList bool
	value  any // of what is neither object nor list; numbers are json.Number
}

var errSchema = errors.New("invalid JSON schema in format")

// parseNode reads one JSON value.
func parseNode(text []byte) (*node, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return decodeNode(dec)
}

func decodeNode(dec *json.Decoder) (*node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return decodeObject(dec)
	case json.Delim('['):
		return decodeList(dec)
	}
	return &node{value: token}, nil
}

func decodeObject(dec *json.Decoder) (*node, error) {
	n := &node{fields: map[string]*node{}}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		field, err := decodeNode(dec)
		if err != nil {
			return nil, err
		}
		name := key.(string) // what else Token gives where a key must be
		if n.fields[name] == nil {
			n.keys = append(n.keys, name)
		}
		n.fields[name] = field
	}
	_, err := dec.Token()
	return n, err
}

func decodeList(dec *json.Decoder) (*node, error) {
	n := &node{isList: true}
	for dec.More() {
		item, err := decodeNode(dec)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	_, err := dec.Token()
	return n, err
}

func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	return n.fields[key]
}

// number reads a keyword that is a number.
func (n *node) number(key string) (float64, bool) {
	field := n.get(key)
	if field == nil {
		return 0, false
	}
	number, ok := field.value.(json.Number)
	f, err := number.Float64()
	return f, ok && err == nil
}

// count reads a keyword that is a number of things; otherwise is its default.
func (n *node) count(key string, otherwise int) int {
	f, ok := n.number(key)
	if !ok {
		return otherwise
	}
	return int(min(max(f, 0), maxMade))
}

// maxMade bounds what a schema can make the server write: items, characters.
const maxMade = 10000

func (n *node) text(key string) string {
	if field := n.get(key); field != nil {
		s, _ := field.value.(string)
		return s
	}
	return ""
}

// json writes a value as it was read.
func (n *node) json() string {
	switch {
	case n.fields != nil:
		parts := make([]string, len(n.keys))
		for i, key := range n.keys {
			parts[i] = quoted(key) + ": " + n.fields[key].json()
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case n.isList:
		parts := make([]string, len(n.items))
		for i, item := range n.items {
			parts[i] = item.json()
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if s, ok := n.value.(string); ok {
		return quoted(s)
	}
	if n.value == nil {
		return "null"
	}
	return fmt.Sprint(n.value)
}

// quoted writes a JSON string, for people: no HTML escapes.
func quoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// resolve follows a local $ref. Others can't be followed: a server fetches nothing.
func (n *node) resolve(ref string) (*node, error) {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, errSchema
	}
	at := n
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if part == "" {
			continue
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		if at = at.get(part); at == nil {
			return nil, errSchema
		}
	}
	return at, nil
}
