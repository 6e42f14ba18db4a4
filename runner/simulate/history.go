package simulate

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// historyPath gives the history as JSON, and forgets it on DELETE.
const historyPath = "/runner/history"

// A History is what a server was asked, and what it did.
type History struct {
	Asked     int64 `json:"asked"`     // requests with a prompt, refused ones and repeated ones too
	Questions int64 `json:"questions"` // different keys among them; 0 under Config.CountsOnly
	LoadAsks  int64 `json:"load_asks"` // requests that only load or unload a model
	Elsewhere int64 `json:"elsewhere"` // prompts that followed a redirect
	InFlight  int   `json:"in_flight"` // requests with a prompt that are not finished yet
	// MaxFlight is the most of them at once: what a client's limits bound. A request
	// that hangs on purpose doesn't count from then on; of one that a client gives up,
	// the server learns a moment later, when the client's next one may be there.
	MaxFlight int `json:"max_flight"`
	MaxSlots  int `json:"max_slots"` // most of them that had a slot at once
	// Outcomes counts finished requests with a prompt: "answered", "gone" (the
	// client left), "refused 404" and so on, or "fault " and its kind.
	Outcomes map[string]int64 `json:"outcomes"`
	// Faults counts faults by kind; those that end in an answer ("slow") too, and
	// those met by other requests than prompts.
	Faults   map[string]int64       `json:"faults"`
	Models   map[string]ModelCounts `json:"models"` // by full name
	Attempts map[string]int         `json:"attempts,omitempty"`
	Loads    []Load                 `json:"loads"`
	// Requests are in the order in which they ended.
	Requests []Exchange `json:"requests,omitempty"`
}

// ModelCounts is what one model did.
type ModelCounts struct {
	Asked     int64 `json:"asked"`
	Loads     int64 `json:"loads"`
	MaxFlight int   `json:"max_flight"`
	MaxSlots  int   `json:"max_slots"`

	flight, slots int
}

// A Load is one time a model was brought into memory.
type Load struct {
	Model  string    `json:"model"`
	NumCtx int       `json:"num_ctx"`
	At     time.Time `json:"at"`
}

// An Exchange is one finished request with a prompt.
type Exchange struct {
	Key     string    `json:"key"`     // of model, messages and format: equal for all attempts at one thing
	Attempt int       `json:"attempt"` // 1 for the first request of that key to arrive
	Path    string    `json:"path"`
	Model   string    `json:"model"` // as the request spells it
	Prompt  string    `json:"prompt"`
	Arrived time.Time `json:"arrived"`
	Started time.Time `json:"started,omitzero"` // when it had a slot
	First   time.Time `json:"first,omitzero"`   // when the first piece was sent
	Ended   time.Time `json:"ended"`
	Chunks  int       `json:"chunks"` // pieces of the answer that were sent, the last line not counted
	Tokens  int       `json:"tokens"` // of the answer, where all of it was sent
	Outcome string    `json:"outcome"`
	Fault   string    `json:"fault,omitempty"`
}

// promptShown is how much of a prompt the history keeps, in bytes.
const promptShown = 200

type history struct {
	list bool
	now  func() time.Time

	mu    sync.Mutex
	so    History
	slots int
}

func newHistory(cfg Config) *history {
	h := &history{list: !cfg.CountsOnly, now: cfg.Clock.Now}
	h.clear()
	return h
}

// clear forgets everything but what is under way.
func (h *history) clear() {
	models := map[string]ModelCounts{}
	for name, m := range h.so.Models {
		if m.flight > 0 {
			models[name] = ModelCounts{flight: m.flight, MaxFlight: m.flight, slots: m.slots, MaxSlots: m.slots}
		}
	}
	flight := h.so.InFlight
	h.so = History{
		Outcomes: map[string]int64{}, Faults: map[string]int64{}, Attempts: map[string]int{},
		Models: models, InFlight: flight, MaxFlight: flight, MaxSlots: h.slots, Loads: []Load{},
	}
}

func (h *history) snapshot() History {
	h.mu.Lock()
	defer h.mu.Unlock()
	so := h.so
	so.Questions = int64(len(so.Attempts))
	so.Outcomes, so.Faults = maps.Clone(so.Outcomes), maps.Clone(so.Faults)
	so.Models, so.Attempts = maps.Clone(so.Models), maps.Clone(so.Attempts)
	so.Loads, so.Requests = slices.Clone(so.Loads), slices.Clone(so.Requests)
	return so
}

// arrives notes a request with a prompt. Refused ones may have no model.
func (h *history) arrives(e *Exchange, model string) {
	e.Arrived = h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.so.Asked++
	h.so.InFlight++
	h.so.MaxFlight = max(h.so.MaxFlight, h.so.InFlight)
	m := h.so.Models[model]
	m.Asked++
	m.flight++
	m.MaxFlight = max(m.MaxFlight, m.flight)
	h.so.Models[model] = m
	if h.list {
		h.so.Attempts[e.Key]++
		e.Attempt = h.so.Attempts[e.Key]
	}
}

// ends notes that the request is finished.
func (h *history) ends(e *Exchange, model string) {
	e.Ended = h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.so.InFlight--
	h.so.Outcomes[e.Outcome]++
	m := h.so.Models[model]
	m.flight--
	h.so.Models[model] = m
	if h.list {
		h.so.Requests = append(h.so.Requests, *e)
	}
}

// amends corrects the outcome of a request that has ended.
func (h *history) amends(e *Exchange, noted string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.so.Outcomes[noted]--
	if h.so.Outcomes[noted] == 0 {
		delete(h.so.Outcomes, noted)
	}
	h.so.Outcomes[e.Outcome]++
	for i := len(h.so.Requests) - 1; i >= 0; i-- {
		if r := &h.so.Requests[i]; r.Key == e.Key && r.Attempt == e.Attempt {
			r.Outcome = e.Outcome
			return
		}
	}
}

// takesSlot and leavesSlot bracket the work on a request.
func (h *history) takesSlot(e *Exchange, model string) {
	e.Started = h.now()
	h.slotted(model, 1)
}

func (h *history) leavesSlot(model string) { h.slotted(model, -1) }

func (h *history) slotted(model string, by int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.slots += by
	h.so.MaxSlots = max(h.so.MaxSlots, h.slots)
	m := h.so.Models[model]
	m.slots += by
	m.MaxSlots = max(m.MaxSlots, m.slots)
	h.so.Models[model] = m
}

func (h *history) loads(at time.Time, q *question) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.so.Models[q.entry.full]
	m.Loads++
	h.so.Models[q.entry.full] = m
	h.so.Loads = append(h.so.Loads, Load{Model: q.entry.full, NumCtx: q.options.load.numCtx, At: at})
}

func (h *history) faulted(kind string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.so.Faults[kind]++
}

func (h *history) asksLoad() { h.count(func(so *History) { so.LoadAsks++ }) }

func (h *history) strays() { h.count(func(so *History) { so.Elsewhere++ }) }

func (h *history) count(add func(*History)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	add(&h.so)
}

// serveHistory answers /runner/history.
func (s *Server) serveHistory(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodDelete {
		s.history.count(func(*History) { s.history.clear() })
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(s.History()) // a client that left needs no history
}
