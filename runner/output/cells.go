package output

import (
	"encoding/json"
	"strings"
	"unicode"
)

// cellText gives a value as the text of a cell: nothing for null, numbers with
// their spelling, lists and objects as JSON.
func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return valid(v)
	case json.Number:
		return string(v)
	}
	return string(appendValue(nil, v))
}

// harmless puts a ' before text that a spreadsheet would take for a formula
// (CWE-1236), which every spreadsheet then shows as text. Numbers are none.
func harmless(s string) string {
	if s == "" || !startsFormula(s) || isSigned(s) {
		return s
	}
	return "'" + s
}

// startsFormula looks past what a program that imports the file may drop before
// it looks for a formula: spaces, controls, and characters that can't be seen.
func startsFormula(s string) bool {
	for _, r := range s {
		switch r {
		case '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠':
			return true
		}
		if !unicode.IsSpace(r) && !unicode.In(r, unicode.Cc, unicode.Cf) {
			return false
		}
	}
	return false
}

// isSigned says whether s is a number with or without a sign: digits with at most
// one point, and an exponent.
func isSigned(s string) bool {
	if s[0] == '+' || s[0] == '-' {
		s = s[1:]
	}
	mantissa, exponent, has := strings.Cut(strings.ToLower(s), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if !digits(whole) || !digits(fraction) || whole+fraction == "" {
		return false
	}
	if !has {
		return true
	}
	exponent = strings.TrimPrefix(strings.TrimPrefix(exponent, "-"), "+")
	return exponent != "" && digits(exponent)
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// appendCell appends a field as RFC 4180 has it. Quotes are also put around what
// other programs would split or change: tabs, semicolons, spaces at the ends.
func appendCell(dst []byte, s string, comma byte) []byte {
	if !needsQuotes(s, comma) {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for {
		before, after, quote := strings.Cut(s, `"`)
		dst = append(dst, before...)
		if !quote {
			return append(dst, '"')
		}
		dst = append(dst, '"', '"')
		s = after
	}
}

func needsQuotes(s string, comma byte) bool {
	if s == "" {
		return false
	}
	return s == `\.` || s[0] == ' ' || s[len(s)-1] == ' ' ||
		strings.IndexByte(s, comma) >= 0 || strings.ContainsAny(s, "\"\r\n\t;")
}
