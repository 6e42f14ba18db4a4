package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

//go:embed report.schema.json
var reportSchema string

// Schema is the JSON Schema (draft-07) of what WriteJSON writes.
func Schema() []byte { return []byte(reportSchema) }

// WriteJSON writes the whole report for programs, as Schema describes it. ReadJSON reads
// it back.
func WriteJSON(w io.Writer, r *Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	var unsupported *json.UnsupportedValueError
	err := enc.Encode(whole(r))
	if errors.As(err, &unsupported) {
		return fmt.Errorf("a figure of the report is %s, which JSON can't hold", unsupported.Str)
	}
	return err
}

// whole is the report with its version, and with empty lists where it has none that the
// schema promises.
func whole(r *Report) *Report {
	out := *r
	out.Version = Version
	out.Groups = append([]Group{}, r.Groups...)
	out.Failures = slices.Clone(r.Failures)
	for i := range out.Failures {
		out.Failures[i].Rows = append([]int64{}, out.Failures[i].Rows...)
	}
	out.Answers = slices.Clone(r.Answers)
	for i := range out.Answers {
		out.Answers[i].Cells = append([]Cell{}, out.Answers[i].Cells...)
	}
	out.ByAxis = slices.Clone(r.ByAxis)
	for i := range out.ByAxis {
		out.ByAxis[i].Quality = append([]Quality{}, out.ByAxis[i].Quality...)
	}
	return &out
}

// ReadJSON reads a report that WriteJSON wrote, of this version of runner or an older
// one. Fields that it doesn't know are passed over.
func ReadJSON(r io.Reader) (*Report, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if err := checkVersion(text); err != nil {
		return nil, err
	}
	report := &Report{}
	if err := json.Unmarshal(text, report); err != nil {
		return nil, unreadable(text, err)
	}
	return report, nil
}

func checkVersion(text []byte) error {
	var head struct {
		Version *float64 `json:"v"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return unreadable(text, err)
	}
	switch v := head.Version; {
	case v == nil:
		return errors.New(`it is no report of runner, which would have its version in "v"`)
	case *v > Version:
		return fmt.Errorf("the report is of version %v, and this runner reads up to %d; use a newer runner", *v, Version)
	case *v != Version:
		return fmt.Errorf("it says to be a report of version %v, and there is none", *v)
	}
	return nil
}

// unreadable says what is wrong with a report, without our names of things.
func unreadable(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return errors.New("the report is empty")
	case errors.As(err, &syntax):
		line := 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
		return fmt.Errorf("it is no report: line %d is not JSON; a baseline is a run's number, or a report written as .json", line)
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("it is no report of runner, but %s", article(kind.Value))
	case errors.As(err, &kind):
		return fmt.Errorf("the report's %q is %s, which does not belong there", kind.Field, article(kind.Value))
	}
	return errors.New("the report can't be read: " + strings.TrimPrefix(err.Error(), "json: "))
}

func article(kind string) string {
	if strings.HasPrefix(kind, "a") || strings.HasPrefix(kind, "o") {
		return "an " + kind // an array, an object
	}
	return "a " + kind
}
