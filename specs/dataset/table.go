package dataset

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// table gives an object for each record of a csv or tsv file.
type table struct {
	in    *text
	csv   *csv.Reader
	names []string
	line  int // the one that the next record begins on, or a blank line before it
}

// newTable reads the header. A separator of 0 is a comma that nobody chose.
func newTable(in *text, separator rune) (*table, error) {
	t := &table{in: in, csv: csv.NewReader(bufio.NewReaderSize(in, bufferBytes)), line: 1}
	t.csv.FieldsPerRecord = -1 // our own message says more
	if separator != 0 {
		t.csv.Comma = separator
	}
	header, err := t.record()
	if errors.Is(err, io.EOF) {
		return nil, &Error{Message: "is empty", Help: "its first line names the columns"}
	}
	if err != nil {
		return nil, err
	}
	t.names = append(t.names, header...)
	if err := t.checkHeader(separator); err != nil {
		return nil, err
	}
	t.csv.ReuseRecord = true
	return t, nil
}

func (t *table) checkHeader(separator rune) error {
	seen := make(map[string]int, len(t.names))
	for i, name := range t.names {
		if strings.TrimSpace(name) == "" {
			return t.headerError(i, fmt.Sprintf("column %d of the header has no name", i+1), "give each column a name")
		}
		if strings.ContainsRune(name, '\r') {
			return t.headerError(i, "lines end in CR alone", "save the file with line ends LF or CRLF")
		}
		if first, ok := seen[name]; ok {
			return t.headerError(i, fmt.Sprintf("columns %d and %d are both named %q", first+1, i+1, name), "give each column a name of its own")
		}
		seen[name] = i
	}
	if len(t.names) == 1 && separator == 0 {
		return t.otherSeparator()
	}
	return nil
}

// otherSeparator finds a header that is one column only because it is separated
// by something else than a comma. A separator that the job file names is believed.
func (t *table) otherSeparator() error {
	for _, r := range []rune{';', '\t', '|'} {
		if strings.ContainsRune(t.names[0], r) {
			return t.headerError(0, fmt.Sprintf("the header has no comma, but %q", r), fmt.Sprintf(`write separator: %q beside the file's name (or ",", if it is one column)`, r))
		}
	}
	return nil
}

func (t *table) headerError(field int, message, help string) error {
	line, _ := t.csv.FieldPos(field) // its column counts bytes
	return &Error{Line: line, Message: message, Help: help}
}

func (t *table) next() (row, error) {
	record, err := t.record()
	if err != nil {
		return row{}, err
	}
	if len(record) != len(t.names) {
		return row{}, t.ragged(record)
	}
	object := make(map[string]any, len(record))
	for i, name := range t.names {
		object[name] = record[i]
	}
	return row{value: object, names: t.names}, nil
}

func (t *table) record() ([]string, error) {
	t.in.row()
	record, err := t.csv.Read()
	if err != nil {
		return nil, t.explain(err)
	}
	last := len(record) - 1
	line, _ := t.csv.FieldPos(last)
	t.line = line + strings.Count(record[last], "\n") + 1
	return record, nil
}

func (t *table) ragged(record []string) error {
	line, _ := t.csv.FieldPos(0)
	e := &Error{Line: line, row: true, Message: fmt.Sprintf("%s, but the header has %d", fields(len(record)), len(t.names))}
	if len(record) > len(t.names) {
		e.Help = fmt.Sprintf("put quotes around a field that holds %q", t.csv.Comma)
	}
	return e
}

func fields(n int) string {
	if n == 1 {
		return "1 field"
	}
	return fmt.Sprintf("%d fields", n)
}

// explain says what is wrong with quotes, or where a row too long begins. After
// such an error nobody can tell where the next record begins, so it ends the file.
func (t *table) explain(err error) error {
	var p *csv.ParseError
	switch {
	case errors.Is(err, errTooLong):
		return tooLong(t.line, "look for a quote that is never closed")
	case !errors.As(err, &p):
		return err
	case errors.Is(p.Err, csv.ErrBareQuote):
		return &Error{Line: p.Line, Message: `a quote inside a field without quotes`, Help: `write the field as "...""..."`}
	case errors.Is(p.Err, csv.ErrQuote) && p.Line > p.StartLine:
		return &Error{Line: p.StartLine, Message: fmt.Sprintf("a quoted field begins in this row and is not closed properly by line %d", p.Line), Help: `close it, and double the quotes inside it: ""`}
	case errors.Is(p.Err, csv.ErrQuote):
		return &Error{Line: p.Line, Message: `a quoted field is not closed properly`, Help: `close it, and double the quotes inside it: ""`}
	}
	return &Error{Line: p.Line, Message: p.Err.Error()}
}
