package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The JSON of records is written here and not by encoding/json because records
// are many, their keys are known, and people read them: <, > and & stay as they
// are, keys of variables keep the order of the data, and nothing is copied twice.

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD. What
// some readers take for the end of a line or for a command to the terminal (DEL,
// the C1 controls, U+2028 and U+2029) is escaped, so that one record stays one
// line everywhere.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		r := rune(c)
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
			if plain(r, size) {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, r, size)
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// plain says whether a character beyond ASCII may stand in a JSON string as it is.
func plain(r rune, size int) bool {
	return r > 0x9f && r != '\u2028' && r != '\u2029' && (r != utf8.RuneError || size > 1)
}

func appendEscape(dst []byte, r rune, size int) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	if r == utf8.RuneError && size == 1 {
		return append(dst, "\ufffd"...)
	}
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// appendValue appends a value as JSON: numbers with their spelling, the keys of
// objects sorted. What templates or Go programs give beyond the values of data
// files is written as encoding/json does.
func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return appendString(dst, v)
	case json.Number:
		return appendNumber(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return appendFloat(dst, v)
	case []any:
		return appendList(dst, v)
	case map[string]any:
		return appendObject(dst, v, object{})
	}
	return appendOther(dst, v)
}

// appendNumber keeps a number's spelling, and quotes one that JSON does not allow.
func appendNumber(dst []byte, n json.Number) []byte {
	if !isNumber(string(n)) {
		return appendString(dst, string(n))
	}
	return append(dst, n...)
}

// isNumber says whether s is a number as JSON spells it.
func isNumber(s string) bool {
	if s == "" || s[0] != '-' && !digits(s[:1]) || !digits(s[len(s)-1:]) {
		return false // nothing, another value, or blanks around it
	}
	return json.Valid([]byte(s))
}

// appendFloat writes integers without a fraction; NaN and the infinities, which
// JSON lacks, are null.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.AppendInt(dst, int64(f), 10)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

func appendList(dst []byte, list []any) []byte {
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, v)
	}
	return append(dst, ']')
}

// An object says how an object is written: the known fields first, in their
// order, then the others sorted, without the one to drop.
type object struct {
	fields []string
	drop   string // empty: none
}

func appendObject(dst []byte, m map[string]any, o object) []byte {
	dst = append(dst, '{')
	open := len(dst)
	field := func(name string) {
		if len(dst) > open {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, name), ':')
		dst = appendValue(dst, m[name])
	}
	for _, name := range o.fields {
		if _, has := m[name]; has && !o.drops(name) {
			field(name)
		}
	}
	for _, name := range o.others(m) {
		field(name)
	}
	return append(dst, '}')
}

// others gives the names of m's fields that are not among the known ones, sorted.
func (o object) others(m map[string]any) []string {
	var names []string
	for name := range m {
		if !o.drops(name) && !slices.Contains(o.fields, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (o object) drops(name string) bool { return o.drop != "" && name == o.drop }

func appendOther(dst []byte, v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return appendString(dst, fmt.Sprint(v))
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
