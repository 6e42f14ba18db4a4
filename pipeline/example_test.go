package pipeline_test

import (
	"fmt"
	"slices"

	"github.com/batchrunner/runner/pipeline"
)

// A Go program's own prompts as a plan: package runner carries it out.
func ExamplePrompts() {
	plan := pipeline.Prompts("qwen3:8b", slices.Values([]string{"Why is the sky blue?", "And {{ .this }} is no template."}))
	for row, err := range plan.Rows {
		if err != nil {
			fmt.Println(err)
			break
		}
		request, err := plan.Steps[0].Request(&pipeline.Scope{Row: row})
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(row, "asks", request.Model+":", request.Messages[0].Content)
	}
	// Output:
	// row 0 asks qwen3:8b: Why is the sky blue?
	// row 1 asks qwen3:8b: And {{ .this }} is no template.
}
