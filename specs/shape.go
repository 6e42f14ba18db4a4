package specs

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
	if s.wrong[n] || shape == nil {
		return
	}
	kind := kindOf(n)
	if len(shape.Kinds) > 0 && kind == "null" {
		s.refuse(n, label+" has no value", "give it one, or remove the key")
		return
	}
	if label == `"concurrency"` && n.Value == "auto" {
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

func (s *shaper) wrongKind(n *yaml.Node, shape *schema.Shape, label, kind string) string {
	if tooLarge(n, shape, kind) {
		return fmt.Sprintf("%s: %s is too large a number", label, n.Value)
	}
	return fmt.Sprintf("%s must be %s, but is %s", label, orList(shape.Wants), show(n, kind))
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
	case kind == "string" && (shape.Allows("integer") || shape.Allows("number")) && plainNumber.MatchString(n.Value):
		return "leave out the quotes: " + n.Value
	case kind == "string" && shape.Allows("boolean") && yesNo[strings.ToLower(n.Value)] != "":
		return "write " + yesNo[strings.ToLower(n.Value)]
	case tooLarge(n, shape, kind):
		return ""
	case scalar && shape.Name == "axis":
		return "a list of one is written [" + strings.TrimSpace(n.Value) + "]"
	case kind == "array" && label == `"model"`:
		return `to ask several models, make them an axis: matrix: {model: ` + flowNode(n) + `}, and write model: "{{ .model }}"`
	case kind == "array" && label == `"output"`:
		return "several are written outputs: [{file: PATH}, {file: PATH}]"
	case scalar && shape.Allows("array") && !shape.Allows("object"):
		return "put it in brackets: [" + strings.TrimSpace(n.Value) + "]"
	}
	return example(label, shape)
}

var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

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
func flow(value json.RawMessage) string {
	var n yaml.Node
	if err := yaml.Unmarshal(value, &n); err != nil || len(n.Content) == 0 {
		return string(value)
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
	if n.ShortTag() == "!!str" && strings.ContainsAny(n.Value, "{}[]:#,\n\"'\\") {
		return strconv.Quote(n.Value)
	}
	return n.Value
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

// unknownKey reports a key and returns the one that was probably meant.
func (s *shaper) unknownKey(key *yaml.Node, shape *schema.Shape) string {
	names := shape.Names()
	meant := nearest(key.Value, names)
	if other := otherNames[key.Value]; slices.Contains(names, other) {
		meant = other
	}
	help := ""
	switch home := s.home(key.Value, shape); {
	case meant != "":
		help = fmt.Sprintf("did you mean %q?", meant)
	case home != "":
		help = home
	case shape.Name == "options" && slices.Contains(dropped, key.Value):
		help = "Ollama dropped this option; remove it"
	case shape.Name == "options":
		help = "an option that only a newer Ollama knows goes under extra_options; the others " + list(names, plainName)
	default:
		help = "the keys here " + list(names, plainName)
	}
	s.report(posOf(key), s.step, fmt.Sprintf("unknown key %q", key.Value), help)
	s.meant[key] = meant
	return meant
}

// otherNames are what other tools call the keys of a job file and Ollama's options.
var otherNames = map[string]string{
	"max_tokens": "num_predict", "max_new_tokens": "num_predict", "max_output_tokens": "num_predict", "n_predict": "num_predict",
	"context": "num_ctx", "context_length": "num_ctx", "ctx": "num_ctx", "n_ctx": "num_ctx", "temp": "temperature",
	"threads": "num_thread", "stop_sequences": "stop", "gpu_layers": "num_gpu", "n_gpu_layers": "num_gpu",
	"variables": "vars", "constants": "vars", "parameters": "options", "params": "options", "template": "prompt", "user": "prompt",
	"system_prompt": "system", "max_concurrent": "concurrency", "parallel": "concurrency", "workers": "concurrency", "rate_limit": "rate",
	"retries": "retry", "tasks": "steps", "name": "id", "depends_on": "needs", "path": "file", "delimiter": "separator", "axes": "matrix",
	"response_format": "format", "schema": "format", "reasoning": "think", "thinking": "think",
}

// dropped are options that Ollama had once (api.Options before v0.17).
var dropped = []string{
	"mirostat", "mirostat_eta", "mirostat_tau", "tfs_z", "penalize_newline", "low_vram", "f16_kv",
	"numa", "vocab_only", "use_mlock", "logits_all", "embedding_only", "num_gqa", "rope_frequency_base", "rope_frequency_scale",
}

// home says under which key an unknown one belongs, empty where nobody knows it.
func (s *shaper) home(name string, here *schema.Shape) string {
	top := schema.JobShape()
	for _, parent := range []string{"options", "retry", "timeout"} {
		shape := top.Key(parent)
		if here.Key(parent) == nil || shape.Key(name) == nil {
			continue
		}
		return fmt.Sprintf("it belongs under %q: %s: {%s: ...}", parent, parent, name)
	}
	if here != top && slices.Contains(top.Names(), name) {
		return "it belongs at the top of the job"
	}
	if steps := top.Key("steps").Items; here != steps && slices.Contains(steps.Names(), name) {
		return "it belongs in a step"
	}
	if outputs := top.Key("outputs").Items; here != outputs && slices.Contains(outputs.Names(), name) {
		return fmt.Sprintf("it belongs in an output: outputs: [{file: PATH, %s: ...}]", name)
	}
	return ""
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
			return value.Value
		}
	}
	return ""
}

