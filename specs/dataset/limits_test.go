package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
)

// A row that never ends costs its own memory and a message, not the file's.
func TestRowsTooLong(t *testing.T) {
	x := strings.Repeat("x", maxRow)
	filler := strings.Repeat("line\n", maxRow/4) // 20 MiB that an open quote would swallow
	tests := []struct {
		name, file, text, want string
	}{
		{"a line of text", "a.txt", "one\n" + x + "x\ntwo\n", "[one ! a.txt:2: a row of more than 16 MiB begins here]"},
		{"a line of jsonl", "a.jsonl", "1\n\"" + x + "\"\n", "[1 ! a.jsonl:2: a row of more than 16 MiB begins here]"},
		{"a quote never closed", "a.csv", "a\n1\n\"" + filler, "[map[a:1] ! a.csv:3: a row of more than 16 MiB begins here; look for a quote that is never closed]"},
		{"after a quoted field over lines", "a.csv", "a,b\n1,\"2\n3\"\n\"" + filler, "[map[a:1 b:2\n3] ! a.csv:4: a row of more than 16 MiB begins here; look for a quote that is never closed]"},
		{"an element", "a.json", "[1,\n\"" + x + x[:1<<20] + "\"]", "[1 ! a.json:1: a row of more than 16 MiB begins here]"},
		{"blank space is no row", "a.json", strings.Repeat(" ", maxRow+1<<20) + "[1" + strings.Repeat(" ", 1<<20) + "]", "[1]"},
		{"blank lines are none", "a.txt", "one\n" + strings.Repeat("\n", maxRow+1<<20) + "two", "[one two]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := fmt.Sprint(all(t, source(test.file), files(test.file, test.text))); got != test.want {
				t.Errorf("rows: %.200s\nwant %s", got, test.want)
			}
		})
	}
}

func TestLongestLine(t *testing.T) {
	text := strings.Repeat("é", (maxRow-2)/2)
	for _, name := range []string{"a.txt", "a.csv"} {
		got := all(t, source(name), files(name, "v\n"+text+"\r\nend"))
		last, longest := fmt.Sprint(got[len(got)-1]), fmt.Sprint(got[len(got)-2])
		if !strings.Contains(last, "end") || !strings.Contains(longest, text) {
			t.Errorf("%s: a line of 16 MiB came as %.50q, the next one as %q", name, longest, last)
		}
	}
}

func TestDeepJSON(t *testing.T) {
	deep := strings.Repeat("[", 1001) + strings.Repeat("]", 1001)
	want := "[! a.jsonl:1:1002: lists and objects are nested deeper than 1,000 levels 2]"
	if got := fmt.Sprint(all(t, source("a.jsonl"), files("a.jsonl", "["+deep+"]\n2\n"))); got != want {
		t.Errorf("rows: %.100s", got)
	}
	if got := all(t, source("a.jsonl"), files("a.jsonl", deep)); len(got) != 1 || strings.HasPrefix(fmt.Sprint(got[0]), "!") {
		t.Errorf("1,001 levels: %.100s", got)
	}
}

// reading is a file whose reader is a test's own.
type reading struct {
	fs.FS
	wrap func(io.Reader) io.Reader
	open *int
}

type readingFile struct {
	fs.File
	io.Reader
	open *int
}

func (f readingFile) Read(p []byte) (int, error) { return f.Reader.Read(p) }

func (f readingFile) Close() error {
	*f.open--
	return f.File.Close()
}

func (r reading) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	if err != nil {
		return nil, err
	}
	*r.open++
	return readingFile{f, r.wrap(f), r.open}, nil
}

// However a file comes in pieces, its rows are the same; and what a disk says
// stands after the rows before it.
func TestReaders(t *testing.T) {
	open := 0
	for name, text := range map[string]string{
		"a.txt":   "\uFEFFé€𝄞\r\nzwei\n",
		"a.csv":   "\uFEFFa,b\r\né,\"€\r\n𝄞\"\r\n1,2",
		"a.jsonl": "{\"é\": \"€𝄞\"}\n2",
		"a.json":  " [{\"é\": \"€𝄞\\\"\"}, 2]\n",
		"a.yaml":  "- é: €𝄞\n- 2\n",
	} {
		want := all(t, source(name), files(name, text))
		for kind, wrap := range map[string]func(io.Reader) io.Reader{"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "data with the error": iotest.DataErrReader} {
			got := all(t, source(name), reading{files(name, text), wrap, &open})
			if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
				t.Errorf("%s, %s: %#v, want %#v", name, kind, got, want)
			}
		}
	}
	broken := errors.New("input/output error")
	failing := func(r io.Reader) io.Reader {
		return io.MultiReader(io.LimitReader(r, 8), iotest.ErrReader(&fs.PathError{Op: "read", Path: "x", Err: broken}))
	}
	for name, text := range map[string]string{"a.txt": "1\n2\n3\n4\n5\n", "a.csv": "v\n1\n2\n3\n4\n", "a.jsonl": "1\n2\n3\n4\n5\n", "a.json": "[1,2,3,4,5]"} {
		var last error
		n := 0
		for _, err := range source(name).Rows(reading{files(name, text), failing, &open}) {
			last = err
			n++
		}
		if n < 3 || !errors.Is(last, broken) || last.Error() != name+": can't be read: input/output error" {
			t.Errorf("%s: %d rows, then %v", name, n-1, last)
		}
	}
	if open != 0 {
		t.Errorf("%d files left open", open)
	}
}

