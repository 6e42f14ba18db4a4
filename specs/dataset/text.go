package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"unicode/utf8"
)

// open opens a regular file. A pipe or a device would make the open wait or the
// reading never end.
func open(fsys fs.FS, name string) (fs.File, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &Error{Message: "is a folder, not a file"}
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{Message: "is no regular file"}
	}
	return fsys.Open(name)
}

// errTooLong is what text.Read returns when a row passes maxRow. Readers turn it
// into an *Error at the row's first line.
var errTooLong = errors.New("row too long")

// text passes on a file that is UTF-8 without its byte order mark, and stops with
// an *Error in front of the first character that is none. All before it has been
// passed on then, so that mistakes show up in the file's order.
type text struct {
	in     io.Reader
	buf    []byte
	ready  []byte // checked, not passed on yet
	held   []byte // the start of a character whose rest is still to come
	err    error  // what comes after ready
	line   int    // of the end of ready, from 1
	start  bool   // nothing was read yet
	passed int64  // bytes since row
}

func newText(in io.Reader) *text {
	return &text{in: in, buf: make([]byte, bufferBytes), line: 1, start: true}
}

// row says that a new row begins: the limit counts from here. Readers buffer
// ahead, so the limit is exact to one buffer only.
func (t *text) row() { t.passed = 0 }

func (t *text) Read(p []byte) (int, error) {
	for len(t.ready) == 0 {
		if t.err != nil {
			return 0, t.err
		}
		t.fill()
	}
	if t.passed > maxRow+2*bufferBytes {
		return 0, errTooLong
	}
	n := copy(p, t.ready)
	t.ready = t.ready[n:]
	t.passed += int64(n)
	return n, nil
}

func (t *text) fill() {
	n := copy(t.buf, t.held)
	m, err := io.ReadAtLeast(t.in, t.buf[n:], utf8.UTFMax)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	block := t.buf[:n+m]
	if t.start {
		block, t.err = withoutMark(block)
		t.start = false
	}
	if t.err == nil {
		t.check(block, err)
	}
}

// check makes the valid part of a block ready.
func (t *text) check(block []byte, err error) {
	t.err = err
	good := validPrefix(block)
	t.ready, t.held = block[:good], block[good:]
	if rest := t.held; len(rest) > 0 && (errors.Is(err, io.EOF) || rest[0] == 0 || utf8.FullRune(rest)) {
		t.err = t.notText(rest[0])
	}
	t.line += bytes.Count(t.ready, []byte{'\n'})
}

// validPrefix is the length of the part that is UTF-8 without NUL.
func validPrefix(b []byte) int {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	if utf8.Valid(b) {
		return len(b)
	}
	n := 0
	for {
		r, size := utf8.DecodeRune(b[n:])
		if r == utf8.RuneError && size <= 1 {
			return n
		}
		n += size
	}
}

func (t *text) notText(b byte) *Error {
	line := t.line + bytes.Count(t.ready, []byte{'\n'})
	if b == 0 {
		return &Error{Line: line, Message: "holds a NUL byte: UTF-16, or no text at all", Help: asUTF8}
	}
	return &Error{Line: line, Message: fmt.Sprintf("byte 0x%02X is not UTF-8 (perhaps Latin-1 or Windows-1252)", b), Help: asUTF8}
}

const asUTF8 = "save the file as UTF-8"

// withoutMark takes the byte order mark off a file's beginning.
func withoutMark(b []byte) ([]byte, error) {
	if bytes.HasPrefix(b, []byte("\xFF\xFE")) || bytes.HasPrefix(b, []byte("\xFE\xFF")) {
		return nil, &Error{Line: 1, Message: "is UTF-16, not UTF-8", Help: asUTF8}
	}
	return bytes.TrimPrefix(b, []byte("\uFEFF")), nil
}

func tooLong(line int, help string) *Error {
	return &Error{Line: line, Message: "a row of more than 16 MiB begins here", Help: help}
}
