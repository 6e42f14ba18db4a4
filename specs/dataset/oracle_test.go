package dataset

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"reflect"
	"testing"
	"unicode/utf8"
)

// sameAsJSON holds the rows of a json file against encoding/json. That one takes
// what we refuse: other values than lists, names twice, depth, and text that is not
// UTF-8; it must not refuse what we take.
func sameAsJSON(t *testing.T, text []byte, values []any, last error) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF"))))
	dec.UseNumber()
	var want []any
	err := dec.Decode(&want)
	if err == nil && dec.More() {
		last = fs.ErrInvalid // something behind the list: both refuse it, we at its place
		if len(values) <= len(want) {
			return
		}
	}
	if last != nil {
		return
	}
	if err != nil {
		t.Fatalf("read %v, where encoding/json says %v", values, err)
	}
	if len(values) == 0 && len(want) == 0 {
		return
	}
	if !reflect.DeepEqual(values, want) {
		t.Fatalf("read %#v, encoding/json %#v", values, want)
	}
}

// oneSetOfColumns wants each row of a csv file to have the header's columns, and
// all of it to be text.
func oneSetOfColumns(t *testing.T, s Source, fsys fs.FS, values []any) {
	t.Helper()
	if len(values) == 0 {
		return
	}
	columns, err := s.Columns(fsys)
	if err != nil {
		t.Fatalf("rows without columns: %v", err)
	}
	for _, v := range values {
		object, ok := v.(map[string]any)
		if !ok || len(object) != len(columns) {
			t.Fatalf("%#v with the columns %q", v, columns)
		}
		for _, name := range columns {
			if text, ok := object[name].(string); !ok || !utf8.ValidString(text) {
				t.Fatalf("%q of %#v is no text", name, object)
			}
		}
	}
}
