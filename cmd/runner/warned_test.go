package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/batchrunner/runner/runner"
)

func TestWarned(t *testing.T) {
	var w warned
	warns := func(row int64, texts ...string) {
		w.observe(runner.Event{Kind: runner.TaskDone, Row: &row, ID: fmt.Sprintf("r%d", row), Warnings: texts})
	}
	if lines := w.lines(); len(lines) > 0 {
		t.Errorf("without warnings: %q", lines)
	}
	for _, row := range []int64{5, 3, 4} {
		warns(row, "cut", "loops")
	}
	warns(1, "loops")
	warns(2, "\x1b[31mred\nlines")
	warns(6)
	want := []string{
		"warning: loops (4 answers, the first in row 1 (r1))",
		"warning: cut (3 answers, the first in row 3 (r3))",
		"warning: red lines (1 answer, the first in row 2 (r2))",
	}
	if got := w.lines(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for n := range int64(200) { // what quotes its answer is another one each time
		warns(n, fmt.Sprintf("another %d", n))
	}
	got := w.lines()
	if len(w.kinds) != maxWarnings || len(got) != 4 || got[3] != "warning: 200 answers with further warnings" {
		t.Errorf("%d kinds are kept: %q", len(w.kinds), got)
	}
}
