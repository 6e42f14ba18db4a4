package store

import (
	"context"
	"time"
)

// What a benchmark notes of its circumstances, beside the answers. Each note is written
// like an answer, with the group of its time, so that a run that is killed keeps them.

// A Load is a model being loaded for a run.
type Load struct {
	Model string
	Began time.Time
	Took  time.Duration
}

// A Lag is how long a run's goroutines waited for a processor.
type Lag struct{ Median, P99 time.Duration }

// A Loaded is a model of a run as the server had it in memory.
type Loaded struct {
	Model, Digest  string
	Size, SizeVRAM int64 // bytes
	Context        int   // tokens
}

// KeepLoad takes a load of a model that the run waited for.
func (r *Run) KeepLoad(l Load) {
	r.note(`INSERT INTO loads (run, model, began_us, took_ns) VALUES (?, ?, ?, ?)`, l.Model, r.onClock(l.Began).UnixMicro(), int64(l.Took))
}

// KeepLoaded takes how the server has a model in memory; of one model the last counts.
func (r *Run) KeepLoaded(m Loaded) {
	r.note(`INSERT OR REPLACE INTO loaded (run, model, digest, size, size_vram, context) VALUES (?, ?, ?, ?, ?, ?)`,
		m.Model, m.Digest, m.Size, m.SizeVRAM, m.Context)
}

// KeepLag takes the run's lag up to now.
func (r *Run) KeepLag(l Lag) {
	r.note(`UPDATE runs SET lag_median_ns = ?2, lag_p99_ns = ?3 WHERE id = ?1`, int64(l.Median), int64(l.P99))
}

// note writes to the row of the run, or beside it: the run is the first parameter.
func (r *Run) note(statement string, values ...any) {
	r.store.put(entry{run: r, other: func(ctx context.Context, w *writer) error {
		if err := r.begin(ctx, w); err != nil {
			return err
		}
		_, err := w.conn.ExecContext(ctx, statement, append([]any{r.id}, values...)...)
		return err
	}})
}
