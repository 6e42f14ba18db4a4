package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/dataset"
	"github.com/google/go-cmp/cmp"
)

func TestRowIDs(t *testing.T) {
	j := job(t, "x", list(t, "id", `[a, b, a, " ", "3", 4]`))
	p := build(t, j, nil)
	for row, err := range p.Rows {
		if err != nil || row.ID != fmt.Sprint(row.Number) || row.String() != "row "+row.ID {
			t.Errorf("row %d has the id %q and is called %q: %v", row.Number, row.ID, row, err)
		}
	}
	j.RowID = tmpl(t, "{{ .id }}")
	var got []string
	for row, err := range build(t, j, nil).Rows {
		line := row.String()
		if err != nil {
			line = err.Error()
		}
		got = append(got, line)
	}
	want := []string{
		"row 0 (a)", "row 1 (b)",
		`job.yaml:7:11: row 2: its id "a" is also that of row 0; ids must be unique: name more variables in row_id`,
		`job.yaml:7:11: row 3: its id is empty; row_id must give each row a text of its own`,
		"row 4 (3)", "row 5 (4)",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("ids (-want +got):\n%s", d)
	}
}

func TestRowIDOfARowThatLacksAVariable(t *testing.T) {
	j := job(t, "x", list(t, "p", "[{id: a}, {name: b}]"))
	j.RowID = tmpl(t, "{{ .p.id }}")
	var errs []error
	for _, err := range build(t, j, nil).Rows {
		errs = append(errs, err)
	}
	if len(errs) != 2 || errs[0] != nil || errs[1] == nil {
		t.Fatalf("errors: %v", errs)
	}
	if text := errs[1].Error(); !strings.HasPrefix(text, "job.yaml:7:1") || !strings.Contains(text, "row 1: ") || !strings.Contains(text, "id") {
		t.Errorf("the message names not place, row and variable: %s", text)
	}
}

// A line that can't be used costs its rows and no others, in a stream and in a file
// read at once.
func TestBadLinesOfTheFirstAxis(t *testing.T) {
	const tail = smallRows + 5
	data := fstest.MapFS{
		"short.jsonl": {Data: []byte("1\n{\n3\n")},
		"long.jsonl":  {Data: append([]byte("1\n{\n3\n"), numbered("", tail, "#")...)},
	}
	want := []string{
		`{"l":"de","n":1}`, `{"l":"fr","n":1}`,
		"! FILE:2:1: row 2: is not JSON: unexpected end of JSON input",
		"! FILE:2:1: row 3: is not JSON: unexpected end of JSON input",
		`{"l":"de","n":3}`, `{"l":"fr","n":3}`,
	}
	for name, total := range map[string]int64{"short.jsonl": 6, "long.jsonl": unknown} {
		p := build(t, job(t, "x", file("n", name), list(t, "l", "[de, fr]")), data)
		if p.Total != total {
			t.Errorf("%s: Total = %d, want %d", name, p.Total, total)
		}
		got := rows(t, p)
		for i := range got {
			got[i] = strings.Replace(got[i], name, "FILE", 1)
		}
		if d := cmp.Diff(want, got[:6]); d != "" {
			t.Errorf("%s: rows (-want +got):\n%s", name, d)
		}
		if name == "long.jsonl" && len(got) != 6+2*tail {
			t.Errorf("%s: %d rows, want %d", name, len(got), 6+2*tail)
		}
		for row, err := range p.Rows {
			if err != nil && (row.Vars["l"] == nil || row.ID != fmt.Sprint(row.Number)) {
				t.Errorf("a row that can't be asked has the id %q and the variables %v", row.ID, row.Vars)
			}
		}
	}
}

// Where the data can't be read any further there is an error without a row, and
// nothing after it.
func TestUnreadableRest(t *testing.T) {
	data := fstest.MapFS{"a.txt": {Data: append(numbered("", smallRows+1, "#"), "\xff\nlast\n"...)}}
	j := job(t, "x", file("a", "a.txt"), list(t, "b", "[1, 2]"))
	j.Include = entries(t, "[{b: 3}]")
	n := 0
	var last error
	for row, err := range build(t, j, data).Rows {
		if last != nil {
			t.Fatalf("%v after the error %v", row, last)
		}
		if row == nil {
			last = err
			continue
		}
		n++
	}
	want := "a.txt:10002:1: byte 0xFF is not UTF-8 (perhaps Latin-1 or Windows-1252); save the file as UTF-8"
	if n != 2*(smallRows+1) || last == nil || last.Error() != want {
		t.Errorf("%d rows, then %v; want %d, then %s", n, last, 2*(smallRows+1), want)
	}
	var de *dataset.Error
	if !errors.As(last, &de) {
		t.Errorf("%v has lost its cause", last)
	}
}

// closing counts the files that are open.
type closing struct {
	fs.FS
	open *int
}

type closingFile struct {
	fs.File
	open *int
}

func (c closing) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if err == nil {
		*c.open++
	}
	return closingFile{f, c.open}, err
}

func (f closingFile) Close() error {
	*f.open--
	return f.File.Close()
}

func TestStoppingClosesTheFile(t *testing.T) {
	open := 0
	data := closing{fstest.MapFS{"a.csv": {Data: numbered("id\n", smallRows+1, "#")}}, &open}
	p := build(t, job(t, "x", file("a", "a.csv")), data)
	if p.Total != unknown {
		t.Fatalf("Total = %d: the file is no stream", p.Total)
	}
	for row, err := range p.Rows {
		if err != nil {
			t.Fatal(err)
		}
		if row.Number == 3 {
			break
		}
	}
	if open != 0 {
		t.Errorf("%d files left open", open)
	}
}

func TestGlobRows(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"jobs/[x]/docs/b.md": "B", "jobs/[x]/docs/sub/a.b.md": "\uFEFFA\r\n", "jobs/x/docs/c.md": "C", "lib/d.md": "D"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for pattern, want := range map[string][]string{
		"docs/**/*.md": {
			`{"doc":{"dir":"docs","path":"docs/b.md","stem":"b","text":"B"}}`,
			`{"doc":{"dir":"docs/sub","path":"docs/sub/a.b.md","stem":"a.b","text":"A\r\n"}}`},
		"../../lib/*": {`{"doc":{"dir":"../../lib","path":"../../lib/d.md","stem":"d","text":"D"}}`},
	} {
		j := job(t, "x", specs.Axis{Name: specs.String{Value: "doc"}, Glob: pattern})
		j.Dir = "jobs/[x]"
		if d := cmp.Diff(want, rows(t, build(t, j, root.FS()))); d != "" {
			t.Errorf("rows of %s (-want +got):\n%s", pattern, d)
		}
	}
	// A file that is gone when its row comes fails that row.
	j := job(t, "x", specs.Axis{Name: specs.String{Value: "doc"}, Glob: "jobs/**/*.md"})
	p := build(t, j, root.FS())
	if err := os.Remove(filepath.Join(dir, "jobs", "x", "docs", "c.md")); err != nil {
		t.Fatal(err)
	}
	got := rows(t, p)
	if len(got) != 3 || got[2] != "! jobs/x/docs/c.md: row 2: there is no such file" {
		t.Errorf("rows: %q", got)
	}
}
