// Package simulate is a simulated Ollama: a server that speaks Ollama's HTTP API
// as v0.17.7 does, without any model. It queues requests for a model's slots,
// loads and unloads models, minds the context limit, takes as long as it is told
// to, and answers deterministically: equal requests get equal bytes, whatever else
// is going on. It fails on purpose where a Fault says so, and remembers what it
// was asked.
//
// Every reply carries Header, so that nobody takes its answers for a model's.
package simulate

import (
	"net/http"
	"time"
)

const (
	// Header is set to "1" on every reply of a simulated server.
	Header = "Runner-Simulated"
	// Version is the version the server says it has.
	Version = "0.17.7-simulated"
)

// A Config says what the server has and how it behaves. The zero Config has every
// model, one slot for each, and answers at once.
type Config struct {
	// Models are the models that are present. Nil: some well-known ones are listed,
	// and any other is present as soon as it's asked for, unless its name contains
	// "missing".
	Models []Model
	// AnyModel makes models present that are not in Models, as with nil Models.
	AnyModel bool

	Parallel  int // slots of each model, as OLLAMA_NUM_PARALLEL; 0 means 1, Ollama's default
	MaxLoaded int // models in memory, as OLLAMA_MAX_LOADED_MODELS; 0 means 3
	// MaxQueue is how many requests may wait for a model to be loaded, as
	// OLLAMA_MAX_QUEUE; the next one gets a 503. 0 means 512. Requests that wait for
	// a slot of a loaded model don't count: v0.17.7 lets any number of them wait
	// (llm/server.go, Completion).
	MaxQueue int
	// MaxWaiting limits those that wait for a slot, too, as proxies and other
	// servers do. 0 means no limit.
	MaxWaiting int
	NumCtx     int // context of requests that name none, as OLLAMA_CONTEXT_LENGTH; 0 means 4096

	Timing Timing
	// Speed divides all waiting, but not what is reported; 0 means 1, +Inf means no
	// waiting at all.
	Speed float64
	// Measured reports total_duration, load_duration and created_at as they were,
	// queue included. Without it they follow from the request alone, as all other
	// figures always do, and a model's load shows in no answer.
	Measured bool

	Faults []Fault
	Seed   uint64 // another seed: other answers, and other requests that meet a fault
	// Answer gives the text of answers, where it isn't nil. It must depend on the
	// question alone, and be safe for concurrent use.
	Answer func(Question) string
	// CountsOnly keeps counts in the history but no list of requests, so that memory
	// doesn't grow with their number.
	CountsOnly bool
	Clock      Clock // nil means the machine's
}

// A Question is what a model is asked, as Config.Answer sees it.
type Question struct {
	Model    string // as the request spells it
	Messages []Message
	Format   string // JSON text of the request's format, empty without one
	Seed     uint64 // of everything in the request that may change its answer
}

// A Message is one message of a conversation.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// A Server is a simulated Ollama. It is safe for concurrent use.
type Server struct {
	cfg     Config // with defaults filled in
	routes  map[string]route
	models  *catalogue
	sched   *scheduler
	faults  *injector
	history *history
	outage  outage
	maxBody int64
}

var _ http.Handler = (*Server)(nil)

// New makes a server. Names of kinds in cfg.Faults that don't exist are mistakes
// of the program and panic; ParseFault checks those that users write.
func New(cfg Config) *Server {
	cfg = cfg.withDefaults()
	s := &Server{cfg: cfg, models: newCatalogue(cfg), history: newHistory(cfg), faults: newInjector(cfg), maxBody: maxBody}
	s.outage.begin()
	s.sched = newScheduler(cfg, s.history)
	s.routes = s.table()
	return s
}

func (cfg Config) withDefaults() Config {
	cfg.AnyModel = cfg.AnyModel || cfg.Models == nil
	cfg.Parallel = or(cfg.Parallel, 1)
	cfg.MaxLoaded = or(cfg.MaxLoaded, 3)
	cfg.MaxQueue = or(cfg.MaxQueue, 512)
	cfg.NumCtx = or(cfg.NumCtx, 4096)
	cfg.Speed = cfg.speed()
	if cfg.Timing == (Timing{}) {
		cfg.Timing = DefaultTiming()
	}
	if cfg.Clock == nil {
		cfg.Clock = machineClock{}
	}
	return cfg
}

func or(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// A route is what the server does for one path.
type route struct {
	methods string // those allowed, as the Allow header lists them
	on      string // the name of the route in Fault.On
	serve   func(*Server, http.ResponseWriter, *http.Request)
}

func (s *Server) table() map[string]route {
	return map[string]route{
		"/":             {"GET, HEAD", "root", (*Server).root},
		"/api/version":  {"GET, HEAD", "version", (*Server).version},
		"/api/tags":     {"GET, HEAD", "tags", (*Server).tags},
		"/api/show":     {"POST", "show", (*Server).show},
		"/api/ps":       {"GET", "ps", (*Server).ps},
		"/api/pull":     {"POST", "pull", (*Server).pull},
		"/api/chat":     {"POST", "", (*Server).chat},
		"/api/generate": {"POST", "", (*Server).generate},
		historyPath:     {"GET, DELETE", "", (*Server).serveHistory},
		elsewherePath:   {"POST", "", (*Server).elsewhere},
	}
}

// ServeHTTP answers one request of Ollama's API, or GET /runner/history.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.outage.now(s.cfg.Clock) {
		drop(w, reset)
		return
	}
	w.Header()[Header] = headerOne
	route, ok := s.routes[r.URL.Path]
	switch {
	case !ok:
		writeText(w, http.StatusNotFound, "404 page not found")
	case !allows(route.methods, r.Method):
		w.Header().Set("Allow", route.methods)
		writeText(w, http.StatusMethodNotAllowed, "405 method not allowed")
	case route.on == "" || !s.controlFault(w, r, route.on):
		route.serve(s, w, r)
	}
}

var headerOne = []string{"1"}

// Down makes the server die and come back after d: every connection breaks, those in
// the middle of an answer too, and under Serve the port is closed meanwhile, so that
// new ones are refused. (Behind another listener they break.) Models are not in
// memory afterwards. Down(0) ends an outage.
func (s *Server) Down(d time.Duration) {
	s.outage.start(s.cfg.Clock, d)
	s.sched.forget()
}

// History tells what the server was asked so far.
func (s *Server) History() History { return s.history.snapshot() }
