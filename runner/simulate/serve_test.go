package simulate

import (
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestServeEndsWithItsContext(t *testing.T) {
	s := New(Config{Timing: Timing{Service: time.Hour}, Faults: []Fault{{Kind: "hang", Match: pattern("hang")}}})
	l, done := listening(t, s)
	for _, prompt := range []string{"waits for its answer", "waits for a slot", "hang"} {
		posted(t, l.Addr().String(), body("m", prompt))
	}
	for s.History().Asked < 3 {
		time.Sleep(time.Millisecond)
	}
	done() // waits for Serve, or hangs
	if h := s.History(); h.InFlight != 0 || h.Outcomes["gone"] != 2 || h.Outcomes["fault hang"] != 1 {
		t.Errorf("history: %v, %d in flight", h.Outcomes, h.InFlight)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("the socket is still open")
	}
}

// TestAClientThatDoesNotReadHoldsNothingUp: its connection is closed when the
// server's patience ends.
func TestAClientThatDoesNotReadHoldsNothingUp(t *testing.T) {
	s := New(Config{Faults: []Fault{{Kind: "huge-line"}}})
	l, done := listening(t, s)
	conn := posted(t, l.Addr().String(), body("m", "x"))
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	done()
	if h := s.History(); h.InFlight != 0 {
		t.Errorf("%d requests are still in flight", h.InFlight)
	}
}

func TestListenSaysWhatIsWrong(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for addr, want := range map[string]string{
		l.Addr().String(): "address already in use; choose another address or port",
		"nonsense":        "missing port in address; choose another address or port",
	} {
		if _, err := Listen(addr); err == nil || !strings.Contains(err.Error(), addr) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Listen(%q) = %v", addr, err)
		}
	}
}

func TestServeReportsABrokenListener(t *testing.T) {
	l, err := Listen("")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := New(Config{}).Serve(t.Context(), l); err == nil {
		t.Error("Serve on a closed listener reports nothing")
	}
}

func TestOldClientsAreServed(t *testing.T) {
	l, done := listening(t, New(Config{}))
	defer done()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text := body("m", "x")
	fmt.Fprintf(conn, "POST /api/chat HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	reply, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(reply), "HTTP/1.0 200 OK") || strings.Contains(string(reply), "chunked") || !strings.HasSuffix(string(reply), "}\n") {
		t.Errorf("HTTP/1.0: %s (%v)", reply, err)
	}
}

func TestABodyThatIsTooLarge(t *testing.T) {
	s := New(Config{})
	s.maxBody = 1000
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("POST", "/api/chat", strings.NewReader(body("m", strings.Repeat("x", 1000)))))
	if h := s.History(); h.Asked != 0 || w.Code != 400 || !strings.Contains(w.Body.String(), "too large") {
		t.Errorf("%d %s, history: %+v", w.Code, w.Body, h)
	}
}
