package pipeline

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/batchrunner/runner/schema"
	"github.com/batchrunner/runner/specs"
	"github.com/google/go-cmp/cmp"
)

// one gives the plan's only row.
func one(t *testing.T, p *Plan) *Row {
	t.Helper()
	for row, err := range p.Rows {
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
	t.Fatal("no row")
	return nil
}

func TestRequestInFull(t *testing.T) {
	j := job(t, "Translate {{ .s.text }} to {{ .l }} ({{ .row.number }}/{{ .row.id }}, {{ .env.WHO }})", list(t, "s", "[{text: 'a {{ .l }}', ctx: '4096', t: 0.70, mmap: 'false'}]"), list(t, "l", "[fr]"))
	j.Env = map[string]string{"WHO": "me"}
	j.RowID = tmpl(t, "{{ .l }}-{{ .env.WHO }}")
	s := &j.Steps[0]
	s.Model = tmpl(t, "m-{{ .l }}")
	s.Messages = append([]specs.Message{{Role: "system", Content: tmpl(t, "Be brief.")}}, s.Messages...)
	s.Options = append(s.Options,
		specs.Option{Name: specs.String{Value: "num_ctx"}, Template: tmpl(t, "{{ .s.ctx }}")},
		specs.Option{Name: specs.String{Value: "temperature"}, Template: tmpl(t, "{{ .s.t }}")},
		specs.Option{Name: specs.String{Value: "seed"}, Template: tmpl(t, "1{{ .row.number }}")},
		specs.Option{Name: specs.String{Value: "stop"}, Template: tmpl(t, "{{ .l }}")},
		specs.Option{Name: specs.String{Value: "use_mmap"}, Template: tmpl(t, "{{ .s.mmap }}")},
		specs.Option{Name: specs.String{Value: "of_a_newer_server"}, Template: tmpl(t, "{{ .s }}")},
	)
	s.Format, s.Think, s.KeepAlive, s.OwnLimit = json.RawMessage(`"json"`), "low", "5m", true
	p := build(t, j, nil)
	got, err := p.Steps[0].Request(&Scope{Row: one(t, p), Answers: make([]*Answer, 1)})
	if err != nil {
		t.Fatal(err)
	}
	want := &Request{
		Model: "m-fr",
		Messages: []Message{
			{"system", "Be brief."},
			{"user", "Translate a {{ .l }} to fr (0/fr-me, me)"}, // data is no template
		},
		Options: map[string]any{
			"num_predict": json.Number("64"), "num_ctx": json.Number("4096"), "temperature": json.Number("0.70"),
			"seed": json.Number("10"), "stop": []any{"fr"}, "use_mmap": false,
			"of_a_newer_server": object{"text": "a {{ .l }}", "ctx": "4096", "t": json.Number("0.70"), "mmap": "false"},
		},
		Format: json.RawMessage(`"json"`), Think: "low", KeepAlive: "5m", OwnLimit: true,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("request (-want +got):\n%s", d)
	}
}

func TestRequestMistakes(t *testing.T) {
	tests := []struct {
		name   string
		change func(*specs.Step)
		want   string
	}{
		{"an empty prompt", func(s *specs.Step) { s.Messages[0].Content = tmpl(t, " \n{{ .blank }}\t") },
			`job.yaml:7:11: step "main": row 0 (r0): the prompt is empty; give the row something to ask, or leave it out with exclude`},
		{"an empty message of several", func(s *specs.Step) {
			s.Messages = []specs.Message{{Role: "user", Content: tmpl(t, "Hi")}, {Role: "assistant", Content: tmpl(t, "")}, {Role: "user", Content: tmpl(t, "{{ .blank }}")}}
		}, `job.yaml:7:11: step "main": row 0 (r0): message 3 (user) is empty; give the row something to ask, or leave it out with exclude`},
		{"an environment that is no text", func(s *specs.Step) { s.Messages[0].Content = tmpl(t, "Hi {{ .env.BAD }}") },
			`job.yaml:7:11: step "main": row 0 (r0): the prompt is not valid UTF-8; what it is made of must be UTF-8 text`},
		{"an option that lacks its variable", func(s *specs.Step) { s.Options = options(t, "num_ctx", "{{ .env.GONE }}") },
			`job.yaml:7:14: step "main": row 0 (r0): the template uses .env.GONE, which this row does not have; if it may be missing: {{ get .env "GONE" | default "none" }}`},
		{"long text for a number", func(s *specs.Step) { s.Options = options(t, "num_ctx", "{{ .long }}") },
			`job.yaml:7:11: step "main": row 0 (r0): option "num_ctx" must be a whole number, but is "` + strings.Repeat("é", 59) + "..."},
		{"no model's name", func(s *specs.Step) { s.Model = tmpl(t, "{{ .blank }}") },
			`job.yaml:7:11: step "main": row 0 (r0): the model's name is empty; give each row the name of a model`},
		{"no model", func(s *specs.Step) { s.Model = nil },
			`step "main": row 0 (r0): there is no model; name one in the job, or with -m`},
		{"text for a whole number", func(s *specs.Step) { s.Options = options(t, "num_ctx", "{{ .word }}") },
			`job.yaml:7:11: step "main": row 0 (r0): option "num_ctx" must be a whole number, but is "many"`},
		{"a fraction for a whole number", func(s *specs.Step) { s.Options = options(t, "num_ctx", "{{ .half }}") },
			`job.yaml:7:11: step "main": row 0 (r0): option "num_ctx" must be a whole number, but is 0.5`},
		{"too small", func(s *specs.Step) { s.Options = options(t, "num_ctx", "{{ .zero }}") },
			`job.yaml:7:11: step "main": row 0 (r0): option "num_ctx" must be at least 1, but is 0`},
		{"too large", func(s *specs.Step) { s.Options = options(t, "top_p", "{{ .zero }}1.5") },
			`job.yaml:7:11: step "main": row 0 (r0): option "top_p" must be a number, but is "01.5"`},
		{"a list for a number", func(s *specs.Step) { s.Options = options(t, "temperature", "{{ .list }}") },
			`job.yaml:7:11: step "main": row 0 (r0): option "temperature" must be a number, but is [1]`},
		{"numbers for texts", func(s *specs.Step) { s.Options = options(t, "stop", "{{ .list }}") },
			`job.yaml:7:11: step "main": row 0 (r0): option "stop" must be a list, but is [1]`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			j := job(t, "Hi", list(t, "id", "[r0]"), list(t, "blank", "['']"), list(t, "word", "[many]"), list(t, "half", "[0.5]"), list(t, "zero", "[0]"), list(t, "list", "[[1]]"), list(t, "long", "["+strings.Repeat("é", 100)+"]"))
			j.Env = map[string]string{"BAD": "\xff"}
			j.RowID = tmpl(t, "{{ .id }}")
			test.change(&j.Steps[0])
			p := build(t, j, nil)
			req, err := p.Steps[0].Request(&Scope{Row: one(t, p), Answers: make([]*Answer, 1)})
			if err == nil || req != nil {
				t.Fatalf("a request was made: %+v", req)
			}
			if d := cmp.Diff(test.want, err.Error()); d != "" {
				t.Errorf("error (-want +got):\n%s", d)
			}
		})
	}
}

