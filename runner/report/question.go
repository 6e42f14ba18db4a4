package report

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"

	"github.com/batchrunner/runner/pipeline"
)

// A questionID tells questions apart that rows put to models: 8 bytes of a SHA-256. Of a
// million questions two are taken for one in about one report in forty million.
type questionID uint64

// questions finds out which rows ask the same but for their model, their repetition and
// their load: those whose first steps have equal messages, options, format and thinking.
// A row whose request could not be made (its model isn't there) is known by its variables,
// but for those that are a model's name.
type questions struct {
	byVars map[questionID]questionID
}

// of returns the question of a row, whose tasks are in the order of steps.
func (q *questions) of(row []*Task) questionID {
	vars, hasVars := idOfVars(row)
	if known, ok := q.byVars[vars]; hasVars && ok {
		return known
	}
	asked, hasAsked := firstQuestion(row)
	switch {
	case !hasVars && !hasAsked:
		return newID(row[0].Row)
	case !hasAsked:
		asked = vars
	}
	if hasVars {
		q.byVars[vars] = asked
	}
	return asked
}

// A content is what a pipeline.Question asks, apart from whom and how often. Its parts are
// left as they are spelled, which is one way for equal ones: a report may read millions.
type content struct {
	Messages json.RawMessage `json:"messages"`
	Options  json.RawMessage `json:"options,omitempty"`
	Format   json.RawMessage `json:"format,omitempty"`
	Think    json.RawMessage `json:"think,omitempty"`
}

// firstQuestion is that of the first step that has one. A row whose question can't be read
// (another version wrote it) stands alone.
func firstQuestion(row []*Task) (questionID, bool) {
	for _, t := range row {
		if len(t.Question) == 0 {
			continue
		}
		var c content
		if err := json.Unmarshal(t.Question, &c); err != nil || c.Messages == nil {
			return 0, false
		}
		return hash(c.Messages, c.Options, c.Format, c.Think), true
	}
	return 0, false
}

func idOfVars(row []*Task) (questionID, bool) {
	vars := row[0].Vars
	if len(vars) == 0 {
		return 0, false
	}
	vars = maps.Clone(vars)
	delete(vars, "repetition")
	maps.DeleteFunc(vars, func(_, value string) bool {
		return slices.ContainsFunc(row, func(t *Task) bool { return t.Model != "" && t.Model == value })
	})
	return newID(vars), true
}

// newID hashes v as JSON, which sorts the keys of maps. What comes here can be written.
func newID(v any) questionID {
	text, err := json.Marshal(v)
	if err != nil {
		panic("report: a row's variables can't be written as JSON: " + err.Error())
	}
	return hash(text)
}

func hash(parts ...[]byte) questionID {
	h := sha256.New()
	for _, part := range parts {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part)))) // a hash's Write has no error
		_, _ = h.Write(part)
	}
	return questionID(binary.BigEndian.Uint64(h.Sum(nil)))
}

// prompt is the newest message of the user in a question; empty where there is none.
func prompt(question []byte) string {
	q, err := pipeline.ReadQuestion(question)
	if err != nil {
		return ""
	}
	for _, m := range slices.Backward(q.Messages) {
		if m.Role == "user" {
			return cut(m.Content)
		}
	}
	return ""
}
