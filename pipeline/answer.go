package pipeline

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// check decodes an answer that must be JSON, and holds it against the step's schema.
// The error says all that is wrong with it, on one line.
func (s *step) check(a *Answer) error {
	v, err := decode(a.Response)
	if err != nil {
		return errors.New("the answer is not JSON: " + err.Error())
	}
	a.JSON = v
	if s.spec.Schema == nil {
		return nil
	}
	violations := s.spec.Schema.Validate(v)
	if len(violations) == 0 {
		return nil
	}
	messages := make([]string, len(violations))
	for i, violation := range violations {
		messages[i] = violation.Message
	}
	return errors.New("the answer is not what format asks for: " + strings.Join(messages, ", "))
}

// decode reads one JSON value; numbers keep their spelling.
func decode(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("it ends too early")
		}
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return v, nil
}