func options(t *testing.T, name, text string) []specs.Option {
	return []specs.Option{{Name: specs.String{Value: name}, Template: tmpl(t, text)}}
}

// A variable that the row lacks is named with the row, at the place in the prompt.
func TestRequestLacksAVariable(t *testing.T) {
	j := job(t, "To {{ .p.name }}", list(t, "p", "[{name: a}, {nom: b}]"))
	p := build(t, j, nil)
	for row, err := range p.Rows {
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Steps[0].Request(&Scope{Row: row, Answers: make([]*Answer, 1)})
		if row.Number == 0 {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), `job.yaml:7:1`) || !strings.Contains(err.Error(), `: step "main": row 1: `) || !strings.Contains(err.Error(), "name") {
			t.Errorf("error %v names not place, step, row and variable", err)
		}
	}
}

// chain is a job whose second step reads the first one's answer.
func chain(t *testing.T) *specs.Job {
	j := job(t, "Say {{ .w }}", list(t, "w", "[x]"))
	first := j.Steps[0]
	first.ID.Value = "first"
	first.JSON = true
	second := specs.Step{
		ID: specs.String{Value: "second"}, Model: tmpl(t, "m2"), Needs: []int{0},
		Messages: []specs.Message{{Role: "user", Content: tmpl(t,
			"{{ .w }} {{ .steps.first.response }} {{ .steps.first.json.n }} {{ .steps.first.eval_count }} {{ .steps.first.eval_duration }} {{ .steps.first.status }} {{ .steps.first.model }}")}},
	}
	j.Steps = []specs.Step{first, second}
	return j
}

