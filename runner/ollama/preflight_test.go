package ollama

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ollama/ollama/api"
	"github.com/ollama/ollama/types/model"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// A server is an Ollama with five models, one of them loaded, that notes what it
// is asked.
type server struct {
	url     string
	version string

	mu      sync.Mutex
	calls   []string
	context int // of the loaded model
}

func newServer(t *testing.T) *server {
	s := &server{version: "0.17.7", context: 4096}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body struct {
		Model    string
		Messages []api.Message
		Options  map[string]any
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	s.calls = append(s.calls, strings.TrimSpace(r.URL.Path+" "+body.Model))
	w.Header().Set("Content-Type", "application/json")
	status, reply := s.reply(r.URL.Path, body.Model)
	if n, ok := body.Options["num_ctx"].(float64); ok && body.Model == "gemma3:12b" {
		s.context = int(n)
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(reply)
}

func (s *server) reply(path, name string) (int, any) {
	switch path {
	case "/api/version":
		return 200, map[string]string{"version": s.version}
	case "/api/tags":
		return 200, api.ListResponse{Models: []api.ListModelResponse{
			{Name: "qwen3:8b", Digest: "b1", Size: 5 << 30}, {Name: "gemma3:12b", Digest: "a1", Size: 8 << 30},
			{Name: "gpt-oss:120b-cloud", Digest: "d1", RemoteHost: "https://ollama.com:443"},
			{Name: "mine:latest", Digest: "e1", RemoteHost: "https://ollama.com:443"}, {Model: "all-minilm:latest", Digest: "c1"},
		}}
	case "/api/ps":
		return 200, api.ProcessResponse{Models: []api.ProcessModelResponse{{Name: "gemma3:12b", ContextLength: s.context, Size: 9, SizeVRAM: 7}}}
	case "/api/show":
		return shown(name)
	case "/api/chat":
		return 200, api.ChatResponse{Model: name, Message: api.Message{Role: "assistant"}, Done: true, DoneReason: "load"}
	}
	return 404, map[string]string{"error": "no such path"}
}

func shown(name string) (int, any) {
	name = strings.TrimSuffix(name, ":latest")
	capabilities := map[string][]model.Capability{
		"gemma3:12b": {"completion", "vision"}, "qwen3:8b": {"completion", "thinking"}, "all-minilm": {"embedding"},
		"gpt-oss:120b-cloud": {"completion", "thinking"}, "mine": {"completion"},
	}
	c, ok := capabilities[name]
	if !ok {
		return 404, map[string]string{"error": "model '" + name + "' not found"}
	}
	r := api.ShowResponse{Capabilities: c, ModelInfo: map[string]any{"general.architecture": "q", "q.context_length": 40960}}
	if name == "mine" || strings.HasSuffix(name, "cloud") {
		r.RemoteHost = "https://ollama.com:443"
	}
	return 200, r
}

// called gives the calls since it was last asked, sorted.
func (s *server) called() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	slices.Sort(calls)
	return calls
}

func TestPreflight(t *testing.T) {
	s := newServer(t)
	tests := []struct {
		name  string
		needs []Need
		calls []string // beside version and tags
		want  string   // the error, HOST and PORT standing for the server's
	}{
		{"nothing needed", nil, nil, ""},
		{"present", []Need{{Model: "gemma3:12b"}, {Model: "qwen3:8b"}}, []string{"/api/show gemma3:12b", "/api/show qwen3:8b"}, ""},
		{"present, and looked at before", []Need{{Model: "gemma3:12b", Known: "a1"}, {Model: "qwen3:8b", Known: "other"}}, []string{"/api/show qwen3:8b"}, ""},
		{"present in another spelling", []Need{{Model: "Gemma3:12B"}, {Model: "library/qwen3:8b"}}, []string{"/api/show gemma3:12b", "/api/show qwen3:8b"}, ""},
		{"can think", []Need{{Model: "qwen3:8b", Think: true}}, []string{"/api/show qwen3:8b"}, ""},
		{"can see", []Need{{Model: "gemma3:12b", Vision: true}}, []string{"/api/show gemma3:12b"}, ""},
		{
			"one missing", []Need{{Model: "llama3.2:3b", Steps: []string{"main"}}}, nil,
			`step "main": model "llama3.2:3b" is not on HOST; fetch it with: OLLAMA_HOST=ADDRESS ollama pull llama3.2:3b`,
		},
		{
			"misspelt", []Need{{Model: "gema3:12b"}}, nil,
			`model "gema3:12b" is not on HOST; fetch it with: OLLAMA_HOST=ADDRESS ollama pull gema3:12b; or did you mean "gemma3:12b", which is there?`,
		},
		{
			"another size", []Need{{Model: "qwen3"}}, nil,
			`model "qwen3" is not on HOST; fetch it with: OLLAMA_HOST=ADDRESS ollama pull qwen3; or did you mean "qwen3:8b", which is there?`,
		},
		{
			"several missing", []Need{{Model: "zephyr", Steps: []string{"b", "a"}}, {Model: "qwen3:4b", Steps: []string{"c"}}, {Model: "zephyr", Steps: []string{"a", "d"}}}, nil,
			"2 models are not on HOST; fetch them with:\n" +
				"  OLLAMA_HOST=ADDRESS ollama pull qwen3:4b   # step \"c\"; or did you mean \"qwen3:8b\", which is there?\n" +
				"  OLLAMA_HOST=ADDRESS ollama pull zephyr   # steps \"a\", \"b\", \"d\"",
		},
		{
			"everything wrong", []Need{
				{Model: "gemma3:12b", Steps: []string{"think"}, Think: true}, {Model: "qwen3:8b", Steps: []string{"look"}, Vision: true},
				{Model: "all-minilm", Steps: []string{"embed"}}, {Model: "zephyr"}, {Model: "gpt-oss:120b-cloud"}, {Model: "mine"}, {Model: "other:cloud"},
			},
			[]string{"/api/show all-minilm:latest", "/api/show gemma3:12b", "/api/show qwen3:8b"},
			`model "zephyr" is not on HOST; fetch it with: OLLAMA_HOST=ADDRESS ollama pull zephyr` + "\n" +
				`step "embed": model "all-minilm" only does embedding, it can't answer prompts` + "\n" +
				`step "think": model "gemma3:12b" can't think; leave out think, or choose a model that can` + "\n" +
				`model "gpt-oss:120b-cloud" runs on https://ollama.com:443, so prompts would leave for there; allow it with: --allow-cloud` + "\n" +
				`model "mine" runs on https://ollama.com:443, so prompts would leave for there; allow it with: --allow-cloud` + "\n" +
				`model "other:cloud" runs on ollama.com, so prompts would leave for there; allow it with: --allow-cloud` + "\n" +
				`step "look": model "qwen3:8b" can't see images; choose a model that can`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := clientOf(t, s.url, nil)
			report, err := c.Preflight(t.Context(), tt.needs)
			if report == nil {
				t.Fatal(err)
			}
			want := strings.NewReplacer("HOST;", c.shown+";", "HOST=ADDRESS", "HOST="+c.host.Host).Replace(tt.want)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(append(slices.Clone(tt.calls), "/api/tags", "/api/version"))), s.called()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			for _, need := range tt.needs {
				if _, ok := report.Models[need.Model]; ok == (report.Unusable[need.Model] != nil) {
					t.Errorf("model %q is both usable and not, or neither", need.Model)
				}
			}
		})
	}
}

