package specs

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/batchrunner/runner/schema"
	"github.com/batchrunner/runner/specs/dataset"
	"github.com/batchrunner/runner/specs/say"
	"gopkg.in/yaml.v3"
)

func (s *shaper) wrongKind(n *yaml.Node, shape *schema.Shape, label, kind string) string {
	if tooLarge(n, shape, kind) {
		return fmt.Sprintf("%s: %s is too large a number", label, n.Value)
	}
	return fmt.Sprintf("%s must be %s, but is %s", label, say.Or(shape.Wants), show(n, kind))
}

// tooLarge says whether a whole number is too large even for YAML.
func tooLarge(n *yaml.Node, shape *schema.Shape, kind string) bool {
	return kind == "number" && shape.Allows("integer") && strings.Trim(n.Value, "-0123456789") == ""
}

// show says what stands in the file, with its kind where that isn't plain to see.
func show(n *yaml.Node, kind string) string {
	switch kind {
	case "object":
		return "a mapping"
	case "array":
		return "a list"
	case "string":
		return "text " + strconv.Quote(shorten(n.Value))
	case "integer", "number":
		return "the number " + shorten(n.Value)
	}
	return shorten(n.Value)
}

func shorten(text string) string {
	const most = 40
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "..."
}

// helpKind says how to write the value instead, where that is known.
func (s *shaper) helpKind(n *yaml.Node, shape *schema.Shape, label, kind string) string {
	scalar := n.Kind == yaml.ScalarNode
	switch {
	case scalar && kind != "string" && shape.Name == "rate":
		return fmt.Sprintf("give it a unit: %s/s, %s/m or %s/h", n.Value, n.Value, n.Value)
	case scalar && kind == "integer" && (shape.Name == "timeout" || shape.Name == "bound" || shape.Name == "duration"):
		return fmt.Sprintf("give it a unit: %ss, %sm or %sh", n.Value, n.Value, n.Value)
	case scalar && kind != "string" && shape.Allows("string") && shape.Pattern == nil && shape.Enum == nil:
		return fmt.Sprintf("put it in quotes: %q", n.Value)
	case kind == "string" && (shape.Allows("integer") || shape.Allows("number")) && plainNumber().MatchString(n.Value):
		return "leave out the quotes: " + n.Value
	case kind == "string" && shape.Allows("boolean") && yesNo[strings.ToLower(n.Value)] != "":
		return "write " + yesNo[strings.ToLower(n.Value)]
	case tooLarge(n, shape, kind):
		return ""
	case scalar && shape.Name == "axis":
		return axisHelp(n.Value)
	case scalar && shape.Name == "retry" && kind == "integer":
		return fmt.Sprintf("write retry: {attempts: %s}", n.Value)
	case scalar && shape.Name == "output":
		return "write {file: " + shorten(n.Value) + "}"
	case scalar && label == `"outputs"`:
		return "write output: " + shorten(n.Value)
	case kind == "array" && label == `"model"`:
		return `to ask several models, make them an axis: matrix: {model: ` + flowNode(n) + `}, and write model: "{{ .model }}"`
	case kind == "array" && label == `"output"`:
		return "several are written outputs: [{file: PATH}, {file: PATH}]"
	case scalar && shape.Allows("array") && !shape.Allows("object"):
		return "put it in brackets: [" + strings.TrimSpace(n.Value) + "]"
	}
	return example(label, shape)
}

// axisHelp says what was probably meant by an axis that is text.
func axisHelp(text string) string {
	text = shorten(text)
	switch {
	case strings.Contains(text, "*"):
		return "files are found by {glob: \"" + text + "\"}"
	case dataset.Format(text) != "":
		return "a data file is written {file: " + text + "}"
	}
	return "a list of one is written [" + text + "]"
}

var plainNumber = pattern(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// yesNo are the words that people write for true and false.
var yesNo = map[string]string{"yes": "true", "y": "true", "on": "true", "true": "true", "no": "false", "n": "false", "off": "false", "false": "false"}

// example shows a key with a value that is right.
func example(label string, shape *schema.Shape) string {
	if len(shape.Examples) == 0 {
		return ""
	}
	key, err := strconv.Unquote(label)
	if err != nil {
		return ""
	}
	return "for example: " + key + ": " + flow(shape.Examples[0])
}

// flow writes a JSON value as a person writes it in YAML, on one line.
func flow(value string) string {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(value), &n); err != nil || len(n.Content) == 0 {
		return value
	}
	return flowNode(n.Content[0])
}

func flowNode(n *yaml.Node) string {
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		for key, value := range pairs(n) {
			parts = append(parts, key.Value+": "+flowNode(value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		for _, item := range n.Content {
			parts = append(parts, flowNode(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if n.ShortTag() == "!!str" && !readsAs(n.Value) {
		return strconv.Quote(n.Value)
	}
	return n.Value
}

// readsAs says whether YAML reads a text without quotes as that text, anywhere.
func readsAs(text string) bool {
	var list []any
	err := yaml.Unmarshal([]byte("["+text+"]"), &list)
	return err == nil && len(list) == 1 && list[0] == text && !strings.Contains(text, ": ")
}
