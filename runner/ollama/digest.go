package ollama

import (
	"context"
	"net/http"
)

// Digest gives the digest of a model that Preflight has not seen. A model that is not on
// the server is an error of class ModelMissing, with the line that fetches it.
func (c *Client) Digest(ctx context.Context, model string) (string, error) {
	for range 2 {
		models, err := c.List(ctx)
		if err != nil {
			return "", err
		}
		if m := named(models, model); m != nil && m.Digest != "" {
			return m.Digest, nil
		}
		// A simulated server that has any model lists it once it was asked about.
		if _, err := c.Show(ctx, model); err != nil {
			return "", err
		}
	}
	return "", c.missing(model, http.StatusNotFound)
}

// Digests gives the digests of those of the models that are on the server, by the names
// that are asked for. It asks for nothing but the list of models.
func (c *Client) Digests(ctx context.Context, models []string) (map[string]string, error) {
	list, err := c.List(ctx)
	if err != nil {
		return nil, err
	}
	digests := map[string]string{}
	for _, name := range models {
		if m := named(list, name); m != nil {
			digests[name] = m.Digest
		}
	}
	return digests, nil
}
