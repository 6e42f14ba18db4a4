package output

import (
	"strconv"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// A recorder writes default records: flat JSON objects with Ollama's own names.
//
//	{"row":0,"id":"s1-spanish","vars":{...},"success":true,"prompt":"...","response":"...",
//	 "model":"gemma3:12b","done_reason":"stop","prompt_eval_count":31,"eval_count":12,"eval_duration":310000000,"key":"9f2c..."}
//
// key is there where results are kept; it finds the result again. thinking, json and warnings stand there where there are any, steps (each step's
// part of the record, by id) where there are several. A failed row has
// "success":false with error, error_class and attempts of the step that failed,
// and its prompt and model if there was a request. The order of the fields never
// changes, and nothing is in a record that another run with equal answers would change.
type recorder struct {
	columns []column
	timings bool // add all durations, in nanoseconds
}

// A column is a variable of the rows.
type column struct {
	name string
	object
	known bool // the fields of its objects are fields, and there are no others
}

// Fields of a globbed file. Records don't repeat its text.
const (
	globPath = "path"
	globText = "text"
)

// columnsOf gives the plan's variables with what the job knows of their fields.
func columnsOf(job *specs.Job, plan *pipeline.Plan) []column {
	columns := make([]column, len(plan.Columns))
	for i, name := range plan.Columns {
		columns[i] = column{name: name}
		for _, axis := range job.Axes {
			if axis.Name.Value == name {
				columns[i].describe(axis)
			}
		}
	}
	return columns
}

func (c *column) describe(axis specs.Axis) {
	c.fields = axis.Columns
	switch {
	case axis.Glob != "":
		c.drop = globText
		c.fields = []string{globPath, "dir", "stem"}
	case c.fields == nil:
		c.fields = fieldsOf(axis.List)
	}
	c.known = c.fields != nil
}

// fieldsOf gives the fields of a list's objects, in the order of first appearance
// and sorted within one object; nil where there are none.
func fieldsOf(list []any) []string {
	var o object
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			o.fields = append(o.fields, o.others(m)...)
		}
	}
	return o.fields
}

func (r *recorder) append(dst []byte, rec *runner.Record) []byte {
	dst = append(dst, '{')
	dst = r.appendFields(dst, rec)
	return append(dst, '}')
}

// appendFields appends the record without its braces.
func (r *recorder) appendFields(dst []byte, rec *runner.Record) []byte {
	dst = append(dst, `"row":`...)
	dst = strconv.AppendInt(dst, rec.Row.Number, 10)
	dst = append(dst, `,"id":`...)
	dst = appendString(dst, rec.Row.ID)
	dst = append(dst, `,"vars":`...)
	dst = r.appendVars(dst, rec.Row.Vars)
	dst = append(dst, ',')
	dst = r.appendResult(dst, shown(rec))
	if len(rec.Results) > 1 {
		dst = r.appendSteps(dst, rec.Results)
	}
	if simulated(rec) {
		dst = append(dst, `,"simulated":true`...)
	}
	return dst
}

// shown is the result that stands for its row: the failed one, or the last step's.
func shown(rec *runner.Record) *runner.Result {
	if failed := rec.Failure(); failed != nil {
		return failed
	}
	return rec.Last()
}

func simulated(rec *runner.Record) bool {
	for i := range rec.Results {
		if a := rec.Results[i].Answer; a != nil && a.Simulated {
			return true
		}
	}
	return false
}

// appendVars appends the variables in the plan's order. A variable that this row
// lacks (an include gave it to others) is left out.
func (r *recorder) appendVars(dst []byte, vars map[string]any) []byte {
	dst = append(dst, '{')
	open := len(dst)
	for i := range r.columns {
		c := &r.columns[i]
		v, has := vars[c.name]
		if !has {
			continue
		}
		if len(dst) > open {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, c.name), ':')
		if m, ok := v.(map[string]any); ok {
			dst = appendObject(dst, m, c.object)
		} else {
			dst = appendValue(dst, v)
		}
	}
	return append(dst, '}')
}

