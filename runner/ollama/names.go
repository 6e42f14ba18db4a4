package ollama

import (
	"strings"

	"github.com/agext/levenshtein"
	"github.com/ollama/ollama/types/model"
)

// key is the name under which Ollama finds a model: gemma3, Gemma3:latest and
// library/gemma3:latest are one.
func key(name string) string {
	return strings.ToLower(model.ParseName(strings.TrimSpace(name)).String())
}

// cloudName says that a name alone tells that the model runs in Ollama's cloud:
// gpt-oss:120b-cloud, qwen3-coder:cloud.
func cloudName(name string) bool {
	tag := strings.ToLower(model.ParseName(strings.TrimSpace(name)).Tag)
	return tag == "cloud" || strings.HasSuffix(tag, "-cloud")
}

// closest gives the name among names that was most likely meant, or none.
func closest(name string, names []string) string {
	best, bestScore := "", 0.6 // below that it's another model
	for _, candidate := range names {
		score := levenshtein.Similarity(short(name), short(candidate), nil)
		if sameModel(name, candidate) {
			score++ // the same model in another size is nearer than any other name
		}
		if score > bestScore {
			best, bestScore = candidate, score
		}
	}
	return best
}

// short is a name without what it shares with most others.
func short(name string) string {
	return strings.TrimSuffix(strings.ToLower(model.ParseName(strings.TrimSpace(name)).DisplayShortest()), ":latest")
}

func sameModel(a, b string) bool {
	x, y := model.ParseName(a), model.ParseName(b)
	return strings.EqualFold(x.Model, y.Model) && strings.EqualFold(x.Namespace, y.Namespace)
}

// pullLine is the command that fetches a model onto the client's host.
func (c *Client) pullLine(name string) string {
	line := "ollama pull " + clean(name)
	if isLoopback(c.host) && c.host.Port() == defaultPort {
		return line
	}
	return "OLLAMA_HOST=" + c.address() + " " + line
}

// address is the host as OLLAMA_HOST takes it, without user and password.
func (c *Client) address() string {
	if c.host.Scheme == "http" && c.host.Path == "" {
		return c.host.Host
	}
	return c.shown
}
