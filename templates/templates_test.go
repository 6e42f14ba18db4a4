package templates

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sourcegraph/conc/pool"
	"pgregory.net/rapid"
)

func TestRender(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"plain", "plain"},
		{"{{ .language }}", "German"},
		{"Translate to {{ .language }}: {{ .sentence.text }}", "Translate to German: Hello"},
		{"{{ $.sentence.text }}, {{ .price }}, {{ .flag }}", "Hello, 1.10, true"},
		{"{{ .tags }} {{ .p.größe }}", `["a",null,{"name":"n"}] L`},
		{"a {{/* note */}} b", "a  b"},
		{"a\n{{- /* note */ -}}\nb {{- .language -}} c", "ab" + "German" + "c"},
		{`{{ .sentence.text | upper | printf "%s!" }}`, "HELLO!"},
		{`{{ range $i, $t := compact .tags }}{{ if $i }}, {{ end }}{{ $i }}{{ end }}`, "0, 1"},
		{`{{ range .tags }}{{ if kindIs "map" . }}{{ continue }}{{ end }}x{{ else }}none{{ end }}`, "xx"},
		{`{{ range 5 }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}`, "012"},
		{`{{ define "greet" }}Hi {{ .text }}{{ end }}{{ template "greet" .sentence }}.`, "Hi Hello."},
		{`{{ with .nothing }}x{{ else with .sentence }}{{ .text }}{{ end }}`, "Hello"},
		{`{{ $x := 1 }}{{ range 3 }}{{ $x = mul $x 2 }}{{ end }}{{ $x }}`, "8"},
		{`{"a": {{ .sentence.text | toJson }}}`, `{"a": "Hello"}`},
		{"{{ .nothing | default .language }}", "German"},
		{`{{ block "b" .sentence }}{{ .id }}{{ end }}`, "s1"},
	} {
		tmpl, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, err := tmpl.Render(row())
		if err != nil || got != c.want {
			t.Errorf("%s gives %q, %v; want %q", c.text, got, err, c.want)
		}
		if tmpl.Text() != c.text {
			t.Errorf("the text of %q is %q", c.text, tmpl.Text())
		}
	}
}

func TestValue(t *testing.T) {
	for _, c := range []struct {
		text string
		want any
	}{
		{"{{ .language }}", "German"},
		{"{{ .price }}", json.Number("1.10")},
		{"{{- .count -}}", json.Number("3")},
		{"{{ .flag }}", true},
		{"{{ .nothing }}", nil},
		{"{{ .tags }}", []any{"a", nil, map[string]any{"name": "n"}}},
		{"{{ .sentence }}", map[string]any{"id": "s1", "text": "Hello", "note": nil}},
		{"{{ add .count 1 }}", json.Number("4")},
		{"{{ divf .count 2 }}", json.Number("1.5")},
		{"{{ len .tags }}", json.Number("3")},
		{"{{ 1e3 }}", json.Number("1000")},
		{"{{ gt .count 2 }}", true},
		{"{{ upper .language }}", "GERMAN"},
		{`{{ get .p "x" }}`, nil},
		{`{{ list 1 .price (dict "a" 2.5) }}`, []any{json.Number("1"), json.Number("1.10"), map[string]any{"a": json.Number("2.5")}}},
		{`{{ splitList "," "a,b" }}`, []any{"a", "b"}},
		{`{{ fromJson "[1.0]" }}`, []any{json.Number("1.0")}},
		{"{{ .count }} ", "3 "},
		{" {{ .flag }}", " true"},
		{"{{ .count }}{{ .count }}", "33"},
		{"{{ if .flag }}{{ .count }}{{ end }}", "3"},
		{"{{ $x := .count }}", ""},
		{"text", "text"},
	} {
		tmpl, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, err := tmpl.Value(row())
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", c.text, err, diff)
		}
	}
	for _, text := range []string{"{{ .x }}", "{{ atoi .language }}", "{{ .nothing.x }}"} {
		tmpl, _ := Parse(text)
		if v, err := tmpl.Value(row()); err == nil || v != nil {
			t.Errorf("%s has the value %v, want an error", text, v)
		}
	}
}

func TestConstantAndSingle(t *testing.T) {
	for _, c := range []struct {
		text             string
		constant, single bool
	}{
		{"", true, false},
		{"text", true, false},
		{"{{/* note */}}", true, false},
		{"{{ .a }}", false, true},
		{"{{- .a -}}", false, true},
		{`{{ "a" }}`, false, true},
		{"{{ .a | upper }}", false, true},
		{"{{ .a }}\n", false, false},
		{"{{ $x := .a }}", false, false},
		{"{{ if .a }}{{ .a }}{{ end }}", false, false},
		{`{{ define "a" }}{{ end }}{{ .a }}`, false, true},
	} {
		tmpl, err := Parse(c.text)
		if err != nil || tmpl.Constant() != c.constant || tmpl.Single() != c.single {
			t.Errorf("%q: constant %t, single %t, %v", c.text, tmpl.Constant(), tmpl.Single(), err)
		}
	}
}

