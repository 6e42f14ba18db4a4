package report

import (
	"bufio"
	"cmp"
	"encoding/xml"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/batchrunner/runner/runner"
)

const junitMessage = 2000 // characters of a message or a failed answer

// WriteJUnit writes a test case for each task of the run, so that CI services show them:
// the suite is the job, a case's class is its step and its name says which row, model,
// level and repetition it was. A failed task is a failure whose type is its class; missed
// thresholds are a second suite, "thresholds".
//
// tasks are as Make reads them, and are gone through twice, since a suite begins with its
// counts.
func WriteJUnit(w io.Writer, r *Report, tasks iter.Seq2[*Task, error]) error {
	counts, err := junitCounts(tasks)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriter(w)
	x := &junit{enc: xml.NewEncoder(buffer), run: &r.Run}
	x.enc.Indent("", " ")
	x.write(buffer, xml.Header)
	x.text(junitStart("testsuites"))
	x.suite(cmp.Or(oneLine(r.Run.Job), "job"), counts, func() error { return x.tasks(tasks) })
	if n := len(r.Missed); n > 0 {
		x.suite("thresholds", junitCount{tests: n, failures: n}, func() error { return x.missed(r.Missed) })
	}
	x.text(junitStart("testsuites").End())
	if x.err == nil {
		x.err = x.enc.Close()
	}
	x.write(buffer, "\n")
	return cmp.Or(x.err, buffer.Flush())
}

// A junit is a document that is being written, until the first error.
type junit struct {
	enc    *xml.Encoder
	run    *Run
	suites int
	err    error
}

type junitCount struct {
	tests, failures int
	time            time.Duration
}

// junitCase is a test case. Its attributes are all that the strictest schema allows.
type junitCase struct {
	XMLName xml.Name      `xml:"testcase"`
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func junitCounts(tasks iter.Seq2[*Task, error]) (n junitCount, err error) {
	for t, err := range tasks {
		if err != nil {
			return n, err
		}
		if t.interrupted() {
			continue
		}
		n.tests++
		n.time += t.took()
		if t.failed() {
			n.failures++
		}
	}
	return n, nil
}

// interrupted says whether the run ended before the task did: it has no result.
func (t *Task) interrupted() bool { return runner.Class(t.Class) == runner.Interrupted }

// took is how long the task's answer took in this run; 0: it was there before, or that is
// not known.
func (t *Task) took() time.Duration {
	switch {
	case !t.asked():
		return 0
	case t.Measured != nil:
		return t.Measured.Last
	}
	return t.Total
}

// suite writes one suite. What a schema requires and we don't have is there, empty.
func (x *junit) suite(name string, n junitCount, cases func() error) {
	start := junitStart("testsuite",
		"name", name, "package", "runner", "id", strconv.Itoa(x.suites), "hostname", cmp.Or(oneLine(x.run.Host), "localhost"),
		"timestamp", x.run.Began.UTC().Format("2006-01-02T15:04:05"),
		"tests", strconv.Itoa(n.tests), "failures", strconv.Itoa(n.failures), "errors", "0", "time", junitSeconds(n.time))
	x.suites++
	x.text(start)
	x.properties()
	if x.err == nil {
		x.err = cases()
	}
	x.empty("system-out")
	x.empty("system-err")
	x.text(start.End())
}

// properties are what the figures depend on. Jenkins' schema wants at least one.
func (x *junit) properties() {
	start := junitStart("properties")
	x.text(start)
	for _, p := range [][2]string{
		{"run", strconv.FormatInt(x.run.ID, 10)}, {"runner", x.run.Runner}, {"server", x.run.Server}, {"hardware", x.run.Hardware},
	} {
		if p[1] != "" {
			property := junitStart("property", "name", p[0], "value", oneLine(p[1]))
			x.text(property)
			x.text(property.End())
		}
	}
	x.text(start.End())
}

func (x *junit) tasks(tasks iter.Seq2[*Task, error]) error {
	for t, err := range tasks {
		if err != nil {
			return err
		}
		if t.interrupted() {
			continue
		}
		if err := x.enc.Encode(junitTask(t)); err != nil {
			return err
		}
	}
	return nil
}

func (x *junit) missed(list []Missed) error {
	for _, m := range list {
		text := oneLine(m.Message)
		c := junitCase{Name: oneLine(m.Name), Class: "thresholds", Time: "0", Failure: &junitFailure{"threshold", text, text}}
		if err := x.enc.Encode(c); err != nil {
			return err
		}
	}
	return nil
}

func junitTask(t *Task) junitCase {
	c := junitCase{Name: junitName(t), Class: oneLine(t.Step), Time: junitSeconds(t.took())}
	if t.failed() {
		text := brief(t.Message, junitMessage)
		c.Failure = &junitFailure{Type: t.Class, Message: text, Text: text}
		if t.Response != "" {
			c.Failure.Text += "\nanswer: " + brief(t.Response, junitMessage)
		}
	}
	return c
}

// junitName tells the cases of a step apart.
func junitName(t *Task) string {
	parts := []string{cmp.Or(oneLine(t.RowID), strconv.FormatInt(t.Row, 10))}
	for _, part := range []string{oneLine(t.Model), t.Level.words()} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if t.Repetition > 0 {
		parts = append(parts, "repetition "+strconv.Itoa(t.Repetition))
	}
	return strings.Join(parts, ", ")
}

func (x *junit) write(w io.StringWriter, text string) {
	if x.err == nil {
		_, x.err = w.WriteString(text)
	}
}

func (x *junit) text(token xml.Token) {
	if x.err == nil {
		x.err = x.enc.EncodeToken(token)
	}
}

func (x *junit) empty(name string) {
	start := junitStart(name)
	x.text(start)
	x.text(start.End())
}

func junitStart(name string, attributes ...string) xml.StartElement {
	start := xml.StartElement{Name: xml.Name{Local: name}}
	for i := 0; i < len(attributes); i += 2 {
		start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: attributes[i]}, Value: attributes[i+1]})
	}
	return start
}

// junitSeconds is a decimal, which in XML has no exponent.
func junitSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }
