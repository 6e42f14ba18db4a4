package runner_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// A record has row and step already, so the message of a row that makes no request
// has only the place.
func TestInputErrorsNameThePlaceAlone(t *testing.T) {
	mistake := func(r *pipeline.Row) error {
		return &pipeline.Error{
			File: "b.yaml", Pos: specs.Pos{Line: 9, Col: 21}, Step: "two", Row: r,
			Message: "the template uses .note, which is null", Help: "give a default",
		}
	}
	const place = "b.yaml:9:21: the template uses .note, which is null; give a default"
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"placed", mistake(row(1)), place},
		{"placed, within another", fmt.Errorf("no prompt: %w", mistake(row(1))), "no prompt: " + place},
		{"of no place", errors.New("no such variable"), "no such variable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked, read := step("a"), plan(1, 1, step("a"))
			asked.Request = func(*pipeline.Scope) (*pipeline.Request, error) { return nil, test.err }
			read.Rows = func(yield func(*pipeline.Row, error) bool) { yield(row(0), test.err) }
			for name, p := range map[string]*pipeline.Plan{"request": plan(1, 1, asked), "row": read} {
				r := run(t.Context(), p, echo(0), runner.Options{})
				got := r.records[0].Results[0].Err
				if got.Class != runner.Input || got.Message != test.want || !errors.Is(got, test.err) {
					t.Errorf("%s: %s: %q, want %q", name, got.Class, got.Message, test.want)
				}
			}
		})
	}
}
