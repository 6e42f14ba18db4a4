package pipeline

import (
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/batchrunner/runner/specs"
)

// Prompts makes a plan for a Go program's own prompts: a row for each, numbered in
// their order, with one step, "main", and the prompt as the variable .prompt. The
// prompts are taken as they are, never as templates, and asked for one by one; the
// plan's rows begin anew as often as the sequence does. Limits and options of the
// plan may be changed before it is run.
func Prompts(model string, prompts iter.Seq[string]) *Plan {
	options := map[string]any{"num_predict": json.Number(strconv.Itoa(specs.DefaultNumPredict))}
	return &Plan{
		Name:        "prompts",
		Rows:        promptRows(prompts),
		Total:       unknown,
		Columns:     []string{"prompt"},
		Concurrency: specs.DefaultConcurrency,
		Steps: []Step{{
			ID:      "main",
			Timeout: specs.DefaultTimeout,
			Retry:   specs.DefaultRetry,
			Request: func(s *Scope) (*Request, error) {
				return promptRequest(model, s.Row, options)
			},
		}},
	}
}

func promptRows(prompts iter.Seq[string]) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		var n int64
		for prompt := range prompts {
			row := &Row{Number: n, ID: strconv.FormatInt(n, 10), Vars: map[string]any{"prompt": prompt}}
			if !yield(row, nil) {
				return
			}
			n++
		}
	}
}

func promptRequest(model string, row *Row, options map[string]any) (*Request, error) {
	prompt, _ := row.Vars["prompt"].(string)
	if strings.TrimSpace(prompt) == "" {
		return nil, fmt.Errorf("%s: the prompt is empty", row)
	}
	if !utf8.ValidString(prompt) {
		return nil, fmt.Errorf("%s: the prompt is not valid UTF-8", row)
	}
	return &Request{
		Model:    model,
		Messages: []Message{{Role: "user", Content: prompt}},
		Options:  options,
		OwnLimit: true,
	}, nil
}
