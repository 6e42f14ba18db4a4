package ollama

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ollama/ollama/api"

	"github.com/batchrunner/runner/runner"
)

// stream is a reply of n chunks and its end, as bytes.
func stream(n int) []byte {
	return []byte(strings.Repeat(piece(" hello"), n) + last(nil))
}

// The cost of a whole request over loopback, ours against net/http and
// encoding/json used well; the server is the same and its cost is in both.
func BenchmarkRequest(b *testing.B) {
	for _, n := range []int{1, 16, 256} {
		name := map[int]string{1: "1", 16: "16", 256: "256"}[n] + "chunks"
		body := stream(n)
		url := serve(b, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", ndjson)
			_, _ = w.Write(body)
		})
		b.Run(name+"/ours", func(b *testing.B) {
			c := clientOf(b, url, nil)
			req := question()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Do(b.Context(), req, func(runner.Chunk) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/plain", func(b *testing.B) {
			transport := &http.Transport{MaxIdleConnsPerHost: 4, DisableCompression: true}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			req := question()
			b.ReportAllocs()
			for b.Loop() {
				body, err := Body(req)
				if err != nil {
					b.Fatal(err)
				}
				if err := plain(b, client, url, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// plain is a client as one writes it with care and the standard library.
func plain(b *testing.B, client *http.Client, url string, body []byte) error {
	post, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url+"/api/chat", bytes.NewReader(body))
	if err != nil {
		return err
	}
	post.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(post)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var text strings.Builder
	decoder := json.NewDecoder(resp.Body)
	for {
		var l struct {
			Message struct{ Content string } `json:"message"`
			Done    bool                     `json:"done"`
			api.Metrics
		}
		if err := decoder.Decode(&l); err != nil {
			return err
		}
		text.WriteString(l.Message.Content)
		if l.Done {
			_, err := io.Copy(io.Discard, resp.Body)
			return err
		}
	}
}

// The cost of a chunk, by itself.
func BenchmarkChunk(b *testing.B) {
	lines := map[string]string{"ordinary": piece(" hello"), "escaped": piece("say \"hi\"\n"), "last": last(nil)}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		text := lines[name]
		b.Run(name, func(b *testing.B) {
			c := clientOf(b, "http://127.0.0.1:1", nil)
			line := bytes.TrimSuffix([]byte(text), []byte("\n"))
			x := exchange{client: c, req: question(), chunk: func(runner.Chunk) {}}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := x.take(line, 0); err != nil {
					b.Fatal(err)
				}
				x.text.Reset()
			}
		})
	}
}
