package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

func bold(s string) string   { return "\x1b[1m" + s + "\x1b[0m" }
func red(s string) string    { return "\x1b[31m" + s + "\x1b[0m" }
func yellow(s string) string { return "\x1b[33m" + s + "\x1b[0m" }

// clean makes text from elsewhere (a model, a server, a data file) harmless for a
// terminal: no escape sequences, no control or direction-changing characters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, ansi.Strip(s))
}

// plural is "1 row", "2 rows", "2 retries".
func plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if stem, ok := strings.CutSuffix(thing, "y"); ok {
		thing = stem + "ie"
	}
	return count(n) + " " + thing + "s"
}

// count groups a number's digits by three: 20,000.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// span writes a duration as a person says it: 0.4s, 9.1s, 3m05s, 2h14m.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// byteSize writes a size as Ollama does: 3.3 GB.
func byteSize(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}

// printShort writes the first lines of text, each at most 160 characters long.
func printShort(w io.Writer, text string, lines int) {
	const width = 160
	n := 0
	for line := range strings.Lines(text) {
		if n++; n > lines {
			fmt.Fprintf(w, "... and %s more\n", plural(int64(strings.Count(text, "\n")-lines), "line"))
			return
		}
		fmt.Fprintln(w, ansi.Truncate(strings.TrimRight(clean(line), "\n"), width, "..."))
	}
}
