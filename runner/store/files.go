package store

import (
	"cmp"
	"context"
	"slices"
)

// A File is an output file as a run left it.
type File struct {
	Path   string // from the root, slash-separated
	SHA256 string // of its bytes, in hexadecimal
}

// Files gives the files that a job's last whole run left, by path.
func (s *Store) Files(ctx context.Context, job string) ([]File, error) {
	rows, err := s.reading.QueryContext(ctx, "SELECT path, sha256 FROM files WHERE job = ? ORDER BY path", job)
	if err != nil {
		return nil, s.trouble(err)
	}
	defer rows.Close() // its error is rows.Err's
	var files []File
	for rows.Next() {
		var f File
		if err := rows.Scan(&f.Path, &f.SHA256); err != nil {
			return nil, s.trouble(err)
		}
		files = append(files, f)
	}
	return files, s.trouble(rows.Err())
}

// SetFiles notes the files that a run left, in the place of those that were known. Where
// they are the same, nothing is written.
func (s *Store) SetFiles(ctx context.Context, job string, run int64, files []File) error {
	before, err := s.Files(ctx, job)
	if err != nil {
		return err
	}
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	if slices.Equal(before, files) {
		return nil
	}
	var by any
	if run != 0 {
		by = run
	}
	return s.do(ctx, func(ctx context.Context, w *writer) error {
		if _, err := w.conn.ExecContext(ctx, "DELETE FROM files WHERE job = ?", job); err != nil {
			return err
		}
		for _, f := range files {
			if _, err := w.conn.ExecContext(ctx, "INSERT INTO files (job, path, sha256, run) VALUES (?, ?, ?, ?)", job, f.Path, f.SHA256, by); err != nil {
				return err
			}
		}
		return nil
	})
}
