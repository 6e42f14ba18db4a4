package specs

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxAliased is how many values aliases may stand for in one job: more than anybody
// writes, far fewer than an alias bomb makes.
const maxAliased = 10_000

// A tree checks the nodes of a file for what YAML allows and a job doesn't, and
// puts what aliases name in their place, so that nobody after it meets one.
type tree struct {
	*draft
	open    map[*yaml.Node]bool // the nodes we are inside of
	aliased int                 // nodes visited by way of an alias
	entered *yaml.Node          // the outermost alias that we are inside of
	stopped bool                // the aliases are too many: nothing more is looked at
}

// walk checks one node and what is in it.
func (t *tree) walk(n *yaml.Node, byAlias bool) {
	if t.stopped {
		return
	}
	if byAlias {
		if t.aliased++; t.aliased > maxAliased {
			t.stop(t.entered)
			return
		}
	}
	t.open[n] = true
	defer delete(t.open, n)
	t.tag(n)
	switch n.Kind {
	case yaml.MappingNode:
		t.mapping(n, byAlias)
	case yaml.ScalarNode:
		t.scalar(n)
	default:
		for i := range n.Content {
			t.child(n, i, byAlias)
		}
	}
}

func (t *tree) stop(n *yaml.Node) {
	t.stopped = true
	t.report(posOf(n), "", "YAML aliases (*name) stand for more than 10,000 values in this job", "write the values out, or keep them in a data file")
}

// child checks one of a node's children; an alias gives way to what it names.
func (t *tree) child(parent *yaml.Node, i int, byAlias bool) {
	n := parent.Content[i]
	if n.Kind != yaml.AliasNode {
		t.walk(n, byAlias)
		return
	}
	if t.open[n.Alias] {
		t.reportf(n, "", "the alias *%s stands inside of what it names", n.Value)
		parent.Content[i] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line, Column: n.Column}
		t.wrong[parent.Content[i]] = true
		return
	}
	if !byAlias {
		t.entered = n
	}
	parent.Content[i] = n.Alias
	t.walk(n.Alias, true)
}

// tag refuses tags: what a value is shows in how it is written.
func (t *tree) tag(n *yaml.Node) {
	if n.Style&yaml.TaggedStyle == 0 || n.Tag == "!!str" && n.Kind == yaml.ScalarNode {
		return
	}
	help := "remove it"
	if n.Kind == yaml.ScalarNode && !strings.HasPrefix(n.Tag, "!!") {
		help = "if the text begins with an exclamation mark, put it in quotes"
	}
	t.report(posOf(n), "", fmt.Sprintf("%s is a YAML tag, and job files know none", n.Tag), help)
	t.wrong[n] = true
}

func (t *tree) scalar(n *yaml.Node) {
	if n.Tag != "!!float" || t.wrong[n] {
		return
	}
	f, err := strconv.ParseFloat(strings.TrimPrefix(strings.ToLower(n.Value), "+"), 64)
	if err != nil { // .nan and .inf are YAML's spelling
		f, err = strconv.ParseFloat(strings.Replace(strings.ToLower(n.Value), ".", "", 1), 64)
	}
	if err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) && strings.ContainsAny(n.Value, "nN") {
		t.report(posOf(n), "", n.Value+" is no number that can be sent or written", fmt.Sprintf("if it is meant as text, put it in quotes: %q", n.Value))
		t.wrong[n] = true
	}
}

func (t *tree) mapping(n *yaml.Node, byAlias bool) {
	if t.braces(n) {
		return
	}
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		t.child(n, i, byAlias)
		if key := n.Content[i]; t.key(key) {
			if other := first[key.Value]; other != nil {
				t.report(posOf(key), "", fmt.Sprintf("%q is already given at %s", key.Value, t.place(posOf(other))), "remove one of the two")
				t.wrong[n.Content[i+1]] = true
			} else {
				first[key.Value] = key
			}
		}
		t.child(n, i+1, byAlias)
	}
}

// key says whether a node can be a key: plain text.
func (t *tree) key(n *yaml.Node) bool {
	if t.wrong[n] {
		return false
	}
	message, help := "", ""
	switch {
	case n.Kind != yaml.ScalarNode:
		message, help = "a list or a mapping can't be a key", `keys are plain text; if this is meant as text, put it in quotes`
	case n.Tag == "!!merge":
		message, help = `"<<" merges another mapping into this one, and job files don't do that`, "write the keys out; what all steps share can stand at the top of the job"
	case n.Tag == "!!null":
		message, help = "a key is missing before the colon", ""
	case n.Tag != "!!str" && n.Tag != "!!timestamp":
		message, help = fmt.Sprintf("the key %s is not text", n.Value), fmt.Sprintf("put it in quotes: %q", n.Value)
	default:
		return true
	}
	t.report(posOf(n), "", message, help)
	t.wrong[n] = true
	return false
}

// braces catches {{ .x }} without quotes, which YAML reads as a mapping whose key
// is a mapping.
func (t *tree) braces(n *yaml.Node) bool {
	if !strings.HasPrefix(t.src.from(posOf(n)), "{{") {
		return false
	}
	t.unquoted(posOf(n))
	t.wrong[n] = true
	return true
}

// unquoted reports a template without quotes, and shows the line as it should be.
func (d *draft) unquoted(p Pos) {
	line := d.src.line(p.Line)
	before := line[:len(line)-len(d.src.from(p))]
	d.report(p, "", "YAML takes a value that begins with {{ for a mapping", "put the text in quotes: "+mendTemplate(before, d.src.from(p)))
}

// mendTemplate quotes the text that begins with {{: up to the end of the line where
// it is the value of a key in a block, else up to its }}.
func mendTemplate(before, text string) string {
	if strings.ContainsAny(before, "{[") {
		if i := strings.Index(text, "}}"); i >= 0 {
			return quoteYAML(text[:i+2])
		}
	}
	return strings.TrimLeft(before, " -") + quoteYAML(withoutComment(text))
}

// withoutComment drops a comment, and the blanks, at a line's end.
func withoutComment(text string) string {
	if i := strings.Index(text, " #"); i >= 0 {
		text = text[:i]
	}
	return strings.TrimSpace(text)
}

// quoteYAML writes text as YAML in the quotes that need no escapes, if there are any.
func quoteYAML(text string) string {
	if !strings.ContainsAny(text, `"\`) {
		return `"` + text + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
