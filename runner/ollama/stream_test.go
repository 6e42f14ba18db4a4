package ollama

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ollama/ollama/api"
	"pgregory.net/rapid"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

func TestAnswer(t *testing.T) {
	thought := encoded(api.ChatResponse{Model: "m:latest", Message: api.Message{Role: "assistant", Thinking: "hmm"}})
	body := thought + "\n" + piece("Grüß") + piece(" \"Gott\"\n") + piece("") + piece("<b>😀") + last(func(r *api.ChatResponse) { r.Message.Content = "!" })
	want := &pipeline.Answer{
		Response: "Grüß \"Gott\"\n<b>😀!", Thinking: "hmm", Model: "m:latest", DoneReason: "stop",
		PromptEvalCount: 31, EvalCount: 12, TotalDuration: 900, LoadDuration: 100, PromptEvalDuration: 200, EvalDuration: 500,
	}
	var chunks []runner.Chunk
	got, err := clientOf(t, reply(t, 200, ndjson, body), nil).Do(t.Context(), question(), func(c runner.Chunk) { chunks = append(chunks, c) })
	if err != nil {
		t.Fatal(err)
	}
	if got.Timing.Sent.IsZero() || got.Timing.Chunks != 5 {
		t.Errorf("measured %+v, want 5 chunks that bring something", got.Timing)
	}
	got.Timing = want.Timing
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	wantChunks := []runner.Chunk{{Thinking: "hmm"}, {Text: "Grüß"}, {Text: " \"Gott\"\n"}, {}, {Text: "<b>😀"}, {Text: "!"}}
	if diff := cmp.Diff(wantChunks, chunks); diff != "" {
		t.Errorf("chunks (-want +got):\n%s", diff)
	}
}

