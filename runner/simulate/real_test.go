package simulate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recorded are requests whose replies in testdata/real come from Ollama v0.17.7 with a
// model of 260 thousand parameters, created as "stories" with the template
// {{ .Prompt }}. Of that version's show reply only the first tensor was kept.
var recorded = map[string]struct{ method, path, body string }{
	"root":             {"GET", "/", ""},
	"version":          {"GET", "/api/version", ""},
	"tags":             {"GET", "/api/tags", ""},
	"show":             {"POST", "/api/show", `{"model":"stories"}`},
	"show_missing":     {"POST", "/api/show", `{"model":"nope"}`},
	"show_none":        {"POST", "/api/show", `{}`},
	"chat_load":        {"POST", "/api/chat", `{"model":"stories"}`},
	"ps":               {"GET", "/api/ps", ""},
	"chat_stream":      {"POST", "/api/chat", `{"model":"stories","messages":[{"role":"user","content":"Once upon a time"}],"options":{"num_predict":3,"seed":1,"num_ctx":256}}`},
	"chat_whole":       {"POST", "/api/chat", `{"model":"stories","stream":false,"messages":[{"role":"user","content":"Once upon a time"}],"options":{"num_predict":3,"seed":1,"num_ctx":256}}`},
	"generate_stream":  {"POST", "/api/generate", `{"model":"stories","prompt":"Once upon a time","options":{"num_predict":3,"seed":1,"num_ctx":256}}`},
	"generate_whole":   {"POST", "/api/generate", `{"model":"stories","stream":false,"prompt":"Once upon a time","options":{"num_predict":3,"seed":1,"num_ctx":256}}`},
	"generate_load":    {"POST", "/api/generate", `{"model":"stories"}`},
	"chat_missing":     {"POST", "/api/chat", `{"model":"nope","messages":[{"role":"user","content":"x"}]}`},
	"generate_missing": {"POST", "/api/generate", `{"model":"nope","prompt":"x"}`},
	"chat_nomodel":     {"POST", "/api/chat", `{"messages":[{"role":"user","content":"x"}]}`},
	"chat_nobody":      {"POST", "/api/chat", ""},
	"chat_badjson":     {"POST", "/api/chat", `{`},
	"chat_think":       {"POST", "/api/chat", `{"model":"stories","think":true,"messages":[{"role":"user","content":"x"}]}`},
	"chat_badformat":   {"POST", "/api/chat", `{"model":"stories","format":"yaml","messages":[{"role":"user","content":"x"}]}`},
	"chat_badformat2":  {"POST", "/api/chat", `{"model":"stories","format":{"type":"nope"},"messages":[{"role":"user","content":"x"}]}`},
	"chat_overflow":    {"POST", "/api/chat", `{"model":"stories","truncate":false,"shift":false,"options":{"num_ctx":256,"num_predict":4},"messages":[{"role":"user","content":"` + long + `"}]}`},
	"chat_truncated":   {"POST", "/api/chat", `{"model":"stories","stream":false,"options":{"num_ctx":256,"num_predict":4},"messages":[{"role":"user","content":"` + long + `"}]}`},
	"chat_badoption":   {"POST", "/api/chat", `{"model":"stories","options":{"num_ctx":"x"},"messages":[{"role":"user","content":"x"}]}`},
	"chat_badthink":    {"POST", "/api/chat", `{"model":"stories","think":"max","messages":[{"role":"user","content":"x"}]}`},
	"chat_badtypes":    {"POST", "/api/chat", `{"model":"stories","messages":"x"}`},
	"chat_badkeep":     {"POST", "/api/chat", `{"model":"stories","keep_alive":"soon","messages":[]}`},
	"chat_badname":     {"POST", "/api/chat", `{"model":"a b","messages":[]}`},
	"chat_system":      {"POST", "/api/chat", `{"model":"stories","stream":false,"messages":[{"role":"system","content":"be nice"}],"options":{"num_predict":3}}`},
	"chat_json":        {"POST", "/api/chat", `{"model":"stories","stream":false,"format":{"type":"object","properties":{"score":{"type":"integer"}},"required":["score"]},"options":{"num_predict":20,"num_ctx":256,"temperature":0},"messages":[{"role":"user","content":"x"}]}`},
	"chat_jsonformat":  {"POST", "/api/chat", `{"model":"stories","stream":true,"format":"json","messages":[{"role":"user","content":"Once"}],"options":{"num_predict":3,"num_ctx":64,"temperature":0}}`},
	"chat_shiftless":   {"POST", "/api/chat", `{"model":"stories","stream":false,"shift":false,"truncate":false,"messages":[{"role":"user","content":"Once"}],"options":{"num_predict":400,"num_ctx":16,"temperature":0}}`},
	"generate_badname": {"POST", "/api/generate", `{"model":"a b","prompt":"x"}`},
	"pull_bad":         {"POST", "/api/pull", `{"model":""}`},
	"method":           {"GET", "/api/chat", ""},
	"notfound":         {"GET", "/api/nope", ""},
	"ps2":              {"GET", "/api/ps", ""},
	"unload":           {"POST", "/api/chat", `{"model":"stories","keep_alive":0}`},
	"unload_generate":  {"POST", "/api/generate", `{"model":"stories","keep_alive":0}`},
}

