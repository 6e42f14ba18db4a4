//go:build e2e && unix

package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/batchrunner/runner/runner/report"
)

// An account is what a real server said of each answer, as a proxy before it saw.
type account struct {
	mu     sync.Mutex
	finals []final
}

// A final is the last line of an answer.
type final struct {
	Model           string `json:"model"`
	Done            bool   `json:"done"`
	DoneReason      string `json:"done_reason"`
	PromptEvalCount int    `json:"prompt_eval_count"`
	EvalCount       int    `json:"eval_count"`
	EvalDuration    int64  `json:"eval_duration"`
	PromptEval      int64  `json:"prompt_eval_duration"`
	Total           int64  `json:"total_duration"`
	Load            int64  `json:"load_duration"`
}

// proxy passes everything on to the real server, and notes the end of each answer.
func (a *account) proxy(t *testing.T, host string) string {
	t.Helper()
	if !strings.Contains(host, "://") {
		host = "http://" + host
	}
	target, err := url.Parse(host)
	if err != nil {
		t.Fatal(err)
	}
	p := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
		ModifyResponse: func(resp *http.Response) error {
			if resp.Request.URL.Path == "/api/chat" {
				resp.Body = &noting{ReadCloser: resp.Body, account: a}
			}
			return nil
		},
	}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.URL
}

// A noting body is read through; at its end its lines are looked at.
type noting struct {
	io.ReadCloser
	account *account
	text    bytes.Buffer
}

func (n *noting) Read(to []byte) (int, error) {
	count, err := n.ReadCloser.Read(to)
	n.text.Write(to[:count])
	return count, err
}

func (n *noting) Close() error {
	lines := bufio.NewScanner(&n.text)
	for lines.Scan() {
		var f final
		if json.Unmarshal(lines.Bytes(), &f) == nil && f.Done && f.EvalCount > 0 {
			n.account.mu.Lock()
			n.account.finals = append(n.account.finals, f)
			n.account.mu.Unlock()
		}
	}
	return n.ReadCloser.Close()
}

const benchJob = `model: "{{ .m }}"
prompt: "Once upon a time there was {{ .hero }}, number {{ .repetition }}"
options: {temperature: 0, seed: 7, num_predict: 24}
matrix: {m: [gemma3:4b, qwen3:8b], hero: [a fox, an owl]}
bench: {runs: 6, warmup: 1, concurrency: [1, 2]}
reports: [report.json, report.html, report.md, old.bench]
`

// TestBenchEqualsTheServersOwn measures two models on the real server: the report's counts
// and durations are those that the server itself gave, warm-ups left out.
func TestBenchEqualsTheServersOwn(t *testing.T) {
	var own account
	host := own.proxy(t, ollama.host)
	dir := write(t, map[string]string{"job.yaml": benchJob})
	got := do(t, host, dir, "bench", "job.yaml")
	got.want(t, 0)
	t.Logf("%s", got.stdout)
	file, err := os.Open(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := report.ReadJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Groups) != 4 || r.OK != 48 || r.Failed != 0 || r.Asked != 48 {
		t.Fatalf("%d groups, %d ok, %d failed, %d asked", len(r.Groups), r.OK, r.Failed, r.Asked)
	}
	for _, model := range []string{"gemma3:4b", "qwen3:8b"} {
		finals := own.measured(model)
		var groups []*report.Group
		for i := range r.Groups {
			if r.Groups[i].Model == model {
				groups = append(groups, &r.Groups[i])
			}
		}
		equalCounts(t, model, groups, finals)
	}
	t.Logf("SHOWS: %d measured answers of a real server, their counts and durations its own", r.Asked)
	readByBenchstat(t, dir)
}

// measured are the answers of a model in the order of their levels, warm-ups left out: of
// each level the first two.
func (a *account) measured(model string) []final {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []final
	for _, f := range a.finals {
		if f.Model == model {
			all = append(all, f)
		}
	}
	if len(all) != 28 {
		return nil // 2 levels of 2 warm-ups and 12 measured ones
	}
	return slices.Concat(all[2:14], all[16:])
}

