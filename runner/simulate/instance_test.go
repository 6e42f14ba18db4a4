package simulate

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// schemas have instances; each is made under many seeds and held against the schema.
var schemas = map[string]string{
	"anything":          `{}`,
	"object":            `{"type":"object","required":["score","why"],"properties":{"score":{"type":"integer","minimum":1,"maximum":5},"why":{"type":"string","minLength":3,"maxLength":12}},"additionalProperties":false}`,
	"required unlisted": `{"type":"object","required":["a"],"additionalProperties":{"type":"integer"}}`,
	"min properties":    `{"type":"object","minProperties":3}`,
	"enum":              `{"enum":["bug","feature",3,null,{"a":[1]}]}`,
	"const":             `{"const":{"a":"<b>"}}`,
	"string":            `{"type":"string"}`,
	"long string":       `{"type":"string","minLength":300}`,
	"short string":      `{"type":"string","maxLength":2}`,
	"exact string":      `{"type":"string","minLength":7,"maxLength":7}`,
	"empty string":      `{"type":"string","maxLength":0}`,
	"pattern":           `{"type":"string","pattern":"^[A-Z]{2}-[0-9]{4}(-(x|y))?$"}`,
	"free pattern":      `{"type":"string","pattern":"\\d+ (apples|pears).*"}`,
	"date":              `{"type":"string","format":"date"}`,
	"email":             `{"type":"string","format":"email"}`,
	"integer":           `{"type":"integer"}`,
	"integer above":     `{"type":"integer","exclusiveMinimum":7}`,
	"integer below":     `{"type":"integer","exclusiveMaximum":-7}`,
	"one integer":       `{"type":"integer","minimum":1.5,"maximum":2.5}`,
	"multiple":          `{"type":"integer","multipleOf":7,"minimum":1,"maximum":20}`,
	"number":            `{"type":"number"}`,
	"narrow number":     `{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":0.001}`,
	"one number":        `{"type":"number","minimum":0.25,"maximum":0.25}`,
	"share":             `{"type":"number","minimum":0,"maximum":1}`,
	"boolean":           `{"type":"boolean"}`,
	"null":              `{"type":"null"}`,
	"types":             `{"type":["string","null","integer"]}`,
	"array":             `{"type":"array","items":{"type":"boolean"}}`,
	"long array":        `{"type":"array","items":{"enum":[1,2]},"minItems":9}`,
	"empty array":       `{"type":"array","maxItems":0}`,
	"unique array":      `{"type":"array","items":{"type":"integer","minimum":1,"maximum":4},"minItems":4,"uniqueItems":true}`,
	"tuple":             `{"$schema":"http://json-schema.org/draft-07/schema#","type":"array","items":[{"type":"string"},{"type":"integer"}],"minItems":2,"additionalItems":false,"maxItems":2}`,
	"anyOf":             `{"anyOf":[{"type":"string"},{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}]}`,
	"anyOf beside":      `{"type":"object","properties":{"k":{"type":"string"}},"anyOf":[{"required":["k"]},{"required":["l"],"properties":{"l":{"type":"integer"}}}]}`,
	"oneOf":             `{"oneOf":[{"const":1},{"const":2}]}`,
	"a dead branch":     `{"anyOf":[false,{"type":"integer","minimum":2,"maximum":1},{"const":"alive"}]}`,
	"allOf":             `{"allOf":[{"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}},{"required":["b"],"properties":{"b":{"type":"string"}}}]}`,
	"ref":               `{"type":"object","required":["p","q"],"properties":{"p":{"$ref":"#/$defs/p"},"q":{"$ref":"#/definitions/a~1b"}},"$defs":{"p":{"type":"object","required":["x"],"properties":{"x":{"type":"number"}}}},"definitions":{"a/b":{"const":1}}}`,
	"tree":              `{"type":"object","required":["name","children"],"properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#"}}}}`,
	"list":              `{"anyOf":[{"type":"null"},{"type":"object","required":["next"],"properties":{"next":{"$ref":"#"}}}]}`,
	"implied":           `{"properties":{"a":{"minimum":3}},"required":["a"]}`,
	"unicode":           `{"type":"object","required":["größe"],"properties":{"größe":{"enum":["ä<&>\u2028"]}}}`,
}

