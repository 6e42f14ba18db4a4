package specs

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// mainStep is the id of the only step of a job that has no steps of its own.
const mainStep = "main"

// readSteps reads the steps, or makes one of the job's own keys.
func (d *draft) readSteps(top *yaml.Node) {
	if !has(top, "steps") {
		d.single = true
		d.steps = []stepFile{{askFile: d.file.askFile, node: top}}
	} else if d.file.Steps != nil && d.file.Steps.Kind == yaml.SequenceNode {
		for _, n := range d.file.Steps.Content {
			if d.wrong[n] {
				continue
			}
			f := stepFile{node: n}
			d.fill(n, &f)
			d.steps = append(d.steps, f)
		}
	}
	inherited := Step{Timeout: DefaultTimeout, Retry: DefaultRetry}
	if !d.single {
		d.topAsk(top)
		d.readAsk(&inherited, &d.file.askFile, asking{index: -1})
	}
	if d.opts.Model != "" {
		inherited.Model = d.flagModel(d.opts.Model)
	}
	for i := range d.steps {
		d.job.Steps = append(d.job.Steps, d.readStep(&d.steps[i], i, inherited))
	}
}

// topAsk reports a prompt at the top of a job with steps: it would be nobody's.
func (d *draft) topAsk(top *yaml.Node) {
	for key := range pairs(top) {
		if (key.Value == "prompt" || key.Value == "messages") && !d.wrong[key] {
			where := ""
			for k := range pairs(top) {
				if k.Value == "steps" {
					where = d.place(posOf(k))
				}
			}
			d.report(posOf(key), "", fmt.Sprintf("%q at the top makes a job of one step, and this one has steps (at %s)", key.Value, where), "move it into a step")
		}
	}
	d.file.Prompt, d.file.Messages = nil, nil
}

// asking says for whom a question is read.
type asking struct {
	index int    // the step, -1 for the top of the job
	id    string // what messages call the step, empty at the top
}

func (a asking) use(what string, s sight) use {
	return use{what: what, step: a.id, index: a.index, sight: s}
}

func (d *draft) readStep(f *stepFile, i int, inherited Step) Step {
	s := inherited
	s.Options = slices.Clone(inherited.Options)
	a := asking{index: i}
	s.Pos = posOf(f.node)
	if d.single {
		s.ID = String{Value: mainStep, Pos: s.Pos}
	} else if f.ID != nil {
		s.ID = str(f.ID)
		a.id = f.ID.Value
	}
	d.readAsk(&s, &f.askFile, a)
	d.readModelFlags(&s)
	d.readQuestion(&s, f, a)
	if f.Concurrency != nil {
		s.Concurrency = int(integer(f.Concurrency))
	}
	s.Rate = d.readRate(f.Rate, a.id)
	d.finishOptions(&s)
	return s
}

// readAsk reads what a step and the top of the job have in common, over what s has
// already.
func (d *draft) readAsk(s *Step, f *askFile, a asking) {
	if f.Model != nil {
		s.Model = d.template(f.Model, a.use("the model", ofVariables))
	}
	if f.System != nil {
		s.Messages = []Message{{Role: "system", Content: d.template(f.System, a.use("the system message", ofStep))}}
	}
	d.readOptions(s, f, a)
	d.readFormat(s, f.Format, a)
	if f.Think != nil {
		s.Think = think(f.Think)
	}
	if f.KeepAlive != nil {
		s.KeepAlive = f.KeepAlive.Value
	}
	d.readTimeout(&s.Timeout, f.Timeout, a)
	d.readRetry(&s.Retry, f.Retry, a)
}

func think(n *yaml.Node) any {
	if kindOf(n) == "boolean" {
		return boolean(n)
	}
	return n.Value
}

// readModelFlags puts the models of the command line in place.
func (d *draft) readModelFlags(s *Step) {
	if d.single && d.opts.Model != "" {
		s.Model = d.flagModel(d.opts.Model)
	}
	if name := d.opts.StepModels[s.ID.Value]; name != "" {
		s.Model = d.flagModel(name)
	}
}

