package runner

import "github.com/batchrunner/runner/specs"

// count adds a record that was handed on.
func (s *Summary) count(r *Record) {
	s.Rows++
	if failure := r.Failure(); failure != nil {
		s.Failed++
		s.Failures[failure.Err.Class]++
		return
	}
	s.OK++
	for i := range r.Results {
		if a := r.Results[i].Answer; a != nil && len(a.Warnings) > 0 {
			s.Warnings++
			return
		}
	}
}

// add adds what the dispatcher counted.
func (s *Summary) add(o *Summary) {
	s.Attempts += o.Attempts
	s.Retries += o.Retries
	s.Reused += o.Reused
	s.ModelLoads += o.ModelLoads
	s.PromptTokens += o.PromptTokens
	s.OutputTokens += o.OutputTokens
}

// Exceeds says whether more rows failed than a job's max_failures allows. A
// percentage is one of the rows with a record.
func (s *Summary) Exceeds(limit specs.Share) bool {
	if limit.IsPercent {
		return float64(s.Failed)*100 > limit.Percent*float64(s.Rows)
	}
	return s.Failed > limit.Count
}
