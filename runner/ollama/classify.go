package ollama

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/batchrunner/runner/runner"
)

// A sign is a phrase of a server's message, in lower case, and what it means.
type sign struct {
	phrase string
	class  runner.Class
}

// requestSigns tell what is wrong with a request, whatever the status: Ollama
// gives 400 or 500 for the same mistake, depending on where it is found. The
// phrases are of server/ and llm/ in Ollama v0.17.7, of its runners, and of
// llama.cpp's server, which later versions start. The first that fits counts.
var requestSigns = []sign{
	{"exceeds the context length", runner.ContextOverflow},
	{"exceeds maximum context length", runner.ContextOverflow},
	{"exceeds the available context size", runner.ContextOverflow},
	{"exceed_context_size", runner.ContextOverflow},
	{"context length exceeded", runner.ContextOverflow},
	{"only supports one image", runner.Capability},
	{"missing data required for image input", runner.Capability},
	{"does not support", runner.Capability},
	{"cannot run this remote model", runner.Capability},
	{"try pulling it first", runner.ModelMissing},
	{"invalid format", runner.InvalidRequest},
	{"invalid json schema in format", runner.InvalidRequest},
	{"required for format", runner.InvalidRequest},
	{"failed to parse grammar", runner.InvalidRequest},
	{"must be of type", runner.InvalidRequest},
	{"must be of an array", runner.InvalidRequest},
	{"invalid message content type", runner.InvalidRequest},
}

// serverSigns tell what is wrong with the server or the model's process. They
// count with a status of 500 and above and within a stream only, since a 400
// about bad JSON speaks of an unexpected EOF too. Memory comes before crashes: a
// process that died for want of memory is missing memory.
var serverSigns = []sign{
	{"requires more system memory", runner.DoesNotFit},
	{"memory layout cannot be allocated", runner.DoesNotFit},
	{"unable to load full model on gpu", runner.DoesNotFit},
	{"failed to allocate memory for model", runner.DoesNotFit},
	{"failed to commit memory for model", runner.DoesNotFit},
	{"model failed to load, this may be due to resource limitations", runner.DoesNotFit},
	{"cudamalloc failed", runner.DoesNotFit},
	{"out of memory", runner.DoesNotFit},
	{"unable to allocate", runner.DoesNotFit},
	{"server busy", runner.Busy},
	{"no slots available", runner.Busy},
	{"maximum pending requests exceeded", runner.Busy},
	{"unsupported value", runner.InvalidRequest}, // NaN and infinities: the same input gives the same again
	{"contains nan or inf", runner.InvalidRequest},
	{"error was encountered while running the model", runner.Crashed},
	{"runner has unexpectedly stopped", runner.Crashed},
	{"runner process has terminated", runner.Crashed},
	{"process no longer running", runner.Crashed},
	{"error reading llm response", runner.Crashed},
	{"unexpected eof", runner.Crashed},
	{"forcibly closed", runner.Crashed},
}

// streaming stands for the status of an error that came within a stream: its
// status was 200.
const streaming = http.StatusOK

// classify gives the class of an error that Ollama reported with a message of its
// own.
func classify(status int, message string) runner.Class {
	switch status {
	case http.StatusTooManyRequests:
		return runner.RateLimited
	case http.StatusUnauthorized, http.StatusForbidden:
		return runner.Unauthorized
	case http.StatusServiceUnavailable:
		return runner.Busy
	}
	lower := strings.ToLower(message)
	if class, ok := find(requestSigns, lower); ok {
		return class
	}
	if status >= 500 || status == streaming {
		if class, ok := find(serverSigns, lower); ok {
			return class
		}
		return runner.Server
	}
	if status == http.StatusNotFound {
		return runner.ModelMissing
	}
	return runner.InvalidRequest
}

func find(signs []sign, lower string) (runner.Class, bool) {
	for _, s := range signs {
		if strings.Contains(lower, s.phrase) {
			return s.class, true
		}
	}
	return "", false
}

// errorText finds the message in {"error":"..."}, or in {"error":{"message":"..."}}
// as OpenAI's imitators write it. Anything else has none.
func errorText(body []byte) (string, bool) {
	var reply struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &reply) != nil {
		return "", false
	}
	return messageIn(reply.Error)
}

// messageIn reads the value of "error". An empty or null one is no error.
func messageIn(value json.RawMessage) (string, bool) {
	if len(value) == 0 || string(value) == "null" {
		return "", false
	}
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text, text != ""
	}
	var object struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(value, &object) == nil && object.Message != "" {
		return object.Message, true
	}
	return string(value), true
}

// maxRetryAfter is more than anyone waits for, and keeps durations in range.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads a Retry-After header, seconds or a date (RFC 9110, 10.2.3).
// Nothing, nonsense and the past are 0.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	wait := time.Duration(0)
	if n, err := strconv.ParseFloat(header, 64); err == nil {
		wait = seconds(n)
	} else if date, err := http.ParseTime(header); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}
