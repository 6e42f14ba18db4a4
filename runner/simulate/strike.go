package simulate

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
)

const garbage = "@@@@@@@@@@@@@@@@GGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGG"

// How a connection ends early.
const (
	closed = false
	reset  = true
)

// drop takes the connection from the server and ends it, with a TCP reset or
// properly. What was written but not flushed is lost. Where the connection can't be
// taken over (a recorder in a test), the handler panics as net/http wants it.
func drop(w http.ResponseWriter, hard bool) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	cutOff(conn, hard)
}

func cutOff(conn net.Conn, hard bool) {
	if tcp, ok := conn.(*net.TCPConn); ok && hard {
		_ = tcp.SetLinger(0) // the connection ends either way
	}
	_ = conn.Close() // nobody is left to tell
}

// Before the model is asked.

func (c *call) drops(hard bool) bool {
	drop(c.w, hard)
	return true
}

func (c *call) goesDown() bool {
	c.s.Down(c.fault.lasts())
	return c.drops(reset)
}

// hangs waits until the client leaves. With a duration it gives up with a 500, as
// a proxy would.
func (c *call) hangs() bool {
	if c.fault.For == 0 {
		c.waitForEnd()
		return true
	}
	if c.life.wait(c.s.cfg.Clock, c.fault.For) {
		writeError(c.w, http.StatusInternalServerError, "something went wrong")
	} else {
		c.dropIfDown()
	}
	return true
}

// waitForEnd waits until the client leaves or the server goes down.
func (c *call) waitForEnd() {
	c.life.until(nil)
	c.dropIfDown()
}

func (c *call) dropIfDown() {
	select {
	case <-c.life.server:
		drop(c.w, reset)
	default:
	}
}

func (c *call) comesLate() bool {
	if c.life.wait(c.s.cfg.Clock, c.fault.lasts()) {
		return false
	}
	c.dropIfDown()
	return true
}

// replies makes a fault that sends a fixed reply.
func replies(status int, contentType, body string) func(*call) bool {
	return func(c *call) bool {
		if contentType != "" {
			c.w.Header().Set("Content-Type", contentType)
		}
		c.w.WriteHeader(status)
		_, _ = c.w.Write([]byte(body)) // a client that left needs no reply
		return true
	}
}

// fails makes a fault that sends one of Ollama's errors; %s stands for the model.
func fails(status int, message string) func(*call) bool {
	return func(c *call) bool {
		writeError(c.w, status, strings.ReplaceAll(message, "%s", c.q.Model))
		return true
	}
}

// elsewherePath is where a redirect leads. What comes there is counted: a client
// that follows has sent its prompt to a stranger.
const elsewherePath = "/runner/elsewhere"

func (c *call) redirects() bool {
	c.w.Header().Set("Location", elsewherePath)
	c.w.WriteHeader(http.StatusTemporaryRedirect)
	return true
}

func (s *Server) elsewhere(w http.ResponseWriter, _ *http.Request) {
	s.history.strays()
	writeJSON(w, http.StatusOK, map[string]any{
		"model": "elsewhere", "created_at": epoch, "message": Message{"assistant", "this came from elsewhere"}, "done": true, "done_reason": "stop",
	})
}

func (c *call) limits() bool {
	seconds := int(math.Ceil(c.fault.lasts().Seconds()))
	return c.limited(strconv.Itoa(seconds))
}

func (c *call) limitsByDate() bool {
	return c.limited(c.s.cfg.Clock.Now().Add(c.fault.lasts()).UTC().Format(http.TimeFormat))
}

func (c *call) limited(retryAfter string) bool {
	c.w.Header().Set("Retry-After", retryAfter)
	writeError(c.w, http.StatusTooManyRequests, "too many requests")
	return true
}

// In the middle of an answer.

// strike sends what is pending and lets the fault strike.
func (c *call) strike() {
	c.note.Outcome = "fault " + c.fault.Kind
	if !c.fault.harmless() {
		c.over()
	}
	if c.note.Chunks == 0 || len(c.out) > 0 { // headers at least
		_, _ = c.w.Write(c.out) // a client that left shows in the fault's own writes
		c.out = c.out[:0]
		if f, ok := c.w.(http.Flusher); ok {
			f.Flush()
		}
	}
	c.fault.kind.within(c)
}

func (c *call) resets() { drop(c.w, reset) }

func (c *call) closes() { drop(c.w, closed) }

