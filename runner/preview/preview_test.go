package preview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// A shelf is what is known: results by key, and what tasks were.
type shelf struct {
	results map[pipeline.Key]*runner.Stored
	last    map[TaskID]*Last
	finds   []int // how many keys each look had
}

func (s *shelf) Find(_ context.Context, tasks []runner.Sought) ([]*runner.Stored, error) {
	s.finds = append(s.finds, len(tasks))
	found := make([]*runner.Stored, len(tasks))
	for i, t := range tasks {
		found[i] = s.results[t.Key]
	}
	return found, nil
}

func (s *shelf) Last(_ context.Context, tasks []TaskID) ([]*Last, error) {
	last := make([]*Last, len(tasks))
	for i, t := range tasks {
		last[i] = s.last[t]
	}
	return last, nil
}

// A job is two steps over rows, of which a test changes something.
type job struct {
	digest, system, prompt, think string
	temperature                   json.Number
	rows                          int
}

func (j *job) request(text string) *pipeline.Request {
	req := &pipeline.Request{
		Model: "gemma3:12b", Options: map[string]any{"temperature": j.temperature},
		Messages: []pipeline.Message{{Role: "system", Content: j.system}, {Role: "user", Content: text}},
	}
	if j.think != "" {
		req.Think = j.think
	}
	return req
}

func (j *job) plan() *pipeline.Plan {
	return &pipeline.Plan{
		Steps: []pipeline.Step{
			{ID: "draft", Request: func(s *pipeline.Scope) (*pipeline.Request, error) {
				if s.Row.Number == 9 {
					return nil, errors.New("the row has no text")
				}
				return j.request(fmt.Sprintf("%s %d", j.prompt, s.Row.Number)), nil
			}},
			{ID: "judge", Needs: []int{0}, Request: func(s *pipeline.Scope) (*pipeline.Request, error) {
				return j.request("judge " + s.Answers[0].Response), nil
			}},
		},
		Rows: func(yield func(*pipeline.Row, error) bool) {
			for i := range j.rows {
				if !yield(&pipeline.Row{Number: int64(i), ID: fmt.Sprint("r", i)}, nil) {
					return
				}
			}
		},
	}
}

func (j *job) identify(*pipeline.Request) (pipeline.Identity, error) {
	return pipeline.Identity{Digest: j.digest}, nil
}

// done is what is known after a run of the job in which each answer is its prompt.
func (j *job) done(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{results: map[pipeline.Key]*runner.Stored{}, last: map[TaskID]*Last{}}
	for i := range j.rows {
		prompt := fmt.Sprintf("%s %d", j.prompt, i)
		for _, step := range []struct{ id, text string }{{"draft", prompt}, {"judge", "judge [" + prompt + "]"}} {
			question, err := j.request(step.text).Canonical(pipeline.Identity{Digest: j.digest})
			if err != nil {
				t.Fatal(err)
			}
			key := pipeline.KeyOf(question)
			s.results[key] = &runner.Stored{Answer: &pipeline.Answer{Response: "[" + step.text + "]", PromptEvalCount: 10, EvalCount: 5, TotalDuration: 2}}
			s.last[TaskID{fmt.Sprint("r", i), step.id}] = &Last{Key: key, Question: question, Model: "gemma3:12b", OK: true}
		}
	}
	return s
}

