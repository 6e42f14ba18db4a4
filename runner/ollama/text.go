package ollama

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// maxMessage bounds what is kept of a server's own words, in bytes.
const maxMessage = 4 << 10

// clean makes text of a server fit for one line of a message: no escape
// sequences, no control or bidirectional characters, no runs of space, valid
// UTF-8, at most maxMessage bytes.
func clean(text string) string {
	if len(text) > 4*maxMessage {
		text = text[:4*maxMessage] // the rest can't be wanted, and cleaning costs
	}
	text = ansi.Strip(strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
	return shorten(strings.Join(strings.Fields(text), " "), maxMessage)
}

// shorten cuts text to at most limit bytes, between characters, and says so.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit - len("...")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}

// counted writes a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// size writes a number of bytes.
func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}