func (s *shaper) text(n *yaml.Node, shape *schema.Shape, label string) {
	length := utf8.RuneCountInString(n.Value)
	switch {
	case len(shape.Enum) > 0 && shape.Pattern == nil && !slices.Contains(shape.Enum, quote(n.Value)):
		s.refuse(n, fmt.Sprintf("%s must be %s, but is %s", label, orList(shape.Wants), show(n, "string")), s.meantValue(n, shape))
	case shape.Pattern != nil && !shape.Pattern.MatchString(n.Value):
		message, help := patternMistake(n, shape, label)
		s.refuse(n, message, help)
	case length < shape.MinLength:
		s.refuse(n, label+" is empty", example(label, shape))
	case shape.MaxLength == 1 && length > 1:
		s.refuse(n, fmt.Sprintf("%s must be one character, but is %s", label, show(n, "string")), "")
	case shape.MaxLength > 0 && length > shape.MaxLength:
		s.refuse(n, fmt.Sprintf("%s must have at most %s, but has %d", label, plural(shape.MaxLength, "character"), length), "")
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
	if meant := nearest(n.Value, names); meant != "" {
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
		kind := kindOf(n)
		help := ""
		if shape.Allows("array") {
			help = "put it in brackets: [" + strconv.Quote(n.Value) + "]"
		} else if plainNumber.MatchString(n.Value) {
			help = "leave out the quotes: " + n.Value
		} else if yesNo[strings.ToLower(n.Value)] != "" && shape.Allows("boolean") {
			help = "write " + yesNo[strings.ToLower(n.Value)]
		}
		return fmt.Sprintf("%s must be %s, but is %s", label, orList(shape.Wants), show(n, kind)), help
	}
	switch label {
	case `"id"`:
		return fmt.Sprintf("the step id %s is no name that templates can use", shown), "write letters, digits and _, not beginning with a digit: " + identifier(n.Value)
	case `"max_failures"`:
		return fmt.Sprintf("%s: %s is neither a number of rows nor a percentage", label, shown), "write 10 or 5%"
	}
	return fmt.Sprintf("%s can't be %s", label, shown), example(label, shape)
}

// number checks how a number is written, and its bounds.
func (s *shaper) number(n *yaml.Node, shape *schema.Shape, label string) {
	if len(shape.Kinds) == 0 {
		return // data: it keeps its spelling
	}
	if !plainNumber.MatchString(n.Value) {
		s.refuse(n, fmt.Sprintf("%s: %s is an odd way to write a number", label, n.Value), oddNumber(n.Value))
		return
	}
	value, _ := new(big.Float).SetString(n.Value)
	switch {
	case value == nil:
	case len(shape.Enum) > 0 && !slices.Contains(shape.Enum, n.Value):
		s.refuse(n, enumNumber(n, shape, label), "")
	case shape.Min != nil && value.Cmp(float(*shape.Min)) < 0:
		s.refuse(n, fmt.Sprintf("%s must be at least %s, but is %s", label, *shape.Min, n.Value), "")
	case shape.Max != nil && value.Cmp(float(*shape.Max)) > 0:
		s.refuse(n, fmt.Sprintf("%s must be at most %s, but is %s", label, *shape.Max, n.Value), "")
	case kindOf(n) == "integer" && value.IsInt() && !fits(n.Value):
		s.refuse(n, fmt.Sprintf("%s: %s is too large a number", label, n.Value), "")
	}
}

func enumNumber(n *yaml.Node, shape *schema.Shape, label string) string {
	if label == `"version"` {
		return fmt.Sprintf("version %s of the job language is not known; the only one is %s", n.Value, shape.Enum[0])
	}
	return fmt.Sprintf("%s must be %s, but is %s", label, orList(shape.Enum), n.Value)
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

// orList joins alternatives: "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