func TestReport(t *testing.T) {
	s := newServer(t)
	c := clientOf(t, s.url, nil)
	report, err := c.Preflight(t.Context(), []Need{{Model: "GEMMA3:12b"}, {Model: "zephyr"}, {Model: "aya"}, {Model: "mine"}})
	if err == nil || !slices.Equal(report.Missing(), []string{"aya", "zephyr"}) {
		t.Errorf("Missing = %q, %v", report.Missing(), err)
	}
	if why := report.Unusable["mine"]; why.Class != runner.Capability || report.Unusable["aya"].Class != runner.ModelMissing {
		t.Errorf("classes: %+v", report.Unusable)
	}
	if err := c.Describe(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	want := map[string]ModelInfo{"GEMMA3:12b": {
		Name: "gemma3:12b", Digest: "a1", Size: 8 << 30, Capabilities: []string{"completion", "vision"},
		ContextLength: 4096, Loaded: true, SizeLoaded: 9, SizeVRAM: 7,
	}}
	if diff := cmp.Diff(want, report.Models); diff != "" || report.Version != "0.17.7" || report.Simulated {
		t.Errorf("%+v (-want +got):\n%s", report, diff)
	}
}

func TestCloudModelsWhenAllowed(t *testing.T) {
	s := newServer(t)
	c := clientOf(t, s.url, func(cfg *Config) { cfg.AllowCloud = true })
	report, err := c.Preflight(t.Context(), []Need{{Model: "gpt-oss:120b-cloud", Think: true}, {Model: "mine"}})
	if err != nil || len(report.Models) != 2 || report.Models["mine"].Remote == "" {
		t.Errorf("%+v, %v", report, err)
	}
	_, err = c.Preflight(t.Context(), []Need{{Model: "other:cloud"}})
	if err == nil || !strings.Contains(err.Error(), "ollama pull other:cloud") {
		t.Errorf("a cloud model that the server does not know: %v", err)
	}
	s.called()
	if loaded, err := c.Load(t.Context(), &pipeline.Request{Model: "mine"}); loaded || err != nil || len(s.called()) != 0 {
		t.Errorf("a model elsewhere is loaded: %v, %v", loaded, err)
	}
}

// Models that Preflight did not see, since a row names them, or since a Go program
// runs none, are looked at before a prompt goes out, once.
func TestCloudModelsWithoutPreflight(t *testing.T) {
	s := newServer(t)
	c := clientOf(t, s.url, nil)
	for _, name := range []string{"gpt-oss:120b-cloud", "x:cloud", "mine"} {
		req := question()
		req.Model = name
		_, err := c.Do(t.Context(), req, nil)
		wantFailure(t, nil, err, runner.Capability, `so prompts would leave for there; allow it with: --allow-cloud`)
		_, err = c.Load(t.Context(), req)
		wantFailure(t, nil, err, runner.Capability, `allow it with`)
	}
	if calls := s.called(); slices.Contains(calls, "/api/chat mine") {
		t.Errorf("a prompt went out: %q", calls)
	}
	req := question()
	req.Model = "qwen3:8b"
	for range 3 {
		if _, err := c.Do(t.Context(), req, nil); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"/api/chat qwen3:8b", "/api/chat qwen3:8b", "/api/chat qwen3:8b", "/api/show qwen3:8b"}, s.called()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	elsewhere, asked := countedPrompts(t, encoded(api.ChatResponse{RemoteHost: "https://ollama.com", Message: api.Message{Role: "assistant", Content: "x"}}))
	c = clientOf(t, elsewhere, nil)
	for range 2 { // told by the answer, then known
		_, err := c.Do(t.Context(), question(), nil)
		wantFailure(t, nil, err, runner.Capability, `runs on https://ollama.com`)
	}
	if sent := asked(); sent != 1 {
		t.Errorf("%d prompts went to a model that is known to run elsewhere", sent)
	}
}

// countedPrompts serves body for every prompt, knows no other path, and says how many
// prompts came.
func countedPrompts(t *testing.T, body string) (url string, prompts func() int64) {
	var n atomic.Int64
	url = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/chat" {
			http.NotFound(w, r)
			return
		}
		n.Add(1)
		w.Header().Set("Content-Type", ndjson)
		_, _ = w.Write([]byte(body))
	})
	return url, n.Load
}

