package simulate

import (
	"net/http"
	"strings"
	"time"
)

// epoch is created_at of an answer's beginning, unless durations are measured.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// A reply is an answer as it will be sent. It follows from the question alone.
type reply struct {
	thinking, content string
	reason            string // done_reason
	unfinished        bool   // ends without done:true
	bare              bool   // done:true comes without counts and durations
	filler            int    // bytes of an answer of one token, far too long; 0 for none

	promptTokens, tokens int
	prompt, answer       time.Duration // to read the one and to write the other
	chunks               int           // pieces it is sent in
}

// reply makes up the answer to a question.
func (s *Server) reply(q *question, f *Fault) (*reply, *refusal) {
	tokens := promptTokens(q.Messages)
	if tokens > q.options.load.numCtx {
		if !q.truncates() && !f.is("cut-prompt") {
			return nil, refuse(http.StatusBadRequest, "the input length exceeds the context length")
		}
		q.Messages, tokens = truncated(q.Messages, q.options.load.numCtx)
	}
	r := &reply{reason: "stop", promptTokens: tokens}
	if why := s.write(q, r); why != nil {
		return nil, why
	}
	if f != nil && f.kind.shape != nil {
		f.kind.shape(q, r)
	}
	r.cut(q.options.limit(tokens))
	r.time(q)
	return r, nil
}

// write fills in what the model says.
func (s *Server) write(q *question, r *reply) *refusal {
	formatted := len(q.Format) > 0 && string(q.Format) != `null` && string(q.Format) != `""`
	switch {
	case formatted && q.Format[0] != '{' && string(q.Format) != `"json"`:
		return refuse(http.StatusInternalServerError, `invalid format: %q; expected "json" or a valid JSON Schema object`, q.Format)
	case s.cfg.Answer != nil:
		r.content = s.cfg.Answer(Question{q.Model, q.Messages, string(q.Format), q.seed})
	case formatted:
		text, err := q.formatted()
		if err != nil {
			return refuse(http.StatusInternalServerError, "%s", err)
		}
		r.content = text
	default:
		r.content = q.text()
	}
	if q.thinks {
		r.thinking = q.thoughts()
	}
	for _, stop := range q.options.stop {
		r.content, _, _ = strings.Cut(r.content, stop)
	}
	return nil
}

// thoughts is what a model that thinks says to itself.
func (q *question) thoughts() string {
	text := "The user asks about " + subject(q.last()) + ". "
	switch q.Think.String() {
	case "low":
	case "high":
		text += prose("this", 6, newRandom(q.seed, "thoughts")) + " "
	default:
		text += prose("this", 2, newRandom(q.seed, "thoughts")) + " "
	}
	return text + "I will keep the answer simple."
}

// cut ends an answer at the limit of its tokens.
func (r *reply) cut(limit int) {
	if r.filler > 0 {
		r.tokens = 1
		return
	}
	long := len(r.thinking) + len(r.content)
	var thinking, content int
	r.thinking, thinking = firstTokens(r.thinking, limit)
	r.content, content = firstTokens(r.content, limit-thinking)
	r.tokens = thinking + content
	if len(r.thinking)+len(r.content) < long {
		r.reason = "length"
	}
}

// time sets how long the answer takes and how many pieces it has.
func (r *reply) time(q *question) {
	r.prompt, r.answer = q.entry.timing.of(r.promptTokens, r.tokens, q.seed)
	r.chunks = r.tokens
	if wanted := q.entry.timing.Chunks; wanted > 0 {
		r.chunks = min(wanted, r.tokens)
	}
}

// offset is when the i-th piece of n is there, from the start of the work.
func (r *reply) offset(i int) time.Duration {
	if r.chunks <= 0 {
		return r.prompt + r.answer
	}
	return r.prompt + time.Duration(float64(r.answer)*float64(i+1)/float64(r.chunks))
}

// total is the duration of the whole, load included.
func (r *reply) total() time.Duration { return loadedDuration + r.prompt + r.answer }

// A cursor goes through a reply's text, piece by piece.
type cursor struct {
	r      *reply
	sent   int    // pieces
	tokens int    // in them
	left   string // of thinking first, then of content
	second bool
}

func (r *reply) cursor() *cursor {
	c := &cursor{r: r, left: r.thinking}
	if c.left == "" {
		c.left, c.second = r.content, true
	}
	return c
}

// next gives the next piece, of thinking or of content; ok is false after the last.
// A piece never holds both.
func (c *cursor) next() (thinking, content string, ok bool) {
	if c.left == "" {
		if c.second {
			return "", "", false
		}
		c.left, c.second = c.r.content, true
		if c.left == "" {
			return "", "", false
		}
	}
	rest := c.several(c.left)
	piece := c.left[:len(c.left)-len(rest)]
	c.left = rest
	c.sent++
	if c.second {
		return "", piece, true
	}
	return piece, "", true
}

// several goes on by an equal share of the tokens.
func (c *cursor) several(text string) (rest string) {
	switch c.r.chunks {
	case 1:
		return ""
	case c.r.tokens:
		_, rest = token(text)
		return rest
	}
	goal := c.r.tokens * (c.sent + 1) / c.r.chunks
	rest = text
	for rest != "" && (c.tokens < goal || rest == text) {
		_, rest = token(rest)
		c.tokens++
	}
	return rest
}
