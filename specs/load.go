package specs

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/batchrunner/runner/schema"
	"gopkg.in/yaml.v3"
)

// Options are what the command line says of a job.
type Options struct {
	Shown string // how messages name the job file; empty: its path inside the root
	// Model replaces the job's model, the one that steps without their own have.
	Model      string
	StepModels map[string]string // by step id: replaces that step's model
	Vars       map[string]string // by name: replaces a constant; read as a YAML scalar
	// Env is what templates see as .env: the variables that --env named.
	Env         map[string]string
	Concurrency int // replaces the job's concurrency and that of its bench, 0 doesn't
	// Bench makes the job a benchmark, also where it is none itself.
	Bench bool
	Runs  int // replaces the runs of its bench, 0 doesn't
	// Backstop holds the file against the JSON Schema as well, which takes longer than
	// all the rest. It finds nothing that our own walk does not: tests hold them equal.
	Backstop bool
}

// Load reads the job file at a path of the root (slash-separated) and checks it
// whole: its shape, its templates, its data files' columns. All that it reads, it
// reads through root. It returns the job and what there is to say about it, ordered
// by place; where that has mistakes (Diagnostics.Errors) the job is nil.
//
// A job without any model is no mistake: its steps' Model is nil.
func Load(root fs.FS, name string, opts Options) (*Job, Diagnostics) {
	shown := opts.Shown
	if shown == "" {
		shown = name
	}
	d := &draft{root: root, opts: opts, wrong: map[*yaml.Node]bool{}, meant: map[*yaml.Node]string{}, mended: map[int]bool{}, said: map[said]bool{}}
	d.job = &Job{File: shown, Dir: path.Dir(name), Env: maps.Clone(opts.Env)}
	d.inputs = []input{{path: path.Clean(name), what: "the job file"}}
	text, bad := readFile(root, name, maxJobFile)
	d.src = &source{file: shown, text: text, lines: splitLines(text)}
	d.used = map[string]*source{shown: d.src}
	if bad == nil {
		bad = control(text)
	}
	if bad != nil {
		d.report(bad.pos, "", bad.message, bad.help)
		return nil, d.diags
	}
	d.load(name)
	d.diags.sortFrom(shown)
	if len(d.diags.Errors()) > 0 {
		return nil, d.diags
	}
	d.job.sources = d.used
	return d.job, d.diags
}

// load goes from the text to the job: YAML, shape, meaning, checks.
func (d *draft) load(name string) {
	top := d.parse()
	if top == nil {
		return
	}
	d.top = top
	shaper := &shaper{draft: d}
	shaper.value(top, schema.JobShape(), "the job")
	if d.opts.Backstop && len(d.diags) == 0 {
		d.backstop()
	}
	d.fill(top, &d.file)
	d.read(top, name)
	d.scope = d.readScope()
	for _, check := range checks {
		check(d)
	}
}

// jobSchema is the compiled schema of job files.
var jobSchema = sync.OnceValue(func() *schema.Schema {
	compiled, err := schema.Compile("job.schema.json", schema.Job(), nil)
	if err != nil {
		panic(err) // ours, and tested
	}
	return compiled
})

// parse makes nodes of the text: one document, a mapping, without aliases.
func (d *draft) parse() *yaml.Node {
	doc := d.document()
	if doc == nil {
		return nil
	}
	if top := doc.Content[0]; top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		d.empty()
		return nil
	}
	t := &tree{draft: d, open: map[*yaml.Node]bool{}}
	t.walk(doc, false)
	if t.stopped {
		return nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		if !d.wrong[top] {
			d.report(posOf(top), "", "a job file is a mapping of keys, but this is "+show(top, kindOf(top)), "begin with the keys: model: NAME, then prompt: \"...\"")
		}
		return nil
	}
	return top
}

// document parses the text, mending its syntax as far as that can be done.
func (d *draft) document() *yaml.Node {
	text := d.src.text
	for range maxMends {
		dec := yaml.NewDecoder(strings.NewReader(text))
		var doc, second yaml.Node
		err := decodeNode(dec, &doc)
		if errors.Is(err, io.EOF) {
			d.empty()
			return nil
		}
		if err == nil {
			err = decodeNode(dec, &second)
			if errors.Is(err, io.EOF) {
				return &doc
			}
			if err == nil || separated(text) {
				d.secondDocument(&second)
				return &doc
			}
		}
		mended, ok := d.syntax(text, err)
		if !ok {
			return nil
		}
		text = mended
	}
	return nil
}

// decodeNode guards against the parser's panics.
func decodeNode(dec *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("yaml: the text can't be read")
		}
	}()
	return dec.Decode(n)
}

// separated says whether a line ends a document or begins another one.
func separated(text string) bool {
	return slices.ContainsFunc(splitLines(text)[1:], func(line string) bool {
		return strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...")
	})
}

func (d *draft) empty() {
	d.report(Pos{1, 1}, "", "the job file is empty", `the smallest job is two lines: model: gemma3:12b and prompt: "Say hello"`)
}

func (d *draft) secondDocument(second *yaml.Node) {
	p := posOf(second)
	for i, line := range d.src.lines { // where the parser gave up it has no place
		switch {
		case p.Line > 0 || i == 0:
		case strings.HasPrefix(line, "---"):
			p = Pos{i + 1, 1}
		case strings.HasPrefix(line, "..."):
			p = Pos{min(nextText(d.src.lines, i+1), len(d.src.lines)-1) + 1, 1}
		}
	}
	if p.Line == 0 {
		p = Pos{1, 1}
	}
	d.report(p, "", "a second document begins here, and a file holds one job", "move it to a file of its own")
}

// backstop holds the file against the job schema where our own walk found nothing:
// what it says means that the walk has forgotten something.
func (d *draft) backstop() {
	value, err := plain(d.top)
	if err != nil {
		return // the data's own mistakes are reported where data is read
	}
	for _, v := range jobSchema().Validate(value) {
		d.report(posOf(find(d.top, v.Path)), "", v.Message, "")
	}
}

// find returns the node at a path, or the last one on the way to it.
func find(n *yaml.Node, path []string) *yaml.Node {
	for _, step := range path {
		next := child(n, step)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}