func TestAnswersInOtherShapes(t *testing.T) {
	tests := []struct{ name, contentType, body, want string }{
		{"in one line", "application/json; charset=utf-8", last(func(r *api.ChatResponse) { r.Message.Content = "hi" }), "hi"},
		{"in one line without its newline", "application/json", strings.TrimSpace(last(func(r *api.ChatResponse) { r.Message.Content = "hi" })), "hi"},
		{"without a content type", "", piece("hi") + last(nil), "hi"},
		{"with carriage returns", ndjson, strings.ReplaceAll(piece("hi")+last(nil), "\n", "\r\n"), "hi"},
		{"with spaces", ndjson, strings.ReplaceAll(piece("hi")+last(nil), `":`, `" : `), "hi"},
		{"with a null error", ndjson, strings.Replace(piece("hi"), "{", `{"error":null,`, 1) + last(nil), "hi"},
		{"followed by more", ndjson, piece("hi") + last(nil) + piece("never") + "<html>", "hi"},
		{"tokens that repeat, and an end", ndjson, strings.Repeat(piece("ha"), 40) + last(nil), strings.Repeat("ha", 40)},
		{"empty", ndjson, last(nil), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := clientOf(t, reply(t, 200, tt.contentType, tt.body), nil).Do(t.Context(), question(), nil)
			if err != nil || got.Response != tt.want {
				t.Errorf("got %+v, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// After done:true nothing can spoil the answer: not a reset, and not a server
// that keeps the stream open.
func TestNothingMattersAfterDone(t *testing.T) {
	release := make(chan struct{})
	ends := map[string]func(conn *net.TCPConn){
		"reset":     func(conn *net.TCPConn) { _ = conn.SetLinger(0) },
		"cut":       func(*net.TCPConn) {},
		"held open": func(*net.TCPConn) { <-release },
		"flooded": func(conn *net.TCPConn) {
			for range 1 << 10 {
				put(conn, part(strings.Repeat("x", 1<<10)))
			}
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			url := wire(t, func(conn *net.TCPConn) {
				put(conn, head, part(piece("hi")), part(last(nil)))
				end(conn)
			})
			got, err := clientOf(t, url, nil).Do(t.Context(), question(), nil)
			if name == "held open" {
				close(release)
			}
			if err != nil || got.Response != "hi" {
				t.Errorf("got %+v, %v, want the answer", got, err)
			}
		})
	}
}

func TestSizeLimits(t *testing.T) {
	small := func(cfg *Config) { cfg.MaxAnswer = 1000 }
	line := func(cfg *Config) { cfg.MaxLine = 6000 }
	tests := []struct {
		name, body string
		config     func(*Config)
		ok         bool
	}{
		{"many chunks", strings.Repeat(piece("0123456789"), 100) + last(nil), small, true},
		{"one chunk too many", strings.Repeat(piece("0123456789"), 100) + piece("x") + last(nil), small, false},
		{"too much in the last line", last(func(r *api.ChatResponse) { r.Message.Content = strings.Repeat("x", 1001) }), small, false},
		{"too much thinking", encoded(api.ChatResponse{Message: api.Message{Role: "assistant", Thinking: strings.Repeat("x", 1001)}}), small, false},
		{"a long line", piece(strings.Repeat("x", 5800)) + last(nil), line, true},
		{"too long a line", piece(strings.Repeat("x", 6000)) + last(nil), line, false},
		{"far too long a line", strings.Repeat("x", 1<<20) + "\n", line, false},
		{"a line of 9 MiB", piece(strings.Repeat("x", 9<<20)) + last(nil), nil, true},
		{"a line of 17 MiB", piece(strings.Repeat("x", 17<<20)) + last(nil), nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := clientOf(t, reply(t, 200, ndjson, tt.body), tt.config).Do(t.Context(), question(), nil)
			if tt.ok {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantFailure(t, got, err, runner.TooLarge, `^the answer is longer than (1000 bytes|16 MiB); lower num_predict$`)
		})
	}
}

// A server that sends without end is left at the limit, not at its end.
func TestEndlessLineIsLeft(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", ndjson)
		for {
			if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
				return
			}
		}
	})
	got, err := clientOf(t, url, func(cfg *Config) { cfg.MaxLine = 1 << 20 }).Do(t.Context(), question(), nil)
	wantFailure(t, got, err, runner.TooLarge, `longer than`)
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", ndjson)
		_, _ = io.WriteString(w, piece("hi"))
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, last(nil))
		w.(http.Flusher).Flush()
		time.Sleep(time.Millisecond) // the end of the body comes apart from its last line
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := clientOf(t, server.URL, nil)
	for range 20 {
		if _, err := c.Do(t.Context(), question(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("20 requests one after the other took %d connections, want 1", n)
	}
}

func TestSimulatedAnswersSaySo(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", ndjson)
		w.Header().Set("Runner-Simulated", "1")
		_, _ = io.WriteString(w, last(nil))
	})
	if got, err := clientOf(t, url, nil).Do(t.Context(), question(), nil); err != nil || !got.Simulated {
		t.Errorf("got %+v, %v, want it marked", got, err)
	}
}

func TestLines(t *testing.T) {
	text := "one\n\ntwo\n" + strings.Repeat("x", 9000) + "\nend"
	readers := map[string]io.Reader{
		"at once":          strings.NewReader(text),
		"byte by byte":     iotest.OneByteReader(strings.NewReader(text)),
		"end with data":    iotest.DataErrReader(strings.NewReader(text)),
		"half of a buffer": iotest.HalfReader(strings.NewReader(text)),
	}
	for name, src := range readers {
		l := lines{src: src, buf: make([]byte, firstBuffer), max: 9000}
		var got []string
		var end error
		for end == nil {
			var line []byte
			line, end = l.next()
			got = append(got, string(line))
		}
		if want := strings.Split(text, "\n"); !errors.Is(end, io.EOF) || !cmp.Equal(got, want) {
			t.Errorf("%s: %d lines, then %v, want %d lines", name, len(got), end, len(want))
		}
	}
	l := lines{src: strings.NewReader(text), buf: make([]byte, 64<<10), max: 8999}
	for range 3 {
		if _, err := l.next(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.next(); !errors.Is(err, errLineTooLong) {
		t.Errorf("a line of 9000 bytes with a limit of 8999: %v", err)
	}
	broken := errors.New("broken")
	l = lines{src: io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), buf: make([]byte, 16), max: 100}
	if line, err := l.next(); string(line) != "a" || err != nil {
		t.Errorf("got %q, %v", line, err)
	}
	if line, err := l.next(); string(line) != "b" || !errors.Is(err, broken) {
		t.Errorf("got %q, %v, want the rest and why it ended", line, err)
	}
}

// Lines come out as they went in, whatever their lengths, however they arrive.
func TestLinesOfAnyShape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.StringMatching(`[a-z]{0,300}`), 1, 40).Draw(t, "lines")
		size := rapid.IntRange(1, 64).Draw(t, "buffer")
		l := lines{src: iotest.HalfReader(strings.NewReader(strings.Join(want, "\n"))), buf: make([]byte, size), max: 300}
		for i, w := range want {
			line, err := l.next()
			if string(line) != w || (err != nil) != (i == len(want)-1) {
				t.Fatalf("line %d: %q, %v, want %q", i, line, err, w)
			}
		}
		if len(l.buf) > 301 && len(l.buf) > size {
			t.Fatalf("the buffer grew to %d bytes for lines of 300", len(l.buf))
		}
	})
}

