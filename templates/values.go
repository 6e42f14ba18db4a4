package templates

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// A kind is what a value is to a template's author.
type kind int

const (
	anyKind kind = iota
	nullKind
	boolKind
	numberKind
	textKind
	listKind
	objectKind
	otherKind
)

// String names a kind as messages do.
func (k kind) String() string {
	names := [...]string{"any value", "null", "true or false", "a number", "text", "a list", "an object", "something else"}
	return names[k]
}

func kindOf(v any) kind {
	switch v.(type) {
	case nil:
		return nullKind
	case bool:
		return boolKind
	case string:
		return textKind
	case json.Number, int, int64, float64, int8, int16, int32, uint, uint8, uint16, uint32, uint64, float32:
		return numberKind
	case []any, []string:
		return listKind
	case map[string]any:
		return objectKind
	}
	return otherKind
}

// described says in a message what a value is: short texts and numbers themselves.
func described(v any) string {
	const short = 40
	switch v := v.(type) {
	case string:
		if len(v) <= short {
			return strconv.Quote(v)
		}
	case bool, json.Number, int, int64, float64:
		if s, _ := wordsOf(v); len(s) <= short {
			return s
		}
	}
	return kindOf(v).String()
}

// empty is what if, default and the like take for nothing: null, false, 0, "",
// an empty list or object.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case []string:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	n, ok := numberOf(v)
	return ok && n.zero()
}

// condition stands at the end of the pipelines of if and with, and of the
// arguments of and and or: text/template takes a json.Number for text, and so "0" for true.
func condition(v any) any {
	if n, ok := v.(json.Number); ok && empty(n) {
		return 0
	}
	return v
}

// printed stands at the end of every action's pipeline.
func (b *budget) printed(v any) (string, error) {
	if b.keep {
		b.kept = v
		return "", nil
	}
	s, err := b.text(v)
	if f, ok := isFailure(err); ok && !f.null {
		return "", f.of("printing")
	}
	return s, err
}

// text is a value as templates print it.
func (b *budget) text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case nil:
		return "", errNull
	}
	if s, ok := wordsOf(v); ok {
		return s, nil
	}
	return b.json(v)
}

// wordsOf is the printed form of a bool or number.
func wordsOf(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		return string(v), true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return formatFloat(v), true
	case int8, int16, int32, uint, uint8, uint16, uint32, uint64, float32:
		return fmt.Sprint(v), true
	}
	return "", false
}

// json is a value as compact JSON, keys sorted, without HTML escapes.
func (b *budget) json(v any) (string, error) {
	if _, err := b.measure(v, 0); err != nil {
		return "", err
	}
	return encode(v, "", false)
}

// measure counts the bytes of a value's JSON against the budget, before they are
// made, and returns its depth. A value may hold one list many times over
// ($x = list $x $x), so that its JSON is larger than memory: counting stops there.
func (b *budget) measure(v any, depth int) (deepest int, err error) {
	const word = 32 // a number, a bool, null: with what stands around it
	if depth > maxValueDeep {
		return depth, failed("can't work with a value nested more than %d deep", maxValueDeep)
	}
	deepest = depth
	switch v := v.(type) {
	case string:
		return deepest, b.take(quotedSize(v))
	case []any:
		err = b.take(word)
		for i := 0; i < len(v) && err == nil; i++ {
			var d int
			d, err = b.measure(v[i], depth+1)
			deepest = max(deepest, d)
		}
		return deepest, err
	case map[string]any:
		err = b.take(word)
		for key, element := range v {
			if err == nil {
				err = b.take(quotedSize(key))
			}
			if err != nil {
				break
			}
			var d int
			d, err = b.measure(element, depth+1)
			deepest = max(deepest, d)
		}
		return deepest, err
	case json.Number:
		return deepest, b.take(int64(len(v)) + word)
	}
	return deepest, b.take(word)
}

// quotedSize is at least the size of a text in JSON.
func quotedSize(s string) int64 {
	n := int64(len(s)) + 8
	for i := range len(s) {
		switch c := s[i]; {
		case c < 0x20, c == '<', c == '>', c == '&':
			n += 5
		case c == '"', c == '\\', c >= utf8.RuneSelf:
			n++
		}
	}
	return n
}

// normal is a value with the types that data has: numbers that functions made
// become json.Number, and so on through lists and objects.
func (b *budget) normal(v any, depth int) (any, error) {
	if depth > maxValueDeep {
		return nil, failed("gives a value nested more than %d deep", maxValueDeep)
	}
	if v, ok := plain(v); ok {
		return v, nil
	}
	switch v := v.(type) {
	case []any:
		return b.normalList(v, depth)
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list, nil
	case map[string]any:
		return b.normalObject(v, depth)
	}
	if s, ok := wordsOf(v); ok {
		return json.Number(s), nil
	}
	return nil, failed("gives something that is no value")
}

func (b *budget) normalList(list []any, depth int) (any, error) {
	if err := b.takeEach(int64(len(list)), 32); err != nil {
		return nil, err
	}
	result := make([]any, len(list))
	for i, v := range list {
		var err error
		if result[i], err = b.normal(v, depth+1); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (b *budget) normalObject(object map[string]any, depth int) (any, error) {
	if err := b.takeEach(int64(len(object)), 64); err != nil {
		return nil, err
	}
	result := make(map[string]any, len(object))
	for key, v := range object {
		var err error
		if result[key], err = b.normal(v, depth+1); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// same says whether two values are equal, numbers by value; text is never equal
// to a number.
func (b *budget) same(x, y any, depth int) (bool, error) {
	if depth > maxValueDeep {
		return false, failed("can't compare values nested more than %d deep", maxValueDeep)
	}
	if err := b.spend(20); err != nil {
		return false, err
	}
	k := kindOf(x)
	if k != kindOf(y) {
		return false, nil
	}
	switch k {
	case nullKind:
		return true, nil
	case numberKind:
		m, ok1 := numberOf(x)
		n, ok2 := numberOf(y)
		if ok1 && ok2 {
			return m.compare(n) == 0, nil
		}
		return fmt.Sprint(x) == fmt.Sprint(y), nil
	case textKind:
		s, t := x.(string), y.(string)
		return s == t, b.spend(int64(min(len(s), len(t)) / 16))
	case listKind:
		return b.sameLists(listOf(x), listOf(y), depth)
	case objectKind:
		return b.sameObjects(x.(map[string]any), y.(map[string]any), depth)
	}
	return x == y, nil
}

func (b *budget) sameLists(x, y []any, depth int) (bool, error) {
	if len(x) != len(y) {
		return false, nil
	}
	for i := range x {
		if ok, err := b.same(x[i], y[i], depth+1); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (b *budget) sameObjects(x, y map[string]any, depth int) (bool, error) {
	if len(x) != len(y) {
		return false, nil
	}
	for key, v := range x {
		w, ok := y[key]
		if !ok {
			return false, nil
		}
		if ok, err := b.same(v, w, depth+1); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// listOf is a value that is known to be a list.
func listOf(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	words, _ := v.([]string)
	list := make([]any, len(words))
	for i, w := range words {
		list[i] = w
	}
	return list
}

func sortedKeys(object map[string]any) []string {
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
