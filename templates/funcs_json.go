package templates

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

func jsonFunctions() []entry {
	entries := []entry{
		{"VALUE -> text", "toJson", "the value as JSON, with < > & escaped", `toJson (list "a" 1.5)`, `["a",1.5]`, toJSON("", escaped)},
		{"VALUE -> text", "toRawJson", "the value as JSON, with < > & as they are", `toRawJson (list "<b>")`, `["<b>"]`, toJSON("", raw)},
		{"VALUE -> text", "toPrettyJson", "the value as JSON with new lines and indents", `toPrettyJson (dict "a" 1)`, "{\n  \"a\": 1\n}", toJSON("  ", escaped)},
		{"TEXT -> any", "fromJson", "the value that JSON spells", `(fromJson "{\"a\": 1.50}").a`, "1.50", fromJSON},
	}
	return withMust(entries, "toJson toRawJson toPrettyJson fromJson")
}

// What becomes of < > & in JSON.
const (
	raw     = false
	escaped = true
)

func toJSON(indent string, html bool) impl {
	return func(b *budget, args []any) (any, error) {
		before := b.bytes
		depth, err := b.measure(args[0], 0)
		if err != nil {
			return nil, err
		}
		if indent != "" {
			// A value with what stands around it counts 8 bytes at least, and is indented once or twice.
			lines := (b.bytes - before) / 8
			if err := b.takeEach(2*lines, int64(depth+1)*int64(len(indent))); err != nil {
				return nil, err
			}
		}
		return encode(args[0], indent, html)
	}
}

func encode(v any, indent string, html bool) (string, error) {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(html)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return "", failed("can't be written as JSON")
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}

func fromJSON(b *budget, args []any) (any, error) {
	const each = 64 // what a value takes in memory, at least
	s, err := b.textArg(args[0])
	if err != nil {
		return nil, err
	}
	values := 1
	for i := range len(s) {
		switch s[i] {
		case ',', '[', '{', ':':
			values++
		}
	}
	if err := b.takeEach(int64(values), each); err != nil {
		return nil, err
	}
	if err := b.takeEach(int64(len(s)), 2); err != nil {
		return nil, err
	}
	return decodeJSON(s)
}

func decodeJSON(s string) (any, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(s)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, failed("needs JSON, but gets %s", described(s))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, failed("needs one JSON value, but more follows it")
	}
	return v, nil
}