// An answer of megabytes leaves none behind.
func TestLargeBuffersAreDropped(t *testing.T) {
	var b buffers
	b.put(make([]byte, largestKept+1))
	if got := b.get(); len(got) > largestKept {
		t.Errorf("a buffer of %d bytes was kept", len(got))
	}
}

// Whatever a server sends: no panic, and an answer only with done:true in a line
// of JSON.
func FuzzStream(f *testing.F) {
	for _, seed := range []string{
		piece("hi") + last(nil), last(nil), piece("hi"), `{"error":"x"}`, `{"done":true}`, "<html>", "\n\n", `{"message":{},"done":true}`,
		`{"message":null,"done":true}`, `{"message":{"content":"\ud800"},"done":false}` + "\n", strings.Repeat(piece("a"), 25), `[`, "\x00\xff",
	} {
		f.Add([]byte(seed), uint8(3))
	}
	c := clientOf(f, "http://127.0.0.1:1", func(cfg *Config) { cfg.MaxAnswer, cfg.MaxLine = 2000, 4000 })
	f.Fuzz(func(t *testing.T, body []byte, at uint8) {
		cut := min(int(at), len(body))
		resp := &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(bytes.NewReader(body[:cut]), bytes.NewReader(body[cut:])))}
		x := exchange{client: c, req: question()}
		answer, err := x.read(t.Context(), resp)
		var failed *runner.Error
		switch {
		case err == nil:
			if !bytes.Contains(bytes.ToLower(body), []byte(`done`)) || len(answer.Response)+len(answer.Thinking) > 2000 {
				t.Fatalf("an answer out of nothing: %+v", answer)
			}
		case !errors.As(err, &failed) || failed.Message == "" || answer != nil:
			t.Fatalf("got %+v, %v", answer, err)
		case strings.ContainsAny(failed.Message, "\x1b\n\r\x00"):
			t.Fatalf("the message holds a control character: %q", failed.Message)
		}
	})
}

// The short way through a line gives what encoding/json gives, or nothing.
func FuzzOrdinary(f *testing.F) {
	for _, text := range []string{"hi", "", "\"\n", "é😀", "<&>", `\`, "\u2028"} {
		f.Add([]byte(strings.TrimSuffix(piece(text), "\n")))
		f.Add([]byte(strings.TrimSuffix(encoded(api.ChatResponse{Message: api.Message{Role: "assistant", Content: text, Thinking: text}}), "\n")))
	}
	f.Add([]byte(`{"model":"` + "\xff" + `","created_at":"","message":{"role":"assistant","content":"` + "\xff" + `"},"done":false}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		content, thinking, ok := ordinary(text)
		if !ok {
			return
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatalf("%q: ordinary, but %v", text, err)
		}
		if *l.Done || l.Error != nil || string(content) != l.Message.Content || string(thinking) != l.Message.Thinking {
			t.Fatalf("%q: %q and %q, encoding/json gives %+v", text, content, thinking, l.Message)
		}
	})
}
