package simulate

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ollama/ollama/api"
)

// client gives Ollama's own client for a server, and the server's end.
func client(t testing.TB, s *Server) *api.Client {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return api.NewClient(base, srv.Client())
}

func TestOllamasOwnClientIsServed(t *testing.T) {
	ctx := context.Background()
	s := New(Config{})
	c := client(t, s)

	if v, err := c.Version(ctx); err != nil || v != Version {
		t.Errorf("Version() = %q, %v", v, err)
	}
	if err := c.Heartbeat(ctx); err != nil {
		t.Errorf("Heartbeat() = %v", err)
	}
	list, err := c.List(ctx)
	if err != nil || !slices.ContainsFunc(list.Models, func(m api.ListModelResponse) bool {
		return m.Name == "llama3.2:latest" && len(m.Digest) == 64 && m.Size > 0
	}) {
		t.Errorf("List() = %+v, %v", list, err)
	}
	show, err := c.Show(ctx, &api.ShowRequest{Model: "qwen3:8b"})
	if err != nil || !slices.Contains(show.Capabilities, "thinking") || show.Details.ParameterSize != "8.0B" {
		t.Errorf("Show() = %+v, %v", show, err)
	}
	if ps, err := c.ListRunning(ctx); err != nil || len(ps.Models) != 0 {
		t.Errorf("ListRunning() before any request = %+v, %v", ps, err)
	}
	chat(t, c)
	generate(t, c)
	ps, err := c.ListRunning(ctx)
	if err != nil || len(ps.Models) != 1 || ps.Models[0].Name != "gemma3:12b" || ps.Models[0].ContextLength != 4096 || ps.Models[0].SizeVRAM == 0 {
		t.Errorf("ListRunning() = %+v, %v", ps, err)
	}
}

func chat(t *testing.T, c *api.Client) {
	t.Helper()
	var text strings.Builder
	var last api.ChatResponse
	req := &api.ChatRequest{Model: "gemma3:12b", Messages: []api.Message{{Role: "user", Content: "Translate to Spanish: Hello, how are you?"}}}
	err := c.Chat(context.Background(), req, func(r api.ChatResponse) error {
		text.WriteString(r.Message.Content)
		last = r
		return nil
	})
	if err != nil || text.String() != "Helló, hów aré yoú? [Spanish, simulated]" {
		t.Errorf("Chat() = %q, %v", text.String(), err)
	}
	if !last.Done || last.DoneReason != "stop" || last.Model != "gemma3:12b" || last.EvalCount == 0 || last.PromptEvalCount == 0 || last.EvalDuration == 0 {
		t.Errorf("the last line of Chat() is %+v", last)
	}
}

func generate(t *testing.T, c *api.Client) {
	t.Helper()
	var last api.GenerateResponse
	no := false
	req := &api.GenerateRequest{Model: "gemma3:12b", Prompt: "Describe tea in one sentence", Stream: &no}
	err := c.Generate(context.Background(), req, func(r api.GenerateResponse) error {
		last = r
		return nil
	})
	if err != nil || !strings.HasSuffix(last.Response, "(simulated)") || !last.Done || len(last.Context) == 0 {
		t.Errorf("Generate() = %+v, %v", last, err)
	}
}

func TestPullMakesAModelPresent(t *testing.T) {
	ctx := context.Background()
	c := client(t, New(Config{Models: []Model{{Name: "a"}}}))
	if _, err := c.Show(ctx, &api.ShowRequest{Model: "b"}); err == nil || err.Error() != "model 'b' not found" {
		t.Errorf("Show(b) before the pull: %v", err)
	}
	var steps []string
	note := func(p api.ProgressResponse) error {
		steps = append(steps, p.Status)
		return nil
	}
	if err := c.Pull(ctx, &api.PullRequest{Model: "b"}, note); err != nil {
		t.Error(err)
	}
	if steps[0] != "pulling manifest" || !strings.HasPrefix(steps[1], "pulling ") || steps[len(steps)-1] != "success" {
		t.Errorf("Pull(b) reports %q", steps)
	}
	if _, err := c.Show(ctx, &api.ShowRequest{Model: "b"}); err != nil {
		t.Errorf("Show(b) after the pull: %v", err)
	}
	if err := c.Pull(ctx, &api.PullRequest{Model: "missing"}, note); err == nil || err.Error() != pullMissing {
		t.Errorf("Pull(missing) = %v", err)
	}
}

// reply asks a server directly.
func ask(t testing.TB, s *Server, method, path, body string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

// lines are the JSON values of a reply's body.
func lines(t testing.TB, r *http.Response) []map[string]any {
	t.Helper()
	defer r.Body.Close()
	var all []map[string]any
	dec := json.NewDecoder(r.Body)
	for dec.More() {
		var line map[string]any
		if err := dec.Decode(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	return all
}

func TestEqualRequestsGetEqualBytes(t *testing.T) {
	body := `{"model":"qwen3:8b","messages":[{"role":"user","content":"What is tea?"}],"options":{"seed":7}}`
	first := lines(t, ask(t, New(Config{}), "POST", "/api/chat", body))
	again := lines(t, ask(t, New(Config{}), "POST", "/api/chat", body))
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
}
