package specs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/batchrunner/runner/templates"
)

// templateError reports a text that is no template, at its place in the file.
func (d *draft) templateError(t *Template, u use, text string, err error) {
	pos, message, help := t.Start, err.Error(), ""
	var bad *templates.Error
	if errors.As(err, &bad) {
		pos, message, help = t.At(bad.Line, bad.Col), bad.Message, bad.Help
	}
	d.add(Diagnostic{File: t.File, Pos: pos, Step: u.step, Message: u.what + ": " + message, Help: help})
}

// checkReferences holds every name that a template reads against what it will see.
func checkReferences(d *draft) {
	for _, u := range d.uses {
		for _, ref := range u.Refs() {
			if len(ref.Path) == 0 {
				continue // the whole scope, of which anything may be used
			}
			if m := d.reference(u, ref); m != nil {
				d.add(Diagnostic{File: u.File, Pos: u.At(ref.Line, ref.Col), Step: u.step, Message: m.message, Help: m.help, Warning: m.warning})
			}
		}
	}
}

// A complaint is what is wrong with one reference.
type complaint struct {
	message, help string
	warning       bool
}

// reference checks one name. Where the last of its fields may be missing, only
// what comes before is checked.
func (d *draft) reference(u use, ref templates.Ref) *complaint {
	path := ref.Path
	if ref.Optional {
		path = path[:len(path)-1]
	}
	if len(path) == 0 {
		return nil
	}
	switch {
	case path[0] == "steps":
		return d.stepReference(u, path)
	case path[0] == "row":
		return d.rowReference(u, path)
	case path[0] == "env":
		return d.envReference(u, path)
	case u.sight == ofOutput && slices.Contains(recordNames, path[0]) && !d.scope.has(path[0]):
		return d.recordReference(u, path)
	}
	return d.variableReference(u, path)
}

// recordNames are the names of the row's record that outputs' templates see.
var recordNames = []string{"response", "json", "thinking", "model", "success", "error"}

func written(path []string) string { return "." + strings.Join(path, ".") }

func (d *draft) rowReference(u use, path []string) *complaint {
	known := []string{"id", "number"}
	switch {
	case u.sight == ofVariables:
		return &complaint{message: fmt.Sprintf("%s is made from the row's variables alone, and uses %s", u.what, written(path))}
	case len(path) > 1 && !slices.Contains(known, path[1]):
		help := "there are .row.id and .row.number"
		if d.scope.has(path[1]) {
			help = fmt.Sprintf("did you mean .%s?", path[1])
		}
		return &complaint{message: fmt.Sprintf("%s uses %s, which a row does not have", u.what, written(path)), help: help}
	case len(path) > 2:
		return noFields(u, path, 2)
	}
	return nil
}

// noFields says that a field is asked of a plain value, the first n names.
func noFields(u use, path []string, n int) *complaint {
	return &complaint{message: fmt.Sprintf("%s uses %s, but %s is a plain value without fields", u.what, written(path), written(path[:n]))}
}

func (d *draft) envReference(u use, path []string) *complaint {
	if len(path) < 2 {
		return nil
	}
	if _, ok := d.opts.Env[path[1]]; !ok {
		return &complaint{
			message: fmt.Sprintf("%s uses %s, and a job sees only environment variables that the command line names", u.what, written(path[:2])),
			help:    "allow it with --env " + path[1],
		}
	}
	if len(path) > 2 {
		return noFields(u, path, 2)
	}
	return nil
}

// answerFields are the fields of a step's answer.
var answerFields = []string{
	"response", "json", "thinking", "model", "status", "done_reason",
	"prompt_eval_count", "eval_count",
	"total_duration", "load_duration", "prompt_eval_duration", "eval_duration",
}

// answerWords are what people call an answer's text.
var answerWords = []string{"text", "content", "output", "answer", "result", "message", "value", "completion"}

func (d *draft) stepReference(u use, path []string) *complaint {
	if u.sight == ofVariables {
		return &complaint{message: fmt.Sprintf("%s is made from the row's variables alone, and uses the answer %s", u.what, written(path))}
	}
	if len(path) < 2 {
		return nil
	}
	i := d.stepIndex(path[1])
	if i < 0 {
		if d.stepsUnsure() {
			return nil
		}
		return d.unknownStep(u, path)
	}
	if len(path) == 2 {
		return nil
	}
	if !slices.Contains(answerFields, path[2]) {
		return &complaint{
			message: fmt.Sprintf("%s uses %s, and answers have no field %q", u.what, written(path[:3]), path[2]),
			help:    d.answerHelp(i, path),
		}
	}
	if path[2] == "json" {
		return d.jsonReference(u, i, path, 3)
	}
	if len(path) > 3 {
		return noFields(u, path, 3)
	}
	return nil
}

func (d *draft) unknownStep(u use, path []string) *complaint {
	help := didYouMean(path[1], "the steps", d.stepIDs(), func(id string) string { return ".steps." + id })
	if d.single {
		help = "this job has one step"
		if u.sight == ofOutput {
			help += ", whose answer outputs see as .response"
		}
	}
	return &complaint{message: fmt.Sprintf("%s uses %s, and no step has the id %q", u.what, written(path), path[1]), help: help}
}

