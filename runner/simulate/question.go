package simulate

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/ollama/ollama/api"
)

// maxBody bounds a request: far more than any context holds.
const maxBody = 64 << 20

// A wire is a request to /api/chat or /api/generate as it comes. It has fewer
// fields than api.ChatRequest and api.GenerateRequest and decodes twice as fast;
// those are asked only for the words of an error.
type wire struct {
	Model     string          `json:"model"`
	Messages  []Message       `json:"messages"`
	Prompt    string          `json:"prompt"`
	System    string          `json:"system"`
	Raw       bool            `json:"raw"`
	Stream    *bool           `json:"stream"`
	Format    json.RawMessage `json:"format"`
	KeepAlive *api.Duration   `json:"keep_alive"`
	Options   map[string]any  `json:"options"`
	Think     *api.ThinkValue `json:"think"`
	Truncate  *bool           `json:"truncate"`
	Shift     *bool           `json:"shift"`
}

// A question is one request to a model, checked.
type question struct {
	wire
	chat    bool // of /api/chat, not of /api/generate
	entry   *entry
	options options
	thinks  bool
	key     string // of model, messages and format; equal for all attempts at one row
	place   uint64 // the key as a number
	seed    uint64 // of all that can change the answer
}

// A refusal is an error reply, with the words of Ollama.
type refusal struct {
	status  int
	message string
}

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

// readWire decodes a request. Mistakes are reported as gin does for api's types.
func (s *Server) readWire(r *http.Request, body *bytes.Buffer, reference func() any) (*wire, *refusal) {
	body.Reset()
	if _, err := body.ReadFrom(http.MaxBytesReader(nil, r.Body, s.maxBody)); err != nil {
		return nil, refuse(http.StatusBadRequest, "%s", err)
	}
	w := &wire{}
	if json.Unmarshal(body.Bytes(), w) == nil {
		return w, nil
	}
	*w = wire{}
	err := json.NewDecoder(bytes.NewReader(body.Bytes())).Decode(w) // lets things follow the object, as gin does
	if err == nil {
		return w, nil
	}
	if errors.Is(err, io.EOF) {
		return nil, refuse(http.StatusBadRequest, "missing request body")
	}
	if theirs := json.NewDecoder(bytes.NewReader(body.Bytes())).Decode(reference()); theirs != nil {
		err = theirs
	}
	return nil, refuse(http.StatusBadRequest, "%s", err)
}

// asked says whether there is a prompt; without one the request only loads or
// unloads the model.
func (w *wire) asked() bool { return len(w.Messages) > 0 }

// unloads says that the request asks for the model to leave memory.
func (w *wire) unloads() bool {
	return !w.asked() && w.KeepAlive != nil && w.KeepAlive.Duration == 0
}

func (w *wire) streams() bool { return w.Stream == nil || *w.Stream }

// truncates says whether a prompt may be cut to fit the context.
func (w *wire) truncates() bool { return w.Truncate == nil || *w.Truncate }

// newQuestion finds the model and checks what Ollama checks before it schedules.
// The question is there in any case, as far as it could be understood.
func (s *Server) newQuestion(w *wire, chat bool) (*question, *refusal) {
	if !chat {
		w.Messages = generated(w)
	}
	for i := range w.Messages {
		w.Messages[i].Role = strings.ToLower(w.Messages[i].Role)
	}
	q := &question{wire: *w, chat: chat, options: defaultOptions(s.cfg.NumCtx)}
	q.entry = s.models.find(w.Model)
	q.identify()
	switch {
	case q.entry == nil && chat && !validName(w.Model):
		return q, refuse(http.StatusBadRequest, "model is required")
	case q.entry == nil:
		return q, refuse(http.StatusNotFound, "model '%s' not found", w.Model)
	case w.unloads():
		return q, nil
	case !q.entry.thinks && w.Think.Bool():
		return q, refuse(http.StatusBadRequest, "%q does not support thinking", w.Model)
	case q.entry.embeds:
		return q, refuse(http.StatusBadRequest, "%q does not support %s", w.Model, doing(chat))
	}
	if err := q.options.set(w.Options); err != nil {
		return q, refuse(http.StatusInternalServerError, "%s", err)
	}
	q.thinks = q.entry.thinks && (w.Think == nil || w.Think.Bool())
	q.options.load.shift = w.Shift == nil || *w.Shift
	q.seeded(s.cfg.Seed)
	return q, nil
}

// generated makes a conversation of what /api/generate takes, none where it takes
// no prompt.
func generated(w *wire) []Message {
	if w.Prompt == "" {
		return nil
	}
	if w.System == "" || w.Raw {
		return []Message{{"user", w.Prompt}}
	}
	return []Message{{"system", w.System}, {"user", w.Prompt}}
}

func doing(chat bool) string {
	if chat {
		return "chat"
	}
	return "generate"
}

// identify sets key and place. Options are no part of them, so that an attempt with
// another seed is an attempt at the same thing.
func (q *question) identify() {
	page := pages.Get().(*page)
	defer page.free()
	b := part(page.bytes, q.model())
	for i := range q.Messages {
		b = part(part(b, q.Messages[i].Role), q.Messages[i].Content)
	}
	b = part(b, string(q.Format))
	sum := sha256.Sum256(b)
	page.bytes = b
	q.key = hex.EncodeToString(sum[:8])
	q.place = binary.BigEndian.Uint64(sum[:])
}

// model is the whole name of the model, whether it is present or not.
func (q *question) model() string {
	if q.entry == nil {
		return fullName(q.Model)
	}
	return q.entry.full
}

// seeded sets the seed, from the key and the options. A temperature of 0 makes the
// request's own seed count for nothing.
func (q *question) seeded(seed uint64) {
	q.seed = mix(q.place ^ mix(seed))
	if q.options.temperature > 0 {
		q.seed = mix(q.seed ^ uint64(q.options.seed) ^ mix(math.Float64bits(q.options.temperature)))
	}
	if q.Think != nil {
		q.seed = mix(q.seed ^ hashString(q.Think.String()))
	}
}

// part adds a string so that no two lists of strings look the same.
func part(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(s))), s...)
}

// last is the newest message of the user, empty if there is none.
func (q *question) last() string { return lastOf(q.Messages, "user") }

func lastOf(messages []Message, role string) string {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role == role {
			return messages[i].Content
		}
	}
	return ""
}

// keep is how long the model is to stay in memory, nil for the server's own choice.
func (q *question) keep() *time.Duration {
	if q.KeepAlive == nil {
		return nil
	}
	return &q.KeepAlive.Duration
}
