package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/batchrunner/runner/specs/say"
)

func bold(s string) string   { return "\x1b[1m" + s + "\x1b[0m" }
func red(s string) string    { return "\x1b[31m" + s + "\x1b[0m" }
func yellow(s string) string { return "\x1b[33m" + s + "\x1b[0m" }

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
			fmt.Fprintf(w, "... and %s more\n", say.Plural(strings.Count(text, "\n")-lines, "line"))
			return
		}
		fmt.Fprintln(w, ansi.Truncate(strings.TrimRight(say.Clean(line), "\n"), width, "..."))
	}
}
