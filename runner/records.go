package runner

import (
	"context"
	"errors"
	"iter"

	"github.com/batchrunner/runner/pipeline"
)

var errLeft = errors.New("the loop over the records was left")

// Records carries out the plan like Run and gives the record of each row in the
// order of the rows, as soon as it and all before it are there. An error comes last
// and without a record: why the run was cut short (see Run). Leaving the loop gives
// up what is in flight and waits for it. The plan is carried out anew by each loop.
//
//	plan := pipeline.Prompts("gemma3:12b", slices.Values(prompts))
//	for record, err := range runner.Records(ctx, plan, model, runner.Options{}) {
//		...
//	}
func Records(ctx context.Context, plan *pipeline.Plan, model Model, opts Options) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		_, err := Run(ctx, plan, model, opts, func(r *Record) error {
			if !yield(r, nil) {
				return errLeft
			}
			return nil
		})
		if err != nil && !errors.Is(err, errLeft) {
			yield(nil, err)
		}
	}
}
