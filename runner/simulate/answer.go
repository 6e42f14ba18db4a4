package simulate

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ollama/ollama/api"
)

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	s.ask(w, r, true, func() any { return &api.ChatRequest{} })
}

func (s *Server) generate(w http.ResponseWriter, r *http.Request) {
	s.ask(w, r, false, func() any { return &api.GenerateRequest{} })
}

// A call is one request to a model, under way.
type call struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	q       *question
	life    life
	fault   *Fault
	note    Exchange
	noted   string // the outcome that is in the history already
	begun   bool   // the history knows of the request
	arrived time.Time
	loaded  time.Duration // waited for the model to be in memory
	out     []byte        // lines not written yet
}

// ask answers a request to /api/chat or /api/generate.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, chat bool, reference func() any) {
	body := buffers.Get().(*bytes.Buffer)
	wire, why := s.readWire(r, body, reference)
	if body.Cap() <= maxKept {
		buffers.Put(body) // wire holds copies
	}
	if why != nil {
		why.send(w)
		return
	}
	c := &call{s: s, w: w, r: r, life: life{r.Context().Done(), s.outage.channel()}, arrived: s.cfg.Clock.Now()}
	c.q, why = s.newQuestion(wire, chat)
	if !wire.asked() {
		c.loadOnly(why)
		return
	}
	c.begin()
	defer c.end()
	if why != nil {
		c.refuse(why)
		return
	}
	c.meet(s.faults.pick("ask", c.q))
}

// begin notes the request; end makes sure that how it went is noted too, also
// after a panic, which is how a handler breaks a connection it can't take over.
func (c *call) begin() {
	c.note = Exchange{Path: c.r.URL.Path, Model: c.q.Model, Key: c.q.key, Outcome: "gone"}
	if c.s.history.list {
		c.note.Prompt = strings.Clone(head(c.q.last(), promptShown)) // not the whole prompt in memory
	}
	c.begun = true
	c.s.history.arrives(&c.note, c.q.model())
}

func (c *call) end() {
	c.over()
	if c.noted != c.note.Outcome {
		c.s.history.amends(&c.note, c.noted)
	}
}

// over notes how the request went. It comes before the last thing a client gets to
// see: a client may send its next request, and a test may read the history, before
// the handler is back.
func (c *call) over() {
	if c.begun && c.noted == "" {
		c.noted = c.note.Outcome
		c.s.history.ends(&c.note, c.q.model())
	}
}

func (c *call) refuse(why *refusal) {
	c.note.Outcome = "refused " + strconv.Itoa(why.status)
	c.over()
	why.send(c.w)
}

func (why *refusal) send(w http.ResponseWriter) {
	writeError(w, why.status, why.message)
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	text, _ := json.Marshal(value) // all values are this package's own
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that left needs no reply
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // a client that left needs no reply
}

// loadOnly answers a request without a prompt: it loads the model, or unloads it.
func (c *call) loadOnly(why *refusal) {
	c.s.history.asksLoad()
	if why != nil {
		why.send(c.w)
		return
	}
	c.fault = c.s.faults.pick("load", c.q)
	if c.fault != nil {
		c.s.history.faulted(c.fault.Kind)
		if c.fault.kind.before != nil && c.fault.kind.before(c) {
			return
		}
	}
	if c.q.unloads() {
		c.s.sched.unload(c.q.entry)
		c.acknowledge("unload")
		return
	}
	held, err := c.s.sched.acquire(c.life, c.q)
	if err != nil {
		c.unserved(err)
		return
	}
	c.s.sched.release(held)
	c.acknowledge("load")
}

// acknowledge says that a model was loaded or unloaded.
func (c *call) acknowledge(reason string) {
	text := newScript(c.q, c.created()).end(nil, 0, "", "", reason, &figures{})
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = c.w.Write(text) // a client that left needs no reply
}

// created is created_at of the answer's beginning.
func (c *call) created() time.Time {
	if c.s.cfg.Measured {
		return c.s.cfg.Clock.Now().UTC()
	}
	return epoch
}

// unserved ends a request that got no model or no slot.
func (c *call) unserved(err error) {
	if errors.Is(err, errBusy) {
		c.refuse(refuse(http.StatusServiceUnavailable, "%s", err))
		return
	}
	c.abandon()
}

// abandon ends a request whose client has left, or whose server goes down.
func (c *call) abandon() {
	c.note.Outcome = "gone"
	c.over()
	c.dropIfDown()
}

