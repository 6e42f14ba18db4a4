package store

import (
	"context"
	"iter"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// An Adopted is a result from an output file: its question is not known, only its key.
type Adopted struct {
	Key      pipeline.Key
	Model    string
	Answer   *pipeline.Answer // nil of a failure
	Err      *runner.Error
	Attempts int
}

// adoptAtOnce is how many results one transaction takes over.
const adoptAtOnce = 500

// Adopt takes results over whose keys the store does not have, and says how many. An
// error of found ends it, with what was taken over before.
func (s *Store) Adopt(ctx context.Context, found iter.Seq2[*Adopted, error]) (n int64, err error) {
	var group []*Adopted
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		added, err := s.adopt(ctx, group)
		n += added
		group = group[:0]
		return err
	}
	for one, err := range found {
		if err != nil {
			return n, err
		}
		if group = append(group, one); len(group) == adoptAtOnce {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	return n, flush()
}

func (s *Store) adopt(ctx context.Context, group []*Adopted) (n int64, err error) {
	added := new(int64) // the writer's, which may outlive ctx
	err = s.do(ctx, func(ctx context.Context, w *writer) error {
		now := time.Now()
		for _, one := range group {
			var known bool
			err := w.conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM results WHERE key = ?)", one.Key[:]).Scan(&known)
			if err != nil || known {
				if err != nil {
					return err
				}
				continue
			}
			r := &result{key: one.Key, model: one.Model, answer: one.Answer, err: one.Err, attempts: one.Attempts, stored: now}
			if _, err := insertResult(ctx, w.stmts.result, r); err != nil {
				return err
			}
			*added++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return *added, nil
}
