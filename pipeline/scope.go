package pipeline

import (
	"encoding/json"
	"maps"
	"strconv"
	"time"
)

// Scope gives what the templates of outputs see of a row: its variables by name,
// .row (id, number), .env, and .steps with the answers by step id. answers are by
// step index, nil where a step has none, and such a step is not among .steps.
func (p *Plan) Scope(row *Row, answers []*Answer) map[string]any {
	scope := make(map[string]any, len(row.Vars)+3)
	maps.Copy(scope, row.Vars)
	scope["row"] = rowScope(row)
	scope["env"] = envScope(p.Env)
	scope["steps"] = p.stepsScope(answers)
	return scope
}

func rowScope(row *Row) map[string]any {
	return map[string]any{"id": row.ID, "number": number(row.Number)}
}

func envScope(env map[string]string) map[string]any {
	scope := make(map[string]any, len(env))
	for name, value := range env {
		scope[name] = value
	}
	return scope
}

func (p *Plan) stepsScope(answers []*Answer) map[string]any {
	scope := make(map[string]any, len(answers))
	for i, a := range answers {
		if a != nil {
			scope[p.Steps[i].ID] = answerScope(a, p.Steps[i].Check != nil)
		}
	}
	return scope
}

// answerScope has the names of a record's fields, which are Ollama's. Durations are
// nanoseconds. There is .json only where the step has a format.
func answerScope(a *Answer, parsed bool) map[string]any {
	scope := map[string]any{
		"response":             a.Response,
		"thinking":             a.Thinking,
		"model":                a.Model,
		"status":               "ok",
		"done_reason":          a.DoneReason,
		"prompt_eval_count":    count(a.PromptEvalCount),
		"eval_count":           count(a.EvalCount),
		"total_duration":       nanoseconds(a.TotalDuration),
		"load_duration":        nanoseconds(a.LoadDuration),
		"prompt_eval_duration": nanoseconds(a.PromptEvalDuration),
		"eval_duration":        nanoseconds(a.EvalDuration),
	}
	if parsed {
		scope["json"] = a.JSON
	}
	return scope
}

func count(n int) json.Number { return json.Number(strconv.Itoa(n)) }

func nanoseconds(d time.Duration) json.Number { return number(int64(d)) }
