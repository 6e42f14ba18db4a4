// Package ollama asks models of an Ollama server. Its requests and the control
// plane are those of Ollama's own api package; answers are read by a stream reader
// of ours, since api.Client reports a broken stream as success and takes 8 MB of
// memory for each request (docs/ollama.md).
package ollama

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ollama/ollama/api"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// A Config says which server to ask and how. The zero Config is the default
// server of this machine.
type Config struct {
	Host        *url.URL // as ParseHost gives it; nil: http://127.0.0.1:11434
	Connections int      // idle connections to keep: the requests in flight at once; default 5
	AllowCloud  bool     // models that run on ollama.com may be asked, and so may ollama.com itself
	Name        string   // how messages name the host; default: its address
	Proxy       bool     // use the proxy of the environment (HTTP_PROXY and so on)
	// MaxAnswer bounds the text of an answer, thinking included, in bytes; default 16 MiB.
	MaxAnswer int
	// MaxLine bounds a line of the stream in bytes; default twice MaxAnswer, since
	// escapes make text longer.
	MaxLine int
}

// MaxAnswer is the default of Config.MaxAnswer: more than any model writes, and
// little enough for many rows at once.
const MaxAnswer = 16 << 20

// A Client asks one server. It is safe for concurrent use. It follows no
// redirect, and uses a proxy only if told to.
type Client struct {
	host       *url.URL
	shown      string        // host as messages name it
	chat       *http.Request // what all chat requests have in common
	transport  *http.Transport
	control    *api.Client
	allowCloud bool
	maxAnswer  int
	maxLine    int
	buffers    buffers
	remote     sync.Map    // by model name as asked: where it runs, empty for the server itself (string)
	simulated  atomic.Bool // the server said so in a reply
	begun      atomic.Pointer[chan look]
	sight      atomic.Pointer[sight]
}

var (
	_ runner.Model  = (*Client)(nil)
	_ runner.Loader = (*Client)(nil)
	_ runner.Prober = (*Client)(nil)
)

// New makes a client. It connects to nothing yet. Ollama's cloud is refused as a
// host unless AllowCloud is set.
func New(cfg Config) (*Client, error) {
	host := cfg.Host
	if host == nil {
		host = &url.URL{Scheme: "http", Host: "127.0.0.1:" + defaultPort}
	}
	if host.Scheme != "http" && host.Scheme != "https" || host.Hostname() == "" {
		return nil, fmt.Errorf("host %q: write it as http://host:port", host.Redacted())
	}
	if isCloud(host) && !cfg.AllowCloud {
		return nil, fmt.Errorf("%s is no machine of yours: prompts would leave for Ollama's cloud; allow it with: --allow-cloud", Shown(host))
	}
	c := &Client{
		host: host, shown: cmp.Or(cfg.Name, Shown(host)), transport: newTransport(host, cfg), allowCloud: cfg.AllowCloud,
		maxAnswer: cmp.Or(cfg.MaxAnswer, MaxAnswer),
	}
	c.maxLine = cmp.Or(cfg.MaxLine, 2*c.maxAnswer)
	c.chat = chatTemplate(host)
	c.control = api.NewClient(host, &http.Client{Transport: &guard{client: c}})
	return c, nil
}

// chatTemplate is the request that each call copies: only body and context differ.
// A user and password of the host become a header, and stay out of the URL.
func chatTemplate(host *url.URL) *http.Request {
	target := &url.URL{Scheme: host.Scheme, Host: host.Host, Path: strings.TrimRight(host.Path, "/") + "/api/chat"}
	header := http.Header{
		"Content-Type": {"application/json"},
		"Accept":       {"application/x-ndjson"},
		"User-Agent":   {"runner"},
	}
	if user := host.User; user != nil {
		password, _ := user.Password()
		plain := user.Username() + ":" + password
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(plain)))
	}
	return &http.Request{
		Method: http.MethodPost, URL: target, Host: target.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// String names the server, so that a client can be printed without its secrets.
func (c *Client) String() string { return c.shown }

// GoString is String, for the same reason.
func (c *Client) GoString() string { return "ollama.Client(" + c.shown + ")" }

// Close releases the idle connections. Calls under way are not touched, and the
// client can still be used.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Do asks one question and reads the whole answer; chunk, which may be nil, gets
// each piece as it comes. An answer is whole: the server said done. Otherwise the
// error is an *runner.Error with its class, or, once ctx is done, ctx's cause.
func (c *Client) Do(ctx context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
	body, err := Body(req)
	if err != nil {
		return nil, &runner.Error{Class: runner.InvalidRequest, Message: err.Error(), Cause: err}
	}
	if _, err := c.vet(ctx, req.Model); err != nil {
		return nil, err
	}
	answer, err := c.ask(ctx, req, body, chunk)
	if err != nil {
		return nil, err
	}
	if limit, ok := overflowed(req, answer); ok {
		return nil, c.fail(runner.ContextOverflow, 0, "the prompt fills the context of %d tokens (num_ctx), so %s may have cut it; raise num_ctx or shorten the prompt", limit, c.shown)
	}
	return answer, nil
}

// overflowed finds the answers of servers that cut the prompt in spite of
// truncate:false (before 0.12.6, and imitations): the prompt then counts as many
// tokens as the context has.
func overflowed(req *pipeline.Request, answer *pipeline.Answer) (int64, bool) {
	limit, ok := number(req.Options["num_ctx"])
	return limit, ok && limit > 0 && int64(answer.PromptEvalCount) >= limit
}

// ask posts a body to /api/chat and reads the reply. req is who asks, for
// messages.
func (c *Client) ask(ctx context.Context, req *pipeline.Request, body []byte, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	x := exchange{client: c, req: req, chunk: chunk}
	call = httptrace.WithClientTrace(call, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { x.timing.Sent = time.Now() }})
	post := c.chat.WithContext(call)
	post.ContentLength = int64(len(body))
	post.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	post.Body, _ = post.GetBody()
	if err := c.sign(post); err != nil {
		return nil, err
	}
	resp, err := c.transport.RoundTrip(post)
	if err != nil {
		return nil, c.lost(ctx, err, "before the answer began")
	}
	defer resp.Body.Close()
	if err := c.refused(ctx, resp, req); err != nil {
		return nil, err
	}
	answer, err := x.read(ctx, resp)
	if err != nil {
		return nil, err
	}
	drain(resp.Body, cancel)
	return answer, nil
}