func (r *recorder) appendResult(dst []byte, res *runner.Result) []byte {
	if res.Err != nil {
		return appendFailure(dst, res)
	}
	dst = append(dst, `"success":true`...)
	if res.Request != nil {
		dst = appendField(dst, `,"prompt":`, prompt(res.Request))
	}
	return r.appendAnswer(dst, res)
}

func (r *recorder) appendAnswer(dst []byte, res *runner.Result) []byte {
	a := res.Answer
	dst = appendField(dst, `,"response":`, a.Response)
	if a.Thinking != "" {
		dst = appendField(dst, `,"thinking":`, a.Thinking)
	}
	if a.JSON != nil {
		dst = append(dst, `,"json":`...)
		dst = appendValue(dst, a.JSON)
	}
	dst = appendField(dst, `,"model":`, modelOf(res))
	dst = appendField(dst, `,"done_reason":`, a.DoneReason)
	dst = appendInt(dst, `,"prompt_eval_count":`, int64(a.PromptEvalCount))
	dst = appendInt(dst, `,"eval_count":`, int64(a.EvalCount))
	dst = appendInt(dst, `,"eval_duration":`, int64(a.EvalDuration))
	if r.timings {
		dst = appendTimings(dst, a.TotalDuration, a.LoadDuration, a.PromptEvalDuration)
	}
	return appendKey(appendWarnings(dst, a.Warnings), res)
}

// appendKey appends the key by which the result is found, where results are kept.
func appendKey(dst []byte, res *runner.Result) []byte {
	if res.Key.IsZero() {
		return dst
	}
	return appendField(dst, `,"key":`, res.Key.String())
}

func appendTimings(dst []byte, total, load, promptEval time.Duration) []byte {
	dst = appendInt(dst, `,"total_duration":`, int64(total))
	dst = appendInt(dst, `,"load_duration":`, int64(load))
	return appendInt(dst, `,"prompt_eval_duration":`, int64(promptEval))
}

func appendWarnings(dst []byte, warnings []string) []byte {
	if len(warnings) == 0 {
		return dst
	}
	dst = append(dst, `,"warnings":[`...)
	for i, w := range warnings {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, w)
	}
	return append(dst, ']')
}

func appendFailure(dst []byte, res *runner.Result) []byte {
	dst = append(dst, `"success":false`...)
	if res.Request != nil {
		dst = appendField(dst, `,"prompt":`, prompt(res.Request))
		dst = appendField(dst, `,"model":`, modelOf(res))
	}
	dst = appendField(dst, `,"error":`, res.Err.Message)
	dst = appendField(dst, `,"error_class":`, string(res.Err.Class))
	return appendKey(appendInt(dst, `,"attempts":`, int64(res.Attempts)), res)
}

func (r *recorder) appendSteps(dst []byte, results []runner.Result) []byte {
	dst = append(dst, `,"steps":{`...)
	for i := range results {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, results[i].Task.Step)
		dst = append(dst, ':', '{')
		dst = r.appendResult(dst, &results[i])
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// prompt is what the request asks: the content of the user's last message.
func prompt(req *pipeline.Request) string {
	for i := len(req.Messages) - 1; i >= 0; i-- {
		if req.Messages[i].Role == "user" {
			return req.Messages[i].Content
		}
	}
	return ""
}

// modelOf is the model that answered, or that was asked to.
func modelOf(res *runner.Result) string {
	switch {
	case res.Answer != nil && res.Answer.Model != "":
		return res.Answer.Model
	case res.Request != nil:
		return res.Request.Model
	}
	return ""
}

func appendField(dst []byte, name, value string) []byte {
	return appendString(append(dst, name...), value)
}

func appendInt(dst []byte, name string, value int64) []byte {
	return strconv.AppendInt(append(dst, name...), value, 10)
}