// equalCounts holds the groups of a model against what the server said: the sum of all
// tokens and, over the levels, the means of the durations.
func equalCounts(t *testing.T, model string, groups []*report.Group, finals []final) {
	t.Helper()
	if len(finals) != 24 || len(groups) != 2 {
		t.Fatalf("%s: %d answers and %d groups, want 24 and 2", model, len(finals), len(groups))
	}
	var prompt, output int64
	var generate, reading, speed float64
	for _, f := range finals {
		prompt, output = prompt+int64(f.PromptEvalCount), output+int64(f.EvalCount)
		generate += float64(f.EvalDuration) / 1e9
		reading += float64(f.PromptEval) / 1e9
		speed += float64(f.EvalCount) / (float64(f.EvalDuration) / 1e9)
	}
	var gotPrompt, gotOutput int64
	var gotGenerate, gotReading, gotSpeed float64
	for _, g := range groups {
		gotPrompt, gotOutput = gotPrompt+g.PromptTokens, gotOutput+g.OutputTokens
		gotGenerate += g.Generate.Mean * float64(g.Generate.N)
		gotReading += g.Prompt.Mean * float64(g.Prompt.N)
		gotSpeed += g.TokensPerSecond.Mean * float64(g.TokensPerSecond.N)
	}
	if gotPrompt != prompt || gotOutput != output {
		t.Errorf("%s: %d and %d tokens, the server said %d and %d", model, gotPrompt, gotOutput, prompt, output)
	}
	for _, c := range []struct {
		what      string
		got, want float64
	}{{"seconds of writing", gotGenerate, generate}, {"seconds of reading", gotReading, reading}, {"tokens a second", gotSpeed, speed}} {
		if math.Abs(c.got-c.want) > 1e-6*c.want {
			t.Errorf("%s: %g %s, the server said %g", model, c.got, c.what, c.want)
		}
	}
}

// readByBenchstat lets benchstat itself compare two of our files.
func readByBenchstat(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "old.bench"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "first.bench"), text, 0o600) // the next run writes its own
	}
	if err != nil {
		t.Fatal(err)
	}
	again := do(t, ollama.host, dir, "bench", "job.yaml", "-n", "6")
	again.want(t, 0)
	newer := do(t, ollama.host, dir, "report", "-o", "new.bench")
	newer.want(t, 0)
	cmd := exec.CommandContext(t.Context(), "go", "run", "golang.org/x/perf/cmd/benchstat", filepath.Join(dir, "first.bench"), filepath.Join(dir, "new.bench"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("benchstat: %v\n%s", err, out)
	}
	for _, name := range []string{"Model/name=gemma3:4b/step=generate", "Model/name=qwen3:8b/step=ttft", "Model/name=qwen3:8b/step=prefill"} {
		if !strings.Contains(string(out), name) {
			t.Errorf("benchstat shows no %s:\n%s", name, out)
		}
	}
	if strings.Contains(string(out), "syntax") || !strings.Contains(string(out), "vs base") {
		t.Errorf("benchstat compares nothing:\n%s", out)
	}
}

// TestBenchOfFlags is the benchmark without a file, with one model that is not there: its
// line has the error, and the other one is measured.
func TestBenchOfFlags(t *testing.T) {
	dir := t.TempDir()
	got := do(t, ollama.host, dir, "bench", "-m", "gemma3:4b", "-m", "not-there:1b", "-n", "2", "-p", "Once upon a time")
	got.want(t, 1)
	if !strings.Contains(got.stdout, "gemma3:4b") || !strings.Contains(got.stdout, `all 2 failed: model "not-there:1b"`) {
		t.Errorf("the report is\n%s\n%s", got.stdout, got.stderr)
	}
}
