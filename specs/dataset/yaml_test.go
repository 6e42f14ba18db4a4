package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func node(t testing.TB, text string) *yaml.Node {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return &n
}

func TestFromYAML(t *testing.T) {
	n := func(s string) json.Number { return json.Number(s) }
	tests := []struct {
		text string
		want any
	}{
		{"5", n("5")}, {"1.10", n("1.10")}, {"-0", n("-0")}, {"1e3", n("1e3")}, {"12345678901234567890123", n("12345678901234567890123")},
		{"007", "007"}, {"0x1F", "0x1F"}, {"0o17", "0o17"}, {"0b11", "0b11"}, {"1_000", "1_000"}, {"+5", "+5"}, {".5", ".5"}, {"5.", "5."},
		{".inf", ".inf"}, {"-.INF", "-.INF"}, {".nan", ".nan"}, {"1e999", "1e999"}, {"1:30", "1:30"},
		{"true", true}, {"False", false}, {"TRUE", true},
		{"yes", "yes"}, {"No", "No"}, {"on", "on"}, {"off", "off"}, {"y", "y"}, {"n", "n"},
		{"~", nil}, {"null", nil}, {"NULL", nil}, {"", nil}, {`""`, ""}, {`"null"`, "null"}, {`"5"`, "5"}, {"'true'", "true"},
		{"2026-01-01", "2026-01-01"}, {"2026-01-01 10:00:00", "2026-01-01 10:00:00"}, {"=", "="}, {"<<", "<<"},
		{"!!str 5", "5"}, {"!!bool true", true},
		{"[1, [x, ~], {}]", []any{n("1"), []any{"x", nil}, object{}}},
		{"{no: 1, 2: two, 2026-01-01: d, 1.10: f, true: t}", object{"no": n("1"), "2": "two", "2026-01-01": "d", "1.10": "f", "true": "t"}},
		{"a: &x [1, 2]\nb: *x\n&k c: &y 3\n*k : *y\n", nil}, // see below
		{"text: |\n  one\n  two\n", object{"text": "one\ntwo\n"}},
	}
	for _, test := range tests {
		got, err := FromYAML(node(t, test.text))
		if strings.Contains(test.text, "*k") {
			if err == nil || err.Error() != `4:1: "c" stands in this object twice; remove one of them` {
				t.Errorf("FromYAML(%q) = %v, %v", test.text, got, err)
			}
			continue
		}
		if test.text == "" {
			got, err = FromYAML(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"})
		}
		if err != nil {
			t.Errorf("FromYAML(%q): %v", test.text, err)
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("FromYAML(%q) (-want +got):\n%s", test.text, d)
		}
	}
}

// bomb is the billion laughs: 9 levels of 9 aliases.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", "))
	}
	return b.String()
}

func TestFromYAMLErrors(t *testing.T) {
	loop := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: 1, Column: 1}
	loop.Content = []*yaml.Node{{Kind: yaml.AliasNode, Alias: loop, Line: 1, Column: 5}}
	tests := []struct {
		name string
		node *yaml.Node
		want string
	}{
		{"an alias bomb", node(t, bomb()), "aliases stand for more than 100,000 values; write them out, or keep them in a data file"},
		{"an alias in what it names", loop, "nested deeper than 1,000 levels, or an alias names what it stands in"},
		{"deep", node(t, strings.Repeat("[", 1002)+strings.Repeat("]", 1002)), "1:1002: lists and objects are nested deeper"},
		{"merge", node(t, "- &a {x: 1}\n- {<<: *a, y: 2}\n"), `2:4: merge keys ("<<") are not read; write the fields out`},
		{"a list for a key", node(t, "? [a]\n: 1\n"), "1:3: a key is a list or an object; keys are plain text"},
		{"null for a key", node(t, "{a: 1, ~: 2}"), `1:8: a key is empty (null); keys are plain text; put quotes around it: "null"`},
		{"a key twice", node(t, "a: 1\nb:\n  c: 1\n  c: 2\n"), `4:3: "c" stands in this object twice; remove one of them`},
		{"a number and its text", node(t, "{1: a, \"1\": b}"), `1:8: "1" stands in this object twice`},
		{"binary", node(t, "- !!binary aGk="), "1:3: the tag !!binary is not read; remove it"},
		{"a tag of their own", node(t, "a: !point {x: 1}"), "1:4: the tag !point is not read; remove it"},
		{"a set", node(t, "!!set {a: ~}"), "1:1: the tag !!set is not read; remove it"},
		{"no bool", node(t, "!!bool yes"), `1:1: "yes" is neither true nor false`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := FromYAML(test.node)
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), test.want) || e.Line == 0 || e.Col == 0 {
				t.Errorf("FromYAML = %v, %v; want %s", got, err, test.want)
			}
		})
	}
}

func TestYAMLFiles(t *testing.T) {
	long := "- " + strings.Repeat("x", maxYAML) + "\n"
	for text, want := range map[string]string{
		long:                           "[! a.yaml: is larger than 4 MiB; turn it into jsonl, which is read line by line]",
		"- &a [1, 2]\n- *a\n- x: *a\n": "[[1 2] [1 2] map[x:[1 2]]]",
		"- a\n- !tag b\n- c\n":         "[a ! a.yaml:2:3: the tag !tag is not read; remove it c]",
		"!!set\n- a\n":                 "[! a.yaml:1:1: is no list; a YAML data file is one list: a line with a dash for each element]",
	} {
		if got := fmt.Sprint(all(t, source("a.yaml"), files("a.yaml", text))); got != want {
			t.Errorf("%.40q gives %s, want %s", text, got, want)
		}
	}
}
