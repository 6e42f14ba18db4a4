package pipeline

import (
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// made is a csv file of any length that is nowhere but in its Read.
type made struct {
	fs.FS
	lines int
}

type madeFile struct {
	io.Reader
	size int64
}

func (m made) Open(string) (fs.File, error) {
	return madeFile{&madeLines{lines: m.lines}, int64(m.lines) * 20}, nil
}

func (f madeFile) Close() error               { return nil }
func (f madeFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f madeFile) Name() string               { return "data.csv" }
func (f madeFile) Size() int64                { return f.size }
func (f madeFile) Mode() fs.FileMode          { return 0o644 }
func (f madeFile) ModTime() time.Time         { return time.Time{} }
func (f madeFile) IsDir() bool                { return false }
func (f madeFile) Sys() any                   { return nil }

type madeLines struct {
	lines, next int
	rest        []byte
}

func (m *madeLines) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		if m.next > m.lines {
			return 0, io.EOF
		}
		m.rest = []byte("id,text\n")
		if m.next > 0 {
			m.rest = fmt.Appendf(m.rest[:0], "s%d,some words in row %d\n", m.next, m.next)
		}
		m.next++
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// peak walks all rows of a job over a csv file, makes each row's request, and gives
// the most memory in use, garbage collected, at any of 20 places.
func peak(t *testing.T, lines int) (most uint64) {
	j := job(t, "Translate {{ .s.text }} to {{ .l }}", file("s", "data.csv"), list(t, "l", "[de]"))
	p := build(t, j, made{lines: lines})
	n := 0
	for row, err := range p.Rows {
		if err == nil {
			_, err = p.Steps[0].Request(&Scope{Row: row, Answers: make([]*Answer, 1)})
		}
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%(lines/20) == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}
	if n != lines {
		t.Fatalf("%d rows, want %d", n, lines)
	}
	return most
}

func TestMillionRowsInFlatMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("expands a million rows")
	}
	few, many := peak(t, 10_001), peak(t, 1_000_000)
	t.Logf("heap: %d KiB for 10,001 rows, %d KiB for 1,000,000", few>>10, many>>10)
	if float64(many) > 1.25*float64(few) {
		t.Errorf("a million rows take %.2f times the memory of ten thousand, want at most 1.25", float64(many)/float64(few))
	}
}

// Default ids cost nothing; given ones cost what the documentation says.
func TestMemoryOfIDs(t *testing.T) {
	const n = 200_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := newIDs()
	for i := range n {
		if _, ok := s.add(fmt.Sprintf("a rather long id of row number %d", i), int64(i)); !ok {
			t.Fatalf("id %d was seen before", i)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if per := float64(after.HeapAlloc-before.HeapAlloc) / n; per > 60 {
		t.Errorf("an id takes %.0f bytes, want at most 60", per)
	}
	if first, ok := s.add("a rather long id of row number 17", n); ok || first != 17 {
		t.Errorf("a known id: row %d, new %v; want row 17, not new", first, ok)
	}
}

// The package computes: it has no clock, no network and no processes.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{range .Imports}}{{.}}\n{{end}}", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	imports := strings.Fields(string(out))
	if !slices.Contains(imports, "github.com/batchrunner/runner/specs") {
		t.Fatalf("go list gave %q", imports)
	}
	for _, name := range imports {
		switch {
		case name == "net", strings.HasPrefix(name, "net/"), name == "os", strings.HasPrefix(name, "os/"),
			name == "sync", strings.HasPrefix(name, "sync/"), name == "context", strings.HasPrefix(name, "math/rand"), name == "crypto/rand",
			strings.Contains(name, "sourcegraph/conc"), strings.Contains(name, "ollama"):
			t.Errorf("package pipeline imports %s", name)
		case strings.HasPrefix(name, "github.com/batchrunner/runner/runner"), strings.HasPrefix(name, "github.com/batchrunner/runner/cmd"):
			t.Errorf("package pipeline imports %s, which is above it", name)
		}
	}
}

func BenchmarkRow(b *testing.B) {
	data := fstest.MapFS{"s.csv": {Data: numbered("id,text\n", 1000, "s#,some words in row #")}}
	bench := func(name, id string) {
		j := job(b, "Translate to {{ .l }}: {{ .s.text }}", file("s", "s.csv"), list(b, "l", "[de, fr, es, it, pt]"))
		if id != "" {
			j.RowID = tmpl(b, id)
		}
		p := build(b, j, data)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for n < b.N {
				for row, err := range p.Rows {
					if err == nil {
						_, err = p.Steps[0].Request(&Scope{Row: row})
					}
					if err != nil {
						b.Fatal(err)
					}
					if n++; n == b.N {
						break
					}
				}
			}
		})
	}
	bench("expand and render", "")
	bench("with row_id", "{{ .s.id }}-{{ .l }}")
}
