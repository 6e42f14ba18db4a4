package ollama

import (
	"net/http"
	"testing"
	"time"

	"github.com/ollama/ollama/api"
)

// The clock begins when a connection is there, and each part is timed when it comes: what
// the server waits for between them is at least what is measured between them.
func TestTiming(t *testing.T) {
	const wait = 20 * time.Millisecond
	lines := []string{
		encoded(api.ChatResponse{Model: "m:latest", Message: api.Message{Role: "assistant", Thinking: "hmm"}}) + "\n",
		piece("one"), piece("two"), last(nil),
	}
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", ndjson)
		for _, line := range lines {
			time.Sleep(wait)
			_, _ = w.Write([]byte(line))
			w.(http.Flusher).Flush()
		}
	})
	began := time.Now()
	answer, err := clientOf(t, url, nil).Do(t.Context(), question(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m := answer.Timing
	if m.Sent.Before(began) || m.Sent.Add(m.Last).After(time.Now()) {
		t.Errorf("sent at %s, last after %s: not within the call", m.Sent, m.Last)
	}
	if m.Chunks != 3 {
		t.Errorf("%d chunks, want the 3 that bring something", m.Chunks)
	}
	for _, part := range []struct {
		name     string
		from, to time.Duration
		least    time.Duration
	}{
		{"first", 0, m.First, wait}, {"first text", m.First, m.FirstText, wait / 2},
		{"newest", m.FirstText, m.Newest, wait / 2}, {"last", m.Newest, m.Last, wait / 2},
	} {
		if part.to-part.from < part.least {
			t.Errorf("%s: at %s, after %s; the server waited %s in between", part.name, part.to, part.from, wait)
		}
	}
}
