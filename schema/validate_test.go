package schema

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func decode(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	err := dec.Decode(&value)
	return value, err
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	value, err := decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func messages(violations []Violation) string {
	var all []string
	for _, v := range violations {
		all = append(all, v.Message)
	}
	return strings.Join(all, " | ")
}

// What an answer has wrong is said in words that its reader, and a model, understand.
func TestValidate(t *testing.T) {
	for _, c := range []struct{ schema, value, want string }{
		{`{"properties": {"score": {"maximum": 5}}}`, `{"score": 7}`, `"score" must be at most 5, but is 7`},
		{`{"properties": {"score": {"minimum": 1}}}`, `{"score": 0.5}`, `"score" must be at least 1, but is 0.5`},
		{`{"properties": {"score": {"exclusiveMinimum": 1}}}`, `{"score": 1}`, `"score" must be more than 1, but is 1`},
		{`{"properties": {"score": {"exclusiveMaximum": 1}}}`, `{"score": 1}`, `"score" must be less than 1, but is 1`},
		{`{"properties": {"score": {"multipleOf": 2}}}`, `{"score": 3}`, `"score" must be a multiple of 2, but is 3`},
		{`{"required": ["score", "why"]}`, `{}`, `"score" is missing | "why" is missing`},
		{`{"properties": {"a": {"required": ["b"]}}}`, `{"a": {}}`, `"a.b" is missing`},
		{`{"properties": {"score": {"type": "integer"}}}`, `{"score": "five"}`, `"score" must be a whole number, but is text "five"`},
		{`{"properties": {"score": {"type": "integer"}}}`, `{"score": 1.5}`, `"score" must be a whole number, but is 1.5`},
		{`{"properties": {"score": {"type": ["integer", "null"]}}}`, `{"score": true}`, `"score" must be a whole number or null, but is true`},
		{`{"type": "object"}`, `[1, 2]`, `the value must be a mapping, but is a list of 2`},
		{`{"type": "array"}`, `{"a": 1}`, `the value must be a list, but is a mapping`},
		{`{"type": "string"}`, `null`, `the value must be text, but is null`},
		{`{"properties": {"label": {"enum": ["bug", "feature"]}}}`, `{"label": "bugs"}`, `"label" must be "bug" or "feature", but is text "bugs"`},
		{`{"properties": {"label": {"enum": ["bug", 1, null]}}}`, `{"label": {}}`, `"label" must be "bug", 1 or null, but is a mapping`},
		{`{"properties": {"v": {"const": 1}}}`, `{"v": 2}`, `"v" must be 1, but is 2`},
		{`{"properties": {"t": {"minLength": 3}}}`, `{"t": "né"}`, `"t" must have at least 3 characters, but has 2`},
		{`{"properties": {"t": {"maxLength": 1}}}`, `{"t": "né"}`, `"t" must have at most 1 character, but has 2`},
		{`{"properties": {"t": {"pattern": "^[a-z]+$"}}}`, `{"t": "A1"}`, `"t" must match ^[a-z]+$, but is text "A1"`},
		{`{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"t": {"format": "date"}}}`, `{"t": "today"}`, `"t" must be a valid date, but is text "today"`},
		{`{"properties": {"l": {"minItems": 2}}}`, `{"l": [1]}`, `"l" must have at least 2 elements, but has 1`},
		{`{"properties": {"l": {"maxItems": 0}}}`, `{"l": [1]}`, `"l" must have at most 0 elements, but has 1`},
		{`{"properties": {"l": {"uniqueItems": true}}}`, `{"l": [1, 1]}`, `"l" must have no element twice`},
		{`{"properties": {"l": {"items": {"properties": {"n": {"type": "integer"}}}}}}`, `{"l": [{"n": 1}, {"n": "x"}]}`, `"l[1].n" must be a whole number, but is text "x"`},
		{`{"properties": {"l": {"contains": {"const": 3}}}}`, `{"l": [1]}`, `"l" has too few elements of the kind that it must contain`},
		{`{"minProperties": 1}`, `{}`, `the value must have at least 1 key, but has 0`},
		{`{"maxProperties": 1}`, `{"a": 1, "b": 2}`, `the value must have at most 1 key, but has 2`},
		{`{"properties": {"a": {}}, "additionalProperties": false}`, `{"a": 1, "c": 2, "b": 3}`, `"b" is not expected | "c" is not expected`},
		{`{"patternProperties": {"^x-": {}}, "properties": {"a": {}}, "additionalProperties": false}`, `{"a": 1, "x-b": 2, "c": 3}`, `"c" is not expected`},
		{`{"not": {"type": "string"}}`, `"a"`, `the value is what the schema rules out: text "a"`},
		{`{"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}`, `{"a": 1}`, `"a" must be text or null, but is 1`},
		{`{"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["b"]}]}}}`, `{"a": {}}`, `"a.b" is missing`},
		{`{"oneOf": [{"type": "integer"}, {"minimum": 2}]}`, `3`, `the value fits several of the alternatives, and must fit one`},
		{`{"allOf": [{"required": ["a"]}, {"required": ["b"]}]}`, `{}`, `"a" is missing | "b" is missing`},
		{`{"if": {"required": ["a"]}, "then": {"required": ["b"]}}`, `{"a": 1}`, `"b" is missing`},
		{`{"$defs": {"s": {"maximum": 5}}, "properties": {"s": {"$ref": "#/$defs/s"}}}`, `{"s": 6}`, `"s" must be at most 5, but is 6`},
		{`{"properties": {"a/b~c d": {"maximum": 5}}}`, `{"a/b~c d": 6}`, `"a/b~c d" must be at most 5, but is 6`},
		{`{"dependentRequired": {"a": ["b"]}}`, `{"a": 1}`, `"b" is missing, and "a" needs it`},
		{`{"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"a": ["b"]}}`, `{"a": 1}`, `"b" is missing, and "a" needs it`},
		{`false`, `1`, `the value is not allowed`},
		{`{"properties": {"a": false}}`, `{"a": 1}`, `"a" is not allowed`},
		{`{"maximum": 5}`, `1e999999999`, `the value is too large or too small a number`},
		{`{"maximum": 5}`, `{"a": [1, 1e-999999999]}`, `"a[1]" is too large or too small a number`},
		{`{"maximum": 5}`, `5`, ``},
		{`{"type": "integer"}`, `5.0`, ``},
	} {
		s, err := Compile("format", []byte(c.schema), nil)
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
			continue
		}
		if diff := cmp.Diff(c.want, messages(s.Validate(decoded(t, c.value)))); diff != "" {
			t.Errorf("%s of %s:\n%s", c.schema, c.value, diff)
		}
	}
}

