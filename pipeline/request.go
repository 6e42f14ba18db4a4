package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/batchrunner/runner/schema"
	"github.com/batchrunner/runner/specs"
)

// A step makes the requests of one step of the job. It is read only once made.
type step struct {
	spec     *specs.Step
	plan     *Plan
	model    part
	messages []part
	options  map[string]any // those without a template; shared by all requests if there are no others
	rendered []option
	needs    needs // of all parts
}

// A part is a template of a step, or the text of one without actions.
type part struct {
	*specs.Template
	text     string
	constant bool
	needs    needs
}

// needs says what templates read beside the row's variables.
type needs struct{ row, env, steps bool }

type option struct {
	part
	name  string
	shape *schema.Shape // nil: an option we know nothing of
}

func makeSteps(job *specs.Job, p *Plan) []*step {
	shapes := schema.JobShape().Key("options")
	steps := make([]*step, len(job.Steps))
	for i := range job.Steps {
		steps[i] = makeStep(&job.Steps[i], p, shapes)
	}
	return steps
}

func makeStep(spec *specs.Step, p *Plan, shapes *schema.Shape) *step {
	s := &step{spec: spec, plan: p, options: map[string]any{}}
	if spec.Model != nil {
		s.model = s.part(spec.Model)
	}
	for _, m := range spec.Messages {
		s.messages = append(s.messages, s.part(m.Content))
	}
	for _, o := range spec.Options {
		if o.Template == nil {
			s.options[o.Name.Value] = o.Value
			continue
		}
		s.rendered = append(s.rendered, option{s.part(o.Template), o.Name.Value, shapes.Key(o.Name.Value)})
	}
	return s
}

// part prepares a template, and adds what it needs to what the step needs.
func (s *step) part(t *specs.Template) part {
	p := part{Template: t, needs: needsOf(t)}
	if t.Constant() {
		if text, err := t.Render(nil); err == nil {
			p.text, p.constant = text, true
		}
	}
	s.needs.row = s.needs.row || p.needs.row
	s.needs.env = s.needs.env || p.needs.env
	s.needs.steps = s.needs.steps || p.needs.steps
	return p
}

func needsOf(t *specs.Template) needs {
	var n needs
	for _, ref := range t.Refs() {
		root := ""
		if len(ref.Path) > 0 {
			root = ref.Path[0]
		}
		n.row = n.row || root == "" || root == "row"
		n.env = n.env || root == "" || root == "env"
		n.steps = n.steps || root == "" || root == "steps"
	}
	return n
}

func (s *step) step() Step {
	step := Step{
		ID:          s.spec.ID.Value,
		Needs:       s.spec.Needs,
		Concurrency: s.spec.Concurrency,
		Rate:        s.spec.Rate,
		Timeout:     s.spec.Timeout,
		Retry:       s.spec.Retry,
		Request:     s.request,
	}
	if s.spec.JSON {
		step.Check = s.check
	}
	return step
}

// request makes the request of a row.
func (s *step) request(sc *Scope) (*Request, error) {
	r := rendering{step: s, row: sc.Row, scope: s.scope(sc)}
	req := r.request()
	if len(r.mistakes) > 0 {
		return nil, r.mistakes[0]
	}
	return req, nil
}

// scope is what the step's templates see, without what none of them reads.
func (s *step) scope(sc *Scope) map[string]any {
	if s.needs == (needs{}) {
		return sc.Row.Vars
	}
	scope := make(map[string]any, len(sc.Row.Vars)+3)
	maps.Copy(scope, sc.Row.Vars)
	if s.needs.row {
		scope["row"] = rowScope(sc.Row)
	}
	if s.needs.env {
		scope["env"] = envScope(s.plan.Env)
	}
	if s.needs.steps {
		scope["steps"] = s.plan.stepsScope(sc.Answers)
	}
	return scope
}

// A rendering makes one request and gathers all that is wrong with it.
type rendering struct {
	*step
	row      *Row
	scope    map[string]any
	early    bool // before the run: the model may still be named, by -m
	blind    bool // no answers are known: what reads them is left out
	mistakes []*Error
}

func (r *rendering) request() *Request {
	req := &Request{
		Model:     r.modelName(),
		Messages:  r.contents(),
		Options:   r.optionValues(),
		Format:    r.spec.Format,
		Think:     r.spec.Think,
		KeepAlive: r.spec.KeepAlive,
		OwnLimit:  r.spec.OwnLimit,
	}
	if r.row.Repetition > 0 {
		req.Repetition, req.Row = r.row.Repetition, r.row.Number+1
	}
	return req
}

func (r *rendering) modelName() string {
	if r.model.Template == nil {
		if r.early {
			return ""
		}
		r.mistakes = append(r.mistakes, &Error{Step: r.spec.ID.Value, Row: r.row, Message: "there is no model", Help: "name one in the job, or with -m"})
		return ""
	}
	name, ok := r.render(r.model)
	if name = strings.TrimSpace(name); ok && name == "" {
		r.wrong(r.model, "the model's name is empty", "give each row the name of a model")
	}
	return name
}

func (r *rendering) contents() []Message {
	messages := make([]Message, len(r.messages))
	for i, p := range r.messages {
		role := r.spec.Messages[i].Role
		text, ok := r.render(p)
		switch {
		case !ok:
		case !utf8.ValidString(text):
			r.wrong(p, fmt.Sprintf("%s is not valid UTF-8", r.called(i)), "what it is made of must be UTF-8 text")
		case role == "user" && strings.TrimSpace(text) == "":
			// Ollama would only load the model and answer nothing.
			r.wrong(p, r.called(i)+" is empty", "give the row something to ask, or leave it out with exclude")
		}
		messages[i] = Message{Role: role, Content: text}
	}
	return messages
}

// called is how the job's author knows a message.
func (r *rendering) called(i int) string {
	asked := func(m specs.Message) bool { return m.Role != "system" }
	switch role := r.spec.Messages[i].Role; {
	case role == "system" && i == 0:
		return "the system prompt"
	case role == "user" && slices.IndexFunc(r.spec.Messages, asked) == len(r.spec.Messages)-1:
		return "the prompt"
	default:
		return fmt.Sprintf("message %d (%s)", i+1, role)
	}
}

func (r *rendering) optionValues() map[string]any {
	if len(r.rendered) == 0 {
		return r.options
	}
	options := maps.Clone(r.options)
	for _, o := range r.rendered {
		if r.blind && o.needs.steps {
			continue
		}
		v, err := o.Value(r.scope)
		if err != nil {
			r.failed(o.part, err)
			continue
		}
		if v, err = o.fit(v); err != nil {
			r.wrong(o.part, err.Error(), "")
		}
		options[o.name] = v
	}
	return options
}

// render is false where there is no text: after a mistake, or where the part reads
// answers that are not known.
func (r *rendering) render(p part) (string, bool) {
	if p.constant {
		return p.text, true
	}
	if r.blind && p.needs.steps {
		return "", false
	}
	text, err := p.Render(r.scope)
	if err != nil {
		r.failed(p, err)
		return "", false
	}
	return text, true
}

func (r *rendering) failed(p part, err error) {
	r.mistakes = append(r.mistakes, fromTemplate(p.Template, r.spec.ID.Value, r.row, err))
}

func (r *rendering) wrong(p part, message, help string) {
	r.mistakes = append(r.mistakes, fromTemplate(p.Template, r.spec.ID.Value, r.row, errors.New(message)))
	r.mistakes[len(r.mistakes)-1].Help = help
}
