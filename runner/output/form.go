package output

import (
	"github.com/batchrunner/runner/specs"
)

// A form turns records into the text of files. It appends to dst; what it returns
// with an error is not used.
type form interface {
	// begin gives what stands before a file's first record. The input is nil for a
	// file without records.
	begin(dst []byte, f *file, in *input) ([]byte, error)
	// record gives the next record of a file; f.rows are before it. Nothing is kept
	// of a record that can't be made.
	record(dst []byte, f *file, in *input) ([]byte, error)
	// end gives what stands after a file's last record.
	end(dst []byte, f *file) []byte
}

func newForm(spec *specs.Output, columns []column) form {
	shape := shape{columns: spec.Columns, record: &recorder{columns: columns, timings: spec.Timings}}
	switch {
	case spec.Form == specs.Text:
		return &text{spec: spec}
	case spec.Form == specs.JSON && spec.Key != nil:
		return &catalogue{spec: spec}
	case spec.Form == specs.JSON:
		return &array{shape: shape}
	case spec.Form == specs.CSV:
		return newTable(spec, columns, ',')
	case spec.Form == specs.TSV:
		return newTable(spec, columns, '\t')
	}
	return &lines{shape: shape}
}

// A shape is what one record looks like in the forms made of JSON: the default
// record, or the output's columns. A failed row has its error beside the columns.
type shape struct {
	columns []specs.Column // nil: the default record
	record  *recorder
}

func (s *shape) append(dst []byte, in *input) []byte {
	if s.columns == nil {
		return s.record.append(dst, in.rec)
	}
	dst = append(dst, '{')
	told := in.failed == nil
	for i, c := range s.columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, c.Name.Value), ':')
		dst = appendValue(dst, in.cell(c))
		told = told || c.Name.Value == "error"
	}
	if !told {
		if len(s.columns) > 0 {
			dst = append(dst, ',')
		}
		dst = appendField(dst, `"error":`, in.failed.Err.Message)
	}
	return append(dst, '}')
}
