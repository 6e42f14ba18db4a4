package specs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/batchrunner/runner/specs/dataset"
	"gopkg.in/yaml.v3"
)

// data reads a node as data: a value with its spelling.
func (d *draft) data(n *yaml.Node) any {
	if d.broken(n) {
		return nil
	}
	value, err := dataset.FromYAML(n)
	var bad *dataset.Error
	if errors.As(err, &bad) && !d.wrong[n] {
		d.report(Pos{bad.Line, bad.Col}, "", bad.Message, bad.Help)
		d.wrong[n] = true
	}
	return value
}

// broken says whether a mistake was reported inside a value.
func (d *draft) broken(n *yaml.Node) bool {
	return d.wrong[n] || slices.ContainsFunc(n.Content, d.broken)
}

// str reads a node as text with its place.
func str(n *yaml.Node) String { return String{Value: n.Value, Pos: posOf(n)} }

// integer reads a whole number; the shape is checked already.
func integer(n *yaml.Node) int64 {
	i, _ := strconv.ParseInt(n.Value, 10, 64)
	return i
}

func boolean(n *yaml.Node) bool { return strings.EqualFold(n.Value, "true") }

// rate reads "10/s" as attempts a second.
func rate(text string) float64 {
	number, unit, _ := strings.Cut(text, "/")
	n, _ := strconv.ParseFloat(number, 64)
	return n / map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
}

// readRate reads a rate; none at all would never start anything.
func (d *draft) readRate(n *yaml.Node, step string) float64 {
	if n == nil {
		return 0
	}
	r := rate(n.Value)
	if r <= 0 || math.IsInf(r, 0) {
		d.report(posOf(n), step, fmt.Sprintf(`"rate": %s would never start a request`, n.Value), "give a number above 0, or remove the key for no limit")
		return 0
	}
	return r
}

func (d *draft) share(n *yaml.Node) Share {
	if number, ok := strings.CutSuffix(n.Value, "%"); ok {
		percent, _ := strconv.ParseFloat(number, 64)
		if percent > 100 {
			d.reportf(n, "", `"max_failures": %s is more than all rows`, n.Value)
		}
		return Share{Percent: percent, IsPercent: true}
	}
	return Share{Count: integer(n)}
}

// duration reads a duration whose form is checked; one that is too long for the
// clock is a mistake. "none" is no bound: 0.
func (d *draft) duration(n *yaml.Node, step, label string) time.Duration {
	if n.Value == "none" {
		return 0
	}
	t, err := time.ParseDuration(n.Value)
	switch {
	case err != nil:
		d.report(posOf(n), step, fmt.Sprintf("%s: %s is too long", label, n.Value), "write none for no bound")
	case t <= 0:
		d.report(posOf(n), step, fmt.Sprintf("%s must be more than 0, but is %s", label, n.Value), "write none for no bound")
	}
	return t
}

// child returns a node's child by key or index, nil where there is none.
func child(n *yaml.Node, step string) *yaml.Node {
	if n.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i]
		}
		return nil
	}
	for key, value := range pairs(n) {
		if key.Value == step {
			return value
		}
	}
	return nil
}

// plain is a node's value as encoding/json decodes it, for the schema.
func plain(n *yaml.Node) (any, error) { return dataset.FromYAML(n) }

// nodeJSON writes a node as JSON with its keys in the file's order: a model that is
// held to a schema answers in that order.
func nodeJSON(n *yaml.Node, to *bytes.Buffer) error {
	switch n.Kind {
	case yaml.MappingNode:
		return nodeObject(n, to)
	case yaml.SequenceNode:
		to.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				to.WriteByte(',')
			}
			if err := nodeJSON(item, to); err != nil {
				return err
			}
		}
		to.WriteByte(']')
		return nil
	}
	if kind := kindOf(n); (kind == "integer" || kind == "number") && !plainNumber().MatchString(n.Value) {
		return &nodeError{n, n.Value + " is an odd way to write a number", oddNumber(n.Value)}
	}
	value, err := plain(n)
	if err != nil {
		return err
	}
	return writeJSON(value, to)
}

func nodeObject(n *yaml.Node, to *bytes.Buffer) error {
	to.WriteByte('{')
	first := true
	for key, value := range pairs(n) {
		if !first {
			to.WriteByte(',')
		}
		first = false
		if err := writeJSON(key.Value, to); err != nil {
			return err
		}
		to.WriteByte(':')
		if err := nodeJSON(value, to); err != nil {
			return err
		}
	}
	to.WriteByte('}')
	return nil
}

// writeJSON writes a value without the escapes that are meant for web pages.
func writeJSON(value any, to *bytes.Buffer) error {
	enc := json.NewEncoder(to)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	to.Truncate(len(bytes.TrimRight(to.Bytes(), "\n")))
	return err
}

// A nodeError is a mistake at a node.
type nodeError struct {
	node          *yaml.Node
	message, help string
}

func (e *nodeError) Error() string { return e.message }