func (j *job) walk(t *testing.T, known Known, change func(*Options)) ([]string, *Totals) {
	t.Helper()
	opts := Options{Known: known, Identify: j.identify}
	if change != nil {
		change(&opts)
	}
	var lines []string
	totals, err := Walk(t.Context(), j.plan(), opts, func(task *Task) error {
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s %s: %s: %s", task.Row.ID, task.Step, task.Action, task.Why), ": "))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, totals
}

func base() *job {
	return &job{digest: "a1b2c3d4e5f6a7b8", system: "Be brief.", prompt: "Say it.\nTo", temperature: "0", rows: 2}
}

func TestReasons(t *testing.T) {
	tests := []struct {
		name   string
		change func(j *job, s *shelf)
		want   []string
	}{
		{"nothing", func(*job, *shelf) {}, []string{"r0 draft: reuse", "r0 judge: reuse", "r1 draft: reuse", "r1 judge: reuse"}},
		{
			"the prompt's second line", func(j *job, _ *shelf) { j.prompt = "Say it.\nInto" },
			[]string{
				"r0 draft: redo: prompt of step draft changed: line 2", `r0 judge: depends: waits for the answer of step "draft"`,
				"r1 draft: redo: prompt of step draft changed: line 2", `r1 judge: depends: waits for the answer of step "draft"`,
			},
		},
		{
			"a row more", func(j *job, _ *shelf) { j.rows = 3 },
			[]string{
				"r0 draft: reuse", "r0 judge: reuse", "r1 draft: reuse", "r1 judge: reuse",
				"r2 draft: create: new row", `r2 judge: depends: waits for the answer of step "draft"`,
			},
		},
		{
			"a step more", func(_ *job, s *shelf) {
				for i := range 2 {
					last := s.last[TaskID{fmt.Sprint("r", i), "judge"}]
					delete(s.results, last.Key)
					delete(s.last, TaskID{fmt.Sprint("r", i), "judge"})
				}
			},
			[]string{"r0 draft: reuse", "r0 judge: create: new step", "r1 draft: reuse", "r1 judge: create: new step"},
		},
		{
			"the model", func(j *job, _ *shelf) { j.digest = "ffff0000ffff0000" },
			[]string{
				"r0 draft: redo: model gemma3:12b moved from digest a1b2c3d4e5f6 to ffff0000ffff", `r0 judge: depends: waits for the answer of step "draft"`,
				"r1 draft: redo: model gemma3:12b moved from digest a1b2c3d4e5f6 to ffff0000ffff", `r1 judge: depends: waits for the answer of step "draft"`,
			},
		},
		{
			"everything at once", func(j *job, _ *shelf) { j.system, j.temperature, j.think, j.rows = "Be long.", "0.7", "high", 1 },
			[]string{
				"r0 draft: redo: system prompt of step draft changed: line 1; option temperature of step draft changed from 0 to 0.7; " +
					`think of step draft changed from unset to "high"`,
				`r0 judge: depends: waits for the answer of step "draft"`,
			},
		},
		{
			"failures", func(_ *job, s *shelf) {
				s.results[s.last[TaskID{"r0", "draft"}].Key] = &runner.Stored{Err: &runner.Error{Class: runner.Timeout, Message: "no answer within 30s"}}
				s.results[s.last[TaskID{"r1", "draft"}].Key] = &runner.Stored{Err: &runner.Error{Class: runner.ContextOverflow, Message: "the prompt is too long"}}
			},
			[]string{
				"r0 draft: redo: the last attempt failed: timeout: no answer within 30s", `r0 judge: depends: waits for the answer of step "draft"`,
				"r1 draft: reuse: stays failed: context_overflow: the prompt is too long", `r1 judge: fail: step "draft" failed`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := base()
			s := j.done(t)
			tt.change(j, s)
			lines, _ := j.walk(t, s, nil)
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTotals(t *testing.T) {
	j := base()
	s := j.done(t)
	j.rows = 10 // the last one can't be asked
	_, totals := j.walk(t, s, nil)
	want := &Totals{
		Rows: 10, Tasks: 20, Actions: map[Action]int64{Reuse: 4, Create: 7, Depends: 7, Fail: 2},
		Asked: map[string]map[string]int64{"draft": {"gemma3:12b": 7}}, Known: 4, PromptTokens: 40, OutputTokens: 20, Took: 8,
	}
	if diff := cmp.Diff(want, totals); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, totals = j.walk(t, s, func(o *Options) { o.Redo = true }); totals.Actions[Redo] != 2 || totals.Actions[Create] != 7 {
		t.Errorf("with Redo %v", totals.Actions)
	}
	if _, totals = j.walk(t, nil, func(o *Options) { o.Known = nil }); totals.Actions[Create] != 9 {
		t.Errorf("without a store %v", totals.Actions)
	}
}

func TestEqualQuestionsAreCountedOnce(t *testing.T) {
	j := base()
	plan := j.plan()
	plan.Steps = plan.Steps[:1]
	plan.Steps[0].Request = func(*pipeline.Scope) (*pipeline.Request, error) { return j.request("the same"), nil }
	j.rows = 5
	var lines []string
	totals, err := Walk(t.Context(), plan, Options{Identify: j.identify}, func(task *Task) error {
		lines = append(lines, string(task.Action)+" "+task.Why)
		return nil
	})
	if err != nil || totals.ToAsk() != 1 || lines[4] != "reuse has the question of row 0" {
		t.Errorf("%d to ask, the last is %q (%v)", totals.ToAsk(), lines[4], err)
	}
}

// A plan of many rows is looked up in batches, and nothing is held.
func TestBatches(t *testing.T) {
	j := base()
	s := j.done(t)
	j.rows = 130
	_, _ = j.walk(t, s, nil)
	if diff := cmp.Diff([]int{63, 2, 64, 2}, s.finds); diff != "" {
		t.Errorf("keys at once (-want +got):\n%s", diff)
	}
}
