package store

import (
	"context"
	"maps"
	"slices"
	"time"
)

// A Model is what a name stood for when it was last seen.
type Model struct {
	Digest string
	Seen   time.Time
}

// Models gives the last sight of each model, by name.
func (s *Store) Models(ctx context.Context) (map[string]Model, error) {
	rows, err := s.reading.QueryContext(ctx, "SELECT name, digest, seen_ms FROM models")
	if err != nil {
		return nil, s.trouble(err)
	}
	defer rows.Close() // its error is rows.Err's
	models := map[string]Model{}
	for rows.Next() {
		var name string
		var m Model
		var seen int64
		if err := rows.Scan(&name, &m.Digest, &seen); err != nil {
			return nil, s.trouble(err)
		}
		m.Seen = time.UnixMilli(seen)
		models[name] = m
	}
	return models, s.trouble(rows.Err())
}

// SawModels notes digests by name. Where all are known so, nothing is written.
func (s *Store) SawModels(ctx context.Context, digests map[string]string) error {
	known, err := s.Models(ctx)
	if err != nil {
		return err
	}
	news := maps.Clone(digests)
	maps.DeleteFunc(news, func(name, digest string) bool { return digest == "" || known[name].Digest == digest })
	if len(news) == 0 {
		return nil
	}
	return s.do(ctx, func(ctx context.Context, w *writer) error {
		now := time.Now().UnixMilli()
		for _, name := range slices.Sorted(maps.Keys(news)) {
			_, err := w.conn.ExecContext(ctx, "INSERT OR REPLACE INTO models (name, digest, seen_ms) VALUES (?, ?, ?)", name, news[name], now)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
