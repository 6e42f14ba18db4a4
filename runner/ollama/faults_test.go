package ollama

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ollama/ollama/api"

	"github.com/batchrunner/runner/runner"
)

// The faults that api.Client (v0.17.7) reports as success, each with what this
// client makes of it. They are why answers have a reader of their own: whoever
// trusts err == nil writes half answers as good ones. If one of the first checks
// fails some day, api.Client has learnt it, and this reader may go.
func TestFaultsThatAPIClientCallsSuccess(t *testing.T) {
	long := strings.Repeat("x", 9<<20)
	tests := []struct {
		name    string
		talk    func(conn *net.TCPConn)
		class   runner.Class
		message string // a pattern
	}{
		{"connection reset after a chunk", func(conn *net.TCPConn) {
			put(conn, head, part(piece("Hel")))
			_ = conn.SetLinger(0)
		}, runner.Disconnected, `^the connection to http://localhost:\d+ broke after 1 chunk of the answer$`},
		{"chunked body cut after a newline", func(conn *net.TCPConn) {
			put(conn, head, part(piece("Hel")), part(piece("lo")))
		}, runner.Disconnected, `broke after 2 chunks of the answer$`},
		{"clean end without done", func(conn *net.TCPConn) {
			put(conn, head, part(piece("Hel")), part(""))
		}, runner.Incomplete, `ended after 1 chunk of the answer, without the mark of its end`},
		{"one token over and over, then a clean end", func(conn *net.TCPConn) {
			put(conn, head, part(piece("Hello")), strings.Repeat(part(piece(" ha")), 31), part(""))
		}, runner.Repeat, `^the model wrote "ha" over and over, and http://localhost:\d+ broke the answer off$`},
		{"a line of newlines over and over", func(conn *net.TCPConn) {
			put(conn, head, strings.Repeat(part(piece("\n")), 31), part(""))
		}, runner.Repeat, `over and over`},
		{"502 with an empty body", func(conn *net.TCPConn) {
			put(conn, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
		}, runner.Server, `failed with status 502 and no message$`},
		{"400 with an empty body", func(conn *net.TCPConn) {
			put(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
		}, runner.Protocol, `does not answer as Ollama does \(status 400`},
		{"200 with an empty body", func(conn *net.TCPConn) {
			put(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}, runner.Incomplete, `ended before its first chunk`},
		{"200 with a foreign JSON object", func(conn *net.TCPConn) {
			put(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n", `{"status":"up"}`)
		}, runner.Protocol, `does not answer as Ollama does .*status.*up.*is something else listening there`},
		{"foreign JSON that says done", func(conn *net.TCPConn) {
			put(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n", `{"done":true}`)
		}, runner.Protocol, `does not answer as Ollama does`},
		{"a line longer than 8 MB, then the end", func(conn *net.TCPConn) {
			put(conn, head, part(piece(long)), part(""))
		}, runner.Incomplete, `ended after 1 chunk`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := wire(t, tt.talk)
			if err, done := askWithAPI(t, t.Context(), url, 0); err != nil || done && !strings.Contains(tt.name, "says done") {
				t.Errorf("api.Client: error %v, done %v; it was thought to report success without done", err, done)
			}
			answer, err := clientOf(t, url, nil).Do(t.Context(), question(), nil)
			wantFailure(t, answer, err, tt.class, tt.message)
		})
	}
}

// wantFailure checks that a call gave no answer, but an error for a person, and
// returns that.
func wantFailure(t *testing.T, answer any, err error, class runner.Class, message string) runner.Error {
	t.Helper()
	var failed *runner.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %+v and error %v, want an error of class %s", answer, err, class)
	}
	if failed.Class != class || !regexp.MustCompile(message).MatchString(failed.Message) {
		t.Errorf("got class %s, %q, want class %s, %s", failed.Class, failed.Message, class, message)
	}
	if len(failed.Message) > maxMessage+1024 || strings.ContainsAny(failed.Message, "\n\r\x1b") {
		t.Errorf("the message is no line for a person: %q", failed.Message)
	}
	return *failed
}

// A deadline in the middle of a stream is success to api.Client, with either kind
// of deadline.
func TestDeadlineWithinAStream(t *testing.T) {
	release := make(chan struct{})
	url := wire(t, func(conn *net.TCPConn) {
		put(conn, head, part(piece("Hel")))
		<-release
	})
	defer close(release)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err, done := askWithAPI(t, short, url, 0); err != nil || done {
		t.Errorf("api.Client with a context's deadline: error %v, done %v", err, done)
	}
	if err, done := askWithAPI(t, t.Context(), url, 50*time.Millisecond); err != nil || done {
		t.Errorf("api.Client with http.Client.Timeout: error %v, done %v", err, done)
	}

	why := errors.New("no token for 60s")
	ctx, stop := context.WithCancelCause(t.Context())
	answer, err := clientOf(t, url, nil).Do(ctx, question(), func(c runner.Chunk) { stop(why) })
	if answer != nil || !errors.Is(err, why) {
		t.Errorf("got %+v, %v, want the cause that the context ended with", answer, err)
	}
}

func TestCancelledBeforeTheAnswer(t *testing.T) {
	why := errors.New("interrupted")
	ctx, stop := context.WithCancelCause(t.Context())
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server watch the connection
		stop(why)
		<-r.Context().Done() // the server is told: it need not go on
	})
	if answer, err := clientOf(t, url, nil).Do(ctx, question(), nil); answer != nil || !errors.Is(err, why) {
		t.Errorf("got %+v, %v, want the cause", answer, err)
	}
}

// A redirect makes api.Client post the prompt to whatever it names.
func TestRedirectsAreRefused(t *testing.T) {
	stolen := 0
	thief := serve(t, func(w http.ResponseWriter, r *http.Request) {
		stolen++
		w.Header().Set("Content-Type", ndjson)
		_, _ = w.Write([]byte(last(nil)))
	})
	for _, status := range []int{301, 302, 303, 307, 308} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", strings.Replace(thief, "http://", "http://user:secret@", 1)+r.URL.Path)
			w.WriteHeader(status)
		})
		c := clientOf(t, url, nil)
		answer, err := c.Do(t.Context(), question(), nil)
		failed := wantFailure(t, answer, err, runner.Redirected, `redirects to http://127\.0\.0\.1:\d+, and runner sends prompts nowhere but`)
		if failed.Status != status || strings.Contains(failed.Message, "secret") {
			t.Errorf("status %d: got %+v", status, failed)
		}
		_, err = c.Version(t.Context())
		wantFailure(t, nil, err, runner.Redirected, `redirects to`)
		_, err = c.List(t.Context())
		wantFailure(t, nil, err, runner.Redirected, `redirects to`)
	}
	if stolen != 0 {
		t.Errorf("%d requests followed a redirect", stolen)
	}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, thief, http.StatusTemporaryRedirect) })
	if err, done := askWithAPI(t, t.Context(), url, 0); err != nil || !done || stolen != 1 {
		t.Errorf("api.Client: error %v, done %v, %d prompts re-posted; it was thought to follow", err, done, stolen)
	}
}

