package output

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/say"
)

// A Stream prints records in the order in which they come, each one whole in one
// write. It is not safe for concurrent use.
type Stream struct {
	w      io.Writer
	append func(dst []byte, rec *runner.Record) []byte
	buf    []byte
}

// NewStream gives a Stream of default records as JSONL, for programs.
func NewStream(w io.Writer, job *specs.Job, plan *pipeline.Plan) *Stream {
	r := &recorder{columns: columnsOf(job, plan)}
	return &Stream{w: w, append: func(dst []byte, rec *runner.Record) []byte {
		return append(r.append(dst, rec), '\n')
	}}
}

// NewTextStream gives a Stream of text for a person at a terminal of the given
// width in columns (0: lines are not wrapped): for each row a line with its id and
// variables, then the answer or why there is none. Nothing in it moves the cursor,
// sets colours or commands the terminal otherwise, whatever data and models say.
func NewTextStream(w io.Writer, job *specs.Job, plan *pipeline.Plan, width int) *Stream {
	r := &reader{columns: columnsOf(job, plan), width: width}
	return &Stream{w: w, append: r.append}
}

// Write prints a record. Its error is the writer's.
func (s *Stream) Write(rec *runner.Record) error {
	text := s.append(s.buf[:0], rec)
	s.buf = reusable(text)
	_, err := s.w.Write(text)
	return err
}

// A reader writes records for a person.
type reader struct {
	columns []column
	width   int
	more    bool // not the first record
}

func (r *reader) append(dst []byte, rec *runner.Record) []byte {
	if r.more {
		dst = append(dst, '\n')
	}
	r.more = true
	dst = append(dst, r.fit(r.head(rec))...)
	dst = append(dst, '\n')
	dst = append(dst, r.wrap(body(rec))...)
	return append(dst, '\n')
}

// head tells the row: number, id, variables.
func (r *reader) head(rec *runner.Record) string {
	var b strings.Builder
	b.WriteString(rec.Row.String())
	for _, c := range r.columns {
		r.headVariable(&b, c, rec.Row.Vars[c.name])
	}
	return b.String()
}

func (r *reader) headVariable(b *strings.Builder, c column, v any) {
	m, ok := v.(map[string]any)
	switch {
	case v == nil:
	case !ok:
		fmt.Fprintf(b, "  %s=%s", c.name, short(v))
	default:
		for _, field := range append(c.fields[:len(c.fields):len(c.fields)], c.others(m)...) {
			if m[field] != nil && (c.drop == "" || field == globPath) {
				fmt.Fprintf(b, "  %s.%s=%s", c.name, field, short(m[field]))
			}
		}
	}
}

// maxShort is how many columns a value may take in the line of its row.
const maxShort = 40

func short(v any) string {
	return ansi.Truncate(say.Line(cellText(v)), maxShort, "...")
}

func body(rec *runner.Record) string {
	if failed := rec.Failure(); failed != nil {
		return fmt.Sprintf("failed (%s): %s", failed.Err.Class, say.Clean(failed.Err.Message))
	}
	return strings.TrimSpace(say.Clean(rec.Last().Answer.Response))
}

func (r *reader) fit(line string) string {
	line = say.Clean(line)
	if r.width <= 0 {
		return line
	}
	return ansi.Truncate(line, r.width, "...")
}

func (r *reader) wrap(text string) string {
	if r.width <= 0 {
		return text
	}
	return ansi.Wrap(text, r.width, "")
}
