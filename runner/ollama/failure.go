package ollama

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// maxErrorBody bounds what is read of a reply that is no answer.
const maxErrorBody = 64 << 10

// fail makes an error with its class and a message for a person.
func (c *Client) fail(class runner.Class, status int, format string, args ...any) *runner.Error {
	return &runner.Error{Class: class, Status: status, Message: fmt.Sprintf(format, args...)}
}

// lost gives the error of a call that the network ended; when says how far it was.
// Once ctx is done, it is ctx's cause.
func (c *Client) lost(ctx context.Context, err error, when string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var classed *runner.Error
	if errors.As(err, &classed) {
		return classed
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // its own text shows the URL
	}
	failed := c.diagnose(err, when)
	failed.Cause = err
	return failed
}

// diagnose tells a server that can't be reached from one that hung up, and from
// something else that listens on its port.
func (c *Client) diagnose(err error, when string) *runner.Error {
	var (
		op       *net.OpError
		unknown  *net.DNSError
		untrust  *tls.CertificateVerificationError
		noTLS    tls.RecordHeaderError
		isDial   = errors.As(err, &op) && op.Op != "read" && op.Op != "write" && op.Op != "local error" && op.Op != "remote error"
		isScheme = errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &noTLS)
	)
	switch {
	case errors.Is(err, syscall.EMFILE):
		return c.fail(runner.Unreachable, 0, "no connection to %s: too many open files; lower concurrency or raise the limit (ulimit -n)", c.shown)
	case errors.As(err, &unknown):
		return c.fail(runner.Unreachable, 0, "the host of %s is not known (%s); check OLLAMA_HOST or --host", c.shown, clean(unknown.Err))
	case isScheme:
		return c.fail(runner.Protocol, 0, "%s does not speak TLS; write the host with http://", c.shown)
	case errors.As(err, &untrust):
		return c.fail(runner.Unreachable, 0, "the certificate of %s is not trusted: %s", c.shown, clean(untrust.Err.Error()))
	case isDial || strings.Contains(err.Error(), "TLS handshake"):
		return c.fail(runner.Unreachable, 0, "nothing answers at %s%s; %s", c.shown, c.reason(op), c.startHint())
	case strings.Contains(err.Error(), "malformed HTTP"), strings.Contains(err.Error(), "headers exceeded"):
		return c.fail(runner.Protocol, 0, "what listens at %s is no Ollama: %s", c.shown, noHTTP(err))
	}
	return c.fail(runner.Disconnected, 0, "the connection to %s broke %s", c.shown, when)
}

// noHTTP says what came instead of an answer in HTTP.
func noHTTP(err error) string {
	switch _, said, found := strings.Cut(clean(err.Error()), "malformed HTTP response "); {
	case found:
		return "it says " + said
	case strings.Contains(err.Error(), "headers exceeded"):
		return "the head of its answer does not end"
	}
	return "it does not answer in HTTP"
}

// reason says why a host elsewhere was not reached; on this machine it is nearly
// always that nothing runs.
func (c *Client) reason(op *net.OpError) string {
	if op == nil || isLoopback(c.host) {
		return ""
	}
	if op.Timeout() {
		return fmt.Sprintf(" within %s", dialTimeout)
	}
	return fmt.Sprintf(" (%s)", clean(op.Err.Error()))
}

// startHint says what to do about a server that does not answer.
func (c *Client) startHint() string {
	switch {
	case !isLoopback(c.host):
		return "see that Ollama runs there and listens on all addresses (OLLAMA_HOST=0.0.0.0)"
	case c.host.Port() == defaultPort:
		return "start it with: ollama serve"
	}
	return fmt.Sprintf("start it with: OLLAMA_HOST=%s ollama serve", c.host.Host)
}

// refused gives the error of a reply that can't hold an answer, nil if it can. Its
// body is then still to be read. ctx is the caller's.
func (c *Client) refused(ctx context.Context, resp *http.Response, req *pipeline.Request) error {
	switch {
	case resp.StatusCode/100 == 3:
		return c.redirected(resp)
	case resp.StatusCode != http.StatusOK:
		return c.rejected(ctx, resp, req)
	case !isJSON(resp.Header.Get("Content-Type")):
		return c.foreign(resp.StatusCode, resp.Header.Get("Content-Type"), readSome(resp.Body))
	}
	return nil
}

