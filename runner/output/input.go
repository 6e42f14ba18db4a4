package output

import (
	"errors"
	"fmt"
	"slices"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/templates"
)

// answerNames gives the names that only answers tell. A variable may be named
// model, the others are reserved; it then stands for the record's.
func answerNames(job *specs.Job) []string {
	names := []string{"steps", "response", "json", "thinking", "success", "error"}
	for _, axis := range job.Axes {
		if axis.Name.Value == "model" {
			return names
		}
	}
	for _, v := range job.Vars {
		if v.Name.Value == "model" {
			return names
		}
	}
	return append(names, "model")
}

// reads says whether a template reads one of the names. One that hands everything
// on may read anything.
func reads(t *specs.Template, names []string) bool {
	return slices.ContainsFunc(t.Refs(), func(r templates.Ref) bool {
		return len(r.Path) == 0 || slices.Contains(names, r.Path[0])
	})
}

// An input is what templates of outputs see of one row. The scope is made when
// the first template asks for it.
type input struct {
	plan     *pipeline.Plan
	row      *pipeline.Row
	rec      *runner.Record // nil before the row is run
	failed   *runner.Result // nil where the row is ok, or not run yet
	scope    map[string]any
	troubles []error // what kept cells empty in a row that is ok
	noted    bool    // the row has a problem
	told     bool    // one of its problems is kept to be told
}

func newInput(plan *pipeline.Plan, rec *runner.Record) *input {
	return &input{plan: plan, row: rec.Row, rec: rec, failed: rec.Failure()}
}

// names gives the scope: the row's variables, .row, .env, the answers under
// .steps, and the record's own names. Those of a failed row are null, all but
// .success, .error and .model.
func (in *input) names() map[string]any {
	if in.scope != nil {
		return in.scope
	}
	answers := make([]*pipeline.Answer, len(in.plan.Steps))
	if in.rec != nil {
		for i := range in.rec.Results {
			if in.rec.Results[i].Err == nil {
				answers[i] = in.rec.Results[i].Answer
			}
		}
	}
	in.scope = in.plan.Scope(in.row, answers)
	if in.rec != nil {
		in.addRecord()
	}
	return in.scope
}

func (in *input) addRecord() {
	res := shown(in.rec)
	for _, name := range []string{"response", "json", "thinking", "error"} {
		in.scope[name] = nil
	}
	in.scope["success"] = in.failed == nil
	in.addModel(modelOf(res))
	if in.failed != nil {
		in.scope["error"] = res.Err.Message
		return
	}
	in.scope["response"] = res.Answer.Response
	in.scope["json"] = res.Answer.JSON
	if res.Answer.Thinking != "" {
		in.scope["thinking"] = res.Answer.Thinking
	}
}

func (in *input) addModel(model string) {
	if _, isVariable := in.row.Vars["model"]; isVariable {
		return
	}
	in.scope["model"] = nil
	if model != "" {
		in.scope["model"] = model
	}
}

// A rowError is why a template of an output can't be rendered for a row.
type rowError struct {
	tmpl  *specs.Template
	what  string // the part of the output: "file", "column \"score\"", ...
	cause error
}

func (e *rowError) Error() string { return fmt.Sprintf("%s: %v", e.what, e.cause) }

func (e *rowError) Unwrap() error { return e.cause }

func (in *input) render(what string, t *specs.Template) (string, error) {
	text, err := t.Render(in.names())
	if err != nil {
		return "", &rowError{t, what, err}
	}
	return text, nil
}

func (in *input) value(what string, t *specs.Template) (any, error) {
	v, err := t.Value(in.names())
	if err != nil {
		return nil, &rowError{t, what, err}
	}
	return v, nil
}

// cell gives a column's value: null where a failed row lacks the answer that it
// needs, and where it can't be made, which is then noted.
func (in *input) cell(c specs.Column) any {
	v, err := in.value(fmt.Sprintf("column %q", c.Name.Value), c.Value)
	if err != nil && in.failed == nil {
		in.troubles = append(in.troubles, err)
	}
	return v
}

// truth gives the value of a when, which must be true or false.
func (in *input) truth(t *specs.Template) (bool, error) {
	v, err := in.value("when", t)
	switch v {
	case true, "true":
		return true, nil
	case false, "false":
		return false, nil
	}
	if err == nil {
		err = &rowError{t, "when", fmt.Errorf("it must be true or false, and is %s", appendValue(nil, v))}
	}
	return false, err
}

// diagnostic tells about a row for which part of an output can't be made.
func (in *input) diagnostic(out *output, err error) specs.Diagnostic {
	d := specs.Diagnostic{File: out.spec.File.File, Pos: out.spec.File.Start}
	d.Message = fmt.Sprintf("%s: output %q: %v", in.row, out.spec.File.Text(), err)
	var rowErr *rowError
	if errors.As(err, &rowErr) {
		d.File, d.Pos = rowErr.tmpl.File, rowErr.tmpl.Start
	}
	var tmplErr *templates.Error
	if errors.As(err, &tmplErr) {
		d.Pos = rowErr.tmpl.At(tmplErr.Line, tmplErr.Col)
		d.Message = fmt.Sprintf("%s: output %q: %s: %s", in.row, out.spec.File.Text(), rowErr.what, tmplErr.Message)
		d.Help = tmplErr.Help
	}
	var nameErr *nameError
	if errors.As(err, &nameErr) {
		d.Help = nameErr.bad.help
	}
	return d
}

// A nameError is a file name that can't be used.
type nameError struct {
	name string
	bad  *badName
}

func (e *nameError) Error() string { return fmt.Sprintf("the file name %q %s", e.name, e.bad.message) }
