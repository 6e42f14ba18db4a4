package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// source is a file of that name in the file system that files makes.
func source(name string) Source {
	return Source{Path: name, Shown: name, Format: Format(name)}
}

func files(name, text string) fs.FS {
	return fstest.MapFS{name: {Data: []byte(text)}}
}

// all reads a source to its end: the values, and the errors in their places.
func all(t *testing.T, s Source, fsys fs.FS) []any {
	t.Helper()
	var got []any
	for v, err := range s.Rows(fsys) {
		if err != nil {
			if v != nil {
				t.Errorf("a value beside the error %v: %v", err, v)
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Errorf("%v is a %T", err, err)
			}
			v = "! " + err.Error()
		}
		got = append(got, v)
	}
	return got
}

type object = map[string]any

func TestRows(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             []any
	}{
		{"a record a line", "a.csv", "id,text\ns1,Hello\ns2,\"a, b\"\n", []any{
			object{"id": "s1", "text": "Hello"}, object{"id": "s2", "text": "a, b"}}},
		{"byte order mark, CRLF, no last line end", "a.csv", "\uFEFFid\r\n1\r\n2", []any{object{"id": "1"}, object{"id": "2"}}},
		{"spelling is kept", "a.csv", "n\n007\n 1.10\n", []any{object{"n": "007"}, object{"n": " 1.10"}}},
		{"quoted line breaks, doubled quotes", "a.csv", "a,b\n\"x\ny\",\"\"\"q\"\"\"\n", []any{object{"a": "x\ny", "b": `"q"`}}},
		{"blank lines are no rows", "a.csv", "\n\na\n\n1\n\n\n2\n\n", []any{object{"a": "1"}, object{"a": "2"}}},
		{"an empty field is one", "a.csv", "a,b\n,\n\"\",x\n", []any{object{"a": "", "b": ""}, object{"a": "", "b": "x"}}},
		{"a header alone", "a.csv", "a,b\n", nil},
		{"tabs", "a.tsv", "a\tb\n1,5\t\"x\ty\"\n", []any{object{"a": "1,5", "b": "x\ty"}}},
		{"a line a value", "a.txt", "one\r\n\n  two \n\t\nthree", []any{"one", "  two ", "three"}},
		{"an empty txt", "a.txt", "", nil},
		{"a mark and nothing else", "a.txt", "\uFEFF", nil},
		{"a value a line", "a.jsonl", "{\"a\": 1.10, \"b\": [1, null, true, false, \"x\\u00e9\\\"\"]}\n\n\"text\"\n-0.5e+3\n{}\n[]", []any{
			object{"a": json.Number("1.10"), "b": []any{json.Number("1"), nil, true, false, `xé"`}}, "text", json.Number("-0.5e+3"), object{}, []any{}}},
		{"one list", "a.json", " [ {\"a\": {\"b\": \"],[\\\"\"}},\n 12345678901234567890, \"x\" , [] ] \n", []any{
			object{"a": object{"b": `],["`}}, json.Number("12345678901234567890"), "x", []any{}}},
		{"an empty list", "a.json", "\uFEFF[ ]", nil},
		{"yaml", "a.yaml", "# cities\n- {name: Rome, n: 1.10}\n- Oslo\n- [a, ~]\n", []any{
			object{"name": "Rome", "n": json.Number("1.10")}, "Oslo", []any{"a", nil}}},
		{"yaml on one line", "a.yml", "[]", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := all(t, source(test.file), files(test.file, test.text))
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("rows of %q (-want +got):\n%s", test.text, d)
			}
		})
	}
}

