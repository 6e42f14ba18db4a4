package ollama

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ollama/ollama/api"
	"github.com/ollama/ollama/auth"
	"github.com/ollama/ollama/envconfig"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

const (
	// maxReply bounds a reply of the control plane, which api.Client reads into
	// memory whole. The largest honest one is a list of some thousand models.
	maxReply = 32 << 20
	// controlTimeout bounds a call of the control plane; all of them are answered
	// from memory or by reading the head of one file.
	controlTimeout = time.Minute
)

// A ModelInfo is what a server says of one model.
type ModelInfo struct {
	Name          string   // as the server spells it
	Digest        string   // SHA-256 of its manifest, in hexadecimal
	Size          int64    // bytes on disk
	Capabilities  []string // completion, thinking, vision, ...; nil where not asked for
	ContextLength int      // of a loaded model the one it is loaded with, else the model's longest; 0 where not asked for
	Remote        string   // where it runs, if not on the server itself
	Loaded        bool     // in memory
	SizeLoaded    int64    // bytes in memory, of which SizeVRAM on GPUs
	SizeVRAM      int64
}

// Probe returns nil when the server answers.
func (c *Client) Probe(ctx context.Context) error {
	_, err := c.Version(ctx)
	return err
}

// Version gives the server's version, such as 0.17.7. Servers built from source
// say 0.0.0.
func (c *Client) Version(ctx context.Context) (string, error) {
	ctx, cancel := c.boundedCall(ctx)
	defer cancel()
	version, err := c.control.Version(ctx)
	if err != nil {
		return "", c.controlError(ctx, err)
	}
	return clean(version), nil
}

// Simulated says whether a reply so far came from a simulated server.
func (c *Client) Simulated() bool { return c.simulated.Load() }

// List gives the models that are on the server, sorted by name.
func (c *Client) List(ctx context.Context) ([]ModelInfo, error) {
	ctx, cancel := c.boundedCall(ctx)
	defer cancel()
	list, err := c.control.List(ctx)
	if err != nil {
		return nil, c.controlError(ctx, err)
	}
	models := make([]ModelInfo, len(list.Models))
	for i, m := range list.Models {
		models[i] = ModelInfo{Name: clean(nameOf(m.Name, m.Model)), Digest: clean(m.Digest), Size: m.Size, Remote: clean(m.RemoteHost)}
	}
	slices.SortFunc(models, func(a, b ModelInfo) int { return strings.Compare(a.Name, b.Name) })
	return models, nil
}

// Running gives the models that are in the server's memory.
func (c *Client) Running(ctx context.Context) ([]ModelInfo, error) {
	ctx, cancel := c.boundedCall(ctx)
	defer cancel()
	list, err := c.control.ListRunning(ctx)
	if err != nil {
		return nil, c.controlError(ctx, err)
	}
	models := make([]ModelInfo, len(list.Models))
	for i, m := range list.Models {
		models[i] = ModelInfo{
			Name: clean(nameOf(m.Name, m.Model)), Digest: clean(m.Digest), Loaded: true,
			ContextLength: m.ContextLength, SizeLoaded: m.Size, SizeVRAM: m.SizeVRAM,
		}
	}
	return models, nil
}

func nameOf(name, model string) string {
	if name != "" {
		return name
	}
	return model
}

// Show gives a model's capabilities, its longest context, and where it runs.
func (c *Client) Show(ctx context.Context, model string) (ModelInfo, error) {
	ctx, cancel := c.boundedCall(ctx)
	defer cancel()
	reply, err := c.control.Show(ctx, &api.ShowRequest{Model: model})
	if err != nil {
		err = c.controlError(ctx, err)
		if classOf(err) == runner.ModelMissing {
			return ModelInfo{}, c.missing(model, http.StatusNotFound)
		}
		return ModelInfo{}, err
	}
	info := ModelInfo{Name: model, Remote: clean(reply.RemoteHost), Capabilities: []string{}}
	for _, capability := range reply.Capabilities {
		info.Capabilities = append(info.Capabilities, clean(string(capability)))
	}
	architecture, _ := reply.ModelInfo["general.architecture"].(string)
	if n, ok := number(reply.ModelInfo[architecture+".context_length"]); ok {
		info.ContextLength = int(n)
	}
	return info, nil
}

