package ollama

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strconv"
	"time"

	"github.com/ollama/ollama/api"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/specs"
)

// Body gives the exact bytes that Do posts to /api/chat for a request. They are
// those that api.Client would send: streamed, never cut or shifted to fit the
// context, and always with a num_predict. Its error says which value no request
// can carry.
func Body(req *pipeline.Request) ([]byte, error) {
	chat, err := chatRequest(req)
	if err != nil {
		return nil, err
	}
	if len(chat.Messages) == 0 {
		return nil, fmt.Errorf("the request has no messages") // to Ollama it would mean: load the model
	}
	return encode(chat)
}

// loadBody gives the bytes of the request that only loads req's model: the same
// without messages. Everything else that Ollama compares to see whether a loaded
// model will do (options, shift) is left as it is, so that the first Do finds it.
func loadBody(req *pipeline.Request) ([]byte, error) {
	chat, err := chatRequest(req)
	if err != nil {
		return nil, err
	}
	chat.Messages = []api.Message{}
	chat.Format = nil
	if chat.KeepAlive != nil && chat.KeepAlive.Duration == 0 {
		chat.KeepAlive = nil // 0 without messages unloads the model (server/routes.go, ChatHandler)
	}
	return encode(chat)
}

func encode(chat *api.ChatRequest) ([]byte, error) {
	body, err := json.Marshal(chat)
	if err != nil {
		return nil, fmt.Errorf("the request can't be written as JSON: %w", err)
	}
	return body, nil
}

func chatRequest(req *pipeline.Request) (*api.ChatRequest, error) {
	keep, err := keepAlive(req.KeepAlive)
	if err != nil {
		return nil, err
	}
	think := &api.ThinkValue{Value: req.Think}
	if !think.IsValid() {
		return nil, fmt.Errorf(`think must be true, false, "low", "medium" or "high", not %q`, fmt.Sprint(req.Think))
	}
	if req.Think == nil {
		think = nil
	}
	messages := make([]api.Message, len(req.Messages))
	for i, m := range req.Messages {
		messages[i] = api.Message{Role: m.Role, Content: m.Content}
	}
	yes, no := true, false
	return &api.ChatRequest{
		Model: req.Model, Messages: messages, Format: req.Format, Options: bounded(req.Options),
		Think: think, KeepAlive: keep, Stream: &yes, Truncate: &no, Shift: &no,
	}, nil
}

// bounded gives the options with a num_predict. Requests of a job have one; those
// that a Go program makes by hand may not, and Ollama's own default is no bound.
func bounded(options map[string]any) map[string]any {
	if _, ok := options["num_predict"]; ok {
		return options
	}
	with := maps.Clone(options)
	if with == nil {
		with = map[string]any{}
	}
	with["num_predict"] = specs.DefaultNumPredict
	return with
}

// keepAlive reads a duration as Ollama takes it: "5m", or seconds as a number;
// below zero means for good. Empty is nil: the server's own choice.
func keepAlive(s string) (*api.Duration, error) {
	if s == "" {
		return nil, nil
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(n) {
		return &api.Duration{Duration: seconds(n)}, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return nil, fmt.Errorf(`keep_alive must be a duration such as "5m", a number of seconds, or -1 for good, not %q`, s)
	}
	return &api.Duration{Duration: d}, nil
}

// seconds turns a number of seconds into a duration, the longest there is where
// it is more.
func seconds(n float64) time.Duration {
	if n >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	if n < 0 {
		return -1
	}
	return time.Duration(n * float64(time.Second))
}

// number reads a whole number from an option's value, as job files and Go
// programs write it.
func number(value any) (int64, bool) {
	switch v := value.(type) {
	case json.Number:
		f, err := v.Float64()
		return int64(f), err == nil
	case int:
		return int64(v), true
	case int64:
		return v, true
	case float64:
		return int64(v), true
	}
	return 0, false
}
