package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func writeJUnit(t *testing.T, r *Report, tasks iter.Seq2[*Task, error]) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteJUnit(&b, r, tasks); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJUnit(t *testing.T) {
	checkGolden(t, "junit.xml", writeJUnit(t, fixture(), fixtureTasks()))
	checkGolden(t, "junit_empty.xml", writeJUnit(t, &Report{}, listed()))
}

func listed(tasks ...*Task) iter.Seq2[*Task, error] {
	return func(yield func(*Task, error) bool) {
		for _, t := range tasks {
			if !yield(t, nil) {
				return
			}
		}
	}
}

// An xmlElement is any element of a document.
type xmlElement struct {
	XMLName  xml.Name
	Attrs    []xml.Attr   `xml:",any,attr"`
	Text     string       `xml:",chardata"`
	Children []xmlElement `xml:",any"`
}

func (e *xmlElement) shape() (attrs, children []string) {
	for _, a := range e.Attrs {
		attrs = append(attrs, a.Name.Local)
	}
	for _, c := range e.Children {
		if name := c.XMLName.Local; len(children) == 0 || children[len(children)-1] != name {
			children = append(children, name)
		}
	}
	return attrs, children
}

func (e *xmlElement) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// The document has the elements and attributes that JUnit's schemas ask for, the strictest
// of them included, in their order, and its counts are those of its cases.
func TestJUnitShape(t *testing.T) {
	hostileTasks := make([]*Task, 0, len(hostile)+len(payloads))
	for i, s := range append(append([]string{}, hostile...), payloads...) {
		hostileTasks = append(hostileTasks, &Task{Row: int64(i), RowID: s, Step: s, Model: s, Class: s, Message: s, Response: s})
	}
	for name, text := range map[string]string{
		"fixture": writeJUnit(t, fixture(), fixtureTasks()),
		"hostile": writeJUnit(t, hostileReport(), listed(hostileTasks...)),
		"empty":   writeJUnit(t, &Report{}, listed()),
	} {
		checkJUnit(t, name, text)
	}
}

func checkJUnit(t *testing.T, name, text string) {
	t.Helper()
	var root xmlElement
	if err := xml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	if root.XMLName.Local != "testsuites" || len(root.Children) == 0 {
		t.Errorf("%s: the root is %s with %d suites", name, root.XMLName.Local, len(root.Children))
	}
	for _, suite := range root.Children {
		checkSuite(t, name, &suite)
	}
}

func checkSuite(t *testing.T, name string, suite *xmlElement) {
	t.Helper()
	attrs, children := suite.shape()
	if diff := cmp.Diff([]string{"name", "package", "id", "hostname", "timestamp", "tests", "failures", "errors", "time"}, attrs); diff != "" {
		t.Errorf("%s: attributes of a suite (-want +got)\n%s", name, diff)
	}
	want := []string{"properties", "testcase", "system-out", "system-err"}
	if len(suite.Children) == 3 {
		want = []string{"properties", "system-out", "system-err"}
	}
	if diff := cmp.Diff(want, children); diff != "" {
		t.Errorf("%s: children of a suite (-want +got)\n%s", name, diff)
	}
	if properties := suite.Children[0].Children; len(properties) == 0 || properties[0].attr("name") != "run" || properties[0].attr("value") == "" {
		t.Errorf("%s: no properties, and Jenkins' schema wants some: %v", name, properties)
	}
	tests, failures := 0, 0
	for _, c := range suite.Children {
		if c.XMLName.Local != "testcase" {
			continue
		}
		tests++
		failures += checkCase(t, name, &c)
	}
	if suite.attr("tests") != strconv.Itoa(tests) || suite.attr("failures") != strconv.Itoa(failures) {
		t.Errorf("%s: a suite has %d tests with %d failures and says %s and %s", name, tests, failures, suite.attr("tests"), suite.attr("failures"))
	}
}

func checkCase(t *testing.T, name string, c *xmlElement) (failures int) {
	t.Helper()
	attrs, children := c.shape()
	if diff := cmp.Diff([]string{"name", "classname", "time"}, attrs); diff != "" {
		t.Errorf("%s: attributes of a case (-want +got)\n%s", name, diff)
	}
	if len(children) == 0 {
		return 0
	}
	if diff := cmp.Diff([]string{"failure"}, children); diff != "" || len(c.Children) != 1 {
		t.Errorf("%s: children of a case (-want +got)\n%s", name, diff)
	}
	attrs, _ = c.Children[0].shape()
	if diff := cmp.Diff([]string{"type", "message"}, attrs); diff != "" {
		t.Errorf("%s: attributes of a failure (-want +got)\n%s", name, diff)
	}
	return 1
}

// The suite can be cut short by its tasks or its writer, and says so.
func TestJUnitErrors(t *testing.T) {
	broken := errors.New("the store is gone")
	failing := func(yield func(*Task, error) bool) { yield(nil, broken) }
	if err := WriteJUnit(io.Discard, fixture(), failing); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := WriteJUnit(brokenWriter{}, fixture(), fixtureTasks()); !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// Every form says that its writer failed.
func TestBrokenWriter(t *testing.T) {
	r := fixture()
	for name, err := range map[string]error{
		"text":        WriteText(brokenWriter{}, r, TextOptions{}),
		"markdown":    WriteMarkdown(brokenWriter{}, r, 0),
		"json":        WriteJSON(brokenWriter{}, r),
		"csv":         WriteCSV(brokenWriter{}, r),
		"benchstat":   WriteBenchstat(brokenWriter{}, r.Run, fixtureTasks()),
		"annotations": WriteAnnotations(brokenWriter{}, r),
	} {
		if !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzJUnit(f *testing.F) {
	for _, s := range append(hostile, "]]>", "\x00\x0b\ufffe\uffff", "\xed\xa0\x80", "&#0;", "</failure>", "\"'<&>") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		task := &Task{RowID: s, Step: s, Model: s, Class: "schema", Message: s, Response: s}
		text := writeJUnit(t, &Report{Run: Run{Job: s, Host: s}, Missed: []Missed{{Name: s, Message: s}}}, listed(task))
		checkJUnit(t, "fuzzed", text)
		if !utf8.ValidString(text) || strings.ContainsFunc(text, illegalXML) {
			t.Errorf("%q makes a character that XML can't hold", s)
		}
	})
}

// illegalXML says whether XML 1.0 has no such character.
func illegalXML(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
}