// meet lets a fault strike before the model is asked, or has it asked.
func (c *call) meet(f *Fault) {
	c.fault = f
	if f != nil {
		c.s.history.faulted(f.Kind)
		c.note.Fault = f.Kind
		if f.kind.before != nil {
			c.note.Outcome = "fault " + f.Kind
			if !f.harmless() {
				c.over()
			}
			if f.kind.before(c) {
				return
			}
		}
	}
	c.serve()
}

// serve waits for the model and a slot of it, and answers.
func (c *call) serve() {
	c.note.Outcome = "gone"
	if c.q.entry.RemoteHost != "" { // the cloud has no slots
		c.note.Started = c.arrived
		c.answer()
		return
	}
	held, err := c.s.sched.acquire(c.life, c.q)
	if err != nil {
		c.unserved(err)
		return
	}
	defer c.s.sched.release(held)
	c.loaded = c.s.cfg.Clock.Now().Sub(c.arrived)
	if err := c.s.sched.slot(c.life, held); err != nil {
		c.unserved(err)
		return
	}
	c.s.history.takesSlot(&c.note, c.q.entry.full)
	defer c.s.history.leavesSlot(c.q.entry.full) // before the next one takes it
	c.answer()
}

// answer makes up the answer and sends it.
func (c *call) answer() {
	r, why := c.s.reply(c.q, c.fault)
	switch {
	case why != nil:
		c.refuse(why)
	case c.q.streams():
		c.stream(r)
	default:
		c.whole(r)
	}
}

// figures are those of the answer: as they follow from the request, or measured.
func (c *call) figures(r *reply) *figures {
	f := &figures{total: r.total(), load: loadedDuration, prompt: r.prompt, answer: r.answer, promptTokens: r.promptTokens, tokens: r.tokens}
	if c.s.cfg.Measured {
		f.load, f.total = c.loaded, c.s.cfg.Clock.Now().Sub(c.arrived)
	}
	if !c.q.chat && !c.q.Raw {
		f.context = contextOf(c.q, r)
	}
	if r.bare {
		f = &figures{total: f.total, load: f.load, prompt: f.prompt, promptTokens: f.promptTokens, tokens: r.tokens}
	}
	return f
}

// contextOf makes up token ids of a conversation, as /api/generate gives them.
func contextOf(q *question, r *reply) []int {
	var ids []int
	add := func(text string) {
		for text != "" {
			var first string
			first, text = token(text)
			ids = append(ids, int(hashString(first)%32000))
		}
	}
	for i := range q.Messages {
		add(q.Messages[i].Content)
	}
	add(r.content)
	return ids
}

// whole answers without streaming: one JSON object, once all is there.
func (c *call) whole(r *reply) {
	start := c.s.cfg.Clock.Now()
	script := newScript(c.q, c.created())
	if c.fault.strikesWithin() {
		c.wholeFaulty(r, script)
		return
	}
	if !c.pause(start, r.prompt+r.answer) {
		c.abandon()
		return
	}
	if r.filler > 0 {
		c.answered()
		c.sendLong(c.lastLine(nil, r, script, "", fillerMark), r.filler)
		return
	}
	c.note.Tokens = r.tokens
	c.sendWhole(c.lastLine(nil, r, script, r.thinking, r.content))
}

func (c *call) sendWhole(text []byte) {
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	c.note.First = c.s.cfg.Clock.Now()
	c.answered()
	if _, err := c.w.Write(text); err != nil {
		c.note.Outcome = "gone"
	}
}

// answered notes an answer of which the last part is about to be sent.
func (c *call) answered() {
	c.note.Outcome = "answered"
	if c.fault != nil && !c.fault.harmless() {
		c.note.Outcome = "fault " + c.fault.Kind
	}
	c.over()
}

// lastLine appends the line that ends an answer, without a newline.
func (c *call) lastLine(b []byte, r *reply, script *script, thinking, content string) []byte {
	offset := r.prompt + r.answer
	if r.unfinished {
		return append(script.begin(b, offset, thinking, content), `,"done":false}`...)
	}
	return script.end(b, offset, thinking, content, r.reason, c.figures(r))
}

// pause waits until so much of the answer's time is over.
func (c *call) pause(start time.Time, offset time.Duration) bool {
	due := c.s.cfg.paced(offset)
	if due <= 0 {
		return true
	}
	return c.life.wait(c.s.cfg.Clock, due-c.s.cfg.Clock.Now().Sub(start))
}
