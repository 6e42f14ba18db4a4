// Package say has what all messages share: how a number with its noun is written, how
// words are joined, and how text from elsewhere is made harmless.
package say

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// An Integer is what can be counted.
type Integer interface{ ~int | ~int64 }

// Count groups the digits of a number by three: 20,000.
func Count[N Integer](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Plural is a number with its noun: "1 row", "20,000 rows", "2 retries".
func Plural[N Integer](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		noun = stem + "ie"
	}
	return Count(n) + " " + noun + "s"
}

// And joins words: "a, b and c".
func And(words []string) string { return join(words, " and ") }

// Or joins words: "a, b or c".
func Or(words []string) string { return join(words, " or ") }

func join(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + last + words[n]
}

// Clean makes text from elsewhere (a model, a server, a file) fit to be shown: valid UTF-8
// without what a terminal would obey, which are escape sequences, control characters, and
// characters that turn the direction of text around. Ends of lines stay, each as "\n", and
// so do tabs.
func Clean(text string) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if strings.IndexFunc(text, obeyed) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case endsLine(r):
			return '\n'
		case obeyed(r):
			return -1
		}
		return r
	}, ansi.Strip(text))
}

// Line is Clean on one line, without runs of space.
func Line(text string) string { return strings.Join(strings.Fields(Clean(text)), " ") }

func obeyed(r rune) bool {
	return r != '\n' && r != '\t' && (endsLine(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

// endsLine holds for Unicode's own ends of lines: NEL, LS and PS.
func endsLine(r rune) bool { return r == '\u0085' || r == '\u2028' || r == '\u2029' }
