package templates

import (
	"cmp"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// A number is a value's number, exact where text is kept.
type number struct {
	whole bool    // i is its value
	i     int64   // of a whole number that fits
	f     float64 // its value, rounded
	text  string  // its spelling, where it came with one
}

// numberOf reads the number that a value is or that its text spells. Spellings
// are JSON's, so 007 and +1 are text; longer than 300 characters, or beyond what
// a float64 holds, is no number to compute with.
func numberOf(v any) (number, bool) {
	switch v := v.(type) {
	case int:
		return wholeNumber(int64(v)), true
	case int64:
		return wholeNumber(v), true
	case float64:
		return number{f: v}, !math.IsNaN(v) && !math.IsInf(v, 0)
	case json.Number:
		return spelledNumber(string(v))
	case string:
		return spelledNumber(v)
	case int8, int16, int32, uint, uint8, uint16, uint32, uint64, float32:
		s, _ := wordsOf(v)
		return spelledNumber(s)
	}
	return number{}, false
}

func wholeNumber(i int64) number { return number{whole: true, i: i, f: float64(i)} }

func spelledNumber(s string) (number, bool) {
	const longest = 300
	if len(s) > longest || !isNumber(s) {
		return number{}, false
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return number{whole: true, i: i, f: float64(i), text: s}, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f == 0 && strings.ContainsAny(mantissa(s), "123456789") {
		return number{}, false // too large, or too small to tell from 0
	}
	return number{f: f, text: s}, true
}

func mantissa(s string) string {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		return s[:i]
	}
	return s
}

// isNumber says whether s is a number by JSON's grammar.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	s = s[whole:]
	if s != "" && s[0] == '.' {
		fraction := digits(s[1:])
		if fraction == 0 {
			return false
		}
		s = s[1+fraction:]
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		exponent := digits(s)
		return exponent > 0 && exponent == len(s)
	}
	return s == ""
}

// digits counts the decimal digits at the beginning of s.
func digits(s string) int {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return len(s)
}

func (n number) zero() bool { return n.f == 0 }

// compare orders two numbers by value, exactly: float64 is monotone, so only equal
// ones need another look.
func (n number) compare(m number) int {
	switch {
	case n.whole && m.whole:
		return cmp.Compare(n.i, m.i)
	case n.f != m.f:
		return cmp.Compare(n.f, m.f)
	}
	return n.exact().Cmp(m.exact())
}

// exact is the number as it is spelled, without rounding: of a float64 its shortest
// decimals, so that 1.1 in a template equals 1.1 in the data. Its size is bounded by
// spelledNumber.
func (n number) exact() *big.Rat {
	if n.whole {
		return new(big.Rat).SetInt64(n.i)
	}
	text := n.text
	if text == "" {
		text = strconv.FormatFloat(n.f, 'g', -1, 64)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("templates: no number: " + text) // numberOf lets only numbers through
	}
	return r
}

// int64 gives the number as a whole one, if it is: 3 and 3.0, not 3.5.
func (n number) int64() (int64, bool) {
	if n.whole {
		return n.i, true
	}
	if r := n.exact(); r.IsInt() && r.Num().IsInt64() {
		return r.Num().Int64(), true
	}
	return 0, false
}

// formatFloat prints a float64 with as few digits as tell it from its neighbours,
// and without an exponent from 1e-6 up to 1e21, as JSON and JavaScript do.
func formatFloat(f float64) string {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// equal is eq of two values.
func (b *budget) equal(x, y any) (bool, error) {
	kx, ky := kindOf(x), kindOf(y)
	if m, n, ok := bothNumbers(x, y); ok {
		return m.compare(n) == 0, nil
	}
	switch {
	case kx == ky:
		return b.same(x, y, 0)
	case kx == nullKind || ky == nullKind:
		return false, nil
	case kx == boolKind && ky == textKind:
		return boolIsText(x.(bool), y.(string)), nil
	case kx == textKind && ky == boolKind:
		return boolIsText(y.(bool), x.(string)), nil
	case kx == numberKind && ky == textKind, kx == textKind && ky == numberKind:
		return false, nil
	}
	return false, failed("can't compare %s with %s", described(x), described(y))
}

// bothNumbers reads two values as numbers, if both are or spell one.
func bothNumbers(x, y any) (m, n number, ok bool) {
	if m, ok = numberOf(x); ok {
		n, ok = numberOf(y)
	}
	return m, n, ok
}

func boolIsText(v bool, s string) bool { return s == strconv.FormatBool(v) }

// order is the comparison behind lt, le, gt and ge.
func (b *budget) order(x, y any) (int, error) {
	if m, n, ok := bothNumbers(x, y); ok {
		return m.compare(n), nil
	}
	s, ok1 := x.(string)
	t, ok2 := y.(string)
	if ok1 && ok2 {
		return cmp.Compare(s, t), b.spend(int64(min(len(s), len(t)) / 16))
	}
	return 0, failed("compares two numbers or two texts, not %s with %s", described(x), described(y))
}
