package pipeline

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrompts(t *testing.T) {
	p := Prompts("m", slices.Values([]string{"a", " \n", "\xff"}))
	var got []string
	for row, err := range p.Rows {
		if err != nil {
			t.Fatal(err)
		}
		req, err := p.Steps[0].Request(&Scope{Row: row, Answers: make([]*Answer, 1)})
		switch {
		case err != nil:
			got = append(got, err.Error())
		case req.Options["num_predict"] == nil || !req.OwnLimit:
			t.Errorf("row %d has no limit: %+v", row.Number, req)
		default:
			got = append(got, req.Messages[0].Content)
		}
	}
	if d := cmp.Diff([]string{"a", "row 1: the prompt is empty", "row 2: the prompt is not valid UTF-8"}, got); d != "" {
		t.Error(d)
	}
	one(t, p) // rows can be left at any time, and begin anew
	if row := one(t, p); row.Number != 0 || row.Vars["prompt"] != "a" {
		t.Errorf("the first row is %+v", row)
	}
	if got := p.Scope(one(t, p), []*Answer{{Response: "x"}}); got["prompt"] != "a" {
		t.Errorf("scope %v", got)
	}
}