// Errors as Ollama v0.17.7 sends them, before the stream: status and message.
func TestReportedErrors(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		body    string
		class   runner.Class
		message string
	}{
		{"queue full", 503, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, runner.Busy, `is busy: server busy, please try again\. maximum`},
		{"queue full, by its text", 500, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, runner.Busy, `is busy`},
		{"unavailable, without a word", 503, ``, runner.Busy, `is busy: Service Unavailable`},
		{"a proxy's 503", 503, `<html>no upstream</html>`, runner.Busy, `is busy`},
		{"rate limit", 429, `{"error":"too many requests"}`, runner.RateLimited, `wants fewer requests: too many requests`},
		{"loading stalled", 500, `{"error":"timed out waiting for llama runner to start - progress 0.50 - "}`, runner.Server, `reports: timed out waiting for llama runner to start`},
		{"too little memory", 500, `{"error":"model requires more system memory (12.4 GiB) than is available (7.7 GiB)"}`, runner.DoesNotFit, `has too little memory for model "m": model requires more system memory \(12\.4 GiB\)`},
		{"no layout", 500, `{"error":"memory layout cannot be allocated with num_gpu = 99"}`, runner.DoesNotFit, `too little memory`},
		{"resource limits at load", 500, `{"error":"model failed to load, this may be due to resource limitations or an internal error, check ollama server logs for details"}`, runner.DoesNotFit, `too little memory`},
		{"died for want of memory", 500, `{"error":"llama runner process has terminated: cudaMalloc failed: out of memory"}`, runner.DoesNotFit, `out of memory`},
		{"runner stopped", 500, `{"error":"model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details"}`, runner.Crashed, `the process of model "m" died: model runner has unexpectedly stopped`},
		{"runner terminated", 500, `{"error":"llama runner process has terminated: exit status 2"}`, runner.Crashed, `exit status 2`},
		{"runner gone", 500, `{"error":"llama runner process no longer running: 2 "}`, runner.Crashed, `no longer running`},
		{"prompt too long", 400, `{"error":"the input length exceeds the context length"}`, runner.ContextOverflow, `^the prompt does not fit into num_ctx, 2048 tokens; shorten it or raise num_ctx`},
		{"prompt too long, newer server", 400, `{"error":"the request exceeds the available context size (2048 tokens), try increasing it"}`, runner.ContextOverflow, `does not fit`},
		{"prompt too long, as a 500", 500, `{"error":"input exceeds maximum context length and cannot be truncated further"}`, runner.ContextOverflow, `does not fit`},
		{"model missing", 404, `{"error":"model 'm' not found"}`, runner.ModelMissing, `^model "m" is not on http://localhost:\d+; fetch it with: OLLAMA_HOST=127\.0\.0\.1:\d+ ollama pull m$`},
		{"model missing, by its text", 500, `{"error":"model \"m\" not found, try pulling it first"}`, runner.ModelMissing, `is not on`},
		{"no such path", 404, `404 page not found`, runner.Protocol, `does not answer as Ollama does \(status 404, text/plain, "404 page not found"\)`},
		{"can't think", 400, `{"error":"\"m\" does not support thinking"}`, runner.Capability, `refuses the request: "m" does not support thinking`},
		{"can't chat", 400, `{"error":"\"m\" does not support chat"}`, runner.Capability, `does not support chat`},
		{"one image only", 500, `{"error":"this model only supports one image while more than one image requested"}`, runner.Capability, `one image`},
		{"remote model not allowed", 400, `{"error":"this server cannot run this remote model"}`, runner.Capability, `remote model`},
		{"bad format, before the stream", 500, `{"error":"invalid JSON schema in format"}`, runner.InvalidRequest, `refuses the request: invalid JSON schema in format`},
		{"bad format", 500, `{"error":"invalid format: \"\\\"yaml\\\"\"; expected \"json\" or a valid JSON Schema object"}`, runner.InvalidRequest, `invalid format`},
		{"bad option", 500, `{"error":"option \"num_ctx\" must be of type integer"}`, runner.InvalidRequest, `must be of type integer`},
		{"bad JSON", 400, `{"error":"unexpected EOF"}`, runner.InvalidRequest, `refuses the request: unexpected EOF`},
		{"not a number", 500, `{"error":"failed to encode response: json: unsupported value: NaN"}`, runner.InvalidRequest, `unsupported value: NaN`},
		{"not finite", 500, `{"error":"embedding contains NaN or Inf values"}`, runner.InvalidRequest, `contains NaN or Inf`},
		{"cloud signed out", 401, `{"error":"unauthorized","signin_url":"https://ollama.com/connect?name=x"}`, runner.Unauthorized, `denies access: unauthorized`},
		{"cloud disabled", 403, `{"error":"ollama cloud is disabled: remote model is unavailable"}`, runner.Unauthorized, `denies access: ollama cloud is disabled`},
		{"a proxy that wants a login", 401, `<html>login</html>`, runner.Unauthorized, `denies access: Unauthorized`},
		{"a proxy's page", 502, "<html>\n<head><title>502 Bad Gateway</title></head></html>", runner.Protocol, `does not answer as Ollama does \(status 502, text/html`},
		{"a proxy's time ran out", 504, ``, runner.Server, `failed with status 504 and no message`},
		{"a proxy's size limit", 413, `<html>Request Entity Too Large</html>`, runner.InvalidRequest, `takes no request as large`},
		{"an error object", 500, `{"error":{"message":"it broke","type":"server_error"}}`, runner.Server, `reports: it broke`},
		{"an error of another kind", 500, `{"error":42}`, runner.Server, `reports: 42`},
		{"an unknown 4xx", 418, `{"error":"short and stout"}`, runner.InvalidRequest, `short and stout`},
		{"TLS expected", 400, "Client sent an HTTP request to an HTTPS server.\n", runner.Protocol, `HTTP request to an HTTPS server`},
		{"201", 201, `{}`, runner.Protocol, `status 201`},
		{"terminal controls", 500, `{"error":"\u001b[31mred\u001b]8;;http://evil\u0007 alert\u009b2J \u202eesrever\r\nline"}`, runner.Server, `reports: red alert.* ?esrever line$`},
		{"endless message", 500, `{"error":"` + strings.Repeat("é", 40000) + `"}`, runner.Protocol, `status 500`},
		{"long message", 500, `{"error":"` + strings.Repeat("é", 20000) + `"}`, runner.Server, `éé\.\.\.$`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			contentType := "application/json; charset=utf-8"
			switch {
			case strings.HasPrefix(tt.body, "<"):
				contentType = "text/html"
			case !strings.HasPrefix(tt.body, "{"):
				contentType = "text/plain; charset=utf-8"
			}
			req := question()
			req.Options["num_ctx"] = 2048
			answer, err := clientOf(t, reply(t, tt.status, contentType, tt.body), nil).Do(t.Context(), req, nil)
			failed := wantFailure(t, answer, err, tt.class, tt.message)
			if failed.Status != tt.status {
				t.Errorf("status %d, want %d", failed.Status, tt.status)
			}
		})
	}
}