// answerHelp suggests a field; one of the step's own schema is under json.
func (d *draft) answerHelp(i int, path []string) string {
	if schema := d.job.Steps[i].Schema; schema != nil {
		if known, _, _ := schema.Properties(nil); slices.Contains(known, path[2]) {
			return fmt.Sprintf("did you mean %s.json.%s?", written(path[:2]), path[2])
		}
	}
	if slices.Contains(answerWords, path[2]) {
		return fmt.Sprintf("did you mean %s.response?", written(path[:2]))
	}
	return didYouMean(path[2], "its fields", answerFields, func(name string) string { return written(path[:2]) + "." + name })
}

// recordReference checks a name of the record: the last step's answer.
func (d *draft) recordReference(u use, path []string) *complaint {
	if path[0] == "json" && len(d.job.Steps) > 0 {
		return d.jsonReference(u, len(d.job.Steps)-1, path, 1)
	}
	if len(path) > 1 {
		return noFields(u, path, 1)
	}
	return nil
}

// jsonReference checks what is read of a step's answer as JSON; n names lead to it.
func (d *draft) jsonReference(u use, step int, path []string, n int) *complaint {
	s := &d.job.Steps[step]
	if !s.JSON && d.file.Format == nil && !has(d.steps[step].node, "format") {
		who := "the job"
		if !d.single {
			who = fmt.Sprintf("the step %q", s.ID.Value)
		}
		return &complaint{message: fmt.Sprintf("%s uses %s, and %s has no format", u.what, written(path), who), help: "give it one: format: json, or a JSON Schema"}
	}
	if s.Schema == nil {
		return nil
	}
	for i := n; i < len(path); i++ {
		known, closed, ok := s.Schema.Properties(path[n:i])
		if !ok || slices.Contains(known, path[i]) {
			continue
		}
		meant := Nearest(path[i], known)
		if !closed && meant == "" {
			return nil // an object may have more properties than its schema names
		}
		return &complaint{
			message: fmt.Sprintf("%s uses %s, and the format names no property %q there", u.what, written(path), path[i]),
			help:    didYouMean(path[i], "its properties", known, quote), warning: !closed,
		}
	}
	return nil
}

func (d *draft) variableReference(u use, path []string) *complaint {
	if !d.scope.has(path[0]) {
		if wrongIn(d, d.file.Matrix) || wrongIn(d, d.file.Vars) || has(d.top, "matrix") && d.file.Matrix == nil {
			return nil // a mistake there may be what hides it
		}
		return &complaint{message: fmt.Sprintf("%s uses %s, which no matrix variable defines", u.what, written(path)), help: d.variableHelp(u, path)}
	}
	return d.fieldReference(u, path)
}

// variableHelp says what was probably meant by a name that nothing defines.
func (d *draft) variableHelp(u use, path []string) string {
	name := path[0]
	if u.sight != ofOutput && (name == "response" || name == "json") {
		return "an answer is seen by later steps, as .steps.ID." + name + ", and by outputs"
	}
	if name == RepetitionVar {
		return "it is there in a benchmark: add bench: {runs: 3}"
	}
	for _, axis := range d.job.Axes {
		if slices.Contains(axis.Columns, name) {
			return fmt.Sprintf("did you mean .%s.%s?", axis.Name.Value, name)
		}
	}
	names := append(slices.Clip(d.scope.names), "row", "steps")
	if u.sight == ofOutput {
		names = append(names, recordNames...)
	}
	if meant := Nearest(name, names); meant != "" {
		return "did you mean ." + meant + "?"
	}
	if len(d.scope.names) == 0 {
		return "define it under matrix or vars"
	}
	return didYouMean(name, "the variables", d.scope.names, dotted)
}

// fieldReference checks the fields that a template reads of a variable against the
// values that it may have. One value that has them is enough.
func (d *draft) fieldReference(u use, path []string) *complaint {
	if len(path) < 2 {
		return nil
	}
	known := d.scope.values[path[0]]
	if known.unsure || known.has(path[1:]) {
		return nil
	}
	for n := 1; n < len(path); n++ {
		p := known.at(path[1:n])
		switch {
		case p.any:
			return nil
		case slices.Contains(p.fields, path[n]):
			continue
		case len(p.fields) > 0:
			return noField(u, path, n, p.fields)
		case p.list:
			return &complaint{
				message: fmt.Sprintf("%s uses %s, but %s is a list", u.what, written(path), written(path[:n])),
				help:    fmt.Sprintf("take one of it with {{ index %s 0 }}, or all with {{ range %[1]s }}", written(path[:n])),
			}
		}
		return noFields(u, path, n)
	}
	return nil
}

// noField says that the objects to which the first n names lead lack the next one.
func noField(u use, path []string, n int, fields []string) *complaint {
	show := func(name string) string {
		if !identifiers().MatchString(name) {
			return fmt.Sprintf("{{ index %s %q }}", written(path[:n]), name)
		}
		return written(append(slices.Clip(path[:n]), name))
	}
	return &complaint{
		message: fmt.Sprintf("%s uses %s, and %s has no field %q", u.what, written(path), written(path[:n]), path[n]),
		help:    didYouMean(path[n], "its fields", fields, show),
	}
}
