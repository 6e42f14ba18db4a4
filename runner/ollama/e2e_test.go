//go:build e2e

package ollama

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/sourcegraph/conc/pool"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// realClient makes a client of the server at OLLAMA_HOST, and names the model in
// E2E_MODEL. Without them these tests fail: they are only built when asked for.
func realClient(t *testing.T) (*Client, string) {
	t.Helper()
	model := os.Getenv("E2E_MODEL")
	if os.Getenv("OLLAMA_HOST") == "" || model == "" {
		t.Fatal("set OLLAMA_HOST to a real server and E2E_MODEL to one of its models")
	}
	return clientOf(t, os.Getenv("OLLAMA_HOST"), nil), model
}

func story(model string, options map[string]any) *pipeline.Request {
	return &pipeline.Request{
		Model: model, Options: options, KeepAlive: "5m",
		Messages: []pipeline.Message{{Role: "user", Content: "Once upon a time"}},
	}
}

func TestRealAnswers(t *testing.T) {
	c, model := realClient(t)
	report, err := c.Preflight(t.Context(), []Need{{Model: model, Steps: []string{"main"}}})
	if err != nil {
		t.Fatal(err)
	}
	if info := report.Models[model]; len(info.Digest) != 64 || info.Size == 0 {
		t.Errorf("the model's digest and size are missing: %+v", info)
	}
	options := func(n int) map[string]any {
		return map[string]any{"num_predict": json.Number("12"), "num_ctx": n, "seed": 7, "temperature": json.Number("0")}
	}
	for i, want := range []bool{true, false} {
		// 128 is a context that nothing else asks for, so the first must load
		if loaded, err := c.Load(t.Context(), story(model, options(128))); err != nil || loaded != want {
			t.Errorf("Load number %d: loaded %v, error %v, want %v", i+1, loaded, err, want)
		}
	}
	if loaded, err := c.Load(t.Context(), story(model, options(256))); err != nil || !loaded {
		t.Errorf("Load with another num_ctx: loaded %v, error %v, want true", loaded, err)
	}
	if err := c.Describe(t.Context(), report); err != nil || !report.Models[model].Loaded || report.Models[model].ContextLength != 256 {
		t.Errorf("Describe: error %v, %+v, want it loaded with 256", err, report.Models[model])
	}
	p := pool.New().WithErrors()
	for range 4 {
		p.Go(func() error {
			var streamed strings.Builder
			answer, err := c.Do(t.Context(), story(model, options(256)), func(c runner.Chunk) { streamed.WriteString(c.Text) })
			if err != nil {
				return err
			}
			if answer.Response == "" || answer.Response != streamed.String() || answer.PromptEvalCount == 0 ||
				answer.EvalCount == 0 || answer.TotalDuration == 0 || answer.EvalDuration == 0 || answer.DoneReason == "" || answer.Simulated {
				t.Errorf("an answer without text or the server's counts: %+v", answer)
			}
			return nil
		})
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

func TestRealLimits(t *testing.T) {
	c, model := realClient(t)
	req := story(model, map[string]any{"num_predict": 3, "num_ctx": 256})
	if answer, err := c.Do(t.Context(), req, nil); err != nil || answer.DoneReason != "length" || answer.EvalCount != 3 {
		t.Errorf("num_predict 3: %+v, %v, want an answer of 3 tokens that ends by length", answer, err)
	}
	req = story(model, map[string]any{"num_predict": 1000, "num_ctx": 256, "temperature": 0, "seed": 3, "stop": []any{}})
	if answer, err := c.Do(t.Context(), req, nil); err != nil || answer.PromptEvalCount+answer.EvalCount > 257 {
		t.Errorf("a full context: %+v, %v, want the answer to end there and not to shift", answer, err)
	}
	req = story(model, map[string]any{"num_predict": 8, "num_ctx": 256})
	req.Messages[0].Content = strings.Repeat("once upon a time ", 400)
	answer, err := c.Do(t.Context(), req, nil)
	wantFailure(t, answer, err, runner.ContextOverflow, `^the prompt does not fit into num_ctx, 256 tokens`)
}

func TestRealFormat(t *testing.T) {
	c, model := realClient(t)
	req := story(model, map[string]any{"num_predict": 60, "num_ctx": 256, "temperature": 0})
	req.Format = json.RawMessage(`{"type":"object","properties":{"score":{"type":"integer"}},"required":["score"]}`)
	answer, err := c.Do(t.Context(), req, nil)
	var value struct{ Score *json.Number }
	if err != nil || json.Unmarshal([]byte(answer.Response), &value) != nil || value.Score == nil {
		t.Errorf("format: %+v, %v, want an object with a score", answer, err)
	}
	req.Format = json.RawMessage(`"yaml"`)
	answer, err = c.Do(t.Context(), req, nil)
	wantFailure(t, answer, err, runner.InvalidRequest, `refuses the request: invalid format`)
}

func TestRealRefusals(t *testing.T) {
	c, model := realClient(t)
	answer, err := c.Do(t.Context(), story("no-such-model", nil), nil)
	wantFailure(t, answer, err, runner.ModelMissing, `"no-such-model" is not on .*ollama pull no-such-model`)
	_, err = c.Load(t.Context(), story("no-such-model", nil))
	wantFailure(t, nil, err, runner.ModelMissing, `"no-such-model" is not on`)
	req := story(model, map[string]any{"num_predict": 8})
	req.Options["num_ctx"] = "many"
	answer, err = c.Do(t.Context(), req, nil)
	wantFailure(t, answer, err, runner.InvalidRequest, `"num_ctx" must be of type integer`)
	info, err := c.Show(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	if info.ContextLength == 0 || len(info.Capabilities) == 0 {
		t.Errorf("Show: %+v, want capabilities and a context", info)
	}
	for _, capability := range info.Capabilities {
		if capability == "thinking" {
			return // this model can
		}
	}
	req = story(model, map[string]any{"num_predict": 8})
	req.Think = true
	answer, err = c.Do(t.Context(), req, nil)
	wantFailure(t, answer, err, runner.Capability, `does not support thinking`)
	report, err := c.Preflight(t.Context(), []Need{{Model: model, Think: true}, {Model: "no-such-model"}})
	if err == nil || report == nil || len(report.Unusable) != 2 {
		t.Errorf("Preflight: %+v, %v, want two models that can't be asked", report, err)
	}
}
