package ollama

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ollama/ollama/api"
	"github.com/sourcegraph/conc"
	"github.com/sourcegraph/conc/pool"

	"github.com/batchrunner/runner/runner"
)

// A Need is one model that a job asks, and what it asks of it.
type Need struct {
	Model  string
	Steps  []string // that ask it, for messages
	Think  bool     // some step wants it to think
	Vision bool     // some step sends images
	Known  string   // the digest of it that was looked at before, which need not be again; or empty
}

// A Report is what a server offers for a job's needs.
type Report struct {
	Host      string // as messages name it
	Version   string // empty where the server does not tell
	Simulated bool
	// Models are the models that can be asked, by the names of the needs.
	// Capabilities and ContextLength are known only of those that were looked at;
	// Describe fills them in, and what is in memory.
	Models map[string]ModelInfo
	// Unusable are the others, with why: class model_missing, capability
	// (also of a model in the cloud), or unauthorized.
	Unusable map[string]*runner.Error
	Warnings []string

	names []string // models of the server that can be suggested
}

// Missing gives the names of models that a pull would bring, sorted.
func (r *Report) Missing() []string { return r.of(runner.ModelMissing) }

func (r *Report) of(class runner.Class) []string {
	var names []string
	for name, why := range r.Unusable {
		if why.Class == class {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Preflight finds out whether the server can do what a job needs, with as few
// calls as that takes: version and list at once, and details of a model where a need
// depends on them, or nobody has looked at it before: it may do no more than embed. An error without a report means that the server can't be
// used at all; an error with one names every model that can't be asked, in one
// message with the commands that mend it.
func (c *Client) Preflight(ctx context.Context, needs []Need) (*Report, error) {
	found := c.look(ctx)
	if found.err != nil {
		return nil, found.err
	}
	needs = merged(needs)
	r := &Report{
		Host: c.shown, Version: found.version, Simulated: c.Simulated(),
		Models: map[string]ModelInfo{}, Unusable: map[string]*runner.Error{},
	}
	if err := c.checkVersion(r); err != nil {
		return nil, err
	}
	present := map[string]ModelInfo{}
	for _, m := range found.models {
		present[key(m.Name)] = m
		if m.Remote == "" || c.allowCloud {
			r.names = append(r.names, m.Name)
		}
	}
	if err := c.checkModels(ctx, r, needs, present); err != nil {
		return nil, err
	}
	return r, c.problems(r, needs)
}

// merged joins the needs of each model into one, sorted by model.
func merged(needs []Need) []Need {
	var out []Need
	for _, need := range needs {
		i := slices.IndexFunc(out, func(n Need) bool { return n.Model == need.Model })
		if i < 0 {
			i = len(out)
			out = append(out, Need{Model: need.Model, Known: need.Known})
		}
		out[i].Steps = append(out[i].Steps, need.Steps...)
		out[i].Think = out[i].Think || need.Think
		out[i].Vision = out[i].Vision || need.Vision
	}
	for i := range out {
		slices.Sort(out[i].Steps)
		out[i].Steps = slices.Compact(out[i].Steps)
	}
	slices.SortFunc(out, func(a, b Need) int { return strings.Compare(a.Model, b.Model) })
	return out
}

// A look is what a server says of itself: its version and its models.
type look struct {
	version string
	models  []ModelInfo
	err     error
}

// Begin starts to look at the server and returns at once, so that a job can be read
// meanwhile: the next Preflight takes what was found. Where a request is sure to follow,
// it looks for the models in memory too. The caller calls end when it needs the client
// no more; end waits for what is under way.
func (c *Client) Begin(ctx context.Context, sure bool) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	begun := make(chan look, 1)
	c.begun.Store(&begun)
	var wait conc.WaitGroup
	wait.Go(func() { begun <- c.lookNow(ctx, sure) })
	wait.Go(func() { _, _ = encode(&api.ChatRequest{}) }) // encoding/json's first look at the type takes half a millisecond
	return func() {
		cancel()
		wait.Wait()
	}
}

// look returns what Begin has found, or looks now.
func (c *Client) look(ctx context.Context) look {
	begun := c.begun.Swap(nil)
	if begun == nil {
		return c.lookNow(ctx, false)
	}
	select {
	case found := <-*begun:
		return found
	case <-ctx.Done():
		return look{err: context.Cause(ctx)}
	}
}

// lookNow asks one thing after the other, on one connection: a second one costs more
// than it saves where the server is near. A server that lists its models but has no
// version, or no list of those in memory, is an imitation, and welcome.
func (c *Client) lookNow(ctx context.Context, memory bool) look {
	var found look
	if found.models, found.err = c.List(ctx); found.err != nil {
		return found
	}
	found.version, _ = c.Version(ctx)
	if !memory {
		return found
	}
	if running, err := c.Running(ctx); err == nil {
		c.sight.Store(&sight{at: time.Now(), running: running})
	}
	return found
}

// classed takes the one classed error out of a pool's, so that its message stands
// alone.
func classed(err error) error {
	var one *runner.Error
	if errors.As(err, &one) {
		return one
	}
	return err
}

// checkModels sorts the needs into models that can be asked and others.
func (c *Client) checkModels(ctx context.Context, r *Report, needs []Need, present map[string]ModelInfo) error {
	results := make([]func(), len(needs)) // applied in order, after all calls
	p := pool.New().WithContext(ctx).WithMaxGoroutines(showsAtOnce)
	for i, need := range needs {
		p.Go(func(ctx context.Context) error {
			info, err := c.checkModel(ctx, need, present)
			why, ok := asUnusable(err)
			if err != nil && !ok {
				return err
			}
			results[i] = func() { c.note(r, need.Model, info, why) }
			return nil
		})
	}
	if err := p.Wait(); err != nil {
		return classed(err)
	}
	for _, apply := range results {
		apply()
	}
	return nil
}

// showsAtOnce is how many models are looked at side by side; each look reads the
// head of a file on the server.
const showsAtOnce = 4

// asUnusable tells a model that can't be asked from a server that can't.
func asUnusable(err error) (*runner.Error, bool) {
	var why *runner.Error
	if !errors.As(err, &why) {
		return nil, false
	}
	switch why.Class {
	case runner.ModelMissing, runner.Capability, runner.Unauthorized:
		return why, true
	}
	return nil, false
}

func (c *Client) note(r *Report, name string, info ModelInfo, why *runner.Error) {
	if why != nil {
		r.Unusable[name] = why
		return
	}
	r.Models[name] = info
	c.remote.Store(name, info.Remote)
}

// checkModel holds one need against the server.
func (c *Client) checkModel(ctx context.Context, need Need, present map[string]ModelInfo) (ModelInfo, error) {
	info, ok := present[key(need.Model)]
	switch {
	case !c.allowCloud && (cloudName(need.Model) || info.Remote != ""):
		return info, c.cloudRefused(need.Model, info.Remote)
	case !ok && !cloudName(need.Model) && !c.Simulated(): // the cloud's need not be in the list, nor a simulated server's
		return info, c.missing(need.Model, 0)
	case ok && !need.Think && !need.Vision && need.Known != "" && need.Known == info.Digest:
		return info, nil
	}
	info.Name = nameOf(info.Name, need.Model)
	shown, err := c.Show(ctx, info.Name)
	if _, says := asUnusable(err); err != nil && !says && ok && !need.Think && !need.Vision {
		return info, nil // it is there, and nothing depends on what was not told
	}
	if err != nil {
		return info, err
	}
	info.Remote = nameOf(info.Remote, shown.Remote)
	info.Capabilities, info.ContextLength = shown.Capabilities, shown.ContextLength
	return info, c.able(need, info)
}

// able checks a model's capabilities. A server that names none is too old to.
func (c *Client) able(need Need, info ModelInfo) error {
	has := func(capability string) bool { return slices.Contains(info.Capabilities, capability) }
	name := clean(need.Model)
	switch {
	case len(info.Capabilities) == 0:
		return nil
	case !has("completion"):
		return c.fail(runner.Capability, 0, "model %q only does %s, it can't answer prompts", name, strings.Join(info.Capabilities, ", "))
	case need.Think && !has("thinking"):
		return c.fail(runner.Capability, 0, "model %q can't think; leave out think, or choose a model that can", name)
	case need.Vision && !has("vision"):
		return c.fail(runner.Capability, 0, "model %q can't see images; choose a model that can", name)
	}
	return nil
}
