package simulate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ollama/ollama/types/model"
)

// A Model is a model the server has. Only Name is needed: the rest follows from
// it, as it would for a model of that name.
type Model struct {
	Name         string
	Digest       string   // SHA-256 in hexadecimal; default: that of the full name
	Size         int64    // bytes on disk; default: by the parameters in the name, 4b
	Capabilities []string // completion, thinking, vision, ...; default: by the name
	// RemoteModel and RemoteHost are set for models that run in Ollama's cloud.
	// Default: set for names that end in :cloud or -cloud.
	RemoteModel, RemoteHost string
	Timing                  *Timing // where it isn't the server's
}

// wellKnown are the models of a server that isn't told any.
var wellKnown = []string{
	"deepseek-r1:8b", "gemma3:1b", "gemma3:4b", "gemma3:12b", "gpt-oss:20b", "llama3.1:8b", "llama3.2", "llama3.2:1b",
	"mistral:7b", "nomic-embed-text", "phi4:14b", "qwen2.5:0.5b", "qwen2.5:7b", "qwen3:0.6b", "qwen3:4b", "qwen3:8b",
}

// modified is when all models were last changed, in their own account.
var modified = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// An entry is a model of the catalogue with everything filled in; it never changes.
type entry struct {
	Model
	full   string // the whole name, in lower case: gemma3:latest
	timing Timing
	family string
	params string // "4.0B"
	thinks bool
	embeds bool // and can't answer
}

// A catalogue holds the models that are present.
type catalogue struct {
	any     bool
	timing  Timing
	spelled sync.Map // as requests spell them, to *entry

	mu      sync.Mutex
	present map[string]*entry // by full name
}

func newCatalogue(cfg Config) *catalogue {
	c := &catalogue{any: cfg.AnyModel, timing: cfg.Timing, present: map[string]*entry{}}
	for _, m := range cfg.Models {
		c.add(m)
	}
	if cfg.Models == nil {
		for _, name := range wellKnown {
			c.add(Model{Name: name})
		}
	}
	return c
}

// add makes a model present, or leaves it as it is.
func (c *catalogue) add(m Model) *entry {
	full := fullName(m.Name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.present[full]; e != nil {
		return e
	}
	e := newEntry(m, full, c.timing)
	c.present[full] = e
	return e
}

// Add makes models present, as a pull does.
func (s *Server) Add(names ...string) {
	for _, name := range names {
		s.models.add(Model{Name: name})
	}
}

// find gives the model of a name as a request spells it, nil if it isn't present.
func (c *catalogue) find(name string) *entry {
	if e, ok := c.spelled.Load(name); ok {
		return e.(*entry)
	}
	full := fullName(name)
	c.mu.Lock()
	e := c.present[full]
	c.mu.Unlock()
	if e == nil {
		if !c.any || !validName(name) || strings.Contains(full, "missing") {
			return nil
		}
		e = c.add(Model{Name: name})
	}
	c.spelled.Store(name, e)
	return e
}

// list gives the models sorted by name. Ollama sorts by their age, newest first;
// these are all of one age.
func (c *catalogue) list() []*entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	entries := make([]*entry, 0, len(c.present))
	for _, e := range c.present {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, compareNames)
	return entries
}

func validName(name string) bool { return model.ParseName(name).IsValid() }

// fullName is the name under which Ollama knows a model: Gemma3 is gemma3:latest.
func fullName(name string) string {
	return strings.ToLower(model.ParseName(name).DisplayShortest())
}

func newEntry(m Model, full string, timing Timing) *entry {
	e := &entry{Model: m, full: full, timing: timing}
	params := parameters(full)
	e.family, e.params = family(full), strconv.FormatFloat(params, 'f', 1, 64)+"B"
	if e.Digest == "" {
		sum := sha256.Sum256([]byte(full))
		e.Digest = hex.EncodeToString(sum[:])
	}
	if e.Capabilities == nil {
		e.Capabilities = capabilities(full)
	}
	if e.RemoteHost == "" && cloudName(full) {
		e.RemoteHost = "https://ollama.com:443"
		e.RemoteModel = strings.TrimSuffix(strings.TrimSuffix(full, "-cloud"), ":cloud")
	}
	e.Size = cmp.Or(e.Size, sizeOf(e, params))
	if m.Timing != nil {
		e.timing = *m.Timing
	}
	e.thinks = slices.Contains(e.Capabilities, "thinking")
	e.embeds = !slices.Contains(e.Capabilities, "completion")
	return e
}

// sizeOf is what a model of that many billions of parameters takes in four bits;
// of a model in the cloud only its description is here.
func sizeOf(e *entry, params float64) int64 {
	if e.RemoteHost != "" {
		return 384
	}
	return int64(params * 6e8)
}

var parametersInName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[:-](\d+(?:\.\d+)?)(b|m)\b`) })

// parameters reads the billions of parameters from a name; 3 where it has none.
func parameters(full string) float64 {
	found := parametersInName().FindStringSubmatch(full)
	if found == nil {
		return 3
	}
	n, _ := strconv.ParseFloat(found[1], 64)
	if found[2] == "m" {
		n /= 1000
	}
	return n
}

// family is the letters a name begins with: gemma for gemma3:12b.
func family(full string) string {
	name := full[strings.LastIndexByte(full, '/')+1:]
	end := strings.IndexFunc(name, func(r rune) bool { return r < 'a' || r > 'z' })
	if end <= 0 {
		return "llama"
	}
	return name[:end]
}

func capabilities(full string) []string {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(full, part) })
	}
	if has("embed", "bge-", "minilm") {
		return []string{"embedding"}
	}
	list := []string{"completion"}
	if has("gemma3", "llava", "vision", "-vl") {
		list = append(list, "vision")
	}
	if has("qwen", "llama3", "mistral", "gpt-oss") {
		list = append(list, "tools")
	}
	if has("qwen3", "deepseek-r1", "gpt-oss") {
		list = append(list, "thinking")
	}
	return list
}

func cloudName(full string) bool {
	return strings.HasSuffix(full, ":cloud") || strings.HasSuffix(full, "-cloud")
}

func compareNames(a, b *entry) int { return cmp.Compare(a.full, b.full) }
