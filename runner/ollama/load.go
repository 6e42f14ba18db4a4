package ollama

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// Load makes the server load req's model with req's options, and returns when it
// is in memory; loaded says whether it was not before. A model that runs elsewhere
// needs no loading, nor does one that is there as req wants it, as far as the server
// tells how that is.
func (c *Client) Load(ctx context.Context, req *pipeline.Request) (loaded bool, err error) {
	if remote, err := c.vet(ctx, req.Model); err != nil || remote {
		return false, err
	}
	if seen := c.justSeen(req.Model); seen != nil && asWanted(seen, req) {
		return false, nil
	}
	before, known, err := c.inMemory(ctx, req.Model)
	if err != nil {
		return false, err
	}
	if before != nil && asWanted(before, req) {
		return false, nil
	}
	body, err := loadBody(req)
	if err != nil {
		return false, &runner.Error{Class: runner.InvalidRequest, Message: err.Error(), Cause: err}
	}
	answer, err := c.ask(ctx, req, body, nil)
	switch {
	case err != nil:
		return false, err
	case !known: // no list of running models here: the server's own account must do
		return answer.LoadDuration > 0, nil
	case before == nil:
		return true, nil
	}
	after, _, err := c.inMemory(ctx, req.Model)
	return err == nil && after != nil && reloaded(before, after), nil
}

// asWanted says whether a loaded model is as a request wants it: it names no load
// option, or num_ctx alone and that is the model's context.
func asWanted(loaded *ModelInfo, req *pipeline.Request) bool {
	for name, value := range req.Options {
		if !runner.IsLoadOption(name) {
			continue
		}
		size, ok := number(value)
		if name != "num_ctx" || !ok || int64(loaded.ContextLength) != size {
			return false
		}
	}
	return true
}

// reloaded tells from the server's account of a loaded model that other options
// made it load the model anew.
func reloaded(before, after *ModelInfo) bool {
	return before.ContextLength != after.ContextLength || before.SizeLoaded != after.SizeLoaded || before.SizeVRAM != after.SizeVRAM
}

// A sight is what the server had in memory when it was looked at.
type sight struct {
	at      time.Time
	running []ModelInfo
}

// fresh is how long a sight is as good as asking again. A model that leaves memory
// after it was seen is loaded by the first request, within that one's own timeouts.
const fresh = time.Second

// justSeen returns a model that was in memory a moment ago, else nil.
func (c *Client) justSeen(name string) *ModelInfo {
	seen := c.sight.Load()
	if seen == nil || time.Since(seen.at) > fresh {
		return nil
	}
	return named(seen.running, name)
}

// inMemory finds a model among those in the server's memory, nil if it isn't
// there. A server that can't tell leaves known false.
func (c *Client) inMemory(ctx context.Context, name string) (info *ModelInfo, known bool, err error) {
	running, err := c.Running(ctx)
	if noSuchPath(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return named(running, name), true, nil
}

func named(models []ModelInfo, name string) *ModelInfo {
	for i := range models {
		if key(models[i].Name) == key(name) {
			return &models[i]
		}
	}
	return nil
}

// noSuchPath says that a server does not know the path it was asked for: it has
// less than Ollama, but is none the worse.
func noSuchPath(err error) bool {
	var why *runner.Error
	return errors.As(err, &why) && why.Class == runner.Protocol &&
		(why.Status == http.StatusNotFound || why.Status == http.StatusMethodNotAllowed)
}

// vet refuses models that would send the prompt to Ollama's cloud, unless that is
// allowed, and says whether one runs elsewhere. The server is asked once for each
// name that Preflight has not seen. Where it doesn't say, no prompt goes out: only
// a model that isn't there, and a server that can't be asked, let one pass.
func (c *Client) vet(ctx context.Context, name string) (remote bool, err error) {
	if where, ok := c.remote.Load(name); ok {
		return c.judge(name, where.(string))
	}
	if cloudName(name) && !c.allowCloud {
		return true, c.cloudRefused(name, "")
	}
	info, err := c.Show(ctx, name)
	switch {
	case noSuchPath(err): // a server without /api/show has no cloud models
	case classOf(err) == runner.ModelMissing:
		return false, nil // the request itself will tell
	case err != nil:
		return false, err
	}
	c.remote.Store(name, info.Remote)
	return c.judge(name, info.Remote)
}

// judge says whether a model that runs at where, empty for the server itself, runs
// elsewhere, and refuses it if it must not.
func (c *Client) judge(name, where string) (remote bool, err error) {
	if where != "" && !c.allowCloud {
		return true, c.cloudRefused(name, where)
	}
	return where != "", nil
}

// cloudRefused is the error of a model that runs in Ollama's cloud. It is one of
// the model's, not of the caller's rights: rows of other models go on.
func (c *Client) cloudRefused(name, where string) *runner.Error {
	if where == "" {
		where = "ollama.com"
	}
	return c.fail(runner.Capability, 0, "model %q runs on %s, so prompts would leave for there; allow it with: --allow-cloud", clean(name), clean(where))
}