// A server that won't say where a model runs is sent no prompt.
func TestNoPromptForAModelThatMayNotBeLookedAt(t *testing.T) {
	for status, class := range map[int]runner.Class{400: runner.InvalidRequest, 401: runner.Unauthorized, 403: runner.Unauthorized} {
		prompts := 0
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/chat" {
				prompts++
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"error":"not for you"}`))
		})
		c, req := clientOf(t, url, nil), question()
		req.Model = "other"
		_, err := c.Do(t.Context(), req, nil)
		wantFailure(t, nil, err, class, `not for you`)
		_, err = c.Load(t.Context(), req)
		wantFailure(t, nil, err, class, `not for you`)
		if prompts != 0 {
			t.Errorf("status %d: %d prompts went out", status, prompts)
		}
	}
}

// A server without /api/show has no cloud models; it is asked for it once. One that
// fails is asked again, and no prompt goes out meanwhile.
func TestLookingAtModels(t *testing.T) {
	status, calls := 404, []string{}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls = append(calls, r.URL.Path)
		if r.URL.Path == "/api/show" {
			http.Error(w, "no such page", status)
			return
		}
		w.Header().Set("Content-Type", ndjson)
		_, _ = w.Write([]byte(last(nil)))
	})
	req := question()
	req.Model = "other"
	status = 500
	c := clientOf(t, url, nil)
	_, err := c.Do(t.Context(), req, nil)
	wantFailure(t, nil, err, runner.Protocol, `status 500`)
	_, err = c.Load(t.Context(), req)
	wantFailure(t, nil, err, runner.Protocol, `status 500`)
	status, calls = 404, nil
	for range 2 {
		if _, err := c.Do(t.Context(), req, nil); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"/api/show", "/api/chat", "/api/chat"}; !slices.Equal(calls, want) {
		t.Errorf("calls %q, want %q", calls, want)
	}
}

func TestPullLine(t *testing.T) {
	for host, want := range map[string]string{
		"":                         "ollama pull m",
		"gpu1":                     "OLLAMA_HOST=gpu1:11434 ollama pull m",
		"https://me:pw@gpu1/x":     "OLLAMA_HOST=https://gpu1:443/x ollama pull m",
		"http://127.0.0.1:8080":    "OLLAMA_HOST=127.0.0.1:8080 ollama pull m",
		"http://[::1]:8080/ollama": "OLLAMA_HOST=http://localhost:8080/ollama ollama pull m",
	} {
		if got := clientOf(t, host, nil).pullLine("m"); got != want {
			t.Errorf("for host %q: %s, want %s", host, got, want)
		}
	}
}

func TestVersions(t *testing.T) {
	tests := map[string]struct{ warning, err string }{
		"0.17.7": {}, "0.12.6": {}, "1.0.0": {}, "0.0.0": {}, "": {}, "main": {}, "0.13.0-rc1": {}, "v0.18.2": {},
		"0.12.5": {warning: "cuts prompts that are longer than the context without a word; update it to 0.12.6 or later, or set num_ctx"},
		"0.9.0":  {warning: "cuts prompts"},
		"0.8.9":  {err: "runs Ollama 0.8.9, which is too old; update it to 0.12.6 or later"},
		"0.1.48": {err: "too old"},
	}
	s := newServer(t)
	for version, want := range tests {
		s.version = version
		report, err := clientOf(t, s.url, nil).Preflight(t.Context(), []Need{{Model: "qwen3:8b"}})
		switch {
		case want.err != "":
			wantFailure(t, report, err, runner.Capability, want.err)
		case err != nil:
			t.Errorf("%q: %v", version, err)
		case want.warning == "" && len(report.Warnings) > 0, want.warning != "" && !strings.Contains(strings.Join(report.Warnings, "|"), want.warning):
			t.Errorf("%q: warnings %q, want %q", version, report.Warnings, want.warning)
		}
	}
}

func TestSimulatedServersSaySo(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Runner-Simulated", "1")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"version":"0.17.7","models":[]}`))
	})
	if report, err := clientOf(t, url, nil).Preflight(t.Context(), nil); err != nil || !report.Simulated {
		t.Errorf("%+v, %v, want it marked", report, err)
	}
}