func TestStoppingClosesTheFile(t *testing.T) {
	open := 0
	same := func(r io.Reader) io.Reader { return r }
	for _, name := range []string{"a.txt", "a.csv", "a.jsonl"} {
		fsys := reading{files(name, "1\n2\n3\n"), same, &open}
		for v, err := range source(name).Rows(fsys) {
			if err != nil {
				t.Errorf("%v, %v", v, err)
			}
			break
		}
		if _, err := source(name).Fields(fsys); err != nil {
			t.Error(err)
		}
	}
	if open != 0 {
		t.Errorf("%d files left open", open)
	}
}

// lots is a file of any length that is nowhere but in its Read.
type lots struct {
	line []byte
	left int
	rest []byte
}

func (l *lots) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if l.left--; l.left < 0 {
			return 0, io.EOF
		}
		l.rest = l.line
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func TestFlatMemory(t *testing.T) {
	const n = 200_000
	for name, line := range map[string]string{"a.txt": "some words\n", "a.csv": "v,w\n", "a.jsonl": "{\"a\": [1, \"x\"]}\n", "a.tsv": "v\tw\n"} {
		open := 0
		fsys := reading{fstest.MapFS{name: {}}, func(io.Reader) io.Reader { return &lots{line: []byte(line), left: n} }, &open}
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		rows := 0
		for _, err := range source(name).Rows(fsys) {
			if err != nil {
				t.Fatal(err)
			}
			if rows++; rows%100_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				if grown := int64(now.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
					t.Errorf("%s: %d KiB more in use after %d rows", name, grown>>10, rows)
				}
			}
		}
		if rows < n-1 {
			t.Errorf("%s: %d rows", name, rows)
		}
	}
}

func BenchmarkRows(b *testing.B) {
	for name, line := range map[string]string{
		"a.txt":   "Hello, how are you today?\n",
		"a.csv":   "s1,\"Hello, how are you today?\",en\n",
		"a.jsonl": "{\"id\": \"s1\", \"text\": \"Hello, how are you today?\", \"n\": 1.10}\n",
		"a.json":  "{\"id\": \"s1\", \"text\": \"Hello, how are you today?\", \"n\": 1.10},\n",
	} {
		b.Run(name, func(b *testing.B) {
			start, end := "", ""
			switch name {
			case "a.csv":
				start = "id,text,lang\n"
			case "a.json":
				start, end = "[", "0]"
			}
			const n = 10_000
			text := start + strings.Repeat(line, n) + end
			fsys := fstest.MapFS{name: {Data: []byte(text)}}
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for done := 0; done < b.N; {
				for _, err := range source(name).Rows(fsys) {
					if err != nil {
						b.Fatal(err)
					}
					if done++; done == b.N {
						break
					}
				}
			}
		})
	}
}

// FuzzRows holds every reader to its promises: no panic, errors with the file's
// name and a line inside it, nothing after an error that ends the file; and JSON as
// encoding/json has it.
func FuzzRows(f *testing.F) {
	for name, texts := range map[string][]string{
		"a.csv":   {"a,b\n1,2\n", "\uFEFFa\r\n\"x\r\ny\"\r\n", "a\n\"b", "a,a\n", "a;b\n"},
		"a.tsv":   {"a\tb\n1\t2\n"},
		"a.txt":   {"x\n\ny\r\n", "\xff\xfe"},
		"a.jsonl": {"{\"a\":1,\"a\":2}\n[1.10, null]\n\"\\ud800\"", "{\n1 2\n-\n"},
		"a.json":  {"[{\"a\": \"],[\"}, [[]], \"\\\\\", 1]", "[1,]", "[]x"},
		"a.yaml":  {"- a\n- {b: 1}\n", "- &a [*a]\n", "- <<: {}\n", "a: 1", "- !!int x\n", "- ? [a]\n"},
	} {
		for _, text := range texts {
			f.Add(name, []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		if Format(name) == "" || !fs.ValidPath(name) || strings.Contains(name, "/") {
			t.Skip()
		}
		s := source(name)
		fsys := fstest.MapFS{name: {Data: text}}
		var values []any
		var last error
		lines := bytes.Count(text, []byte("\n")) + 2
		for v, err := range s.Rows(fsys) {
			if last != nil && !IsRow(last) {
				t.Fatalf("%v after %v", v, last)
			}
			last = err
			if err != nil {
				checkError(t, err, name, lines)
				continue
			}
			values = append(values, v)
		}
		if s.Format == jsonFormat {
			sameAsJSON(t, text, values, last)
		}
		if s.Format == csvFormat || s.Format == tsvFormat {
			oneSetOfColumns(t, s, fsys, values)
		}
	})
}

func checkError(t *testing.T, err error, name string, lines int) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.File != name || e.Message == "" {
		t.Fatalf("error %#v", err)
	}
	if e.Line > lines && Format(name) != yamlFormat { // YAML counts other line ends, too
		t.Fatalf("%v: the file has %d lines", err, lines)
	}
}
