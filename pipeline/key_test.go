package pipeline_test

import (
	"encoding/json"
	"testing"

	"github.com/batchrunner/runner/pipeline"
)

func question() *pipeline.Request {
	return &pipeline.Request{
		Model:    "gemma3:12b",
		Messages: []pipeline.Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "Translate \"<Héllo>\"\nplease"}},
		Options:  map[string]any{"temperature": json.Number("0"), "num_predict": json.Number("256"), "stop": []any{"\n", "END"}},
		Format:   json.RawMessage(`{"type": "object", "required": ["score"]}`),
		Think:    false,
	}
}

var digest = pipeline.Identity{Digest: "a1b2c3"}

// Results are found by their keys for years: these must never change.
func TestGoldenKeys(t *testing.T) {
	plain := &pipeline.Request{Model: "m", Messages: []pipeline.Message{{Role: "user", Content: "Say hello."}}, Options: map[string]any{"num_predict": json.Number("4096")}}
	tests := []struct {
		name string
		req  *pipeline.Request
		id   pipeline.Identity
		text string
		key  string
	}{
		{
			"the least", plain, digest,
			`{"v":1,"digest":"a1b2c3","messages":[{"role":"user","content":"Say hello."}],"options":{"num_predict":4096}}`,
			"26df878513fc140687edd31f9947bcf5d9b629ebd8bf60d9503b668ab4f351d6",
		},
		{
			"everything", repeated(question(), 3), pipeline.Identity{Digest: "sha256:a1b2c3", Simulated: true},
			`{"v":1,"digest":"a1b2c3","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Translate \"\u003cHéllo\u003e\"\nplease"}],` +
				`"options":{"num_predict":256,"stop":["\n","END"],"temperature":0},"format":{"type":"object","required":["score"]},"think":false,"repetition":3,"simulated":true}`,
			"a31d1ca5851e9af5a4a8353919977ae866ca463c03a33a0bba7e086f945c87d3",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, err := tt.req.Canonical(tt.id)
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != tt.text {
				t.Errorf("the canonical text is\n%s\nwant\n%s", text, tt.text)
			}
			if key := pipeline.KeyOf(text).String(); key != tt.key {
				t.Errorf("the key is %s, want %s", key, tt.key)
			}
		})
	}
}

func repeated(req *pipeline.Request, n int) *pipeline.Request {
	req.Repetition = n
	return req
}

func TestWhatChangesAKey(t *testing.T) {
	tests := []struct {
		name    string
		change  func(*pipeline.Request, *pipeline.Identity)
		changed bool
	}{
		{"nothing", func(*pipeline.Request, *pipeline.Identity) {}, false},
		{"the model's name", func(r *pipeline.Request, _ *pipeline.Identity) { r.Model = "gemma3:latest" }, false},
		{"keep_alive", func(r *pipeline.Request, _ *pipeline.Identity) { r.KeepAlive = "1h" }, false},
		{"whose limit num_predict is", func(r *pipeline.Request, _ *pipeline.Identity) { r.OwnLimit = true }, false},
		{"white space in the format", func(r *pipeline.Request, _ *pipeline.Identity) {
			r.Format = json.RawMessage("{\"type\":\"object\",\n\"required\":[\"score\"]}")
		}, false},
		{"the digest's prefix", func(_ *pipeline.Request, id *pipeline.Identity) { id.Digest = "sha256:a1b2c3" }, false},
		{"the digest", func(_ *pipeline.Request, id *pipeline.Identity) { id.Digest = "a1b2c4" }, true},
		{"a word of the prompt", func(r *pipeline.Request, _ *pipeline.Identity) { r.Messages[1].Content += "!" }, true},
		{"white space in the prompt", func(r *pipeline.Request, _ *pipeline.Identity) { r.Messages[1].Content += " " }, true},
		{"the system prompt", func(r *pipeline.Request, _ *pipeline.Identity) { r.Messages[0].Content = "Be long." }, true},
		{"a message's role", func(r *pipeline.Request, _ *pipeline.Identity) { r.Messages[0].Role = "user" }, true},
		{"a message more", func(r *pipeline.Request, _ *pipeline.Identity) {
			r.Messages = append(r.Messages, pipeline.Message{Role: "assistant", Content: "Hola"})
		}, true},
		{"an option", func(r *pipeline.Request, _ *pipeline.Identity) { r.Options["temperature"] = json.Number("0.5") }, true},
		{"an option more", func(r *pipeline.Request, _ *pipeline.Identity) { r.Options["seed"] = json.Number("7") }, true},
		{"an option's order in a list", func(r *pipeline.Request, _ *pipeline.Identity) { r.Options["stop"] = []any{"END", "\n"} }, true},
		{"the order of the format's keys, which is that of the answer", func(r *pipeline.Request, _ *pipeline.Identity) {
			r.Format = json.RawMessage(`{"required":["score"],"type":"object"}`)
		}, true},
		{"no format", func(r *pipeline.Request, _ *pipeline.Identity) { r.Format = nil }, true},
		{"think", func(r *pipeline.Request, _ *pipeline.Identity) { r.Think = true }, true},
		{"think left to the model", func(r *pipeline.Request, _ *pipeline.Identity) { r.Think = nil }, true},
		{"a repetition", func(r *pipeline.Request, _ *pipeline.Identity) { r.Repetition = 1 }, true},
		{"a row of a benchmark", func(r *pipeline.Request, _ *pipeline.Identity) { r.Row = 1 }, true},
		{"a simulated server", func(_ *pipeline.Request, id *pipeline.Identity) { id.Simulated = true }, true},
	}
	want := keyOf(t, question(), digest)
	for _, tt := range tests {
		req, id := question(), digest
		tt.change(req, &id)
		if got := keyOf(t, req, id); (got != want) != tt.changed {
			t.Errorf("%s: the key changed is %v, want %v", tt.name, got != want, tt.changed)
		}
	}
}

func keyOf(t *testing.T, req *pipeline.Request, id pipeline.Identity) pipeline.Key {
	t.Helper()
	text, err := req.Canonical(id)
	if err != nil {
		t.Fatal(err)
	}
	return pipeline.KeyOf(text)
}

func TestParseKey(t *testing.T) {
	key := keyOf(t, question(), digest)
	if got, err := pipeline.ParseKey(key.String()); err != nil || got != key {
		t.Errorf("ParseKey(%q) = %v, %v", key, got, err)
	}
	for _, text := range []string{"", "9f2c", key.String() + "00", "z" + key.String()[1:]} {
		if _, err := pipeline.ParseKey(text); err == nil {
			t.Errorf("ParseKey(%q) finds nothing wrong", text)
		}
	}
}

func TestReadQuestion(t *testing.T) {
	text, err := question().Canonical(digest)
	if err != nil {
		t.Fatal(err)
	}
	q, err := pipeline.ReadQuestion(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(q)
	if err != nil || string(again) != string(text) {
		t.Errorf("read and written again it is\n%s (%v), want\n%s", again, err, text)
	}
	if _, err := pipeline.ReadQuestion([]byte("{")); err == nil {
		t.Error("half a question is read")
	}
}
