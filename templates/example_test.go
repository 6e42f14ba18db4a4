package templates_test

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/batchrunner/runner/templates"
)

func ExampleParse() {
	t, err := templates.Parse("Translate to {{ .language }}: {{ .sentence.text }}")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := t.Render(map[string]any{
		"language": "German",
		"sentence": map[string]any{"text": "Good morning."},
	})
	fmt.Println(text, err)

	_, err = templates.Parse("{{ .language | uper }}")
	fmt.Println(err)
	// Output:
	// Translate to German: Good morning. <nil>
	// 1:16: unknown function "uper"; did you mean "upper"?
}

func ExampleTemplate_Render() {
	t, _ := templates.Parse(`{{ .product.name }}: {{ get .product "note" | default "no note" }}, {{ .product.price }}`)
	text, _ := t.Render(map[string]any{"product": map[string]any{"name": "Tea", "price": json.Number("1.10")}})
	fmt.Println(text)

	_, err := t.Render(map[string]any{"product": map[string]any{"name": "Tea"}})
	fmt.Println(err)
	// Output:
	// Tea: no note, 1.10
	// 1:72: the template uses .product.price, which this row does not have; if it may be missing: {{ get .product "price" | default "none" }}
}

func ExampleTemplate_Value() {
	scope := map[string]any{"limit": json.Number("256")}
	for _, text := range []string{"{{ .limit }}", "{{ mul .limit 2 }}", "{{ gt .limit 100 }}", "up to {{ .limit }}"} {
		t, _ := templates.Parse(text)
		value, _ := t.Value(scope)
		fmt.Printf("%T %v\n", value, value)
	}
	// Output:
	// json.Number 256
	// json.Number 512
	// bool true
	// string up to 256
}

func ExampleTemplate_Refs() {
	t, _ := templates.Parse(`{{ with .sentence }}{{ .text }} {{ get . "note" }}{{ end }}
Rate: {{ .steps.draft.response | quote }}`)
	for _, ref := range t.Refs() {
		fmt.Println(ref.Line, ref.Col, ref.Path, ref.Optional)
	}
	// Output:
	// 1 24 [sentence text] false
	// 1 40 [sentence note] true
	// 2 10 [steps draft response] false
}

func ExampleDescribe() {
	functions := templates.Describe()
	i := slices.IndexFunc(functions, func(f templates.Function) bool { return f.Name == "trunc" })
	f := functions[i]
	fmt.Println(f.Signature)
	fmt.Println(f.Text)
	fmt.Println(f.Example, "gives", f.Output)
	// Output:
	// trunc LENGTH TEXT -> text
	// the first characters; the last ones where the length is negative
	// {{ trunc 5 "hello world" }} gives hello
}