var long = strings.Repeat("word ", 900)

// order is that of the recording where the replies depend on it: a model is in
// memory for ps.
var order = []string{"chat_load", "ps", "chat_stream", "chat_jsonformat", "ps2"}

// TestRepliesAreShapedAsOllamas compares status, content type, framing, and the
// fields of every line with their order and types; of errors every byte.
func TestRepliesAreShapedAsOllamas(t *testing.T) {
	files, err := filepath.Glob("testdata/real/*.http")
	if err != nil || len(files) != len(recorded) {
		t.Fatalf("%d recorded replies for %d requests (%v)", len(files), len(recorded), err)
	}
	srv := httptest.NewServer(New(Config{Models: []Model{{Name: "stories"}}, NumCtx: 512}))
	defer srv.Close()
	names := append([]string{}, order...)
	for name := range recorded {
		names = append(names, name)
	}
	for i, name := range names {
		if i >= len(order) && (name == "ps" || name == "ps2") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(readReal(t, name), askReal(t, srv, name)); diff != "" {
				t.Errorf("real (-) and simulated (+):\n%s", diff)
			}
		})
	}
}

// A shape is what two replies must share.
type shape struct {
	Status  int
	Type    string
	Allow   string
	Chunked bool
	Lines   []string // the fields of the first and the last line
	Body    string   // of errors and plain text
}

func readReal(t *testing.T, name string) shape {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "real", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	// The body is kept without its chunks: cut it off before net/http looks.
	head, body, _ := bytes.Cut(text, []byte("\n\n"))
	head = append(bytes.ReplaceAll(head, []byte("\n"), []byte("\r\n")), "\r\n\r\n"...)
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return shapeOf(t, r, body)
}

func askReal(t *testing.T, srv *httptest.Server, name string) shape {
	t.Helper()
	req, err := http.NewRequest(recorded[name].method, srv.URL+recorded[name].path, strings.NewReader(recorded[name].body))
	if err != nil {
		t.Fatal(err)
	}
	r, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.Header.Get(Header) != "1" {
		t.Errorf("the reply has no header %s", Header)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return shapeOf(t, r, body)
}

func shapeOf(t *testing.T, r *http.Response, body []byte) shape {
	t.Helper()
	s := shape{Status: r.StatusCode, Type: r.Header.Get("Content-Type"), Allow: r.Header.Get("Allow")}
	if r.StatusCode >= 400 || !strings.Contains(s.Type, "json") {
		// Errors of the runner come as the first line of a stream; the framing of a
		// body that short is nobody's business.
		s.Body = strings.TrimSuffix(string(body), "\n")
		s.Type, _, _ = strings.Cut(s.Type, ";")
		return s
	}
	s.Chunked = len(r.TransferEncoding) > 0 && strings.HasSuffix(s.Type, "ndjson") // of others net/http decides by length
	lines := bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
	s.Lines = []string{fieldsOf(t, lines[0]), fieldsOf(t, lines[len(lines)-1])}
	return s
}

// known are values that must be equal, not only of one type.
var known = []string{"done", "done_reason", "role"}

// fieldsOf writes a JSON value with its types in place of its values.
func fieldsOf(t *testing.T, line []byte) string {
	t.Helper()
	n, err := parseNode(line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return n.types("")
}

func (n *node) types(name string) string {
	switch {
	case n.fields != nil:
		var parts []string
		for _, key := range n.keys {
			if key == "tensors" || name == "model_info" && !strings.HasPrefix(key, "general.arch") {
				continue // which of them there are is the model's business
			}
			parts = append(parts, key+":"+n.fields[key].types(key))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case n.isList && len(n.items) > 0:
		return "[" + n.items[0].types(name) + "]"
	case n.isList:
		return "[]"
	}
	for _, k := range known {
		if k == name {
			return fmt.Sprint(n.value)
		}
	}
	if number, ok := n.value.(json.Number); ok && name == "context_length" {
		return number.String()
	}
	return fmt.Sprintf("%T", n.value)
}
