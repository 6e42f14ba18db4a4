package simulate

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/sourcegraph/conc/pool"
)

// BenchmarkHandler is what an answer costs without the network.
func BenchmarkHandler(b *testing.B) {
	for name, cfg := range map[string]Config{
		"tokens":   {CountsOnly: true},
		"chunks=1": {CountsOnly: true, Timing: Timing{Fixed: true, Chunks: 1}},
	} {
		b.Run(name, func(b *testing.B) {
			s := New(cfg)
			body := `{"model":"gemma3:12b","messages":[{"role":"user","content":"Translate to Spanish: Hello, how are you? I am row 17."}],"options":{"num_predict":256,"seed":7,"temperature":0},"stream":true,"truncate":false,"shift":false}`
			b.ReportAllocs()
			for b.Loop() {
				s.ServeHTTP(&sink{h: http.Header{}}, request(body))
			}
		})
	}
}

type sink struct{ h http.Header }

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(int)             {}

func request(body string) *http.Request {
	r, err := http.NewRequest(http.MethodPost, "/api/chat", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	return r
}

// BenchmarkSockets answers rows of 0 ms at a concurrency of 64, client included:
// the work of performance.md (b) without a real client's work.
func BenchmarkSockets(b *testing.B) {
	l, done := listening(b, New(Config{CountsOnly: true, Parallel: 64, Timing: Timing{Fixed: true, Chunks: 1}}))
	defer done()
	sockets(b, l.Addr().String())
}

func sockets(b *testing.B, addr string) {
	const workers = 64
	p := pool.New().WithMaxGoroutines(workers)
	b.ResetTimer()
	for w := range workers {
		n := b.N / workers
		if w < b.N%workers {
			n++
		}
		p.Go(func() { rawRows(b, addr, w, n) })
	}
	p.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkFloor is the same over a handler that only reads and writes: what
// net/http itself costs.
func BenchmarkFloor(b *testing.B) {
	reply := []byte(`{"model":"gemma3:12b","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"x"},"done":true}` + "\n")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what fails here fails in the client too
		w.Header()["Transfer-Encoding"] = chunked
		_, _ = w.Write(reply)
	}))
	defer srv.Close()
	sockets(b, srv.Listener.Addr().String())
}

// rawRows posts rows over one connection and reads the replies without parsing.
func rawRows(b *testing.B, addr string, worker, n int) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	buf := make([]byte, 16<<10)
	for i := range n {
		body := `{"model":"gemma3:12b","messages":[{"role":"user","content":"row ` + strconv.Itoa(worker) + "/" + strconv.Itoa(i) + `"}],"options":{"num_predict":256},"truncate":false,"shift":false}`
		head := "POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
		if _, err := io.WriteString(conn, head+body); err != nil {
			b.Error(err)
			return
		}
		got := 0
		for !bytes.HasSuffix(buf[:got], []byte("\r\n0\r\n\r\n")) {
			k, err := conn.Read(buf[got:])
			if err != nil {
				b.Error(err)
				return
			}
			got += k
		}
	}
}