func (c *call) stopsShort() {} // the handler returns, and the stream ends

func (c *call) stalls() {
	if c.fault.For > 0 {
		c.life.wait(c.s.cfg.Clock, c.fault.For)
		return
	}
	c.waitForEnd()
}

func (c *call) crashes() {
	_, _ = c.w.Write([]byte(`{"error":"` + crashText + `"}` + "\n")) // a client that left needs no line
}

const crashText = "an error was encountered while running the model: unexpected EOF"

func (c *call) garbles() {
	_, _ = c.w.Write([]byte("{\"model\":\"\x00\xff<<garbled\n")) // a client that left needs no line
}

// wholeFaulty is what faults in the middle of an answer look like without
// streaming.
func (c *call) wholeFaulty(r *reply, script *script) {
	c.note.Outcome = "fault " + c.fault.Kind
	if !c.fault.harmless() {
		c.over()
	}
	text := c.lastLine(nil, r, script, r.thinking, r.content)
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	switch c.fault.Kind {
	case "stall":
		c.stalls()
		if c.fault.harmless() {
			c.sendWhole(text)
		}
	case "crash":
		writeError(c.w, http.StatusInternalServerError, crashText)
	case "garbled":
		c.garbles()
	case "no-done":
		_, _ = c.w.Write(bytes.Replace(text, []byte(`"done":true`), []byte(`"done":false`), 1)) // a client that left needs no reply
	default:
		c.half(text)
		c.fault.kind.within(c)
	}
}

// half sends the first half of a body whose whole length it announces.
func (c *call) half(text []byte) {
	c.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = c.w.Write(text[:len(text)/2]) // a client that left shows when the connection ends
	if f, ok := c.w.(http.Flusher); ok {
		f.Flush()
	}
}

// The answer itself.

func says(text string) func(*question, *reply) {
	return func(_ *question, r *reply) {
		r.thinking, r.content = "", text
		r.bare = text == "" // an empty answer has no eval_duration
	}
}

func repeats(_ *question, r *reply) {
	r.thinking, r.content, r.unfinished = "", strings.Repeat(" again", 30), true
}

// loops makes more text than any limit of tokens lets pass.
func loops(q *question, r *reply) {
	limit := min(q.options.limit(r.promptTokens), 1<<20)
	const round = "and then it goes on and on, "
	r.content = strings.Repeat(round, limit/2+1) // each has more than two tokens
}

func tooLong(size int) func(*question, *reply) {
	return func(_ *question, r *reply) {
		r.thinking, r.content, r.filler = "", fillerMark, size
	}
}

// fillerMark stands in a line for text that is too long to build it.
const fillerMark = "@" // in no model's name

// sendLong writes a line with a long text in place of its mark.
func (c *call) sendLong(line []byte, size int) bool {
	at := bytes.LastIndex(line, []byte(fillerMark))
	block := bytes.Repeat([]byte("x"), maxPending)
	if _, err := c.w.Write(line[:at]); err != nil {
		return false
	}
	for size > 0 {
		n, err := c.w.Write(block[:min(size, len(block))])
		if err != nil {
			return false
		}
		size -= n
	}
	_, err := c.w.Write(line[at+len(fillerMark):])
	return err == nil
}

func thinksOnly(q *question, r *reply) {
	if r.thinking == "" {
		r.thinking = q.thoughts()
	}
	r.content = ""
}

func loadsOnly(_ *question, r *reply) {
	r.thinking, r.content, r.reason = "", "", "load"
}

func breaksOff(q *question, r *reply) {
	if len(q.Format) == 0 {
		r.content = `{"simulated": "` + r.content
	}
	r.content, _ = firstTokens(r.content, max(countTokens(r.content)/2, 1))
}

func ignoresFormat(q *question, r *reply) {
	r.content = fmt.Sprintf("Sure! Here is what you asked for: %s (simulated)", subject(q.last()))
}

// controlFault lets a fault strike a request of the control plane, and says whether
// that is the end of it.
func (s *Server) controlFault(w http.ResponseWriter, r *http.Request, on string) bool {
	f := s.faults.pick(on, nil)
	if f == nil {
		return false
	}
	s.history.faulted(f.Kind)
	c := &call{s: s, w: w, r: r, fault: f, life: life{r.Context().Done(), s.outage.channel()}, q: &question{}}
	return f.kind.before(c)
}
