// Package dataset reads the data files of a job as rows with columns: csv, tsv,
// jsonl, json, yaml and txt, and the files that a glob finds.
//
// A value is nil, bool, string, json.Number (a number that keeps its spelling,
// always one that JSON allows), []any or map[string]any. Everything in csv, tsv and
// txt files is a string; dates, and numbers that JSON does not allow (007), are
// strings with their spelling.
//
// Files are text: UTF-8 with or without a byte order mark, lines ended by LF or
// CRLF. What is empty or only white space between rows (lines in csv, tsv, jsonl
// and txt) is no row.
package dataset

import (
	"errors"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"
)

// Limits, and why they are what they are.
const (
	maxRow      = 16 << 20 // bytes of one row or one document: far beyond any model's context
	maxYAML     = 4 << 20  // bytes of a yaml file: its tree takes a hundred times as much
	maxDepth    = 1000     // lists and objects inside each other, so that no walk runs out of stack
	smallFile   = 4 << 20  // bytes of a file that Fields reads whole
	smallRows   = 10_000   // rows of it
	bufferBytes = 64 << 10
)

// The formats of data files.
const (
	csvFormat   = "csv"
	tsvFormat   = "tsv"
	jsonlFormat = "jsonl"
	jsonFormat  = "json"
	yamlFormat  = "yaml"
	txtFormat   = "txt"
)

// A Source is a data file of the job.
type Source struct {
	Path      string // relative to the root, slash-separated and clean
	Shown     string // as the job file's author wrote it, for messages
	Format    string // csv, tsv, jsonl, json, yaml or txt, from the extension
	Separator rune   // csv only: 0 is a comma
}

// Format tells a data file's format from its extension, in any case: csv, tsv,
// jsonl (also .ndjson), json, yaml (also .yml) or txt; empty for any other.
func Format(name string) string {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".csv", ".tsv", ".jsonl", ".json", ".yaml", ".txt":
		return ext[1:]
	case ".ndjson":
		return jsonlFormat
	case ".yml":
		return yamlFormat
	}
	return ""
}

// Streams says whether the file's rows are made one by one in little memory,
// whatever its size.
func (s Source) Streams() bool {
	switch s.Format {
	case csvFormat, tsvFormat, jsonlFormat, txtFormat:
		return true
	}
	return false
}

// Rows reads the file's rows in order: an object for each record of a csv or tsv
// file, a string for each line of a txt file, the elements of the others. Each use
// opens the file anew, and closes it when the iteration ends, also early. Errors are
// *Error. One that IsRow stands in the place of a row, and the next ones follow; any
// other ends the sequence.
func (s Source) Rows(fsys fs.FS) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for r, err := range s.read(fsys) {
			if !yield(r.value, err) {
				return
			}
		}
	}
}

// A row is a value with the names of its fields in the file's order.
type row struct {
	value any
	names []string // nil where the value is no object, or the reader was not asked
}

// A rowReader gives a file's rows one by one, and io.EOF after the last.
type rowReader interface{ next() (row, error) }

func (s Source) read(fsys fs.FS) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		f, err := open(fsys, s.Path)
		if err != nil {
			yield(row{}, s.place(err))
			return
		}
		defer f.Close() // only read from
		s.each(f, yield)
	}
}

func (s Source) each(f io.Reader, yield func(row, error) bool) {
	rows, err := s.rows(f)
	for err == nil || IsRow(err) {
		var r row
		r, err = rows.next()
		if errors.Is(err, io.EOF) || err == nil && !yield(r, nil) {
			return
		}
		if IsRow(err) && !yield(row{}, s.place(err)) {
			return
		}
	}
	yield(row{}, s.place(err))
}

func (s Source) rows(f io.Reader) (rowReader, error) {
	in := newText(f)
	switch s.Format {
	case csvFormat:
		return newTable(in, s.Separator)
	case tsvFormat:
		return newTable(in, '\t')
	case jsonlFormat:
		return &jsonLines{lines: newLines(in)}, nil
	case jsonFormat:
		return newJSONList(in)
	case yamlFormat:
		return newYAMLList(in)
	case txtFormat:
		return &txtLines{lines: newLines(in)}, nil
	}
	return nil, &Error{Message: "is no data file", Help: "data files end in .csv, .tsv, .jsonl, .json, .yaml or .txt"}
}
