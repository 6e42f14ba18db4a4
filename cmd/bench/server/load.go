package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A Load is how the server answers.
type Load struct {
	Slots   int
	Service time.Duration // mean
	Sigma   float64       // of the logarithm of service times, or of lengths
	Chunks  int
	Seed    uint64
	Rate    float64 // arrivals per second that the account is held against, or 0

	// With a mean length answers come token by token, and Service and Chunks say nothing.
	Tokens     float64       // mean length
	FirstToken time.Duration // from when a request has its slot
	PerToken   time.Duration // each further one

	Loading  time.Duration // that the model takes to get into memory, once; 0: it is there
	Freeze   Freeze
	Exact    bool // pieces come by the kernel's timers, where there are such
	Requests bool // each request is kept for GET /requests
}

// keeps says whether the account has to keep each request.
func (l Load) keeps() bool { return l.Requests || l.Tokens > 0 }

const (
	piece = `{"model":"bench","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":" word"},"done":false}` + "\n"
	final = `{"model":"bench","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",` +
		`"total_duration":%d,"load_duration":%d,"prompt_eval_count":12,"prompt_eval_duration":%d,"eval_count":%d,"eval_duration":%d}` + "\n"
	loaded = `{"model":"bench","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}` + "\n"
	models = `{"models":[{"name":"bench:latest","model":"bench:latest","modified_at":"2026-01-01T00:00:00Z","size":1000000,` +
		`"digest":"00000000000000000000000000000000000000000000000000000000000bec4e","details":{"format":"gguf","family":"bench","parameter_size":"1M","quantization_level":"F32"}}]}`
	nothing = `{"models":[]}`
	shown   = `{"details":{"format":"gguf","family":"bench"},"model_info":{"general.architecture":"bench","bench.context_length":8192},"capabilities":["completion"]}`
)

// A server answers by its Load and keeps the account.
type server struct {
	load    Load
	slots   chan struct{} // holds a value for each busy slot; waiting senders are served in order
	memory  *memory
	freezer *freezer
	account *account
	mux     *http.ServeMux
}

// New makes the handler of a load server.
func New(load Load) http.Handler {
	load.Slots, load.Chunks = max(load.Slots, 1), max(load.Chunks, 1)
	s := &server{
		load: load, slots: make(chan struct{}, load.Slots), account: newAccount(load), mux: http.NewServeMux(),
		memory: &memory{takes: load.Loading}, freezer: &freezer{Freeze: load.Freeze},
	}
	s.mux.HandleFunc("POST /api/chat", s.chat)
	s.mux.HandleFunc("GET /stats", told(func() any { return s.account.stats() }))
	s.mux.HandleFunc("GET /requests", told(func() any { return s.account.requests() }))
	s.mux.HandleFunc("GET /{$}", fixed("Ollama is running"))
	s.mux.HandleFunc("GET /api/version", fixed(`{"version":"0.17.7"}`))
	s.mux.HandleFunc("GET /api/tags", fixed(models))
	s.mux.HandleFunc("GET /api/ps", s.running)
	s.mux.HandleFunc("POST /api/show", fixed(shown))
	s.mux.HandleFunc("POST /api/generate", s.justLoad) // the empty one, which loads a model
	return s
}

// ServeHTTP lets every request wait while the server is frozen.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.freezer.thaw(r.Context()) == nil {
		s.mux.ServeHTTP(w, r)
	}
}

func fixed(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

func told(what func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(what())
	}
}

// running lists the models in memory: ours, once it is there.
func (s *server) running(w http.ResponseWriter, r *http.Request) {
	list := models
	if !s.memory.holds() {
		list = nothing
	}
	fixed(list)(w, r)
}

// justLoad answers when the model is in memory.
func (s *server) justLoad(w http.ResponseWriter, r *http.Request) {
	if s.memory.load(r.Context()) == nil {
		fixed(loaded)(w, r)
	}
}

// A call is a prompt on its way through the server.
type call struct {
	number int    // in the order of arrival, from 0
	prompt string // empty where nobody asks for it later
	plan   plan

	read   time.Time // the whole request was there
	loaded time.Time // and the model in memory
	start  time.Time // and a slot its own
	first  time.Time // its first piece was about to be written
	end    time.Time // its last
}

// chat serves one request in its turn. One without messages loads the model, which
// takes no slot and no place in the account.
func (s *server) chat(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client left while it spoke: nothing arrived
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	if !bytes.Contains(body, []byte(`"content":`)) {
		s.justLoad(w, r)
		return
	}
	c := s.arrived(body)
	if s.begin(r, c) != nil {
		s.account.giveUp()
		return
	}
	s.account.start(c.plan.whole())
	err = s.answer(w, r, c)
	held := time.Since(c.start)
	<-s.slots
	s.account.leave(c, held, err == nil)
}

// arrived takes a request into the account and plans its answer.
func (s *server) arrived(body []byte) *call {
	c := &call{read: time.Now()}
	if s.load.keeps() {
		c.prompt = promptIn(body)
	}
	c.number = s.account.arrive()
	c.plan = s.load.plan(c.number, c.prompt)
	s.freezer.begin(c.read)
	return c
}

// promptIn is the newest message of a request, empty where there is none.
func promptIn(body []byte) string {
	var said struct{ Messages []struct{ Content string } }
	if json.Unmarshal(body, &said) != nil || len(said.Messages) == 0 {
		return ""
	}
	return said.Messages[len(said.Messages)-1].Content
}

// begin waits for the model and for a slot. Its error says that the client left.
func (s *server) begin(r *http.Request, c *call) error {
	if err := s.memory.load(r.Context()); err != nil {
		return err
	}
	c.loaded = time.Now()
	select {
	case s.slots <- struct{}{}:
		c.start = time.Now()
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

// answer streams the pieces, and the last line with the last of them.
func (s *server) answer(w http.ResponseWriter, r *http.Request, c *call) error {
	if !s.load.Exact {
		return s.stream(w, r, c, sleep)
	}
	alarm, err := newAlarm(r.Context())
	if err != nil {
		return err
	}
	defer alarm.close()
	return s.stream(w, r, c, alarm.sleep)
}

// stream writes each piece at its moment of the plan, which no late one before it moves.
func (s *server) stream(w http.ResponseWriter, r *http.Request, c *call, until sleeper) error {
	flush := http.NewResponseController(w)
	for i := range c.plan.pieces {
		if err := until(r.Context(), c.start.Add(c.plan.at(i))); err != nil {
			return err
		}
		if err := s.freezer.thaw(r.Context()); err != nil {
			return err
		}
		if _, err := io.WriteString(w, c.next(i)); err != nil {
			return err
		}
		if err := flush.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// next is what is written now as the i-th piece, from 0. A client may have it before the
// writing returns, so that its time is the one before.
func (c *call) next(i int) string {
	c.end = time.Now()
	if i == 0 {
		c.first = c.end
	}
	if i == c.plan.pieces-1 {
		return piece + c.final()
	}
	return piece
}

// final is the last line of an answer. The time for a slot falls into no part but the
// total, as with Ollama.
func (c *call) final() string {
	prompted := c.start
	if c.plan.reads {
		prompted = c.first
	}
	return fmt.Sprintf(final, c.end.Sub(c.read), c.loaded.Sub(c.read), prompted.Sub(c.start), c.plan.pieces, c.end.Sub(prompted))
}
