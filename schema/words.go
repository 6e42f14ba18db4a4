package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// name is how a message calls the value at a path: `"items[2].score"`.
func name(path []string) string {
	if len(path) == 0 {
		return "the value"
	}
	var b strings.Builder
	for i, step := range path {
		_, err := strconv.Atoi(step)
		switch {
		case err == nil:
			b.WriteString("[" + step + "]")
		case i == 0:
			b.WriteString(step)
		default:
			b.WriteString("." + step)
		}
	}
	return strconv.Quote(b.String())
}

// kindNames says JSON Schema's kinds in words.
func kindNames(types any) []string {
	if one, ok := types.(string); ok {
		types = []any{one}
	}
	list, _ := types.([]any)
	names := make([]string, len(list))
	for i, kind := range list {
		kind, _ := kind.(string)
		names[i] = KindName(kind)
	}
	return names
}

// KindName says one of JSON Schema's kinds in words: "a whole number".
func KindName(kind string) string {
	switch kind {
	case "string":
		return "text"
	case "integer":
		return "a whole number"
	case "number":
		return "a number"
	case "boolean":
		return "true or false"
	case "null":
		return "null"
	case "array":
		return "a list"
	case "object":
		return "a mapping"
	}
	return kind
}

// values shows the values of an enum.
func values(enum any) []string {
	list, _ := enum.([]any)
	shown := make([]string, len(list))
	for i, value := range list {
		shown[i] = quoted(value)
	}
	return shown
}

func quoted(value any) string {
	text, _ := json.Marshal(value)
	return cut(string(text))
}

// show says what a value is: its kind where that isn't plain to see, and the value.
func show(value any) string {
	switch v := value.(type) {
	case map[string]any:
		return "a mapping"
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	case string:
		return "text " + quoted(v)
	case nil:
		return "null"
	}
	return quoted(value)
}

// cut shortens a shown value: an answer may hold pages of text.
func cut(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "..."
}

// choice joins alternatives: "a, b or c".
func choice(list []string) string {
	if len(list) == 0 {
		return "something else"
	}
	if len(list) == 1 {
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

// count says a number of things: "1 character", "3 characters".
func count(limit any, thing string) string {
	text := fmt.Sprint(limit)
	if text == "1" {
		return text + " " + thing
	}
	return text + " " + thing + "s"
}

func length(value any) int {
	switch v := value.(type) {
	case string:
		return utf8.RuneCountInString(v)
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return 0
}

func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func clone(path []string) []string { return append([]string(nil), path...) }

// unescape reads one step of a JSON pointer that stands in an address.
func unescape(step string) string {
	if plain, err := url.PathUnescape(step); err == nil {
		step = plain
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
}
