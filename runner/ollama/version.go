package ollama

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/batchrunner/runner/runner"
)

// Versions of Ollama that make a difference.
var (
	oldestVersion = [3]int{0, 9, 0}  // the first with think, which every request may carry
	wholePrompts  = [3]int{0, 12, 6} // the first that knows truncate:false on /api/chat
)

// checkVersion refuses servers that are too old, and warns of those that cut prompts.
func (c *Client) checkVersion(r *Report) error {
	version, ok := parseVersion(r.Version)
	switch {
	case !ok || version == [3]int{}: // built from source: as new as it gets
		return nil
	case older(version, oldestVersion):
		return c.fail(runner.Capability, 0, "%s runs Ollama %s, which is too old; update it to %s or later", c.shown, r.Version, dotted(wholePrompts))
	case older(version, wholePrompts):
		r.Warnings = append(r.Warnings, fmt.Sprintf("Ollama %s on %s cuts prompts that are longer than the context without a word; update it to %s or later, or set num_ctx so that runner can tell", r.Version, c.shown, dotted(wholePrompts)))
	}
	return nil
}

// parseVersion reads 0.17.7 and 0.18.0-rc1.
func parseVersion(text string) (version [3]int, ok bool) {
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "-")
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return version, false
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return version, false
		}
		version[i] = n
	}
	return version, true
}

func older(a, b [3]int) bool { return slices.Compare(a[:], b[:]) < 0 }

func dotted(v [3]int) string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }
