package simulate

import (
	"net/http"
	"time"
)

// maxPending is how much of an answer may be held back while there is nothing to
// wait for.
const maxPending = 32 << 10

// stream answers line by line. Lines between which there is nothing to wait for
// are written together.
func (c *call) stream(r *reply) {
	c.w.Header()["Content-Type"] = contentNDJSON
	c.w.Header()["Transfer-Encoding"] = chunked // also where all fits into one write
	page := pages.Get().(*page)
	c.out = page.bytes
	defer func() {
		page.bytes = c.out
		page.free()
	}()
	start := c.s.cfg.Clock.Now()
	script := newScript(c.q, c.created())
	pieces := r.cursor()
	for {
		if c.fault.strikesWithin() && pieces.sent == c.fault.after() {
			c.strike()
			if !c.fault.harmless() {
				return
			}
		}
		thinking, content, ok := pieces.next()
		if !ok {
			break
		}
		offset := r.offset(pieces.sent - 1)
		if !c.ready(start, offset) {
			c.abandon()
			return
		}
		c.sent()
		if r.filler > 0 {
			if !c.flush() || !c.sendLong(script.chunk(nil, offset, "", content), r.filler) {
				return
			}
			continue
		}
		c.out = script.chunk(c.out, offset, thinking, content)
	}
	if c.fault.strikesWithin() && pieces.sent < c.fault.after() { // the answer was shorter than that
		c.strike()
		if !c.fault.harmless() {
			return
		}
	}
	c.finish(r, script, start)
}

var (
	contentNDJSON = []string{"application/x-ndjson"}
	chunked       = []string{"chunked"}
)

// ready waits for a piece's time to come, and writes what came before it.
func (c *call) ready(start time.Time, offset time.Duration) bool {
	due := c.s.cfg.paced(offset)
	if due <= 0 {
		return len(c.out) < maxPending || c.flush()
	}
	left := due - c.s.cfg.Clock.Now().Sub(start)
	if left <= 0 {
		return true
	}
	return c.flush() && c.life.wait(c.s.cfg.Clock, left)
}

// sent notes that a piece is on its way.
func (c *call) sent() {
	if c.note.Chunks == 0 {
		c.note.First = c.s.cfg.Clock.Now()
	}
	c.note.Chunks++
}

// flush writes what is pending, and says whether that worked.
func (c *call) flush() bool {
	if len(c.out) == 0 {
		return true
	}
	_, err := c.w.Write(c.out)
	c.out = c.out[:0]
	if err != nil {
		return false
	}
	if f, ok := c.w.(http.Flusher); ok {
		f.Flush()
	}
	return true
}

// finish ends a stream: with the last line, or without it where the reply has none.
func (c *call) finish(r *reply, script *script, start time.Time) {
	if !c.ready(start, r.prompt+r.answer) {
		c.abandon()
		return
	}
	if !r.unfinished {
		c.out = append(c.lastLine(c.out, r, script, "", ""), '\n')
	}
	c.note.Tokens = r.tokens
	c.answered()
	if _, err := c.w.Write(c.out); err != nil {
		c.note.Outcome = "gone"
	}
}
