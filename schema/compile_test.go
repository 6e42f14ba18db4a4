package schema

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Nothing outside of the schema is ever read: each of these would be fetched by the
// validator's own loader, or names what isn't there.
func TestReferencesStayInside(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(secret, []byte(`{"type": "string"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	const leads, file, nothing = "nothing is fetched from elsewhere", "leads to another file", "names nothing"
	for ref, want := range map[string]string{
		"file://" + secret:                         leads,
		"file:///etc/hostname":                     leads,
		"file:///proc/self/environ":                leads,
		"file:///etc/passwd#/a":                    leads,
		"FILE:///etc/passwd":                       leads,
		"http://127.0.0.1:1/a.json":                leads,
		"https://example.com/schema.json":          leads,
		"https://example.com/schema.json#/$defs/a": leads,
		"//example.com/a.json":                     leads,
		"ftp://example.com/a":                      leads,
		"data:application/json,{}":                 leads,
		"jar:file:///a.jar!/b":                     leads,
		"urn:example:a":                            leads,
		"mailto:a@example.com":                     leads,
		"other.json":                               file,
		"./other.json#/$defs/a":                    file,
		"../../../../etc/passwd":                   file,
		"/etc/passwd":                              file,
		"..%2f..%2fetc%2fpasswd":                   file,
		"?query":                                   file,
		"#/$defs/none":                             nothing,
		"#none":                                    nothing,
	} {
		_, err := Compile("format", fmt.Appendf(nil, `{"type": "object", "properties": {"a": {"$ref": %q}}}`, ref), nil)
		var bad *Error
		if !errors.As(err, &bad) || !strings.Contains(bad.Message, want) {
			t.Errorf("$ref %q: %v", ref, err)
			continue
		}
		if strings.Contains(err.Error(), "given:") {
			t.Errorf("$ref %q: our own address shows: %v", ref, err)
		}
		if got := strings.Join(bad.Path, "."); got != "properties.a.$ref" {
			t.Errorf("$ref %q: at %q", ref, got)
		}
	}
}

// An $id gives references another base, and still nothing is fetched.
func TestIDsDoNotOpenDoors(t *testing.T) {
	for _, doc := range []string{
		`{"$id": "file:///etc/", "properties": {"a": {"$ref": "passwd"}}}`,
		`{"$id": "http://127.0.0.1:1/", "$ref": "a.json"}`,
		`{"$schema": "file:///etc/passwd"}`,
		`{"$schema": "http://127.0.0.1:1/schema"}`,
		`{"$dynamicRef": "http://127.0.0.1:1/schema"}`,
	} {
		if _, err := Compile("format", []byte(doc), nil); err == nil || !strings.Contains(err.Error(), "nothing is fetched from elsewhere") {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

func TestReferencesInside(t *testing.T) {
	for _, doc := range []string{
		`{"$defs": {"a": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/a"}}}`,
		`{"definitions": {"a": {"$id": "#here", "type": "string"}}, "$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"$ref": "#here"}}}`,
		`{"properties": {"a": {"$ref": "#"}}}`,
		`{"$ref": "http://json-schema.org/draft-07/schema#"}`, // embedded in the validator
		`true`,
	} {
		if _, err := Compile("format", []byte(doc), nil); err != nil {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

func TestGivenFiles(t *testing.T) {
	files := map[string]string{"a.json": `{"$ref": "sub/b.json#/$defs/b"}`, "sub/b.json": `{"$defs": {"b": {"type": "integer", "maximum": 5}}}`, "broken.json": `{`}
	load := func(ref string) ([]byte, error) {
		if text, ok := files[ref]; ok {
			return []byte(text), nil
		}
		return nil, errors.New("there is no such file")
	}
	s, err := Compile("format", []byte(`{"properties": {"score": {"$ref": "a.json"}}}`), load)
	if err != nil {
		t.Fatal(err)
	}
	if got := messages(s.Validate(decoded(t, `{"score": 7}`))); got != `"score" must be at most 5, but is 7` {
		t.Error(got)
	}
	for ref, want := range map[string]string{
		"none.json":   `at $ref: $ref "none.json": there is no such file`,
		"broken.json": `at $ref: $ref "broken.json": it is not JSON: unexpected EOF`,
	} {
		if _, err := Compile("format", fmt.Appendf(nil, `{"$ref": %q}`, ref), load); err == nil || err.Error() != want {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestNoSchemas(t *testing.T) {
	nested := strings.Repeat(`{"not":`, 70) + "{}" + strings.Repeat("}", 70)
	for doc, want := range map[string]string{
		``:             "it is not JSON: EOF",
		`{`:            "it is not JSON: unexpected EOF",
		`{} x`:         "more text follows after the schema's end",
		`[]`:           `a schema is a mapping, such as {"type": "object"}`,
		`"a"`:          `a schema is a mapping, such as {"type": "object"}`,
		"{\n \"a\" 1}": `it is not JSON: invalid character '1' after object key`,
		nested:         "the schema is nested more than 64 deep",
		`{"description": "` + strings.Repeat("x", 256<<10) + `"}`: "the schema has 256 KiB, and the most is 256",
		`{"minimum": 1e999999999}`:                                "at minimum: 1e999999999 is too large or too small a number",
		`{"properties": {"a": {"type": "int"}}}`:                  `at properties.a.type: "int" is no type of JSON Schema; the types are "string", "integer", "number", "boolean", "array", "object" and "null"`,
		`{"type": 5}`:                                             `at type: 5 is no type of JSON Schema; the types are "string", "integer", "number", "boolean", "array", "object" and "null"`,
		`{"minimum": "5"}`:                                        `at minimum: "minimum" must be a number, but is "5"`,
		`{"required": "a"}`:                                       `at required: "required" must be a list, but is "a"`,
		`{"required": [1]}`:                                       `at required.0: "0" must be text, but is 1`,
		`{"properties": []}`:                                      `at properties: "properties" must be a mapping, but is []`,
		`{"maxLength": -1}`:                                       `at maxLength: "maxLength" is too small: -1`,
		`{"pattern": "a("}`:                                       `at pattern: "a(" is no regular expression`,
		`{"multipleOf": 0}`:                                       `at multipleOf: "multipleOf" is too small: 0`,
		`{"patternProperties": {"a(": {}}}`:                       `at patternProperties.a(: "a(" is no regular expression`,
	} {
		_, err := Compile("format", []byte(doc), nil)
		if err == nil || err.Error() != want {
			t.Errorf("%.60s:\n got %v\nwant %s", doc, err, want)
		}
	}
}

func TestBrokenJSONHasAPlace(t *testing.T) {
	_, err := Compile("format", []byte("{\n \"größe\" 1}"), nil)
	var bad *Error
	if !errors.As(err, &bad) || bad.Line != 2 || bad.Col != 10 {
		t.Errorf("%+v", bad)
	}
}

func FuzzCompile(f *testing.F) {
	f.Add([]byte(`{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}`), []byte(`{"a": 1.5}`))
	f.Add([]byte(`{"anyOf": [{"const": 1}, {"enum": ["a", null]}], "if": {"multipleOf": 2}, "then": false}`), []byte(`3`))
	f.Add([]byte(`{"items": [{"pattern": "^a"}], "uniqueItems": true, "contains": {"minimum": 1e5}}`), []byte(`["a", 1e400]`))
	f.Add(job, []byte(`{"model": "m", "prompt": 3, "options": {"seed": "x"}}`))
	f.Fuzz(func(t *testing.T, doc, value []byte) {
		s, err := Compile("format", doc, nil)
		if err != nil {
			return
		}
		v, err := decode(value)
		if err != nil {
			return
		}
		for _, violation := range s.Validate(v) {
			if violation.Message == "" {
				t.Error("a violation without words")
			}
		}
		s.Properties([]string{"a"})
	})
}
