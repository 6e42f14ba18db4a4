package ollama

import (
	"fmt"
	"unicode/utf8"

	"github.com/batchrunner/runner/specs/say"
)

// maxMessage bounds what is kept of a server's own words, in bytes.
const maxMessage = 4 << 10

// clean makes text of a server fit for one line of a message, of at most maxMessage bytes.
func clean(text string) string {
	text = shorten(text, 4*maxMessage) // the rest can't be wanted, and cleaning costs
	return shorten(say.Line(text), maxMessage)
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

// size writes a number of bytes.
func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}