// Every mistake has its place, and what follows a row that can't be used is read.
func TestBadFiles(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             []any
	}{
		{"no header", "a.csv", "", []any{"! a.csv: is empty; its first line names the columns"}},
		{"no header but blank lines", "a.tsv", "\n\r\n\n", []any{"! a.tsv: is empty; its first line names the columns"}},
		{"a name twice", "a.csv", "id,text,id\n", []any{`! a.csv:1: columns 1 and 3 are both named "id"; give each column a name of its own`}},
		{"no name", "a.csv", "id,,x\n", []any{`! a.csv:1: column 2 of the header has no name; give each column a name`}},
		{"another separator", "a.csv", "id;text\n1;2\n", []any{`! a.csv:1: the header has no comma, but ';'; write separator: ';' beside the file's name (or ",", if it is one column)`}},
		{"CR alone", "a.csv", "id,text\r1,a\r2,b", []any{`! a.csv:1: lines end in CR alone; save the file with line ends LF or CRLF`}},
		{"too many and too few fields", "a.csv", "a,b\n1,2\n1,2,3\n\"x\ny\"\n3,4\n", []any{
			object{"a": "1", "b": "2"},
			`! a.csv:3: 3 fields, but the header has 2; put quotes around a field that holds ','`,
			`! a.csv:4: 1 field, but the header has 2`,
			object{"a": "3", "b": "4"}}},
		{"a quote in the middle", "a.csv", "a,b\n\"x\ny\",1\nb \"c\",2\n3,4\n", []any{
			object{"a": "x\ny", "b": "1"},
			`! a.csv:4: a quote inside a field without quotes; write the field as "...""..."`}},
		{"text behind a quote", "a.csv", "a\n\"b\" c\n", []any{`! a.csv:2: a quoted field is not closed properly; close it, and double the quotes inside it: ""`}},
		{"a quote never closed", "a.csv", "a\n1\n\"b\n2\n3\n", []any{object{"a": "1"},
			`! a.csv:3: a quoted field begins in this row and is not closed properly by line 5; close it, and double the quotes inside it: ""`}},
		{"Latin-1", "a.csv", "a\nx\n\"caf\xe9\"\ny\n", []any{object{"a": "x"},
			`! a.csv:3: byte 0xE9 is not UTF-8 (perhaps Latin-1 or Windows-1252); save the file as UTF-8`}},
		{"a cut character", "a.txt", "x\ncaf\xc3", []any{"x",
			`! a.txt:2: byte 0xC3 is not UTF-8 (perhaps Latin-1 or Windows-1252); save the file as UTF-8`}},
		{"UTF-16 with its mark", "a.txt", "\xff\xfea\x00", []any{`! a.txt:1: is UTF-16, not UTF-8; save the file as UTF-8`}},
		{"UTF-16 without", "a.jsonl", "[\x00]\x00", []any{`! a.jsonl:1: holds a NUL byte: UTF-16, or no text at all; save the file as UTF-8`}},
		{"NUL", "a.txt", "x\ny\x00z\n", []any{"x", `! a.txt:2: holds a NUL byte: UTF-16, or no text at all; save the file as UTF-8`}},
		{"a bad line of many", "a.jsonl", "1\n{\"é\": x}\n2\n{\"a\":1} 3\n[1\n{\"b\":1,\"é\":[{\"c\":1,\"c\":2}]}\n3\n", []any{
			json.Number("1"),
			`! a.jsonl:2:7: is not JSON: invalid character 'x' looking for beginning of value`,
			json.Number("2"),
			`! a.jsonl:4:9: is not JSON: invalid character '3' after top-level value`,
			`! a.jsonl:5:2: is not JSON: unexpected end of JSON input`,
			`! a.jsonl:6:20: "c" stands in this object twice; remove one of them`,
			json.Number("3")}},
		{"no list", "a.json", "\n {\"a\": []}", []any{`! a.json:2:2: is no list; a JSON data file is one list: [...]`}},
		{"an empty json", "a.json", " \n", []any{`! a.json: is empty; a JSON data file is one list: [...]`}},
		{"not closed", "a.json", "[1,\n[2]", []any{json.Number("1"), `! a.json:2:3: is not JSON: the file ends inside the list`}},
		{"not closed in a string", "a.json", "[\"a\\", []any{`! a.json:1:4: is not JSON: the file ends inside the list`}},
		{"something behind", "a.json", "[1]\n x", []any{json.Number("1"), `! a.json:2:2: there is something behind the list; a JSON data file is one list: [...]`}},
		{"a comma too many", "a.json", "[1,\n 2, ]", []any{json.Number("1"), json.Number("2"), `! a.json:2:4: is not JSON: unexpected end of JSON input`}},
		{"a bad element", "a.json", "[1,\n {\"a\": tru}, 2]", []any{json.Number("1"), `! a.json:2:11: is not JSON: invalid character '}' in literal true (expecting 'e')`}},
		{"a name twice in json", "a.json", "[{\"a\":1,\n \"a\":2}, 2]", []any{`! a.json:2:2: "a" stands in this object twice; remove one of them`, json.Number("2")}},
		{"no yaml", "a.yaml", "- a\n- b: [\n- c\n", []any{"! a.yaml:2: is not YAML: did not find expected node content"}},
		{"no yaml list", "a.yaml", "\na: 1\n", []any{"! a.yaml:2:1: is no list; a YAML data file is one list: a line with a dash for each element"}},
		{"an empty yaml", "a.yaml", "# nothing\n", []any{"! a.yaml: is empty; a YAML data file is one list: a line with a dash for each element"}},
		{"two documents", "a.yaml", "- a\n---\n- b\n", []any{"! a.yaml:2:1: a second document begins here; a YAML data file is one list: a line with a dash for each element"}},
		{"a key twice", "a.yaml", "- {a: 1, é: 2, \"a\": 3}\n- b\n", []any{`! a.yaml:1:16: "a" stands in this object twice; remove one of them`, "b"}},
		{"unknown", "a.xlsx", "x", []any{"! a.xlsx: is no data file; data files end in .csv, .tsv, .jsonl, .json, .yaml or .txt"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := all(t, source(test.file), files(test.file, test.text))
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("rows of %q (-want +got):\n%s", test.text, d)
			}
		})
	}
}

