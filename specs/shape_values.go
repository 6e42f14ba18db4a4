package specs

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/batchrunner/runner/schema"
	"github.com/batchrunner/runner/specs/say"
	"gopkg.in/yaml.v3"
)

func (s *shaper) text(n *yaml.Node, shape *schema.Shape, label string) {
	length := utf8.RuneCountInString(n.Value)
	switch {
	case len(shape.Enum) > 0 && shape.Pattern == nil && !slices.Contains(shape.Enum, quote(n.Value)):
		s.refuse(n, fmt.Sprintf("%s must be %s, but is %s", label, say.Or(shape.Wants), show(n, "string")), s.meantValue(n, shape))
	case shape.Pattern != nil && !shape.Pattern.MatchString(n.Value):
		message, help := patternMistake(n, shape, label)
		s.refuse(n, message, help)
	case length < shape.MinLength:
		s.refuse(n, label+" is empty", example(label, shape))
	case shape.MaxLength == 1 && length > 1:
		s.refuse(n, fmt.Sprintf("%s must be one character, but is %s", label, show(n, "string")), "")
	case shape.MaxLength > 0 && length > shape.MaxLength:
		s.refuse(n, fmt.Sprintf("%s must have at most %s, but has %d", label, say.Plural(shape.MaxLength, "character"), length), "")
	}
}

// meantValue suggests one of the texts allowed, or how to write true and false.
func (s *shaper) meantValue(n *yaml.Node, shape *schema.Shape) string {
	if shape.Allows("boolean") && yesNo[strings.ToLower(n.Value)] != "" {
		return "write " + yesNo[strings.ToLower(n.Value)]
	}
	var names []string
	for _, value := range shape.Enum {
		if text, err := strconv.Unquote(value); err == nil {
			names = append(names, text)
		}
	}
	if meant := Nearest(n.Value, names); meant != "" {
		return fmt.Sprintf("did you mean %q?", meant)
	}
	return ""
}

// patternMistake says in words what a pattern asks for.
func patternMistake(n *yaml.Node, shape *schema.Shape, label string) (message, help string) {
	shown := strconv.Quote(shorten(n.Value))
	switch shape.Name {
	case "duration", "bound", "timeout":
		return fmt.Sprintf("%s: %s is no duration", label, shown), "write a number with its unit, such as 500ms, 30s, 5m or 1h30m"
	case "keep_alive":
		return fmt.Sprintf("%s: %s is no duration", label, shown), "write 10m, 0 to unload the model at once, or -1 to keep it for ever"
	case "rate":
		return fmt.Sprintf("%s: %s is no rate", label, shown), "write attempts per second, minute or hour: 10/s, 600/m or 1000/h"
	case "expression":
		return fmt.Sprintf("%s must be %s, but is %s", label, say.Or(shape.Wants), show(n, "string")), insteadOfText(n, shape)
	}
	if shape.Title == "a threshold" {
		figure := strings.Trim(label, `"`)
		return fmt.Sprintf("the threshold %s: %s is no limit", label, shown), limitHelp[unitOf(figure[strings.LastIndex(figure, ".")+1:])]
	}
	switch label {
	case `"id"`:
		return fmt.Sprintf("the step id %s is no name that templates can use", shown), "write letters, digits and _, not beginning with a digit: " + identifier(n.Value)
	case `"max_failures"`:
		return fmt.Sprintf("%s: %s is neither a number of rows nor a percentage", label, shown), "write 10 or 5%"
	}
	return fmt.Sprintf("%s can't be %s", label, shown), example(label, shape)
}

// insteadOfText says how to write what was put in quotes.
func insteadOfText(n *yaml.Node, shape *schema.Shape) string {
	word := yesNo[strings.ToLower(n.Value)]
	switch {
	case shape.Allows("array"):
		return "put it in brackets: [" + strconv.Quote(n.Value) + "]"
	case plainNumber().MatchString(n.Value):
		return "leave out the quotes: " + n.Value
	case word != "" && shape.Allows("boolean"):
		return "write " + word
	}
	return ""
}

// number checks how a number is written, and its bounds.
func (s *shaper) number(n *yaml.Node, shape *schema.Shape, label string) {
	if len(shape.Kinds) == 0 {
		return // data: it keeps its spelling
	}
	if !plainNumber().MatchString(n.Value) {
		s.refuse(n, fmt.Sprintf("%s: %s is an odd way to write a number", label, n.Value), oddNumber(n.Value))
		return
	}
	value, _ := new(big.Float).SetString(n.Value)
	switch {
	case value == nil:
	case len(shape.Enum) > 0 && !slices.Contains(shape.Enum, n.Value):
		s.refuse(n, enumNumber(n, shape, label), "")
	case shape.Min != "" && value.Cmp(float(shape.Min)) < 0:
		s.refuse(n, fmt.Sprintf("%s must be at least %s, but is %s", label, shape.Min, n.Value), "")
	case shape.Max != "" && value.Cmp(float(shape.Max)) > 0:
		s.refuse(n, fmt.Sprintf("%s must be at most %s, but is %s", label, shape.Max, n.Value), "")
	case kindOf(n) == "integer" && value.IsInt() && !fits(n.Value):
		s.refuse(n, fmt.Sprintf("%s: %s is too large a number", label, n.Value), "")
	}
}

func enumNumber(n *yaml.Node, shape *schema.Shape, label string) string {
	if label == `"version"` {
		return fmt.Sprintf("version %s of the job language is not known; the only one is %s", n.Value, shape.Enum[0])
	}
	return fmt.Sprintf("%s must be %s, but is %s", label, say.Or(shape.Enum), n.Value)
}

func float(n json.Number) *big.Float {
	f, _ := new(big.Float).SetString(string(n))
	return f
}

func fits(text string) bool {
	_, err := strconv.ParseInt(text, 10, 64)
	return err == nil
}

// oddNumber says how to write a number that YAML knows and JSON doesn't.
func oddNumber(text string) string {
	digits := strings.TrimLeft(text, "+-")
	if len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "01234567") == "" {
		octal, _ := strconv.ParseInt(digits, 8, 64)
		return fmt.Sprintf("it could be %s or, as YAML reads it, %d; write the one that is meant", strings.TrimLeft(digits, "0"), octal)
	}
	if i, err := strconv.ParseInt(text, 0, 64); err == nil {
		return fmt.Sprintf("write %d", i)
	}
	if f, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64); err == nil {
		return "write " + strconv.FormatFloat(f, 'f', -1, 64)
	}
	return ""
}

// identifier makes a name that templates can use of one that they can't.
func identifier(text string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			return r
		}
		return '_'
	}, text)
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	return name
}
