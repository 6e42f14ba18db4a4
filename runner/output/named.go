package output

import (
	"iter"

	"github.com/batchrunner/runner/pipeline"
)

// Named gives the paths of the files that rows name, and whether that is all of them: an
// output whose name reads an answer, or a row that can't be told, leaves it open.
func (s *Set) Named(rows iter.Seq2[*pipeline.Row, error]) (names map[string]bool, all bool) {
	names = map[string]bool{}
	for _, out := range s.outputs {
		if !out.static {
			return names, false
		}
	}
	for row, err := range rows {
		if err != nil || row == nil {
			return names, false
		}
		scope := s.plan.Scope(row, nil)
		for _, out := range s.outputs {
			name, err := out.spec.File.Render(scope)
			if err != nil {
				return names, false
			}
			full, bad := resolve(s.job.Dir, name, out.literal)
			if bad != nil {
				return names, false
			}
			names[s.target(full)] = true
		}
	}
	return names, true
}
