package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// jsonList gives the elements of a file that is one JSON list, one by one. It finds
// where each ends; the parser judges it.
type jsonList struct {
	parser parser
	in     *text
	buf    *bufio.Reader
	at     place  // of the next character
	raw    []byte // an element with the white space around it
	first  bool
	closed bool
}

const oneList = "a JSON data file is one list: [...]"

func newJSONList(in *text) (*jsonList, error) {
	j := &jsonList{in: in, buf: bufio.NewReaderSize(in, bufferBytes), at: place{1, 1}, first: true}
	b, err := j.solid()
	switch {
	case errors.Is(err, io.EOF):
		return nil, &Error{Message: "is empty", Help: oneList}
	case err != nil:
		return nil, err
	case b != '[':
		return nil, j.wrong("is no list", oneList)
	}
	return j, nil
}

func (j *jsonList) next() (row, error) {
	if j.closed {
		return row{}, j.end()
	}
	j.in.row()
	start := j.at
	if err := j.element(); err != nil {
		return row{}, err
	}
	if j.first && j.closed && len(bytes.TrimSpace(j.raw)) == 0 {
		return row{}, j.end()
	}
	j.first = false
	return j.parser.parse(j.raw, start)
}

// element reads up to the comma or bracket that ends an element.
func (j *jsonList) element() error {
	j.raw = j.raw[:0]
	depth, quoted := 0, false
	for {
		b, err := j.buf.ReadByte()
		if err != nil {
			return j.unfinished(err)
		}
		switch {
		case quoted && b == '\\':
			j.raw = append(j.raw, b)
			if b, err = j.buf.ReadByte(); err != nil {
				return j.unfinished(err)
			}
		case b == '"':
			quoted = !quoted
		case quoted:
		case depth == 0 && (b == ',' || b == ']'):
			j.closed = b == ']'
			j.at = j.at.after(append(j.raw, b))
			return nil
		case b == '[' || b == '{':
			depth++
		case b == ']' || b == '}':
			depth--
		}
		j.raw = append(j.raw, b)
	}
}

func (j *jsonList) unfinished(err error) error {
	switch {
	case errors.Is(err, errTooLong):
		return tooLong(j.at.line, "")
	case errors.Is(err, io.EOF):
		j.at = j.at.after(j.raw)
		return j.wrong("is not JSON: the file ends inside the list", "")
	}
	return err
}

// end wants nothing but white space behind the list.
func (j *jsonList) end() error {
	_, err := j.solid()
	if err == nil {
		return j.wrong("there is something behind the list", oneList)
	}
	return err
}

// solid gives the next byte that is no white space, and leaves its place in at
// if it is to be complained of.
func (j *jsonList) solid() (byte, error) {
	for {
		b, err := j.buf.ReadByte()
		if err != nil {
			return 0, err
		}
		if !isSpace(b) {
			j.at.col++
			return b, nil
		}
		j.in.row()
		j.at = j.at.after([]byte{b})
	}
}

func (j *jsonList) wrong(message, help string) error {
	return &Error{Line: j.at.line, Col: max(1, j.at.col-1), Message: message, Help: help}
}