func TestEarlierAnswers(t *testing.T) {
	p := build(t, chain(t), nil)
	answer := &Answer{Response: `{"n": 1.50}`, Model: "m", EvalCount: 12, EvalDuration: 3e9}
	if err := p.Steps[0].Check(answer); err != nil {
		t.Fatal(err)
	}
	req, err := p.Steps[1].Request(&Scope{Row: one(t, p), Answers: []*Answer{answer, nil}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := req.Messages[0].Content, `x {"n": 1.50} 1.50 12 3000000000 ok m`; got != want {
		t.Errorf("prompt %q, want %q", got, want)
	}
	if d := cmp.Diff([]int{0}, p.Steps[1].Needs); d != "" {
		t.Error(d)
	}
	if len(req.Options) > 0 {
		t.Errorf("options %v", req.Options)
	}
}

func TestScope(t *testing.T) {
	j := chain(t)
	j.Env = map[string]string{"A": "b"}
	p := build(t, j, nil)
	row := one(t, p)
	got := p.Scope(row, []*Answer{nil, {Response: "r", Thinking: "t", Model: "m2", DoneReason: "stop", PromptEvalCount: 1, EvalCount: 2, TotalDuration: 3, LoadDuration: 4, PromptEvalDuration: 5, EvalDuration: 6}})
	n := func(s string) json.Number { return json.Number(s) }
	want := object{
		"w": "x", "row": object{"id": "0", "number": n("0")}, "env": object{"A": "b"},
		"steps": object{"second": object{"response": "r", "thinking": "t", "model": "m2", "status": "ok", "done_reason": "stop",
			"prompt_eval_count": n("1"), "eval_count": n("2"), "total_duration": n("3"), "load_duration": n("4"), "prompt_eval_duration": n("5"), "eval_duration": n("6")}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("scope (-want +got):\n%s", d)
	}
	if len(row.Vars) != 1 {
		t.Errorf("the row's variables were changed: %v", row.Vars)
	}
}

func TestCheckOfAnswers(t *testing.T) {
	j := job(t, "x")
	j.Steps[0].JSON = true
	plain := build(t, j, nil).Steps[0]
	compiled, err := schema.Compile("format", []byte(`{"type":"object","required":["score","why"],"properties":{"score":{"type":"integer","maximum":5}}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	withSchema := job(t, "x")
	withSchema.Steps[0].JSON, withSchema.Steps[0].Schema = true, compiled
	strict := build(t, withSchema, nil).Steps[0]
	tests := []struct {
		step     Step
		response string
		want     any    // of Answer.JSON
		err      string // contained in the error
	}{
		{plain, ` {"n": 1.10, "big": 12345678901234567890} ` + "\n", object{"n": json.Number("1.10"), "big": json.Number("12345678901234567890")}, ""},
		{plain, "null", nil, ""},
		{plain, "", nil, "the answer is not JSON: it ends too early"},
		{plain, `{"a": `, nil, "the answer is not JSON: it ends too early"},
		{plain, "```json\n{}\n```", nil, "the answer is not JSON: invalid character"},
		{plain, `{} {}`, nil, "the answer is not JSON: something follows the value"},
		{strict, `{"score": 5, "why": "x"}`, object{"score": json.Number("5"), "why": "x"}, ""},
		{strict, `{"score": 9}`, object{"score": json.Number("9")}, `"why"`},
		{strict, `{"score": 9}`, object{"score": json.Number("9")}, `"score" must be at most 5`},
	}
	for _, test := range tests {
		a := &Answer{Response: test.response}
		err := test.step.Check(a)
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("Check(%q) = %v, want %q", test.response, err, test.err)
		}
		if d := cmp.Diff(test.want, a.JSON); d != "" {
			t.Errorf("JSON of %q (-want +got):\n%s", test.response, d)
		}
	}
	if build(t, job(t, "x"), nil).Steps[0].Check != nil {
		t.Error("a step without a format checks its answers")
	}
}