// flagModel makes a template of a model's name from the command line.
func (d *draft) flagModel(name string) *Template {
	t := &Template{File: "-m " + name, text: name}
	return d.parseTemplate(name, t, use{what: "the model", index: -1, sight: ofVariables})
}

// readQuestion reads the prompt or the messages of a step.
func (d *draft) readQuestion(s *Step, f *stepFile, a asking) {
	hasPrompt, hasMessages := has(f.node, "prompt"), has(f.node, "messages")
	switch {
	case hasPrompt && hasMessages:
		d.report(posOf(keyOf(f.node, "messages")), a.id, fmt.Sprintf(`both "prompt" (at %s) and "messages" are given, and a step asks one question`, d.place(posOf(keyOf(f.node, "prompt")))), "remove one of the two")
	case !hasPrompt && !hasMessages:
		d.missingPrompt(f, a)
	case f.Prompt != nil:
		if t := d.readPrompt(f.Prompt, a); t != nil {
			s.Messages = append(slices.Clip(s.Messages), Message{Role: "user", Content: t})
		}
	case f.Messages != nil:
		d.readMessages(s, f, a)
	}
}

func (d *draft) missingPrompt(f *stepFile, a asking) {
	for key := range pairs(f.node) {
		if d.meant[key] == "prompt" || d.meant[key] == "messages" {
			return // a misspelt key is reported already
		}
	}
	if d.single {
		d.report(posOf(f.node), "", "the job has no prompt", `add one: prompt: "...", or messages, or steps`)
		return
	}
	d.report(posOf(f.node), a.id, "the step has no prompt", `add one: prompt: "...", or messages`)
}

// keyOf returns the key of a mapping, which is there.
func keyOf(n *yaml.Node, name string) *yaml.Node {
	for key := range pairs(n) {
		if key.Value == name {
			return key
		}
	}
	return n
}

// readPrompt reads a prompt that stands in the job file or in one of its own.
func (d *draft) readPrompt(n *yaml.Node, a asking) *Template {
	if n.Kind == yaml.ScalarNode {
		return d.template(n, a.use("the prompt", ofStep))
	}
	var f fileFile
	d.fill(n, &f)
	if f.File == nil || !d.pathInside(f.File, f.File.Value, "the prompt file") {
		return nil
	}
	src := d.readText(f.File, a, "the prompt file", maxPromptFile)
	if src == nil {
		return nil
	}
	if strings.TrimSpace(src.text) == "" {
		d.report(posOf(f.File), a.id, fmt.Sprintf("the prompt file %s is empty", f.File.Value), "")
		return nil
	}
	t := &Template{File: src.file, Start: Pos{1, 1}, Exact: true, text: src.text}
	return d.parseTemplate(src.text, t, a.use("the prompt", ofStep))
}

// readMessages reads a conversation. Its own system message takes the place of an
// inherited one.
func (d *draft) readMessages(s *Step, f *stepFile, a asking) {
	var messages []Message
	for i, item := range f.Messages.Content {
		var m messageFile
		d.fill(item, &m)
		if m.Role == nil || m.Content == nil {
			continue
		}
		if m.Role.Value == "system" {
			d.secondSystem(s, f, m.Role, a)
		}
		t := d.template(m.Content, a.use(fmt.Sprintf("message %d", i+1), ofStep))
		messages = append(messages, Message{Role: m.Role.Value, Content: t})
	}
	s.Messages = append(slices.Clip(s.Messages), messages...)
}

func (d *draft) secondSystem(s *Step, f *stepFile, role *yaml.Node, a asking) {
	if f.System != nil {
		d.report(posOf(role), a.id, fmt.Sprintf(`a system message is here, and "system" gives another at %s`, d.place(posOf(f.System))), "remove one of the two")
		return
	}
	s.Messages = nil
}
