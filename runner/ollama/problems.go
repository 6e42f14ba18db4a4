package ollama

import (
	"errors"
	"fmt"
	"strings"

	"github.com/batchrunner/runner/runner"
)

// problems puts all that is wrong with the models into one error, nil where
// nothing is: a sentence for each kind, and under it a line for each model with
// the command that mends it.
func (c *Client) problems(r *Report, needs []Need) error {
	if len(r.Unusable) == 0 {
		return nil
	}
	steps := map[string][]string{}
	for _, need := range needs {
		steps[need.Model] = need.Steps
	}
	var parts []string
	if names := r.Missing(); len(names) > 0 {
		parts = append(parts, c.missingText(r, names, steps))
	}
	for _, class := range []runner.Class{runner.Capability, runner.Unauthorized} {
		for _, name := range r.of(class) {
			parts = append(parts, asked(steps[name])+r.Unusable[name].Message)
		}
	}
	return errors.New(strings.Join(parts, "\n"))
}

// missingText names the models that a pull would bring.
func (c *Client) missingText(r *Report, names []string, steps map[string][]string) string {
	if len(names) == 1 {
		return asked(steps[names[0]]) + r.Unusable[names[0]].Message + r.suggestion(names[0])
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d models are not on %s; fetch them with:", len(names), c.shown)
	for _, name := range names {
		fmt.Fprintf(&b, "\n  %s", c.pullLine(name))
		if len(steps[name]) > 0 {
			fmt.Fprintf(&b, "   # %s", stepList(steps[name]))
		}
		b.WriteString(r.suggestion(name))
	}
	return b.String()
}

// suggestion names the model that is there and was probably meant.
func (r *Report) suggestion(name string) string {
	if near := closest(name, r.names); near != "" {
		return fmt.Sprintf("; or did you mean %q, which is there?", near)
	}
	return ""
}

func asked(steps []string) string {
	if len(steps) == 0 {
		return ""
	}
	return stepList(steps) + ": "
}

func stepList(steps []string) string {
	if len(steps) == 1 {
		return fmt.Sprintf("step %q", steps[0])
	}
	quoted := make([]string, len(steps))
	for i, s := range steps {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	return "steps " + strings.Join(quoted, ", ")
}
