package dataset

import (
	"io/fs"
)

// Fields is what is known of the objects in a data file.
type Fields struct {
	// Names are all fields that any row has, in the order in which they first
	// appear; nil where that is not known, or where a row is no object.
	Names []string
	// Partial are those that some rows lack.
	Partial map[string]bool
	// Rows is the number of rows, -1 where the file was not read to its end.
	Rows int64
}

// Columns gives the names of Fields.
func (s Source) Columns(fsys fs.FS) ([]string, error) {
	f, err := s.Fields(fsys)
	if err != nil {
		return nil, err
	}
	return f.Names, nil
}

// Fields reads a csv or tsv file's header; jsonl, json and yaml files it reads
// whole, but only small ones (10,000 rows, 4 MiB), and knows nothing of others. A
// txt file has no fields. An error is that of the first mistake it meets.
func (s Source) Fields(fsys fs.FS) (*Fields, error) {
	f, err := open(fsys, s.Path)
	if err != nil {
		return nil, s.place(err)
	}
	defer f.Close() // only read from
	r, err := s.rows(f)
	if err != nil {
		return nil, s.place(err)
	}
	if t, ok := r.(*table); ok {
		return &Fields{Names: t.names, Rows: -1}, nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil, s.place(err)
	}
	if info.Size() > smallFile {
		return &Fields{Rows: -1}, nil
	}
	return s.union(fsys)
}

func (s Source) union(fsys fs.FS) (*Fields, error) {
	f := &Fields{}
	counts := map[string]int64{}
	objects := true
	for r, err := range s.read(fsys) {
		if err != nil {
			return nil, err
		}
		if f.Rows++; f.Rows > smallRows {
			return &Fields{Rows: -1}, nil
		}
		if _, ok := r.value.(map[string]any); !ok {
			objects = false
		}
		for _, name := range r.names {
			if counts[name]++; counts[name] == 1 {
				f.Names = append(f.Names, name)
			}
		}
	}
	f.finish(counts, objects)
	return f, nil
}

func (f *Fields) finish(counts map[string]int64, objects bool) {
	if !objects {
		f.Names = nil
		return
	}
	f.Partial = map[string]bool{}
	for name, n := range counts {
		if n < f.Rows {
			f.Partial[name] = true
		}
	}
}
