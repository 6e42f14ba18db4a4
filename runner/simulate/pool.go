package simulate

import (
	"bytes"
	"sync"
)

// buffers hold requests while they are read; pages hold lines that are not written
// yet.
var (
	buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	pages   = sync.Pool{New: func() any { return new(page) }}
)

type page struct{ bytes []byte }

// maxKept is how much memory one of them may hold while nobody uses it.
const maxKept = 2 * maxPending

func (p *page) free() {
	if cap(p.bytes) <= maxKept {
		p.bytes = p.bytes[:0]
		pages.Put(p)
	}
}