// isJSON says that a content type may be Ollama's stream: JSON of any kind, or
// what servers say that don't know what they send.
func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return contentType == ""
	}
	return strings.Contains(kind, "json") || kind == "text/plain" || kind == "application/octet-stream"
}

func (c *Client) redirected(resp *http.Response) error {
	target, err := resp.Location()
	to := "elsewhere"
	if err == nil {
		to = "to " + clean(target.Scheme+"://"+target.Host)
	}
	return c.fail(runner.Redirected, resp.StatusCode, "%s redirects %s, and runner sends prompts nowhere but to the host it was given; give that one with OLLAMA_HOST or --host if it is meant", c.shown, to)
}

// rejected gives the error of a reply with a status other than 200.
func (c *Client) rejected(ctx context.Context, resp *http.Response, req *pipeline.Request) error {
	body := readSome(resp.Body)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	status := resp.StatusCode
	text, ok := errorText(body)
	var failed *runner.Error
	switch {
	case ok:
		failed = c.reported(status, text, req)
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable,
		status == http.StatusUnauthorized, status == http.StatusForbidden:
		failed = c.reported(status, http.StatusText(status), req)
	case status == http.StatusRequestEntityTooLarge:
		failed = c.fail(runner.InvalidRequest, status, "%s takes no request as large as this one; a proxy before it may limit the size", c.shown)
	case status >= 500 && len(body) == 0:
		failed = c.fail(runner.Server, status, "%s failed with status %d and no message", c.shown, status)
	default:
		return c.foreign(status, resp.Header.Get("Content-Type"), body)
	}
	failed.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	return failed
}

// reported gives the error that Ollama reported in its own words.
func (c *Client) reported(status int, text string, req *pipeline.Request) *runner.Error {
	class := classify(status, text)
	if status == streaming {
		status = 0 // of an error within a stream there is none
	}
	words := clean(text)
	switch class {
	case runner.ContextOverflow:
		return c.fail(class, status, "the prompt does not fit %s; shorten it or raise num_ctx (%s: %s)", contextOf(req), c.shown, words)
	case runner.ModelMissing:
		return c.missing(req.Model, status)
	case runner.DoesNotFit:
		return c.fail(class, status, "%s has too little memory for model %q: %s", c.shown, clean(req.Model), words)
	case runner.Crashed:
		return c.fail(class, status, "the process of model %q died: %s", clean(req.Model), words)
	case runner.Busy:
		return c.fail(class, status, "%s is busy: %s", c.shown, words)
	case runner.RateLimited:
		return c.fail(class, status, "%s wants fewer requests: %s", c.shown, words)
	case runner.Unauthorized:
		return c.fail(class, status, "%s denies access: %s", c.shown, words)
	case runner.Capability, runner.InvalidRequest:
		return c.fail(class, status, "%s refuses the request: %s", c.shown, words)
	}
	return c.fail(class, status, "%s reports: %s", c.shown, words)
}

func (c *Client) missing(model string, status int) *runner.Error {
	return c.fail(runner.ModelMissing, status, "model %q is not on %s; fetch it with: %s", clean(model), c.shown, c.pullLine(model))
}

func contextOf(req *pipeline.Request) string {
	if limit, ok := number(req.Options["num_ctx"]); ok {
		return fmt.Sprintf("into num_ctx, %d tokens", limit)
	}
	return "into the context that the server gives the model"
}

// foreign gives the error of a reply that no Ollama makes: a proxy's page, a
// captive portal, another server.
func (c *Client) foreign(status int, contentType string, body []byte) *runner.Error {
	kind, _, _ := mime.ParseMediaType(contentType)
	if kind == "" {
		kind = "no content type"
	}
	return c.fail(runner.Protocol, status, "%s does not answer as Ollama does (status %d, %s, %q); is something else listening there, or a proxy in between?",
		c.shown, status, clean(kind), shorten(clean(string(body)), 200))
}

// readSome reads the beginning of a body that is no answer. What can't be read is
// not missed.
func readSome(body io.Reader) []byte {
	text, _ := io.ReadAll(io.LimitReader(body, maxErrorBody))
	return text
}
