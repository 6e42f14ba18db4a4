package templates

import (
	"encoding/json"
	"strings"
	"testing"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// benchmarks are the prompts that jobs have. Each is rendered by us and by
// text/template as it comes, with sprig's functions.
var benchmarks = []struct{ name, text string }{
	{"two variables", "Translate to {{ .language }}: {{ .sentence.text }}"},
	{"two functions", "Translate to {{ .language | upper }}: {{ .sentence.text | trim }}"},
	{"condition", `{{ if eq .language "German" }}Sie{{ else }}you{{ end }}: {{ .sentence.text }}`},
	{"loop of 10", "{{ range .tags }}- {{ . }}\n{{ end }}"},
	{"loop of 10 with functions", "{{ range .tags }}- {{ . | upper | quote }}\n{{ end }}"},
	{"two KiB of text", strings.Repeat("word ", 400) + "{{ .language }}: {{ .sentence.text }}"},
}

func benchmarkScope() map[string]any {
	tags := make([]any, 10)
	for i := range tags {
		tags[i] = "a tag of a review"
	}
	return map[string]any{
		"language": "German", "tags": tags,
		"sentence": map[string]any{"id": json.Number("1"), "text": "Hello, how are you?"},
	}
}

// BenchmarkRender compares Render with text/template's Execute: the same template,
// the same scope, a string as the result.
func BenchmarkRender(b *testing.B) {
	scope := benchmarkScope()
	for _, c := range benchmarks {
		b.Run(c.name+"/runner", func(b *testing.B) {
			tmpl, err := Parse(c.text)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tmpl.Render(scope); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/plain", func(b *testing.B) {
			tmpl := template.Must(template.New("p").Option("missingkey=error").Funcs(sprig.HermeticTxtFuncMap()).Parse(c.text))
			b.ReportAllocs()
			for b.Loop() {
				var text strings.Builder
				if err := tmpl.Execute(&text, scope); err != nil {
					b.Fatal(err)
				}
				_ = text.String()
			}
		})
	}
}

func BenchmarkValue(b *testing.B) {
	tmpl, err := Parse("{{ .sentence.id }}")
	if err != nil {
		b.Fatal(err)
	}
	scope := benchmarkScope()
	for b.Loop() {
		if _, err := tmpl.Value(scope); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse(benchmarks[1].text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLibrary is what a program pays once for its first template.
func BenchmarkLibrary(b *testing.B) {
	for b.Loop() {
		newLibrary()
	}
}