// TestQuick holds the short way of plain prompts against text/template's: equal
// texts and equal mistakes for every scope.
func TestQuick(t *testing.T) {
	values := rapid.OneOf(
		rapid.Just[any](nil), rapid.Just[any](true), rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Just[any](json.Number("1.10")), rapid.Just[any]([]any{"x", nil}),
		rapid.Just[any](map[string]any{"b": "inner", "c": map[string]any{"a": json.Number("2")}}),
	)
	names := rapid.SampledFrom([]string{"a", "b", "c"})
	actions := rapid.Map(rapid.SliceOfN(names, 1, 3), func(path []string) string { return "{{ ." + strings.Join(path, ".") + " }}" })
	pieces := rapid.OneOf(actions, actions, rapid.SampledFrom([]string{"text ", "\n", "ä", "{{ $.a }}"}))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(pieces, 1, 6).Draw(t, "template"), "")
		scope := rapid.MapOfN(names, values, 0, 3).Draw(t, "scope")
		tmpl, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got, errGot := tmpl.Render(scope)
		value, errValue := tmpl.Value(scope)
		tmpl.parts = nil
		want, errWant := tmpl.Render(scope)
		wantValue, errWantValue := tmpl.Value(scope)
		if got != want || !cmp.Equal(errGot, errWant) || !cmp.Equal(value, wantValue) || !cmp.Equal(errValue, errWantValue) {
			t.Fatalf("%q: quick %q %v %v %v, slow %q %v %v %v", text, got, errGot, value, errValue, want, errWant, wantValue, errWantValue)
		}
	})
}

// TestConcurrent renders one template many times at once, some of it failing.
func TestConcurrent(t *testing.T) {
	tmpl, err := Parse(`{{ range $i, $x := .list }}{{ $i }}{{ upper $x }}{{ end }} {{ atoi .n }} {{ repeat 1000 .n | len }}`)
	if err != nil {
		t.Fatal(err)
	}
	p := pool.New().WithMaxGoroutines(8).WithErrors()
	for i := range 200 {
		p.Go(func() error {
			n, want := fmt.Sprint(100+i), fmt.Sprintf("0A1B %d 3000", 100+i)
			if i%10 == 9 {
				n, want = "x", ""
			}
			got, err := tmpl.Render(map[string]any{"list": []any{"a", "b"}, "n": n})
			if got != want || (err != nil) != (n == "x") {
				return fmt.Errorf("rendering %d gives %q, %w", i, got, err)
			}
			return nil
		})
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

// TestTime shows that every kind of work looks at the clock, one that we turn.
func TestTime(t *testing.T) {
	for what, text := range map[string]string{
		"loops":               `{{ range 300 }}{{ range 300 }}{{ end }}{{ end }}`,
		"calls without loops": `{{ "a" ` + strings.Repeat("| upper ", 20_000) + `}}`,
		"templates":           `{{ define "a" }}{{ end }}` + strings.Repeat(`{{ template "a" }}`, 20_000),
		"one long function":   `{{ uniq (until 20000) }}`,
		"a sort":              `{{ sortAlpha (until 20000) }}`,
		"a pattern":           `{{ range 50 }}{{ $x := regexMatch "a+b" (repeat 10000 "a") }}{{ end }}`,
		"comparisons":         `{{ $x := repeat 100000 "x" }}{{ range 9 }}{{ $y := eq $x "x" }}{{ end }}`,
	} {
		tmpl, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var looks int
		tmpl.limits.now = func() time.Time {
			looks++
			return time.Unix(int64(looks), 0) // the first look begins, the third is two seconds later
		}
		_, err = tmpl.Render(nil)
		var e *Error
		if !errors.As(err, &e) || e.Message != "rendering takes longer than 1s" {
			t.Errorf("%s: %v after %d looks at the clock", what, err, looks)
		}
	}
}

// TestBudgetIsFresh shows that one rendering leaves nothing to the next.
func TestBudgetIsFresh(t *testing.T) {
	tmpl, err := Parse(`{{ range .n }}{{ repeat 100000 "x" | len }} {{ end }}{{ define "a" }}{{ if .n }}{{ template "a" .deeper }}{{ end }}{{ end }}{{ template "a" . }}`)
	if err != nil {
		t.Fatal(err)
	}
	tmpl.limits.time = time.Hour // a slow machine is no mistake of the template
	deep := map[string]any{"n": 0}
	for range 90 {
		deep = map[string]any{"n": 1, "deeper": deep}
	}
	scope := maps.Clone(deep)
	scope["n"] = 300
	want := strings.Repeat("100000 ", 300)
	for i := range 3 {
		if got, err := tmpl.Render(scope); err != nil || got != want {
			t.Fatalf("rendering %d gives %d bytes, %v", i, len(got), err)
		}
		if _, err := tmpl.Render(map[string]any{"n": 400}); err == nil {
			t.Fatalf("rendering %d of more than 32 MiB has no error", i)
		}
	}
}
