package ollama

import (
	"context"

	"github.com/sourcegraph/conc/pool"
)

// Describe fills in what Preflight leaves out of the models of a report, for
// people who want to see it: capabilities, context, and what is in memory.
func (c *Client) Describe(ctx context.Context, r *Report) error {
	running, err := c.Running(ctx)
	if err != nil {
		return err
	}
	loaded := map[string]ModelInfo{}
	for _, m := range running {
		loaded[key(m.Name)] = m
	}
	described := make([]ModelInfo, len(r.Models))
	names := make([]string, 0, len(r.Models))
	p := pool.New().WithContext(ctx).WithMaxGoroutines(showsAtOnce)
	for name, info := range r.Models {
		i := len(names)
		names = append(names, name)
		p.Go(func(ctx context.Context) (err error) {
			described[i], err = c.describe(ctx, info, loaded[key(name)])
			return err
		})
	}
	if err := p.Wait(); err != nil {
		return classed(err)
	}
	for i, name := range names {
		r.Models[name] = described[i]
	}
	return nil
}

func (c *Client) describe(ctx context.Context, info, loaded ModelInfo) (ModelInfo, error) {
	if info.Capabilities == nil {
		shown, err := c.Show(ctx, info.Name)
		if err != nil {
			return info, err
		}
		info.Capabilities, info.ContextLength = shown.Capabilities, shown.ContextLength
	}
	if loaded.Loaded {
		info.Loaded, info.SizeLoaded, info.SizeVRAM = true, loaded.SizeLoaded, loaded.SizeVRAM
		info.ContextLength = loaded.ContextLength
	}
	return info, nil
}