// Errors that come within the stream, with status 200.
func TestErrorsWithinTheStream(t *testing.T) {
	tests := []struct {
		error   string
		class   runner.Class
		message string
	}{
		{`"an error was encountered while running the model: unexpected EOF"`, runner.Crashed, `the process of model "m" died: an error was encountered while running the model`},
		{`"an error was encountered while running the model: CUDA error: out of memory"`, runner.DoesNotFit, `too little memory`},
		{`"error reading llm response: read tcp 127.0.0.1:1->127.0.0.1:2: wsarecv: forcibly closed"`, runner.Crashed, `died`},
		{`"an error was encountered while running the model: json: unsupported value: NaN"`, runner.InvalidRequest, `refuses the request: .*unsupported value: NaN`},
		{`"something new"`, runner.Server, `reports: something new`},
		{`{"message":"an object"}`, runner.Server, `reports: an object`},
		{`"the input length exceeds the context length"`, runner.ContextOverflow, `the context that the server gives the model`},
	}
	for _, tt := range tests {
		t.Run(tt.error, func(t *testing.T) {
			url := reply(t, 200, ndjson, piece("Hel")+`{"error":`+tt.error+"}\n")
			answer, err := clientOf(t, url, nil).Do(t.Context(), question(), nil)
			if failed := wantFailure(t, answer, err, tt.class, tt.message); failed.Status != 0 {
				t.Errorf("status %d of an error that has none", failed.Status)
			}
		})
	}
}

