package specs

import (
	"path"
	"slices"
	"strings"

	"github.com/batchrunner/runner/specs/dataset"
	"github.com/batchrunner/runner/templates"
	"gopkg.in/yaml.v3"
)

// What a template may see.
type sight int

const (
	ofVariables sight = iota // the row's variables alone
	ofStep                   // variables, .row, .env, earlier steps
	ofOutput                 // all steps and the record's own names
)

// A use is a template with what it is for.
type use struct {
	*Template
	what  string // "the prompt"
	step  string // the id that messages show, empty outside of steps
	index int    // the step it belongs to, -1 for none
	sight sight
}

// read makes the job of the file's nodes.
func (d *draft) read(top *yaml.Node, name string) {
	f := &d.file
	d.job.Name = strings.TrimSuffix(path.Base(name), path.Ext(name))
	if f.Name != nil {
		d.job.Name = f.Name.Value
	}
	d.readVars()
	d.readMatrix()
	if f.RowID != nil {
		d.job.RowID = d.template(f.RowID, use{what: "row_id", index: -1, sight: ofVariables})
	}
	d.readLimits()
	d.readSteps(top)
	d.readOutputs()
	d.readBench()
	d.readThresholds()
	d.readReports()
}

func (d *draft) readLimits() {
	d.job.Concurrency = DefaultConcurrency
	if d.file.Concurrency != nil {
		d.job.Concurrency = int(integer(d.file.Concurrency))
	}
	if d.opts.Concurrency > 0 {
		d.job.Concurrency = d.opts.Concurrency
	}
	d.job.Rate = d.readRate(d.file.Rate, "")
	if d.file.MaxFailures != nil {
		d.job.MaxFailures = d.share(d.file.MaxFailures)
	}
}

// readVars reads the constants, and puts those of --var in their place.
func (d *draft) readVars() {
	for key, value := range pairs(d.file.Vars) {
		if d.wrong[key] || d.wrong[value] {
			continue
		}
		d.job.Vars = append(d.job.Vars, Var{Name: str(key), Value: d.data(value)})
	}
	for _, name := range sortedKeys(d.opts.Vars) {
		d.replaceVar(name, d.opts.Vars[name])
	}
}

func (d *draft) replaceVar(name, text string) {
	i := slices.IndexFunc(d.job.Vars, func(v Var) bool { return v.Name.Value == name })
	if i >= 0 {
		d.job.Vars[i].Value = scalar(text)
		return
	}
	var names []string
	for _, v := range d.job.Vars {
		names = append(names, v.Name.Value)
	}
	help := didYouMean(name, "its vars", names, quote)
	if len(names) == 0 {
		help = "name the constant under vars, with the value it has without --var"
	}
	d.report(Pos{}, "", "--var "+name+"="+text+": the job has no constant of this name", help)
}

// scalar reads a value of the command line as YAML does; what is no scalar there is
// text.
func scalar(text string) any {
	var doc yaml.Node
	if yaml.Unmarshal([]byte(text), &doc) != nil || len(doc.Content) == 0 {
		return text
	}
	n := doc.Content[0]
	if n.Kind != yaml.ScalarNode || n.Line != 1 || strings.Contains(text, "\n") {
		return text
	}
	value, err := dataset.FromYAML(n)
	if _, plain := value.(string); err != nil || n.Style == 0 && (plain || n.Value != strings.TrimSpace(text)) {
		return text
	}
	return value
}

// template parses a template of the job file, and remembers it for the checks.
func (d *draft) template(n *yaml.Node, u use) *Template {
	t := &Template{}
	locate(n, d.src, t)
	return d.parseTemplate(n.Value, t, u)
}

// parseTemplate gives a placed template its text. A text that doesn't parse is
// reported, and becomes nil.
func (d *draft) parseTemplate(text string, t *Template, u use) *Template {
	parsed, err := templates.Parse(text)
	if err != nil {
		d.templateError(t, u, text, err)
		return nil
	}
	t.Template = parsed
	u.Template = t
	d.uses = append(d.uses, u)
	return t
}