// Long values are cut, or one bad answer would fill the screen.
func TestViolationsAreShort(t *testing.T) {
	s, err := Compile("format", []byte(`{"type": "integer"}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := messages(s.Validate(strings.Repeat("é", 10_000))); len(got) > 250 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

// A schema that refers to itself without end is a mistake of the schema, not a hang.
func TestLoops(t *testing.T) {
	s, err := Compile("format", []byte(`{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}`), nil)
	if err == nil && len(s.Validate(decoded(t, `1`))) == 0 {
		t.Error("nothing is said of it")
	}
}

func TestSchemasAreSafeForConcurrentUse(t *testing.T) {
	s, err := Compile("format", []byte(`{"properties": {"a": {"anyOf": [{"pattern": "^x"}, {"type": "integer"}]}}, "required": ["a", "b"]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	value := decoded(t, `{"a": "y"}`)
	want := messages(s.Validate(value))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				if got := messages(s.Validate(value)); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	group.Wait()
}

func TestProperties(t *testing.T) {
	for _, c := range []struct {
		schema, path, names string
		closed, ok          bool
	}{
		{`{"properties": {"b": {}, "a": {}}}`, "", "a b", false, true},
		{`{"properties": {"a": {}}, "additionalProperties": false}`, "", "a", true, true},
		{`{"properties": {"a": {"properties": {"c": {}}, "additionalProperties": false}}}`, "a", "c", true, true},
		{`{"$defs": {"x": {"properties": {"c": {}}}}, "properties": {"a": {"$ref": "#/$defs/x"}}}`, "a", "c", false, true},
		{`{"$defs": {"x": {"$ref": "#/$defs/x"}}, "properties": {"a": {"$ref": "#/$defs/x"}}}`, "a", "", false, false},
		{`{"anyOf": [{"properties": {"a": {}}}], "properties": {"b": {}}}`, "", "", false, false},
		{`{"patternProperties": {"^x": {}}, "properties": {"b": {}}}`, "", "", false, false},
		{`{"type": "object"}`, "", "", false, false},
		{`{"properties": {"a": {}}}`, "b", "", false, false},
		{`true`, "", "", false, false},
	} {
		s, err := Compile("format", []byte(c.schema), nil)
		if err != nil {
			continue // a schema of loops may be refused
		}
		names, closed, ok := s.Properties(strings.Fields(c.path))
		if got := strings.Join(names, " "); got != c.names || closed != c.closed || ok != c.ok {
			t.Errorf("%s at %q: %q, %v, %v", c.schema, c.path, got, closed, ok)
		}
	}
}
