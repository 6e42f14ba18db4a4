package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lines gives a text's lines without their ends.
type lines struct {
	in     *text
	buf    *bufio.Reader
	long   []byte // a line that is longer than buf
	number int    // of the line that next gave last, from 1
}

func newLines(in *text) *lines {
	return &lines{in: in, buf: bufio.NewReaderSize(in, bufferBytes)}
}

// next gives the next line that is not blank, valid until the next call.
func (l *lines) next() ([]byte, error) {
	for {
		line, err := l.one()
		if err != nil || len(bytes.TrimSpace(line)) > 0 {
			return line, err
		}
	}
}

// one gives the next line; the last one may lack its end.
func (l *lines) one() ([]byte, error) {
	l.in.row()
	l.number++
	line, err := l.buf.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, err = l.rest(line)
	}
	switch {
	case errors.Is(err, errTooLong) || len(line) > maxRow:
		return nil, tooLong(l.number, "")
	case err == nil || errors.Is(err, io.EOF) && len(line) > 0:
		return withoutEnd(line), nil
	}
	return nil, err
}

func (l *lines) rest(line []byte) ([]byte, error) {
	l.long = append(l.long[:0], line...)
	for {
		more, err := l.buf.ReadSlice('\n')
		l.long = append(l.long, more...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return l.long, err
		}
	}
}

func withoutEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// txtLines gives a string for each line.
type txtLines struct{ lines *lines }

func (t *txtLines) next() (row, error) {
	line, err := t.lines.next()
	if err != nil {
		return row{}, err
	}
	return row{value: string(line)}, nil
}

// jsonLines gives the value on each line.
type jsonLines struct {
	lines  *lines
	parser parser
}

func (j *jsonLines) next() (row, error) {
	line, err := j.lines.next()
	if err != nil {
		return row{}, err
	}
	r, err := j.parser.parse(line, place{line: j.lines.number, col: 1})
	var e *Error
	if errors.As(err, &e) {
		e.row = true // whatever is wrong with it, the next line begins anew
	}
	return r, err
}
