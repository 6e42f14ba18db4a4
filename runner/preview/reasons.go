package preview

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/batchrunner/runner/pipeline"
)

// explain finds the reasons of the tasks that are created: what they were, if they were
// anything.
func (w *walk) explain(ctx context.Context, open []*task) error {
	var created []*task
	var ids []TaskID
	for _, t := range open {
		if t.Action == Create {
			created = append(created, t)
			ids = append(ids, TaskID{t.Row.ID, t.Step})
		}
	}
	if len(created) == 0 {
		return nil
	}
	last := make([]*Last, len(created))
	if w.opts.Known != nil {
		var err error
		if last, err = w.opts.Known.Last(ctx, ids); err != nil {
			return err
		}
	}
	for i, t := range created {
		if last[i] != nil {
			t.explain(last[i])
			continue
		}
		old, err := w.otherStepIsKnown(ctx, t)
		if err != nil {
			return err
		}
		switch {
		case w.plan.Bench != nil:
			t.settle(Create, "measured anew")
		case old:
			t.settle(Create, "new step")
		default:
			t.settle(Create, "new row")
		}
	}
	return nil
}

// otherStepIsKnown says whether the row of a new task is an old one.
func (w *walk) otherStepIsKnown(ctx context.Context, t *task) (bool, error) {
	var ids []TaskID
	for i := range w.plan.Steps {
		if id := w.plan.Steps[i].ID; id != t.Step {
			ids = append(ids, TaskID{t.Row.ID, id})
		}
	}
	if w.opts.Known == nil || len(ids) == 0 {
		return false, nil
	}
	last, err := w.opts.Known.Last(ctx, ids)
	return slices.ContainsFunc(last, func(l *Last) bool { return l != nil }), err
}

// explain says how a task differs from what it was.
func (t *task) explain(was *Last) {
	switch {
	case was.Key.IsZero():
		t.settle(Redo, fmt.Sprintf("the last time it failed: %s: %s", was.Class, was.Message))
	default:
		t.Before = was
		t.settle(Redo, t.changes(was))
	}
}

// changes lists what differs between the question that was and the one that is.
func (t *task) changes(was *Last) string {
	before, err := pipeline.ReadQuestion(was.Question)
	if err != nil {
		return "it has changed"
	}
	now, err := pipeline.ReadQuestion(t.question)
	if err != nil {
		return "it has changed"
	}
	var why []string
	if before.Digest != now.Digest {
		why = append(why, t.modelChange(was, before, now))
	}
	why = append(why, t.messageChanges(before.Messages, now.Messages)...)
	why = append(why, optionChanges(t.Step, before.Options, now.Options)...)
	if !bytes.Equal(before.Format, now.Format) {
		why = append(why, fmt.Sprintf("format of step %s changed", t.Step))
	}
	if !equal(before.Think, now.Think) {
		why = append(why, fmt.Sprintf("think of step %s changed from %s to %s", t.Step, spelled(before.Think), spelled(now.Think)))
	}
	if before.Simulated != now.Simulated {
		why = append(why, "the server is another one: simulated or real")
	}
	if len(why) == 0 {
		return "its stored answer is gone"
	}
	return strings.Join(why, "; ")
}

func (t *task) modelChange(was *Last, before, now *pipeline.Question) string {
	if was.Model != "" && was.Model != t.Request.Model {
		return fmt.Sprintf("model of step %s changed from %s to %s", t.Step, was.Model, t.Request.Model)
	}
	return fmt.Sprintf("model %s moved from digest %.12s to %.12s", t.Request.Model, before.Digest, now.Digest)
}

func (t *task) messageChanges(before, now []pipeline.Message) []string {
	if len(before) != len(now) {
		return []string{fmt.Sprintf("step %s sends %d messages instead of %d", t.Step, len(now), len(before))}
	}
	var why []string
	for i := range now {
		if before[i] == now[i] {
			continue
		}
		what := fmt.Sprintf("message %d", i+1)
		switch {
		case now[i].Role == "system" && i == 0:
			what = "system prompt"
		case now[i].Role == "user" && i == len(now)-1:
			what = "prompt"
		}
		why = append(why, fmt.Sprintf("%s of step %s changed: line %d", what, t.Step, firstChange(before[i].Content, now[i].Content)))
	}
	return why
}

// firstChange is the number of the first line that differs, from 1.
func firstChange(before, now string) int {
	a, b := strings.Split(before, "\n"), strings.Split(now, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i + 1
		}
	}
	return min(len(a), len(b)) + 1
}

func optionChanges(step string, before, now map[string]any) []string {
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range now {
		names[name] = true
	}
	var why []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, had := before[name]
		is, has := now[name]
		switch {
		case !had:
			why = append(why, fmt.Sprintf("option %s of step %s is new: %s", name, step, spelled(is)))
		case !has:
			why = append(why, fmt.Sprintf("option %s of step %s is gone, it was %s", name, step, spelled(was)))
		case !equal(was, is):
			why = append(why, fmt.Sprintf("option %s of step %s changed from %s to %s", name, step, spelled(was), spelled(is)))
		}
	}
	return why
}

func equal(a, b any) bool { return spelled(a) == spelled(b) }

func spelled(v any) string {
	if v == nil {
		return "unset"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// Messages gives what a task's question was, nil where that is not known.
func (l *Last) Messages() []pipeline.Message {
	if l == nil || l.Question == nil {
		return nil
	}
	q, err := pipeline.ReadQuestion(l.Question)
	if err != nil {
		return nil
	}
	return q.Messages
}
