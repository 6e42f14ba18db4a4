package specs_test

import (
	"strings"
	"testing"

	"github.com/batchrunner/runner/specs"
)

// Places in a template are exact in blocks and in scalars on one line, however they
// are quoted; the text at the place must be the text of the template.
func TestPlacesInTemplates(t *testing.T) {
	for name, job := range map[string]string{
		"plain":              "prompt: Say {{ .a }} and {{ .b }}\n",
		"double quotes":      "prompt: \"Say {{ .a }} and {{ .b }}\"\n",
		"single quotes":      "prompt: 'Say {{ .a }} and {{ .b }}'\n",
		"escapes":            "prompt: \"\\tSay \\\"{{ .a }}\\\" \\u00e9\\x41\\U0001F600 {{ .b }}\"\n",
		"escaped line break": "prompt: \"Say {{ .a }}\\nand\\n{{ .b }}\"\n",
		"doubled quote":      "prompt: 'It''s {{ .a }}''{{ .b }}'\n",
		"block":              "prompt: |\n  Say {{ .a }}\n\n    and {{ .b }}\n",
		"block, blank first": "prompt: |\n\n  Say {{ .a }}\n  and {{ .b }}\n",
		"block, stripped":    "prompt: |-\n      Say {{ .a }}\n      and {{ .b }}",
		"block, kept":        "prompt: |+\n  {{ .a }}\n  {{ .b }}\n\n\n",
		"block, indicator":   "prompt: |2\n    Say {{ .a }}\n  and {{ .b }}\n",
		"block, comment":     "prompt: | # a comment\n  {{ .a }}\n  {{ .b }}\n",
		"block, windows":     "prompt: |\r\n  {{ .a }}\r\n  {{ .b }}\r\n",
		"anchor":             "prompt: &p \"Say {{ .a }} and {{ .b }}\"\n",
		"tag":                "prompt: !!str Say {{ .a }} and {{ .b }}\n",
		"wide":               "prompt: \"世界 😀 {{ .a }} é {{ .b }}\"\n",
		"flow":               "steps: [{id: a, prompt: \"Say {{ .a }} and {{ .b }}\"}]\n",
		"first line comment": "# one\n\nprompt: \"Say {{ .a }} and {{ .b }}\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			loaded := good(t, job+"\nvars: {a: 1, b: 2}\n", specs.Options{})
			prompt := loaded.Steps[0].Messages[0].Content
			if !prompt.Exact {
				t.Fatal("the places are not exact")
			}
			lines := strings.Split(job, "\n")
			for _, ref := range prompt.Refs() {
				pos := prompt.At(ref.Line, ref.Col)
				if got := string([]rune(lines[pos.Line-1])[pos.Col-1:]); !strings.HasPrefix(got, "."+ref.Path[0]) {
					t.Errorf(".%s is said to be at %v, where %q stands", ref.Path[0], pos, got)
				}
			}
		})
	}
}

// Elsewhere every place is the start of the text.
func TestPlacesInFoldedTemplates(t *testing.T) {
	for name, c := range map[string]struct {
		job  string
		want specs.Pos
	}{
		"folded":            {"prompt: >\n  Say {{ .a }}\n  and {{ .b }}\n", specs.Pos{Line: 1, Col: 9}},
		"plain, two lines":  {"prompt: Say {{ .a }}\n  and {{ .b }}\n", specs.Pos{Line: 1, Col: 9}},
		"quoted, two lines": {"prompt: \"Say {{ .a }}\n  and {{ .b }}\"\n", specs.Pos{Line: 1, Col: 9}},
		"block, separators": {"prompt: |\n  Say {{ .a }}\u2028  and {{ .b }}\n", specs.Pos{Line: 1, Col: 9}},
	} {
		prompt := good(t, c.job+"vars: {a: 1, b: 2}\n", specs.Options{}).Steps[0].Messages[0].Content
		for _, ref := range prompt.Refs() {
			if got := prompt.At(ref.Line, ref.Col); got != c.want || prompt.Exact {
				t.Errorf("%s: %v, exact %v", name, got, prompt.Exact)
			}
		}
	}
}

// A place beyond the text's end stays in the file.
func TestPlacesBeyondTheEnd(t *testing.T) {
	prompt := good(t, "prompt: \"a\\nb\"\n", specs.Options{}).Steps[0].Messages[0].Content
	for _, at := range [][2]int{{0, 0}, {1, 99}, {9, 1}, {-1, 5}, {2, 2}} {
		if got := prompt.At(at[0], at[1]); got.Line != 1 || got.Col < 9 || got.Col > 14 {
			t.Errorf("At(%d, %d) = %v", at[0], at[1], got)
		}
	}
}