func TestForeignReplies(t *testing.T) {
	tests := []struct {
		name, contentType, body string
		class                   runner.Class
		message                 string
	}{
		{"a captive portal", "text/html; charset=utf-8", "<!doctype html><title>Please log in</title>", runner.Protocol, `status 200, text/html, "<!doctype html><title>Please log in`},
		{"an event stream", "text/event-stream", "data: {}\n\n", runner.Protocol, `text/event-stream`},
		{"plain text", "text/plain", "hello\n", runner.Protocol, `"hello"`},
		{"plain text without a newline", "text/plain", "Ollama is running", runner.Protocol, `"Ollama is running"`},
		{"a list", "application/json", "[1,2]\n", runner.Protocol, `"\[1,2\]"`},
		{"text in mid-stream", ndjson, piece("a") + "upstream timed out\n", runner.Protocol, `upstream timed out`},
		{"the reply of /api/generate", ndjson, `{"model":"m","response":"hi","done":false}` + "\n", runner.Protocol, `does not answer as Ollama`},
		{"a number where text belongs", ndjson, `{"message":{"content":7},"done":true}` + "\n", runner.Protocol, `does not answer as Ollama`},
		{"half a line at a clean end", ndjson, piece("a") + `{"model":"m","mess`, runner.Incomplete, `after 1 chunk`},
		{"an end that is not quite one", ndjson, strings.TrimSuffix(last(nil), "}\n"), runner.Incomplete, `before its first chunk`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer, err := clientOf(t, reply(t, 200, tt.contentType, tt.body), nil).Do(t.Context(), question(), nil)
			wantFailure(t, answer, err, tt.class, tt.message)
		})
	}
}

// Servers that cut the prompt although they were told not to are found out by
// what they count.
func TestPromptCutBehindOurBack(t *testing.T) {
	url := reply(t, 200, ndjson, piece("a")+last(func(r *api.ChatResponse) { r.PromptEvalCount = 2048 }))
	c := clientOf(t, url, nil)
	for _, limit := range []any{2048, int64(2048), 2048.0, 1000} {
		req := question()
		req.Options["num_ctx"] = limit
		answer, err := c.Do(t.Context(), req, nil)
		wantFailure(t, answer, err, runner.ContextOverflow, `the prompt fills the context of \d+ tokens \(num_ctx\)`)
	}
	req := question()
	req.Options["num_ctx"] = 4096
	if _, err := c.Do(t.Context(), req, nil); err != nil {
		t.Errorf("a prompt that fits: %v", err)
	}
	if _, err := c.Do(t.Context(), question(), nil); err != nil {
		t.Errorf("without num_ctx: %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	tests := map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "0": 0, "-3": 0, "0.5": 500 * time.Millisecond, "soon": 0, "NaN": 0,
		"99999999999999999999": maxRetryAfter, "Inf": maxRetryAfter,
		"Sun, 22 Nov 2026 10:01:00 GMT": time.Minute, "Sun, 22 Nov 2026 09:00:00 GMT": 0,
	}
	for header, want := range tests {
		if got := retryAfter(header, now); got != want {
			t.Errorf("retryAfter(%q) = %s, want %s", header, got, want)
		}
	}
	for _, status := range []int{429, 503} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(status)
		})
		_, err := clientOf(t, url, nil).Do(t.Context(), question(), nil)
		if failed := wantFailure(t, nil, err, classify(status, ""), ``); failed.RetryAfter != 17*time.Second {
			t.Errorf("status %d: RetryAfter %s, want 17s", status, failed.RetryAfter)
		}
	}
}
