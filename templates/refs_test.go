package templates

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefs(t *testing.T) {
	for _, c := range []struct{ what, text, want string }{
		{"a name", `{{ .a }}`, "1:4 .a"},
		{"a chain", `{{ .a.b.c }}`, "1:4 .a.b.c"},
		{"places count characters and lines", "Grüße\n  ä {{ .größe.x }}\n{{ .b }}", "2:8 .größe.x, 3:4 .b"},
		{"trimmed actions", "x\n{{- .a -}}\n{{- .b }}", "2:5 .a, 3:5 .b"},
		{"text only", `a {{/* .b */}} c`, ""},
		{"the scope by its name", `{{ $.a.b }}`, "1:4 .a.b"},
		{"index with names", `{{ index .a "b" "c-d" }}`, `1:10 index .a.b "c-d"`},
		{"index of the scope", `{{ index . "a" }} {{ index $ "b" }}`, "1:10 .a, 1:28 .b"},
		{"index with a variable", `{{ index .a .b }}`, "1:13 .b, 1:10 .a"},
		{"index with a place in a list", `{{ index .a 0 "b" }}`, "1:10 .a"},
		{"index through a pipe", `{{ "b" | index .a }}`, "1:16 .a.b"},
		{"get", `{{ get .a "b" | default "x" }}`, "1:8 .a.b?"},
		{"get of the scope", `{{ get . "b" }}`, "1:8 .b?"},
		{"get in get", `{{ get (get .a "b") "c" }}`, "1:13 .a.b?"},
		{"get in index", `{{ get (index .a "b") "c" }}`, "1:15 .a.b.c?"},
		{"hasKey", `{{ if hasKey .a "b" }}x{{ end }}`, "1:14 .a.b?"},
		{"what hasKey guards", `{{ if hasKey .a "b" }}{{ .a.b }}{{ else }}{{ .a.b }}{{ end }}`, "1:14 .a.b?, 1:26 .a.b?, 1:46 .a.b"},
		{"what hasKey guards within and", `{{ if and .c (hasKey . "b") }}{{ .b }}{{ end }}`, "1:11 .c, 1:22 .b?, 1:34 .b?"},
		{"arguments and pipes", `{{ replace .a .b .c | default .d | upper }}`, "1:12 .a, 1:15 .b, 1:18 .c, 1:31 .d"},
		{"parentheses", `{{ (index .a "b").c }} {{ (.d).e }}`, "1:11 .a.b.c, 1:28 .d.e"},
		{"fields of what a function gives", `{{ (first .a).b }}`, "1:11 .a"},
		{"a condition and all branches", `{{ if .a }}{{ .b }}{{ else if eq .c 1 }}{{ .d }}{{ else }}{{ .e }}{{ end }}`, "1:7 .a, 1:15 .b, 1:34 .c, 1:44 .d, 1:62 .e"},
		{"with", `{{ with .a }}{{ .b }} {{ $.c }}{{ else }}{{ .d }}{{ end }}`, "1:17 .a.b, 1:26 .c, 1:45 .d"},
		{"with, only asked", `{{ with .a }}x{{ end }}`, "1:9 .a"},
		{"with, printed", `{{ with .a }}{{ . }}{{ end }}`, "1:17 .a"},
		{"with in with", `{{ with .a }}{{ with .b }}{{ .c }}{{ end }}{{ end }}`, "1:30 .a.b.c"},
		{"with get", `{{ with get .a "b" }}{{ . }}{{ end }}`, "1:25 .a.b?"},
		{"with what a function gives", `{{ with first .a }}{{ .b }}{{ $.c }}{{ end }}`, "1:15 .a, 1:31 .c"},
		{"range", `{{ range .a }}{{ .b }}{{ $.c }}{{ else }}{{ .d }}{{ end }}`, "1:10 .a, 1:26 .c, 1:45 .d"},
		{"range with variables", `{{ range $i, $x := .a }}{{ $i }}{{ $x.b }}{{ end }}`, "1:20 .a"},
		{"a variable", `{{ $x := .a.b }}{{ $x.c }}{{ range .d }}{{ $x.e }}{{ end }}`, "1:20 .a.b.c, 1:36 .d, 1:44 .a.b.e"},
		{"a variable never used", `{{ $x := .a }}`, "1:10 .a"},
		{"a variable for the scope", `{{ $x := . }}{{ $x.a }}`, "1:17 .a"},
		{"a variable that changes", `{{ $x := .a }}{{ if .b }}{{ $x = .c }}{{ end }}{{ $x.d }}`, "1:21 .b, 1:34 .c, 1:10 .a"},
		{"a variable in a block", `{{ $x := .a }}{{ with .b }}{{ $x := .c }}{{ $x.d }}{{ end }}{{ $x.e }}`, "1:45 .b.c.d, 1:64 .a.e"},
		{"a variable in a condition", `{{ if $x := .a }}{{ $x.b }}{{ end }}`, "1:21 .a.b"},
		{"the whole scope", `{{ toJson . }} {{ . }} {{ toJson $ }}`, "1:11 ., 1:19 ., 1:34 ."},
		{"a defined template with the scope", `{{ define "t" }}{{ .a }}{{ $.b }}{{ end }}{{ template "t" . }}`, "1:20 .a, 1:28 .b"},
		{"with a part of it", `{{ define "t" }}{{ .a }}{{ $.b }}{{ end }}{{ template "t" .x }}`, "1:20 .x.a, 1:28 .x.b"},
		{"with anything else", `{{ define "t" }}{{ .a }}{{ end }}{{ template "t" dict "a" .x }}`, "1:59 .x"},
		{"without anything", `{{ define "t" }}{{ .a }}{{ end }}{{ template "t" }}`, ""},
		{"never called", `{{ define "t" }}{{ .a }}{{ end }}`, ""},
		{"called by itself", `{{ define "t" }}{{ .a }}{{ template "t" .b }}{{ end }}{{ template "t" . }}`, "1:20 .a, 1:41 .b"},
		{"a block", `{{ block "t" .x }}{{ .a }}{{ end }}`, "1:22 .x.a"},
		{"steps", `{{ .steps.draft.response | quote }} {{ index .steps "judge" "json" }}`, "1:4 .steps.draft.response, 1:46 .steps.judge.json"},
		{"all steps", `{{ range .steps }}{{ .response }}{{ end }}`, "1:10 .steps"},
		{"steps by with", `{{ with .steps }}{{ .draft.response }}{{ end }}`, "1:21 .steps.draft.response"},
	} {
		tmpl, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		var got []string
		for _, r := range tmpl.Refs() {
			text := fmt.Sprintf("%d:%d %s", r.Line, r.Col, dottedOrShown(r.Path))
			if r.Optional {
				text += "?"
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s: %s (-want +got)\n%s", c.what, c.text, diff)
		}
	}
}

func dottedOrShown(path []string) string {
	if len(path) == 0 {
		return "."
	}
	return shown(path)
}

// TestRefsOfHostile shows that finding them ends, and says that more may be read.
func TestRefsOfHostile(t *testing.T) {
	tmpl, err := Parse(doubling(30))
	if err != nil {
		t.Fatal(err)
	}
	refs := tmpl.Refs()
	if len(refs) == 0 || refs[len(refs)-1].Path != nil {
		t.Errorf("%d refs, and the last does not stand for the whole scope", len(refs))
	}
}