func TestMissingAndOddFiles(t *testing.T) {
	fsys := fstest.MapFS{"dir/x.csv": {Data: []byte("a\n1\n")}, "pipe.txt": {Mode: fs.ModeNamedPipe}}
	for name, want := range map[string]string{
		"gone.csv": "gone.csv: there is no such file",
		"dir":      "dir: is a folder, not a file",
		"pipe.txt": "pipe.txt: is no regular file",
	} {
		s := Source{Path: name, Shown: name, Format: "csv"}
		if got := fmt.Sprint(all(t, s, fsys)); got != "[! "+want+"]" {
			t.Errorf("rows of %s: %s, want %s", name, got, want)
		}
		if _, err := s.Columns(fsys); err == nil || err.Error() != want {
			t.Errorf("columns of %s: %v, want %s", name, err, want)
		}
	}
	for _, err := range source("gone.csv").Rows(fsys) {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v is not fs.ErrNotExist", err)
		}
	}
}

func TestFormat(t *testing.T) {
	for name, want := range map[string]string{
		"a.csv": "csv", "b/A.TSV": "tsv", "a.jsonl": "jsonl", "a.ndjson": "jsonl", "a.json": "json", "a.yaml": "yaml", "a.YML": "yaml", "a.txt": "txt",
		"a.xlsx": "", "csv": "", "": "", "a.csv.gz": "",
	} {
		if got := Format(name); got != want {
			t.Errorf("Format(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestSeparator(t *testing.T) {
	s := source("a.csv")
	s.Separator = ';'
	got := all(t, s, files("a.csv", "id;text\n1;a, b\n"))
	if d := cmp.Diff([]any{object{"id": "1", "text": "a, b"}}, got); d != "" {
		t.Error(d)
	}
	s.Separator = ',' // named by the job file: one column with a semicolon in its name is believed
	got = all(t, s, files("a.csv", "id;text\n1\n"))
	if d := cmp.Diff([]any{object{"id;text": "1"}}, got); d != "" {
		t.Error(d)
	}
}

func TestFields(t *testing.T) {
	many := strings.Repeat("{\"a\":1}\n", smallRows)
	tests := []struct {
		name, file, text string
		want             Fields
	}{
		{"a header, nothing behind it is read", "a.csv", "b,a\n1,2,3\n", Fields{Names: []string{"b", "a"}, Rows: -1}},
		{"txt", "a.txt", "x\n", Fields{Rows: 1}},
		{"all objects", "a.jsonl", "{\"b\":1,\"a\":2}\n{\"c\":0,\"b\":{\"z\":1}}\n", Fields{Names: []string{"b", "a", "c"}, Partial: map[string]bool{"a": true, "c": true}, Rows: 2}},
		{"every row has all", "a.json", `[{"b":1,"a":2},{"a":0,"b":1}]`, Fields{Names: []string{"b", "a"}, Partial: map[string]bool{}, Rows: 2}},
		{"not all objects", "a.yaml", "- {a: 1}\n- x\n", Fields{Rows: 2}},
		{"aliases", "a.yaml", "- &x {b: 1, a: 2}\n- *x\n", Fields{Names: []string{"b", "a"}, Partial: map[string]bool{}, Rows: 2}},
		{"as many as are read", "a.jsonl", many, Fields{Names: []string{"a"}, Partial: map[string]bool{}, Rows: smallRows}},
		{"too many to read", "a.jsonl", many + "{}\n", Fields{Rows: -1}},
		{"too large to read", "a.jsonl", strings.Repeat(" ", smallFile) + "\n{}\n", Fields{Rows: -1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := source(test.file).Fields(files(test.file, test.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&test.want, got); d != "" {
				t.Errorf("fields (-want +got):\n%s", d)
			}
		})
	}
	if _, err := source("a.jsonl").Columns(files("a.jsonl", "{}\n{\n")); err == nil || !strings.HasPrefix(err.Error(), "a.jsonl:2:") {
		t.Errorf("a mistake on line 2 gave %v", err)
	}
}
