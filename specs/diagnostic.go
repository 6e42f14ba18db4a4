package specs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// A Diagnostic is one mistake in a job, or a warning, at its place.
type Diagnostic struct {
	File    string // as messages name it: the job file, or a file that it uses
	Pos     Pos    // zero where the mistake has no place, as in --var
	Step    string // the step it is in, as the job file spells its id; empty outside of steps
	Message string // what is wrong, in the words of the job's author
	Help    string // what to do about it, or empty
	Source  string // the line of the file, where it is known
	Warning bool   // the job can be run all the same
}

// String gives the diagnostic on one line:
// `file:line:col: step "x": what is wrong; what to do`.
func (d Diagnostic) String() string {
	var b strings.Builder
	b.WriteString(d.File)
	if d.Pos != (Pos{}) {
		fmt.Fprintf(&b, ":%d:%d", d.Pos.Line, d.Pos.Col)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if d.Warning {
		b.WriteString("warning: ")
	}
	if d.Step != "" {
		fmt.Fprintf(&b, "step %q: ", d.Step)
	}
	b.WriteString(d.Message)
	if d.Help != "" {
		b.WriteString("; " + d.Help)
	}
	return b.String()
}

const (
	excerptIndent = "    "
	excerptWidth  = 100 // columns; of a longer line the part around the caret is shown
)

// Excerpt gives the line of the file and a caret under the place, two lines
// without a newline at the end; empty where the line is not known. Control
// characters are replaced, tabs are kept.
func (d Diagnostic) Excerpt() string {
	if strings.TrimSpace(d.Source) == "" || d.Pos.Col < 1 {
		return ""
	}
	line := []rune(printable(d.Source))
	at := min(d.Pos.Col-1, len(line))
	before, after := string(line[:at]), string(line[at:])
	if ansi.StringWidth(before+after) > excerptWidth {
		before, after = narrow(before, after)
	}
	return excerptIndent + before + after + "\n" + excerptIndent + under(before) + "^"
}

// narrow keeps what stands around the caret, and shows where it cut.
func narrow(before, after string) (string, string) {
	const most = excerptWidth * 2 / 3
	if w := ansi.StringWidth(before); w > most {
		before = "..." + ansi.TruncateLeft(before, w-most+3, "")
	}
	return before, ansi.Truncate(after, excerptWidth-ansi.StringWidth(before), "...")
}

// under is blank space as wide as the text, tab for tab.
func under(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "\t") {
		if i > 0 {
			b.WriteByte('\t')
		}
		b.WriteString(strings.Repeat(" ", ansi.StringWidth(part)))
	}
	return b.String()
}

// printable replaces what a terminal might obey: control characters, and those
// that reverse the direction of writing.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// Diagnostics are the mistakes and warnings of a job.
type Diagnostics []Diagnostic

// Sort orders them by file and place, those without a place first.
func (ds Diagnostics) Sort() {
	slices.SortStableFunc(ds, byPlace)
}

// sortFrom orders them by place, those of the job file before those of the files
// that it uses.
func (ds Diagnostics) sortFrom(file string) {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(-compareBool(a.File == file, b.File == file), byPlace(a, b))
	})
}

// byPlace orders by file, line and column, mistakes before warnings.
func byPlace(a, b Diagnostic) int {
	return cmp.Or(
		strings.Compare(a.File, b.File),
		cmp.Compare(a.Pos.Line, b.Pos.Line),
		cmp.Compare(a.Pos.Col, b.Pos.Col),
		compareBool(a.Warning, b.Warning),
		strings.Compare(a.Message, b.Message),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Errors returns those that are mistakes, not warnings.
func (ds Diagnostics) Errors() Diagnostics {
	var mistakes Diagnostics
	for _, d := range ds {
		if !d.Warning {
			mistakes = append(mistakes, d)
		}
	}
	return mistakes
}

// String gives each diagnostic on a line of its own.
func (ds Diagnostics) String() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}