// Progress is how far a pull is: what is being done and, of one layer, bytes.
type Progress struct {
	Status           string
	Digest           string
	Completed, Total int64
}

// Pull makes the server fetch a model, and returns when it has it. progress, which
// may be nil, is called as the server reports. The time it takes is bounded by ctx
// alone.
func (c *Client) Pull(ctx context.Context, model string, progress func(Progress)) error {
	if !c.allowCloud && cloudName(model) {
		return c.cloudRefused(model, "")
	}
	done := false
	err := c.control.Pull(ctx, &api.PullRequest{Model: model}, func(p api.ProgressResponse) error {
		done = p.Status == "success"
		if progress != nil {
			progress(Progress{Status: clean(p.Status), Digest: clean(p.Digest), Completed: p.Completed, Total: p.Total})
		}
		return nil
	})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return c.pullError(ctx, model, err)
	case !done: // api.Client takes any end of the stream for a good one
		return c.fail(runner.Incomplete, 0, "pulling %q from %s ended before it was done; the same command goes on where it stopped", clean(model), c.shown)
	}
	return nil
}

func (c *Client) pullError(ctx context.Context, model string, err error) error {
	failed := c.controlError(ctx, err)
	var classed *runner.Error
	if errors.As(failed, &classed) {
		return &runner.Error{Class: classed.Class, Status: classed.Status, Cause: err, Message: fmt.Sprintf("pulling %q: %s", clean(model), classed.Message)}
	}
	return failed
}

func (c *Client) boundedCall(ctx context.Context) (context.Context, context.CancelFunc) {
	late := c.fail(runner.Timeout, 0, "%s took the connection, but did not answer within %s", c.shown, controlTimeout)
	return context.WithTimeoutCause(ctx, controlTimeout, late)
}

// controlError gives the classed error of a call that api.Client made.
func (c *Client) controlError(ctx context.Context, err error) error {
	var (
		network *url.Error
		classed *runner.Error
	)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &classed):
		return classed
	case errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF):
		return c.lost(ctx, err, "before its reply was complete")
	}
	// What is left is an error within a pull's stream, or a reply that api.Client
	// can't read.
	failed := c.fail(runner.Server, 0, "%s reports: %s", c.shown, clean(err.Error()))
	failed.Cause = err
	return failed
}

func classOf(err error) runner.Class {
	var classed *runner.Error
	if errors.As(err, &classed) {
		return classed.Class
	}
	return ""
}

// A guard stands between api.Client and the network: api.Client takes redirects
// and pages for replies, and reads replies of any size into memory.
type guard struct{ client *Client }

// RoundTrip gives replies of Ollama's; every other one is an *runner.Error.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	c := g.client
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.Header.Get(simulatedHeader) != "" {
		c.simulated.Store(true)
	}
	if err := c.refused(req.Context(), resp, &pipeline.Request{}); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	if !strings.HasSuffix(req.URL.Path, "/api/pull") { // a stream of hours, read line by line
		resp.Body = &limited{ReadCloser: resp.Body, left: maxReply, client: c}
	}
	return resp, nil
}

// A limited body ends with an error when it is longer than it may be.
type limited struct {
	io.ReadCloser
	left   int64
	client *Client
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, l.client.fail(runner.TooLarge, 0, "the reply of %s is longer than %s", l.client.shown, size(maxReply))
	}
	return n, err
}

// sign signs a request with the user's Ollama key where api.Client does so with
// its own: when OLLAMA_AUTH asks for it, and for ollama.com, which New refuses
// without AllowCloud.
func (c *Client) sign(req *http.Request) error {
	if !envconfig.UseAuth() && c.host.Hostname() != "ollama.com" {
		return nil
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	token, err := auth.Sign(req.Context(), []byte(req.Method+",/api/chat?ts="+stamp))
	if err != nil {
		failed := c.fail(runner.Unauthorized, 0, "no key to sign requests to %s with; make one with: ollama signin", c.shown)
		failed.Cause = err
		return failed
	}
	target := *req.URL
	target.RawQuery = "ts=" + stamp
	req.URL = &target
	req.Header = req.Header.Clone()
	req.Header.Set("Authorization", token)
	return nil
}
