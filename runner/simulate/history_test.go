package simulate

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHistoryTellsWhatWasAsked(t *testing.T) {
	s := New(Config{Faults: []Fault{{Kind: "error", Times: 1}}})
	for _, b := range []string{body("a", "x"), body("a", "x"), body("missing", "x"), body("a", "y", `"think":true`), `{"model":"a"}`, `{`} {
		ask(t, s, "POST", "/api/chat", b)
	}
	r := ask(t, s, "GET", "/runner/history", "")
	var h History
	if err := json.NewDecoder(r.Body).Decode(&h); err != nil {
		t.Fatal(err)
	}
	if h.Asked != 4 || h.LoadAsks != 1 || h.MaxFlight != 1 || h.MaxSlots != 1 || h.InFlight != 0 {
		t.Errorf("counts: %+v", h)
	}
	if diff := cmp.Diff(map[string]int64{"answered": 1, "fault error": 1, "refused 404": 1, "refused 400": 1}, h.Outcomes); diff != "" {
		t.Error(diff)
	}
	type entry struct {
		Attempt int
		Prompt  string
		Outcome string
		Fault   string
	}
	var got []entry
	for _, e := range h.Requests {
		got = append(got, entry{e.Attempt, e.Prompt, e.Outcome, e.Fault})
	}
	want := []entry{{1, "x", "fault error", "error"}, {2, "x", "answered", ""}, {1, "x", "refused 404", ""}, {1, "y", "refused 400", ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if h.Requests[0].Key != h.Requests[1].Key || h.Attempts[h.Requests[0].Key] != 2 || h.Requests[1].Tokens == 0 || h.Requests[1].Chunks == 0 {
		t.Errorf("requests: %+v", h.Requests[:2])
	}
	if m := h.Models["a:latest"]; m.Asked != 3 || m.Loads != 1 {
		t.Errorf("models: %+v", h.Models)
	}
}

// TestHistoryIsAheadOfTheClient: whoever has read an answer, or seen its connection
// break, finds it in the history, and no longer in flight.
func TestHistoryIsAheadOfTheClient(t *testing.T) {
	for _, kind := range []string{"", "reset", "cut", "no-done", "drop", "error", "crash", "loop", "long-line", "overflow"} {
		cfg := Config{}
		if kind != "" {
			cfg.Faults = []Fault{{Kind: kind}}
		}
		s := New(cfg)
		l, done := listening(t, s)
		for i := range 20 {
			observe(t, l.Addr().String(), body("m", strings.Repeat("tea ", 100*i), `"options":{"num_predict":500}`), outcome{})
			if h := s.History(); len(h.Requests) != i+1 || h.InFlight != 0 || h.MaxFlight != 1 {
				t.Errorf("%q: after answer %d the history has %d, %d are in flight, and at most %d were", kind, i+1, len(h.Requests), h.InFlight, h.MaxFlight)
				break
			}
		}
		done()
	}
}

func TestAClientThatLeavesBeforeTheEndIsGone(t *testing.T) {
	s := New(Config{})
	w := &brokenWriter{}
	s.ServeHTTP(w, request(body("m", "x")))
	if h := s.History(); h.Outcomes["gone"] != 1 || len(h.Outcomes) != 1 || h.Requests[0].Outcome != "gone" {
		t.Errorf("history: %+v", h)
	}
}

type brokenWriter struct{ timedWriter }

func (*brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestHistoryIsForgotten(t *testing.T) {
	s := New(Config{})
	ask(t, s, "POST", "/api/chat", body("a", "x"))
	if r := ask(t, s, http.MethodDelete, "/runner/history", ""); r.StatusCode != http.StatusNoContent {
		t.Errorf("DELETE: %d", r.StatusCode)
	}
	if h := s.History(); h.Asked != 0 || len(h.Requests) != 0 || len(h.Loads) != 0 {
		t.Errorf("after DELETE: %+v", h)
	}
}

func TestCountsOnlyKeepsNoRequests(t *testing.T) {
	s := New(Config{CountsOnly: true})
	for range 3 {
		ask(t, s, "POST", "/api/chat", body("a", "x"))
	}
	if h := s.History(); h.Asked != 3 || h.Outcomes["answered"] != 3 || len(h.Requests) != 0 || len(h.Attempts) != 0 {
		t.Errorf("history: %+v", h)
	}
}

func TestALongPromptIsNotKept(t *testing.T) {
	s := New(Config{})
	ask(t, s, "POST", "/api/chat", body("a", strings.Repeat("日本", 1000)))
	if got := s.History().Requests[0].Prompt; len(got) > promptShown || !strings.HasPrefix(got, "日本") || strings.ContainsRune(got, '\ufffd') {
		t.Errorf("the history keeps %q", got)
	}
}

func TestRepliesAreMarked(t *testing.T) {
	s := New(Config{})
	for _, path := range []string{"/", "/api/version", "/api/tags", "/api/nope", "/runner/history"} {
		if got := ask(t, s, "GET", path, "").Header.Get(Header); got != "1" {
			t.Errorf("%s: %s: %q", path, Header, got)
		}
	}
	text, err := io.ReadAll(ask(t, s, "GET", "/api/version", "").Body)
	if err != nil || string(text) != `{"version":"0.17.7-simulated"}` {
		t.Errorf("version: %s (%v)", text, err)
	}
}
