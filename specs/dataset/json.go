package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// A place is a line and a column in characters, from 1.
type place struct{ line, col int }

// after is the place behind some text.
func (p place) after(b []byte) place {
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		p.line += bytes.Count(b, []byte{'\n'})
		p.col, b = 1, b[i+1:]
	}
	p.col += utf8.RuneCount(b)
	return p
}

// A parser reads JSON values. encoding/json says whether a text is JSON; our own
// walk keeps the spelling of numbers and the order of names, and finds names that
// stand in an object twice, which encoding/json takes without a word.
type parser struct {
	data    []byte // known to be JSON while it is walked
	pos     int
	names   []string // of the outermost object
	wrong   string   // the first mistake
	wrongAt int
	help    string
}

// parse reads the one value of a text that begins at a place. The names in its row
// are valid until the next call.
func (p *parser) parse(data []byte, at place) (row, error) {
	if !json.Valid(data) {
		return row{}, syntaxError(data, at)
	}
	*p = parser{data: data, names: p.names[:0]}
	v := p.value(0)
	if p.wrong != "" {
		at = at.after(data[:p.wrongAt])
		return row{}, &Error{Line: at.line, Col: at.col, Message: p.wrong, Help: p.help, row: true}
	}
	return row{value: v, names: p.names}, nil
}

func syntaxError(data []byte, at place) error {
	e := &Error{Message: "is not JSON"}
	var v json.RawMessage
	err := json.Unmarshal(data, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = at.after(data[:max(0, min(int(syntax.Offset)-1, len(data)))])
		e.Message = "is not JSON: " + syntax.Error()
	}
	e.Line, e.Col = at.line, at.col
	return e
}

// value reads the value at pos and leaves pos behind it.
func (p *parser) value(depth int) any {
	p.space()
	if depth > maxDepth {
		p.fail(p.pos, "lists and objects are nested deeper than 1,000 levels", "")
		p.pos = len(p.data)
		return nil
	}
	switch p.data[p.pos] {
	case '{':
		return p.object(depth)
	case '[':
		return p.list(depth)
	case '"':
		return p.text()
	case 't':
		p.pos += len("true")
		return true
	case 'f':
		p.pos += len("false")
		return false
	case 'n':
		p.pos += len("null")
		return nil
	}
	return p.number()
}

func (p *parser) list(depth int) any {
	list := []any{}
	for p.more(']') {
		list = append(list, p.value(depth+1))
	}
	return list
}

func (p *parser) object(depth int) any {
	object := map[string]any{}
	for p.more('}') {
		p.space()
		start := p.pos
		name := p.text()
		if _, ok := object[name]; ok {
			p.fail(start, fmt.Sprintf("%q stands in this object twice", name), "remove one of them")
		}
		if depth == 0 {
			p.names = append(p.names, name)
		}
		p.space()
		p.pos++ // the colon
		object[name] = p.value(depth + 1)
	}
	return object
}

// more steps over the opening bracket or a comma, and says whether an element
// follows; else it steps over the closing bracket.
func (p *parser) more(end byte) bool {
	p.space()
	if p.wrong != "" && p.pos >= len(p.data) {
		return false
	}
	if p.data[p.pos] != end {
		p.pos++
		p.space()
	}
	if p.data[p.pos] == end {
		p.pos++
		return false
	}
	return true
}

func (p *parser) text() string {
	start := p.pos
	escaped := false
	for p.pos++; p.data[p.pos] != '"'; p.pos++ {
		if p.data[p.pos] == '\\' {
			escaped = true
			p.pos++
		}
	}
	p.pos++
	if !escaped {
		return string(p.data[start+1 : p.pos-1])
	}
	var s string
	if err := json.Unmarshal(p.data[start:p.pos], &s); err != nil {
		panic(err) // it is known to be JSON
	}
	return s
}

func (p *parser) number() any {
	start := p.pos
	for p.pos < len(p.data) && bytes.IndexByte([]byte("+-.0123456789eE"), p.data[p.pos]) >= 0 {
		p.pos++
	}
	return json.Number(p.data[start:p.pos])
}

func (p *parser) space() {
	for p.pos < len(p.data) && isSpace(p.data[p.pos]) {
		p.pos++
	}
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

func (p *parser) fail(at int, message, help string) {
	if p.wrong == "" {
		p.wrong, p.wrongAt, p.help = message, at, help
	}
}
