package report

import (
	"cmp"
	"regexp"
	"slices"
)

const (
	maxCauses    = 200 // more are no list that anybody reads
	maxCauseRows = 10
	maxCauseText = 500 // bytes of a message that tell causes apart
	otherCause   = "other"
)

// inMessage matches what differs between two messages of one cause: quoted parts and numbers.
var inMessage = regexp.MustCompile("\"[^\"]*\"|'[^' ]*'|`[^`]*`|“[^”]*”|[0-9]+(?:[.:,][0-9]+)*")

// causes are failures grouped by what caused them: their class, and their message but for
// quoted parts and numbers. Beyond 200 causes the rest are one.
type causes struct {
	byKey map[string]*Failure
	other *Failure
}

func newCauses() *causes { return &causes{byKey: make(map[string]*Failure)} }

func (c *causes) add(t *Task) {
	if !t.failed() {
		return
	}
	f := c.of(t)
	f.Count++
	if n := len(f.Rows); n < maxCauseRows && (n == 0 || f.Rows[n-1] != t.Row) {
		f.Rows = append(f.Rows, t.Row)
	}
}

func (c *causes) of(t *Task) *Failure {
	key := t.Class + "\x00" + inMessage.ReplaceAllString(head(t.Message, maxCauseText), "…")
	if f := c.byKey[key]; f != nil {
		return f
	}
	if len(c.byKey) < maxCauses {
		f := &Failure{Class: t.Class, Message: cut(t.Message)}
		c.byKey[key] = f
		return f
	}
	if c.other == nil {
		c.other = &Failure{Class: otherCause, Message: "more causes than a report lists"}
	}
	return c.other
}

// list returns the causes, the most frequent first, what is left over last.
func (c *causes) list() []Failure {
	var list []Failure
	for _, f := range c.byKey {
		list = append(list, *f)
	}
	slices.SortFunc(list, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Rows[0], b.Rows[0]), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Message, b.Message))
	})
	if c.other != nil {
		list = append(list, *c.other)
	}
	return list
}
