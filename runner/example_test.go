package runner_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// A shouter is a model that needs no server: it answers in capitals. A program that
// asks Ollama uses a Client of package ollama in its place.
type shouter struct{}

func (shouter) Do(_ context.Context, req *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
	prompt := req.Messages[len(req.Messages)-1].Content
	if prompt == "" || strings.Contains(prompt, "forbidden") {
		return nil, &runner.Error{Class: runner.InvalidRequest, Message: "the model does not speak of that"}
	}
	text := strings.ToUpper(prompt)
	chunk(runner.Chunk{Text: text})
	return &pipeline.Answer{Response: text, Model: req.Model, DoneReason: "stop", PromptEvalCount: 4, EvalCount: 3}, nil
}

// Prompts in, results out, in the order of the prompts. One failure stops nothing.
func ExampleRecords() {
	prompts := []string{"hello", "a forbidden word", "good night"}
	plan := pipeline.Prompts("gemma3:12b", slices.Values(prompts))
	plan.Concurrency = 2

	for record, err := range runner.Records(context.Background(), plan, shouter{}, runner.Options{}) {
		if err != nil {
			fmt.Println("cut short:", err)
			break
		}
		if failure := record.Failure(); failure != nil {
			fmt.Printf("%d failed (%s): %s\n", record.Row.Number, failure.Err.Class, failure.Err)
			continue
		}
		answer := record.Last().Answer
		fmt.Printf("%d %s (%d tokens)\n", record.Row.Number, answer.Response, answer.EvalCount)
	}
	// Output:
	// 0 HELLO (3 tokens)
	// 1 failed (invalid_request): the model does not speak of that
	// 2 GOOD NIGHT (3 tokens)
}

// Run gives a summary at the end, and tells of each step on the way to whoever
// observes it.
func ExampleRun() {
	prompts := []string{"one", "two", "three", "forbidden"}
	plan := pipeline.Prompts("gemma3:12b", slices.Values(prompts))

	done := 0
	progress := func(e runner.Event) {
		if e.Kind == runner.RowDone {
			done++
			fmt.Printf("%d of %d done\n", done, len(prompts))
		}
	}
	var answers []string
	sum, err := runner.Run(context.Background(), plan, shouter{}, runner.Options{Observe: progress},
		func(r *runner.Record) error {
			if r.OK() {
				answers = append(answers, r.Last().Answer.Response)
			}
			return nil
		})
	if err != nil {
		fmt.Println("cut short:", err)
	}
	fmt.Println(answers)
	fmt.Printf("%d of %d ok, %d output tokens\n", sum.OK, sum.Rows, sum.OutputTokens)
	// Output:
	// 1 of 4 done
	// 2 of 4 done
	// 3 of 4 done
	// 4 of 4 done
	// [ONE TWO THREE]
	// 3 of 4 ok, 9 output tokens
}

// Leaving the loop gives up what is still in flight.
func ExampleRecords_break() {
	endless := func(yield func(string) bool) {
		for yield("again") {
		}
	}
	plan := pipeline.Prompts("gemma3:12b", endless)
	for record, err := range runner.Records(context.Background(), plan, shouter{}, runner.Options{}) {
		if err != nil || record.Row.Number == 2 {
			break
		}
		fmt.Println(record.Last().Answer.Response)
	}
	// Output:
	// AGAIN
	// AGAIN
}
