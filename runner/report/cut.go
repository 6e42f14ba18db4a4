package report

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxText is the longest text of a model or a server that a report holds, in bytes. It
// keeps a report that one can open, whatever the answers are.
const maxText = 64 << 10

// cut returns text, of a very long one its begin and how much was left out.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	begin := head(text, maxText)
	return strings.Clone(begin) + fmt.Sprintf("\n[... %d more bytes are left out of the report]", len(text)-len(begin))
}

// head returns the longest begin of text of at most n bytes that cuts no character.
func head(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