func TestAnswersFitTheirSchema(t *testing.T) {
	for name, text := range schemas {
		t.Run(name, func(t *testing.T) {
			schema, err := jsonschema.CompileString("schema.json", text)
			if err != nil {
				t.Fatal(err)
			}
			s := New(Config{})
			for seed := range 25 {
				answer, last := said(t, s, body("m", "Explain tides", `"format":`+text, `"options":{"seed":`+strconv.Itoa(seed)+`}`))
				var value any
				if err := json.Unmarshal([]byte(answer), &value); err != nil {
					t.Fatalf("%s: %v, %v", answer, err, last)
				}
				if err := schema.Validate(value); err != nil {
					t.Fatalf("%s: %v", answer, err)
				}
			}
		})
	}
}

func TestSchemasWithoutAnInstance(t *testing.T) {
	bomb := `{"$defs":{"z":{"type":"integer"}`
	for c := 'a'; c < 'k'; c++ {
		bomb += fmt.Sprintf(`,"%c":{"type":"array","minItems":10,"maxItems":10,"items":{"$ref":"#/$defs/%c"}}`, c, c+1)
	}
	bomb += `,"k":{"type":"integer"}},"$ref":"#/$defs/a"}`
	for name, text := range map[string]string{
		"false":           `{"not a schema":1,"type":"object","required":["a"],"properties":{"a":false}}`,
		"no such type":    `{"type":"nope"}`,
		"contradiction":   `{"type":"integer","minimum":2,"maximum":1}`,
		"lengths":         `{"type":"string","minLength":2,"maxLength":1}`,
		"endless":         `{"type":"object","required":["a"],"properties":{"a":{"$ref":"#"}}}`,
		"round in itself": `{"$ref":"#"}`,
		"elsewhere":       `{"$ref":"https://example.com/schema.json"}`,
		"nowhere":         `{"$ref":"#/$defs/nope"}`,
		"empty enum":      `{"enum":[]}`,
		"pattern":         `{"type":"string","pattern":"(?=x)y"}`,
		"no unique items": `{"type":"array","minItems":3,"uniqueItems":true,"items":{"const":1}}`,
		"a bomb":          bomb,
	} {
		r := ask(t, New(Config{}), "POST", "/api/chat", body("m", "x", `"format":`+text))
		var reply struct{ Error string }
		if err := json.NewDecoder(r.Body).Decode(&reply); err != nil || r.StatusCode != 500 || reply.Error != "invalid JSON schema in format" {
			t.Errorf("%s: %d %q (%v)", name, r.StatusCode, reply.Error, err)
		}
	}
}

func TestKeysKeepTheOrderOfTheSchema(t *testing.T) {
	text, _ := said(t, New(Config{}), body("m", "x", `"format":{"type":"object","properties":{"z":{"const":1},"a":{"const":2},"m":{"const":3}}}`))
	if text != `{"z": 1, "a": 2, "m": 3}` {
		t.Errorf("the answer is %s", text)
	}
}

func TestFormatJSON(t *testing.T) {
	text, _ := said(t, New(Config{}), body("m", `Say "hi"`, `"format":"json"`))
	var value map[string]any
	if err := json.Unmarshal([]byte(text), &value); err != nil || value["simulated"] != true {
		t.Errorf("the answer is %s (%v)", text, err)
	}
	for _, none := range []string{`null`, `""`} {
		if text, _ := said(t, New(Config{}), body("m", "x", `"format":`+none)); !strings.HasSuffix(text, "(simulated)") {
			t.Errorf("format %s: the answer is %s", none, text)
		}
	}
}

func FuzzSchema(f *testing.F) {
	for _, text := range schemas {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		q := &question{wire: wire{Format: json.RawMessage(text), Messages: []Message{{"user", "x"}}}}
		answer, err := q.formatted()
		if err == nil && !json.Valid([]byte(answer)) {
			t.Errorf("%s gives %s", text, answer)
		}
	})
}
