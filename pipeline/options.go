package pipeline

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/batchrunner/runner/schema"
	"github.com/batchrunner/runner/specs/say"
)

// fit holds what a template gave for an option against the option's kind. Text that
// spells a number, true or false is one, as it has to be where it comes from CSV.
func (o *option) fit(v any) (any, error) {
	if o.shape == nil {
		return v, nil
	}
	for _, kind := range o.shape.Kinds {
		if fitted, ok := as(kind, v); ok {
			return fitted, o.inRange(fitted)
		}
	}
	return v, fmt.Errorf("option %q must be %s, but is %s", o.name, o.wanted(), shown(v))
}

// as gives a value as one of JSON Schema's kinds. A job's schema allows text for
// every option, since a template is one; an option itself is never a text.
func as(kind string, v any) (any, bool) {
	text, isText := spelling(v)
	switch kind {
	case "integer":
		_, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		return json.Number(strings.TrimSpace(text)), err == nil && isText
	case "number":
		text = strings.TrimSpace(text)
		_, err := strconv.ParseFloat(text, 64)
		return json.Number(text), err == nil && json.Valid([]byte(text))
	case "boolean":
		b, err := strconv.ParseBool(text)
		return b, err == nil && (text == "true" || text == "false")
	case "array":
		return texts(v)
	}
	return nil, false
}

// texts gives a list of texts; one text is a list of one.
func texts(v any) (any, bool) {
	if text, ok := v.(string); ok {
		return []any{text}, true
	}
	list, ok := v.([]any)
	for _, e := range list {
		if _, isText := e.(string); !isText {
			return nil, false
		}
	}
	return list, ok
}

func (o *option) inRange(v any) error {
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	f, _ := n.Float64() // as has seen that it is a number
	if low := o.shape.Min; low != "" {
		if least, _ := low.Float64(); f < least {
			return fmt.Errorf("option %q must be at least %s, but is %s", o.name, low, n)
		}
	}
	if high := o.shape.Max; high != "" {
		if most, _ := high.Float64(); f > most {
			return fmt.Errorf("option %q must be at most %s, but is %s", o.name, high, n)
		}
	}
	return nil
}

func (o *option) wanted() string {
	var names []string
	for _, kind := range o.shape.Kinds {
		if kind != "string" {
			names = append(names, schema.KindName(kind))
		}
	}
	return say.Or(names)
}

// shown is a value as JSON, cut where it is long.
func shown(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if runes := []rune(string(text)); len(runes) > 60 {
		return string(runes[:60]) + "..."
	}
	return string(text)
}
