package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs/say"
)

// A warned counts the warnings of answers by their text, for the end of a run: a file
// without records, such as a catalogue, does not tell of them.
type warned struct {
	kinds map[string]*warning
	other int64 // answers with further warnings
}

type warning struct {
	text string
	n    int64
	row  int64 // the first one that has it
	id   string
}

// Bounds of what is remembered, since a warning may quote its answer, and of what is told.
const (
	maxWarnings      = 100
	maxWarningsShown = 3
)

func (w *warned) observe(e runner.Event) {
	for _, text := range e.Warnings {
		k := w.kinds[text]
		switch {
		case k == nil && len(w.kinds) == maxWarnings:
			w.other++
			continue
		case k == nil && w.kinds == nil:
			w.kinds = map[string]*warning{}
			fallthrough
		case k == nil:
			k = &warning{text: text, row: *e.Row, id: e.ID}
			w.kinds[text] = k
		}
		if k.n++; *e.Row < k.row {
			k.row, k.id = *e.Row, e.ID
		}
	}
}

// lines tell of the most frequent warnings.
func (w *warned) lines() []string {
	all := slices.SortedFunc(maps.Values(w.kinds), func(a, b *warning) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.text, b.text))
	})
	var lines []string
	other := w.other
	for i, k := range all {
		if i >= maxWarningsShown {
			other += k.n
			continue
		}
		lines = append(lines, fmt.Sprintf("warning: %s (%s, the first in %s)", say.Line(k.text), say.Plural(k.n, "answer"), say.Clean(rowName(k.row, k.id))))
	}
	if other > 0 {
		lines = append(lines, fmt.Sprintf("warning: %s with further warnings", say.Plural(other, "answer")))
	}
	return lines
}