func TestLoad(t *testing.T) {
	s := newServer(t)
	c := clientOf(t, s.url, nil)
	request := func(name string, context int) *pipeline.Request {
		return &pipeline.Request{Model: name, Options: map[string]any{"num_ctx": context, "num_predict": 8}, Messages: question().Messages}
	}
	tests := []struct {
		name   string
		req    *pipeline.Request
		loaded bool
		asked  bool // the server is asked to load it
	}{
		{"not in memory", request("qwen3:8b", 4096), true, true},
		{"in memory", request("gemma3:12b", 4096), false, false},
		{"in memory, and no options", &pipeline.Request{Model: "gemma3:12b", Messages: question().Messages}, false, false},
		{"in memory with another context", request("gemma3:12b", 8192), true, true},
		{"in memory again", request("gemma3:12b", 8192), false, false},
		{"in memory, with options that nobody tells", &pipeline.Request{Model: "gemma3:12b", Options: map[string]any{"num_ctx": 8192, "num_thread": 2}}, false, true},
	}
	for _, tt := range tests {
		s.called() // forgets
		if loaded, err := c.Load(t.Context(), tt.req); loaded != tt.loaded || err != nil {
			t.Errorf("%s: loaded %v, %v, want %v", tt.name, loaded, err, tt.loaded)
		}
		if asked := slices.Contains(s.called(), "/api/chat "+tt.req.Model); asked != tt.asked {
			t.Errorf("%s: asked %v, want %v", tt.name, asked, tt.asked)
		}
	}
	bad := request("gemma3:12b", 4096)
	bad.KeepAlive = "soon"
	_, err := c.Load(t.Context(), bad)
	wantFailure(t, nil, err, runner.InvalidRequest, `keep_alive must be`)
	full := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/chat" {
			http.NotFound(w, r) // no list of what is in memory either
			return
		}
		w.WriteHeader(500)
		_, _ = w.Write([]byte(`{"error":"model requires more system memory (12.4 GiB) than is available (7.7 GiB)"}`))
	})
	_, err = clientOf(t, full, nil).Load(t.Context(), question())
	wantFailure(t, nil, err, runner.DoesNotFit, `too little memory for model "m"`)
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"gpt-oss:120b-cloud": true, "x:cloud": true, "library/x:CLOUD": true, "cloud": false, "cloudy:7b": false, "x-cloud": false, "cloud:7b": false,
		"registry.example:5000/x/y": false,
	} {
		if got := cloudName(name); got != want {
			t.Errorf("cloudName(%q) = %v", name, got)
		}
	}
	same := []string{"gemma3", "gemma3:latest", "GEMMA3:Latest", "library/gemma3", "library/gemma3:latest", " gemma3 "}
	for _, name := range same {
		if key(name) != key(same[0]) {
			t.Errorf("key(%q) = %q, want %q", name, key(name), key(same[0]))
		}
	}
	if key("gemma3:4b") == key("gemma3") || key("me/gemma3") == key("gemma3") || key("hf.co/library/gemma3") == key("gemma3") {
		t.Error("different models have one key")
	}
}
