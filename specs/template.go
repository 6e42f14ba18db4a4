package specs

import (
	"strings"
	"unicode/utf8"

	"github.com/batchrunner/runner/templates"
	"gopkg.in/yaml.v3"
)

// A Template is a template of the job file (or of a prompt file) with its place.
type Template struct {
	*templates.Template
	File  string // the file its text stands in, as messages name it
	Start Pos    // where its text begins there
	// Exact says that places inside the text can be told: it is a block scalar
	// ("|"), a scalar on one line, or a file of its own. Elsewhere every place is
	// Start.
	Exact  bool
	Indent int // characters before the text on each line after the first
	// columns are the columns of the text's characters, and of its end, where
	// quotes or escapes inside the text make them others than Start.Col, +1, +2...;
	// the text stands on one line of the file then, whatever breaks it has.
	columns []int
	text    string
}

// At translates a place in the template's text, line and column from 1, to its
// place in the file.
func (t *Template) At(line, col int) Pos {
	switch {
	case !t.Exact || line < 1 || col < 1:
		return t.Start
	case t.columns != nil:
		return t.inside(line, col)
	case line == 1:
		return Pos{t.Start.Line, t.Start.Col + col - 1}
	}
	return Pos{t.Start.Line + line - 1, t.Indent + col}
}

func (t *Template) inside(line, col int) Pos {
	at := 0
	lines := strings.Split(t.text, "\n")
	for _, l := range lines[:min(line, len(lines))-1] {
		at += utf8.RuneCountInString(l) + 1
	}
	at = min(at+col-1, len(t.columns)-1)
	return Pos{t.Start.Line, t.columns[at]}
}

// locate finds where a scalar's text stands in its file.
func locate(n *yaml.Node, src *source, t *Template) {
	t.File, t.Start, t.text = src.file, Pos{n.Line, n.Column}, n.Value
	t.Start = skipProperties(src, t.Start)
	switch {
	case n.Style&yaml.LiteralStyle != 0:
		locateBlock(n, src, t)
	case n.Style&yaml.FoldedStyle != 0:
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		locateQuoted(n, src, t)
	default:
		t.Exact = strings.HasPrefix(src.from(t.Start), n.Value)
	}
}

// skipProperties steps over an anchor or a tag before the text.
func skipProperties(src *source, p Pos) Pos {
	rest := src.from(p)
	for rest != "" && (rest[0] == '&' || rest[0] == '!') {
		i := strings.IndexAny(rest, " \t")
		if i < 0 {
			return p
		}
		text := strings.TrimLeft(rest[i:], " \t")
		p.Col += utf8.RuneCountInString(rest[:len(rest)-len(text)])
		rest = text
	}
	return p
}

// locateBlock measures the indentation of a literal block, and believes it only if
// all its lines stand in the file as they stand in the text.
func locateBlock(n *yaml.Node, src *source, t *Template) {
	lines := strings.Split(strings.TrimRight(n.Value, "\n"), "\n")
	indent := -1
	for i, text := range lines {
		line := src.line(t.Start.Line + 1 + i)
		if text == "" {
			continue
		}
		before, ok := strings.CutSuffix(line, text)
		if !ok || strings.Trim(before, " ") != "" || indent >= 0 && len(before) != indent {
			return
		}
		indent = len(before)
	}
	if indent < 0 {
		return
	}
	t.Start, t.Indent, t.Exact = Pos{t.Start.Line + 1, indent + 1}, indent, true
}

// locateQuoted reads the scalar once more to tell each character's column; a text
// that goes on over several lines has none.
func locateQuoted(n *yaml.Node, src *source, t *Template) {
	text := src.from(t.Start)
	read := unquoteSingle
	if n.Style&yaml.DoubleQuotedStyle != 0 {
		read = unquoteDouble
	}
	if text == "" {
		return
	}
	columns, ok := read(text[1:], t.Start.Col+1)
	if !ok || len(columns) != utf8.RuneCountInString(n.Value)+1 {
		return
	}
	t.Start.Col++
	t.columns, t.Exact = columns, true
}

// unquoteSingle gives the column of each character up to the closing quote.
func unquoteSingle(text string, col int) ([]int, bool) {
	var columns []int
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		columns = append(columns, col+i)
		if runes[i] != '\'' {
			continue
		}
		if i+1 == len(runes) || runes[i+1] != '\'' {
			return columns, true
		}
		i++
	}
	return nil, false
}

// escapeLengths are the characters after \x, \u and \U.
var escapeLengths = map[rune]int{'x': 2, 'u': 4, 'U': 8}

// unquoteDouble gives the column of each character up to the closing quote.
func unquoteDouble(text string, col int) ([]int, bool) {
	var columns []int
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		columns = append(columns, col+i)
		switch {
		case runes[i] == '"':
			return columns, true
		case runes[i] == '\\' && i+1 < len(runes):
			i += 1 + escapeLengths[runes[i+1]]
		}
	}
	return nil, false
}
