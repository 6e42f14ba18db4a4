package output

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// Numbers are the columns of a job's outputs, for those who want to sum up what stands in
// them rather than write it.
type Numbers struct {
	plan    *pipeline.Plan
	columns []specs.Column
}

// NumbersOf gives the columns of a job's outputs that tell something of the answers, of
// each name the first.
func NumbersOf(job *specs.Job, plan *pipeline.Plan) *Numbers {
	n := &Numbers{plan: plan}
	names := answerNames(job)
	seen := map[string]bool{}
	for i := range job.Outputs {
		for _, c := range job.Outputs[i].Columns {
			if !seen[c.Name.Value] && reads(c.Value, names) {
				seen[c.Name.Value] = true
				n.columns = append(n.columns, c)
			}
		}
	}
	return n
}

// Of gives the columns of a record whose values are numbers, or text that is one, by
// name; true and false are 1 and 0. A failed row has none: what it lacks says nothing of
// the answers that are there.
func (n *Numbers) Of(rec *runner.Record) map[string]float64 {
	if len(n.columns) == 0 || !rec.OK() {
		return nil
	}
	in := newInput(n.plan, rec)
	found := map[string]float64{}
	for _, c := range n.columns {
		v, err := c.Value.Value(in.names())
		if err != nil {
			continue // the output itself tells of it
		}
		if x, ok := asNumber(v); ok {
			found[c.Name.Value] = x
		}
	}
	return found
}

func asNumber(v any) (float64, bool) {
	var text string
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case json.Number:
		text = v.String()
	case string:
		text = strings.TrimSpace(v)
		if !isNumber(text) {
			return 0, false
		}
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	}
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil
}

// Variables gives a row's variables as text, by the names of the plan's columns; of an
// object its fields, axis.field, but for the text of a file that a glob found.
func (n *Numbers) Variables(row *pipeline.Row) map[string]string {
	texts := map[string]string{}
	for _, name := range n.plan.Columns {
		v, has := row.Vars[name]
		if !has {
			continue
		}
		fields, ok := v.(map[string]any)
		if !ok {
			texts[name] = cellText(v)
			continue
		}
		for field, value := range fields {
			if _, isFile := fields[globPath]; !isFile || field != globText {
				texts[name+"."+field] = cellText(value)
			}
		}
	}
	return texts
}
