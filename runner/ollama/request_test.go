package ollama

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ollama/ollama/api"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// everything is a request with all there is, in odd spellings.
func everything() *pipeline.Request {
	return &pipeline.Request{
		Model: "qwen3:8b",
		Messages: []pipeline.Message{
			{Role: "system", Content: "You are \"terse\"."},
			{Role: "user", Content: "<b>1 & 2</b>\u2028\tgrüße 😀\x00"},
			{Role: "assistant", Content: ""},
		},
		Options: map[string]any{
			"num_predict": json.Number("256"), "temperature": json.Number("0.10"), "seed": json.Number("9007199254740993"),
			"stop": []any{"\n", "###"}, "use_mmap": false, "num_ctx": 4096, "top_p": json.Number("1e-1"),
		},
		Format:    json.RawMessage(`{ "type": "object", "properties": {"b": {}, "a": {}} }`),
		Think:     "high",
		KeepAlive: "90s",
	}
}

func TestBody(t *testing.T) {
	body, err := Body(everything())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"model":"qwen3:8b","messages":[{"role":"system","content":"You are \"terse\"."},` +
		`{"role":"user","content":"\u003cb\u003e1 \u0026 2\u003c/b\u003e\u2028\tgrüße 😀\u0000"},{"role":"assistant","content":""}],` +
		`"stream":true,"format":{"type":"object","properties":{"b":{},"a":{}}},"keep_alive":"1m30s",` +
		`"options":{"num_ctx":4096,"num_predict":256,"seed":9007199254740993,"stop":["\n","###"],"temperature":0.10,"top_p":1e-1,"use_mmap":false},` +
		`"think":"high","truncate":false,"shift":false}`
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	var sent api.ChatRequest
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	var options api.Options
	if err := options.FromMap(sent.Options); err != nil || options.NumPredict != 256 || options.Temperature != 0.1 || options.NumCtx != 4096 {
		t.Errorf("the server reads options %+v, %v", options, err)
	}
}

func TestBodyOfLittle(t *testing.T) {
	req := &pipeline.Request{Model: "m", Messages: []pipeline.Message{{Role: "user", Content: "hi"}}}
	body, err := Body(req)
	want := `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"options":{"num_predict":4096},"truncate":false,"shift":false}`
	if err != nil || string(body) != want {
		t.Errorf("got %s, %v, want %s", body, err, want)
	}
	if req.Options != nil {
		t.Error("the request was changed")
	}
}

// api.Client is the oracle: for the same api.ChatRequest its bytes, path and
// method are ours.
func TestBytesOfAPIClient(t *testing.T) {
	var got [2][]byte
	var requests [2]*http.Request
	n := 0
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got[n], _ = io.ReadAll(r.Body)
		requests[n] = r
		n++
		w.Header().Set("Content-Type", ndjson)
		_, _ = io.WriteString(w, last(nil))
	})
	c := clientOf(t, url, nil)
	for _, req := range []*pipeline.Request{everything(), question(), {Model: "m", Messages: question().Messages, Think: false, KeepAlive: "-1"}} {
		n = 0
		c.remote.Store(req.Model, "")
		if _, err := c.Do(t.Context(), req, nil); err != nil {
			t.Fatal(err)
		}
		chat, err := chatRequest(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.control.Chat(t.Context(), chat, func(api.ChatResponse) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(got[1]), string(got[0])); diff != "" {
			t.Errorf("ours differ from api.Client's (-its +ours):\n%s", diff)
		}
		if body, err := Body(req); err != nil || string(body) != string(got[0]) {
			t.Errorf("Body is not what Do sends: %v", err)
		}
		for _, header := range []string{"Content-Type", "Accept", "Content-Length", "Accept-Encoding", "Authorization"} {
			if ours, its := requests[0].Header.Get(header), requests[1].Header.Get(header); ours != its {
				t.Errorf("%s: %q, api.Client sends %q", header, ours, its)
			}
		}
		if requests[0].Method != requests[1].Method || requests[0].URL.String() != requests[1].URL.String() || requests[0].Host != requests[1].Host {
			t.Errorf("%s %s, api.Client sends %s %s", requests[0].Method, requests[0].URL, requests[1].Method, requests[1].URL)
		}
	}
}

func TestKeepAlive(t *testing.T) {
	tests := map[string]string{ // as written, and what is sent
		"": "", "5m": `"5m0s"`, "300": `"5m0s"`, "0": `"0s"`, "0s": `"0s"`, "1.5": `"1.5s"`, "-1": "-1", "-1m": "-1",
		"99999999999999": `"2562047h47m16.854775807s"`,
	}
	for text, want := range tests {
		req := question()
		req.KeepAlive = text
		body, err := Body(req)
		if err != nil {
			t.Fatal(err)
		}
		var sent struct {
			KeepAlive json.RawMessage `json:"keep_alive"`
		}
		if err := json.Unmarshal(body, &sent); err != nil || string(sent.KeepAlive) != want {
			t.Errorf("keep_alive %q is sent as %s, %v, want %s", text, sent.KeepAlive, err, want)
		}
	}
}

// What no request can carry fails the row and reaches no server.
func TestRequestsThatCanNotBe(t *testing.T) {
	tests := []struct {
		name   string
		change func(*pipeline.Request)
		want   string
	}{
		{"no messages", func(r *pipeline.Request) { r.Messages = nil }, "the request has no messages"},
		{"keep_alive", func(r *pipeline.Request) { r.KeepAlive = "soon" }, `keep_alive must be a duration such as "5m", a number of seconds, or -1 for good, not "soon"`},
		{"think", func(r *pipeline.Request) { r.Think = "hard" }, `think must be true, false, "low", "medium" or "high", not "hard"`},
		{"think, a number", func(r *pipeline.Request) { r.Think = 3 }, `think must be true, false, "low", "medium" or "high", not "3"`},
		{"format", func(r *pipeline.Request) { r.Format = json.RawMessage(`{"type":`) }, `the request can't be written as JSON: `},
		{"option", func(r *pipeline.Request) { r.Options["seed"] = json.Number("007") }, `the request can't be written as JSON: `},
	}
	c := clientOf(t, "http://127.0.0.1:1", nil)
	for _, tt := range tests {
		req := question()
		tt.change(req)
		_, err := c.Do(t.Context(), req, nil)
		var failed *runner.Error
		if !errors.As(err, &failed) || failed.Class != runner.InvalidRequest || !strings.HasPrefix(failed.Message, tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// Loading must look like asking to a server that compares options, shift and
// model, or each load is followed by another one.
func TestLoadBodyIsThatOfDo(t *testing.T) {
	for keep, want := range map[string]time.Duration{"90s": 90 * time.Second, "": -2, "0": -2, "-1": 1<<63 - 1} {
		req := everything()
		req.KeepAlive = keep
		var ask, load api.ChatRequest
		for target, make := range map[*api.ChatRequest]func(*pipeline.Request) ([]byte, error){&ask: Body, &load: loadBody} {
			body, err := make(req)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(body, target); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(ask.Options, load.Options); diff != "" {
			t.Errorf("options differ:\n%s", diff)
		}
		if *load.Shift || *load.Truncate || !*load.Stream || load.Model != ask.Model || load.Messages == nil || len(load.Messages) != 0 {
			t.Errorf("the load's request is another: %+v", load)
		}
		got := time.Duration(-2)
		if load.KeepAlive != nil {
			got = load.KeepAlive.Duration
		}
		if got != want {
			t.Errorf("keep_alive %q: the load's is %s, want %s (0 would unload)", keep, got, want)
		}
	}
}
