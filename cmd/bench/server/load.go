package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"time"
)

// A Load is how the server answers.
type Load struct {
	Slots   int
	Service time.Duration // mean
	Sigma   float64       // of the logarithm
	Chunks  int
	Seed    uint64
	Rate    float64 // arrivals per second that the account is held against, or 0
}

// service is the planned time of the n-th arrival. It depends on nothing else, so
// that every client meets the same total work.
func (l Load) service(n int) time.Duration {
	if l.Sigma == 0 {
		return l.Service
	}
	z := rand.New(rand.NewPCG(l.Seed, uint64(n))).NormFloat64()
	return time.Duration(float64(l.Service) * math.Exp(l.Sigma*z-l.Sigma*l.Sigma/2))
}

const (
	piece = `{"model":"bench","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":" word"},"done":false}` + "\n"
	final = `{"model":"bench","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",` +
		`"total_duration":%d,"load_duration":0,"prompt_eval_count":12,"prompt_eval_duration":1000,"eval_count":%d,"eval_duration":%d}` + "\n"
	loaded = `{"model":"bench","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}` + "\n"
	models = `{"models":[{"name":"bench:latest","model":"bench:latest","modified_at":"2026-01-01T00:00:00Z","size":1000000,` +
		`"digest":"00000000000000000000000000000000000000000000000000000000000bec4e","details":{"format":"gguf","family":"bench","parameter_size":"1M","quantization_level":"F32"}}]}`
	shown = `{"details":{"format":"gguf","family":"bench"},"model_info":{"general.architecture":"bench","bench.context_length":8192},"capabilities":["completion"]}`
)

// A server answers by its Load and keeps the account.
type server struct {
	load    Load
	slots   chan struct{} // holds a value for each busy slot; waiting senders are served in order
	account *account
	mux     *http.ServeMux
}

// New makes the handler of a load server.
func New(load Load) http.Handler {
	load.Slots, load.Chunks = max(load.Slots, 1), max(load.Chunks, 1)
	s := &server{load: load, slots: make(chan struct{}, load.Slots), account: newAccount(load), mux: http.NewServeMux()}
	s.mux.HandleFunc("POST /api/chat", s.chat)
	s.mux.HandleFunc("GET /stats", s.stats)
	s.mux.HandleFunc("GET /{$}", fixed("Ollama is running"))
	s.mux.HandleFunc("GET /api/version", fixed(`{"version":"0.17.7"}`))
	s.mux.HandleFunc("GET /api/tags", fixed(models))
	s.mux.HandleFunc("GET /api/ps", fixed(models))
	s.mux.HandleFunc("POST /api/show", fixed(shown))
	s.mux.HandleFunc("POST /api/generate", fixed(loaded)) // the empty one, which loads a model
	return s.mux
}

func fixed(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
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
		_, _ = io.WriteString(w, loaded)
		return
	}
	n := s.account.arrive()
	select {
	case s.slots <- struct{}{}:
	case <-r.Context().Done():
		s.account.giveUp()
		return
	}
	start, plan := time.Now(), s.load.service(n)
	s.account.start(plan)
	err = s.answer(w, r, start, plan)
	held := time.Since(start)
	<-s.slots
	s.account.leave(held, err == nil)
}

// answer streams the pieces, each at its share of the planned time, the last line
// with the last of them.
func (s *server) answer(w http.ResponseWriter, r *http.Request, start time.Time, plan time.Duration) error {
	flush := http.NewResponseController(w)
	for i := 1; i < s.load.Chunks; i++ {
		if err := until(r, start.Add(plan*time.Duration(i)/time.Duration(s.load.Chunks))); err != nil {
			return err
		}
		if _, err := io.WriteString(w, piece); err != nil {
			return err
		}
		if err := flush.Flush(); err != nil {
			return err
		}
	}
	if err := until(r, start.Add(plan)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, piece+final, plan.Nanoseconds()+1000, s.load.Chunks, plan.Nanoseconds()); err != nil {
		return err
	}
	return flush.Flush()
}

// until waits for a moment, or for the client to leave.
func until(r *http.Request, moment time.Time) error {
	wait := time.Until(moment)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

func (s *server) stats(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.account.stats())
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }
