package ollama

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

const (
	firstBuffer  = 4 << 10  // a line of an ordinary stream is about 150 bytes
	largestKept  = 64 << 10 // larger buffers are rare and not kept for the next answer
	growthFactor = 2
)

// errLineTooLong is why a line was not read to its end.
var errLineTooLong = errors.New("line too long")

// buffers lends buffers to streams, so that an answer costs none of its own.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, firstBuffer)
}

func (b *buffers) put(buf []byte) {
	if len(buf) <= largestKept {
		b.pool.Put(&buf)
	}
}

// lines reads lines of any length up to max bytes from src. Its buffer grows with
// the longest line, and no further.
type lines struct {
	src     io.Reader
	buf     []byte // the whole of it is in use
	start   int    // buf[start:end] is read and not handed out
	scanned int    // buf[start:scanned] holds no newline
	end     int
	max     int
	err     error // why src has no more
}

// next returns the next line without its newline; it is valid until the next
// call. At the end of src it returns what followed the last newline, seldom
// anything, together with the reason: io.EOF for a clean end. A line longer than
// max is errLineTooLong.
func (l *lines) next() ([]byte, error) {
	for {
		if i := bytes.IndexByte(l.buf[l.scanned:l.end], '\n'); i >= 0 {
			line := l.buf[l.start : l.scanned+i]
			l.start = l.scanned + i + 1
			l.scanned = l.start
			return l.checked(line, nil)
		}
		l.scanned = l.end
		if l.err != nil || l.end-l.start > l.max {
			return l.checked(l.buf[l.start:l.end], l.err)
		}
		l.makeRoom()
		var n int
		n, l.err = l.src.Read(l.buf[l.end:])
		l.end += n
	}
}

func (l *lines) checked(line []byte, err error) ([]byte, error) {
	if len(line) > l.max {
		return nil, errLineTooLong
	}
	return line, err
}

// makeRoom makes at least one byte free behind what is read.
func (l *lines) makeRoom() {
	if l.start > 0 {
		copy(l.buf, l.buf[l.start:l.end])
		l.end -= l.start
		l.scanned -= l.start
		l.start = 0
	}
	if l.end < len(l.buf) {
		return
	}
	grown := make([]byte, min(len(l.buf)*growthFactor, l.max+1))
	copy(grown, l.buf[:l.end])
	l.buf = grown
}
