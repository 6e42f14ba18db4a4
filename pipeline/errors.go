package pipeline

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/batchrunner/runner/specs"
	"github.com/batchrunner/runner/specs/dataset"
	"github.com/batchrunner/runner/templates"
)

// An Error is a mistake at a place of the job file or of a data file: why the
// matrix can't be expanded, or why a row can't be asked.
type Error struct {
	File    string // as messages name it
	Pos     specs.Pos
	Step    string // the step's id, empty outside of steps
	Row     *Row   // nil where the mistake is of no row
	Message string
	Help    string // what to do, or empty
	cause   error
}

// Error gives place, step, row, what is wrong and what to do on one line:
// `translate.yaml:14:26: step "x": row 17 (s1-es): ...; ...`.
func (e *Error) Error() string { return e.Diagnostic().String() }

// Unwrap gives the cause, an error of package dataset or templates, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Diagnostic gives the error as package specs reports mistakes.
func (e *Error) Diagnostic() specs.Diagnostic {
	d := specs.Diagnostic{File: e.File, Pos: e.Pos, Step: e.Step, Message: e.Message, Help: e.Help}
	if e.Row != nil {
		d.Message = e.Row.String() + ": " + d.Message
	}
	return d
}

// String names a row in messages: row 17 (s1-es), or row 17 where the id is the number.
func (r *Row) String() string {
	if number := strconv.FormatInt(r.Number, 10); r.ID != number {
		return fmt.Sprintf("row %s (%s)", number, r.ID)
	}
	return fmt.Sprintf("row %d", r.Number)
}

// fromTemplate places what went wrong in a template.
func fromTemplate(t *specs.Template, step string, row *Row, err error) *Error {
	e := &Error{File: t.File, Pos: t.Start, Step: step, Row: row, Message: err.Error(), cause: err}
	var te *templates.Error
	if errors.As(err, &te) {
		e.Pos, e.Message, e.Help = t.At(te.Line, te.Col), te.Message, te.Help
	}
	return e
}

// fromData places what is wrong with a data file.
func fromData(row *Row, err error) *Error {
	e := &Error{Row: row, Message: err.Error(), cause: err}
	var de *dataset.Error
	if errors.As(err, &de) {
		e.File, e.Message, e.Help = de.File, de.Message, de.Help
		e.Pos = specs.Pos{Line: de.Line, Col: max(1, de.Col)}
		if de.Line == 0 {
			e.Pos = specs.Pos{}
		}
	}
	return e
}
