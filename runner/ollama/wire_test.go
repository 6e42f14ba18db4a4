package ollama

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ollama/ollama/api"
	"github.com/sourcegraph/conc"
	"go.uber.org/goleak"

	"github.com/batchrunner/runner/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// piece is a chunk as Ollama writes it.
func piece(text string) string {
	return encoded(api.ChatResponse{
		Model: "m:latest", CreatedAt: time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC),
		Message: api.Message{Role: "assistant", Content: text},
	})
}

// last is the line that ends an answer.
func last(change func(*api.ChatResponse)) string {
	r := api.ChatResponse{
		Model: "m:latest", CreatedAt: time.Date(2026, 11, 22, 10, 0, 1, 0, time.UTC),
		Message: api.Message{Role: "assistant"}, Done: true, DoneReason: "stop",
		Metrics: api.Metrics{
			TotalDuration: 900, LoadDuration: 100, PromptEvalCount: 31,
			PromptEvalDuration: 200, EvalCount: 12, EvalDuration: 500,
		},
	}
	if change != nil {
		change(&r)
	}
	return encoded(r)
}

func encoded(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text) + "\n"
}

// question is a request as a job makes it.
func question() *pipeline.Request {
	return &pipeline.Request{
		Model:    "m",
		Messages: []pipeline.Message{{Role: "user", Content: "Say <hello> & goodbye"}},
		Options:  map[string]any{"num_predict": json.Number("64"), "temperature": json.Number("0.10")},
	}
}

// clientOf makes a client of a server; its models are known to run there.
func clientOf(t testing.TB, url string, change func(*Config)) *Client {
	t.Helper()
	host, err := ParseHost(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Host: host}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.remote.Store("m", "")
	return c
}

// serve answers each request with a handler.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// reply answers each request with a status, a content type and a body.
func reply(t testing.TB, status int, contentType, body string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

const ndjson = "application/x-ndjson"

// wire answers each connection's first request by hand, byte by byte as talk
// writes them, and then closes the connection.
func wire(t testing.TB, talk func(conn *net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all conc.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				req, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, req.Body)
				talk(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait()
	})
	return "http://" + listener.Addr().String()
}

// put writes parts of a reply as they are.
func put(conn net.Conn, parts ...string) {
	_, _ = io.WriteString(conn, strings.Join(parts, ""))
}

// head begins a chunked reply of Ollama's.
const head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"

// part is one chunk of a chunked body; an empty one ends it.
func part(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

// askWithAPI asks with api.Client as its documentation says, and tells what it
// reports.
func askWithAPI(t testing.TB, ctx context.Context, url string, timeout time.Duration) (err error, done bool) {
	t.Helper()
	host, perr := ParseHost(url)
	if perr != nil {
		t.Fatal(perr)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := api.NewClient(host, &http.Client{Transport: transport, Timeout: timeout})
	req := &api.ChatRequest{Model: "m", Messages: []api.Message{{Role: "user", Content: "hi"}}}
	err = client.Chat(ctx, req, func(r api.ChatResponse) error {
		done = done || r.Done
		return nil
	})
	return err, done
}
