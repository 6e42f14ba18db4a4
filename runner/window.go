package runner

import "sync/atomic"

// Defaults of the window.
const (
	minWindow    = 1024     // rows; a slow row must not idle the slots that many fast ones could use
	windowPerRow = 16       // rows for each request in flight, where that is more
	maxHeld      = 64 << 20 // bytes of finished answers that wait for their turn
)

// A window bounds the rows that have been started and whose records have not been
// handed on, in number and in bytes of finished answers, so that memory does not
// grow with the number of rows when one row is slow or the receiver is. The
// dispatcher adds, the goroutine that hands on takes away.
type window struct {
	maxRows, maxBytes int64

	opened, held   int64 // the dispatcher's: rows and bytes ever
	closed, passed atomic.Int64
	blocked        atomic.Bool // the dispatcher waits for room
}

func newWindow(rows, concurrency int) *window {
	if rows <= 0 {
		rows = max(minWindow, windowPerRow*concurrency)
	}
	return &window{maxRows: int64(rows), maxBytes: maxHeld}
}

// room says whether another row may be opened. After a no, leave reports when
// that may have changed. The oldest open row needs no room to be finished, so a
// full window always empties.
func (w *window) room() bool {
	if w.fits() {
		return true
	}
	w.blocked.Store(true)
	return w.fits() // a row may have left between the look and the note
}

func (w *window) fits() bool {
	return w.opened-w.closed.Load() < w.maxRows && w.held-w.passed.Load() < w.maxBytes
}

// leave notes that a row of that size was handed on, and says whether the
// dispatcher waits for this.
func (w *window) leave(bytes int64) bool {
	w.passed.Add(bytes)
	w.closed.Add(1)
	return w.blocked.CompareAndSwap(true, false)
}
