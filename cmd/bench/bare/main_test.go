package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestBareAsksOnceForEachRowOnItsConnections(t *testing.T) {
	var asked atomic.Int64
	peers := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		peers <- r.RemoteAddr
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/api/chat" || !strings.Contains(string(body), `"stream":true`) {
			t.Errorf("%s %s", r.URL.Path, body)
		}
		for range 3 { // several chunks, as an answer comes
			_, _ = io.WriteString(w, "{\"done\":false}\n")
			w.(http.Flusher).Flush()
		}
	}))
	defer server.Close()
	var errs bytes.Buffer
	if code := Main([]string{"-addr", server.Listener.Addr().String(), "-rows", "100", "-c", "4", "-rate", "10000"}, &errs); code != 0 {
		t.Fatalf("Main = %d: %s", code, errs.String())
	}
	close(peers)
	distinct := map[string]bool{}
	for p := range peers {
		distinct[p] = true
	}
	if asked.Load() != 100 || len(distinct) > 4 {
		t.Errorf("%d requests on %d connections, want 100 on at most 4", asked.Load(), len(distinct))
	}
}

func TestBareFailsWhenTheServerDoes(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) > 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, "x\n")
		w.(http.Flusher).Flush()
	}))
	defer server.Close()
	var errs bytes.Buffer
	if code := Main([]string{"-addr", server.Listener.Addr().String(), "-rows", "100", "-c", "2"}, &errs); code != 1 || !strings.Contains(errs.String(), "503") {
		t.Errorf("Main = %d: %s", code, errs.String())
	}
	if code := Main([]string{"-addr", "127.0.0.1:1", "-rows", "1"}, &errs); code != 1 {
		t.Errorf("without a server: Main = %d, want 1", code)
	}
}
