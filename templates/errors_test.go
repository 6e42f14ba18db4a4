package templates

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// row is the scope of the tests of messages.
func row() map[string]any {
	return map[string]any{
		"sentence": map[string]any{"id": "s1", "text": "Hello", "note": nil},
		"language": "German", "count": json.Number("3"), "price": json.Number("1.10"),
		"tags": []any{"a", nil, map[string]any{"name": "n"}}, "flag": true, "nothing": nil,
		"p": map[string]any{"unit-price": json.Number("5"), "größe": "L"},
	}
}

func TestSyntaxMessages(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{{ .p.unit-price }}`, `1:4: .p.unit-price can't be read so, since "unit-price" has more than letters, digits and _; write {{ index .p "unit-price" }}`},
		{"first\nzwölf {{ upper .p.unit-price-net | trim }}", `2:16: .p.unit-price-net can't be read so, since "unit-price-net" has more than letters, digits and _; write {{ index .p "unit-price-net" }}`},
		{`{{ .unit-price }}`, `1:4: .unit-price can't be read so, since "unit-price" has more than letters, digits and _; write {{ index . "unit-price" }}`},
		{`{{ $.p.unit-price }}`, `1:4: $.p.unit-price can't be read so, since "unit-price" has more than letters, digits and _; write {{ index $.p "unit-price" }}`},
		{`{{ .p.2nd }}`, `1:4: .p.2nd can't be read so, since "2nd" has more than letters, digits and _; write {{ index .p "2nd" }}`},
		{`{{ unit-price }}`, `1:4: "unit-price" is no name of a function; a variable begins with a dot`},
		{`{{ .count-1 }}`, `1:10: there is no "-" in templates; write {{ sub .a .b }}`},
		{`{{ .count - 1 }}`, `1:11: there is no "-" in templates; write {{ sub .a .b }}`},
		{`{{ .count+.price }}`, `1:10: there is no "+" in templates; write {{ add .a .b }}, or {{ print .a .b }} for text`},
		{`{{ .count + .price }}`, `1:11: there is no "+" in templates; write {{ add .a .b }}, or {{ print .a .b }} for text`},
		{`{{ .a * .b }}`, `1:7: there is no "*" in templates; write {{ mul .a .b }}`},
		{`{{ if .a == "x" }}{{ end }}`, `1:10: there is no "==" in templates; two values are compared with eq: {{ if eq .a .b }}`},
		{`{{ if .a != "x" }}{{ end }}`, `1:10: there is no "!=" in templates; write {{ if not .a }} or {{ if ne .a .b }}`},
		{`{{ if .a >= 3 }}{{ end }}`, `1:10: there is no ">=" in templates; write {{ if gt .a .b }}`},
		{`{{ if .a && .b }}{{ end }}`, `1:10: there is no "&&" in templates; write {{ if and .a .b }}`},
		{`{{ if .a || .b }}{{ end }}`, `1:10: there is no "||" in templates; write {{ if or .a .b }}`},
		{`{{ if !.a }}{{ end }}`, `1:7: there is no "!" in templates; write {{ if not .a }} or {{ if ne .a .b }}`},
		{`{{ replace("a", "b", .x) }}`, `1:11: arguments don't stand in parentheses; they stand side by side: {{ replace "a" "b" .text }}`},
		{`{{ replace "a", "b" .x }}`, `1:15: there is no "," in templates; arguments stand side by side: {{ replace "a" "b" .text }}`},
		{`{{ .tags[0] }}`, `1:9: a value in a list is not read with [ ]; write {{ index .tags 0 }}`},
		{`{{ [1] }}`, `1:4: there is no "[" in templates; a list is made with list, and read with index: {{ index .list 0 }}`},
		{`{{ .x }`, `1:7: "}" alone does not end an action; write }}`},
		{`{{ .x}`, `1:6: "}" alone does not end an action; write }}`},
		{"Hello\n {{ .x", `2:2: this action is never closed; end it with }}`},
		{"{{ .x\n{{ .y }}", `2:1: there is no "{" in templates; an object is made with dict: {{ dict "name" .value }}`},
		{"{{ if .x }}\n{{ range .y }}\n{{ end }}", `1:1: this {{ if }} is never closed; add {{ end }}`},
		{"{{ if .x }}{{ end }}{{ range .y }}", `1:21: this {{ range }} is never closed; add {{ end }}`},
		{"{{ if .x }}a{{ else if .y }}b{{ else }}c", `1:1: this {{ if }} is never closed; add {{ end }}`},
		{`{{ define "a" }}`, `1:1: this {{ define }} is never closed; add {{ end }}`},
		{`a {{ end }}`, `1:3: {{ end }} closes nothing: no if, with, range or define is open here`},
		{`a {{ else }}`, `1:3: {{ else }} belongs to no if, with or range`},
		{`{{ if .x }}{{ else }}{{ else }}{{ end }}`, `1:22: {{ else }} belongs to no if, with or range`},
		{`{{ break }}`, `1:1: {{ break }} stands outside of range`},
		{`{{ (add 1 2 }}`, `1:4: this parenthesis is never closed`},
		{`{{ add 1 2) }}`, `1:11: this parenthesis closes nothing`},
		{`{{ "abc }}`, `1:4: this text has no closing quote`},
		{"{{ `abc }}", `1:4: this text has no closing quote`},
		{`{{ 'abc' }}`, `1:4: text stands in double quotes, not in single ones; write "abc"`},
		{`{{ 'a' }}`, `1:4: text stands in double quotes, not in single ones; write "a"`},
		{`{{ upper 'a }}`, `1:10: text stands in double quotes, not in single ones`},
		{`{{ regexMatch "\d+" .x }}`, "1:15: in double quotes \\ begins an escape, and one of these is none; write \\\\ for a backslash, or put the text in backquotes: `\\d+`"},
		{`{{ “abc” }}`, `1:4: "“" is no straight quote; text stands in "..."`},
		{`{{ .x § }}`, `1:7: "§" can't stand in an action`},
		{`{{/* note }}`, `1:1: this comment is never closed; a comment is {{/* ... */}}`},
		{`{{ $name }}`, `1:4: variable $name is not set here; set it with {{ $name := ... }} before, and outside of any if, with or range that has ended; a variable of the row begins with a dot`},
		{`{{ if true }}{{ $x := 1 }}{{ $x }}{{ end }} {{ $x }}`, `1:48: variable $x is not set here; set it with {{ $x := ... }} before, and outside of any if, with or range that has ended; a variable of the row begins with a dot`},
		{`a {{ }} b`, `1:3: this action is empty`},
		{`{{ if }}{{ end }}`, `1:1: {{ if }} says nothing to go by; write {{ if .name }}`},
		{`{{ upper () }}`, `1:10: these parentheses are empty`},
		{`{{ .x | | upper }}`, `1:7: a value or a function is missing beside |`},
		{`{{ | upper }}`, `1:4: a value or a function is missing beside |`},
		{`{{ .x | "a" }}`, `1:9: "a" is no function; after | stands a function, such as upper or default "none"`},
		{`{{ .x | .y }}`, `1:9: .y is no function; after | stands a function, such as upper or default "none"`},
		{`{{ .x 1 }}`, `1:4: .x is no function, so nothing can follow it but | or }}`},
		{`{{ .a.b.c 1 }}`, `1:4: .a.b.c is no function, so nothing can follow it but | or }}`},
		{`{{ nil }}`, `1:4: nil alone is no value to work with`},
		{`{{ "a".b }}`, `1:1: "a" has no fields`},
		{`{{ 1.2.3 }}`, `1:4: "1.2.3" is no number; text stands in double quotes`},
		{`{{ 12x }}`, `1:4: "12x" is no number; text stands in double quotes`},
		{`{{ 3i }}`, `1:4: 3i is no number to compute with`},
		{`{{ 18446744073709551615 }}`, `1:4: 18446744073709551615 is larger than whole numbers can be, 9223372036854775807`},
		{`{{ 99999999999999999999 }}`, `1:4: 99999999999999999999 is larger than whole numbers can be, 9223372036854775807`},
		{`{{ $a, $b := .x }}`, `1:1: only range takes several variables: {{ range $i, $x := .list }}`},
		{`{{ define "a" }}x{{ end }}{{ define "a" }}y{{ end }}`, `1:27: template "a" is already defined`},
		{`{{ if true }}{{ define "a" }}x{{ end }}{{ end }}`, `1:17: {{ define }} stands inside of another block; move it to the top`},
		{`{{ template .x }}`, `1:1: {{ template }} needs a name in double quotes; write {{ template "name" . }}`},
		{`{{ template "greting" . }}{{ define "greeting" }}Hi{{ end }}`, `1:13: no template "greting" is defined; did you mean "greeting"?`},
		{`{{ template "x" . }}`, `1:13: no template "x" is defined; define it with {{ define "x" }}...{{ end }}`},
		{`{{ uper .x }}`, `1:4: unknown function "uper"; did you mean "upper"?`},
		{"{{ .y }}\n  {{ .x | Lower }}", `2:11: unknown function "Lower"; did you mean "lower"?`},
		{`{{ sentence }}`, `1:4: unknown function "sentence"; a variable begins with a dot: {{ .sentence }}`},
		{`{{ now }}`, `1:4: now reads the clock, so the same job would ask twice; give the date with --var`},
		{`{{ .x | date "2006" }}`, `1:9: date reads the clock or the machine's time zone, so the same job would ask twice; write dates into the data as they are to be read`},
		{`{{ env "HOME" }}`, `1:4: env reads the environment of the machine; allow a variable with --env NAME and write {{ .env.NAME }}`},
		{`{{ uuidv4 }}`, `1:4: uuidv4 is random, so the same job would ask twice; to repeat a prompt, use {count: 5} as an axis of the matrix`},
		{`{{ upper }}`, `1:4: upper takes 1 argument, but gets 0; its form is: upper TEXT -> text; as an argument, put it in parentheses`},
		{`{{ .x | upper "a" }}`, `1:9: upper takes 1 argument, but gets 2; its form is: upper TEXT -> text`},
		{`{{ replace "a" .x }}`, `1:4: replace takes 3 arguments, but gets 2; its form is: replace OLD NEW TEXT -> text`},
		{`{{ dig "a" .x }}`, `1:4: dig takes at least 3 arguments, but gets 2; its form is: dig NAME... DEFAULT OBJECT -> any`},
		{`{{ seq 1 2 3 4 }}`, `1:4: seq takes 0 to 3 arguments, but gets 4; its form is: seq [FROM] [STEP] [TO] -> text`},
		{`{{ eq upper "A" }}`, `1:7: upper takes 1 argument, but gets 0; its form is: upper TEXT -> text; as an argument, put it in parentheses`},
		{`{{ if false }}{{ upper }}{{ end }}`, `1:18: upper takes 1 argument, but gets 0; its form is: upper TEXT -> text; as an argument, put it in parentheses`},
		{`{{ $_ := set .p "a" 1 }}`, `1:10: set changes no object, it gives a changed copy; keep the copy: {{ $d = set $d ... }}`},
		{`{{ _text .x }}`, `1:4: unknown function "_text"; did you mean "ext"?`},
		{`{{ .x := 1 }}`, `1:7: there is no ":=" in templates; a variable is set at the start of an action: {{ $x := .a }}`},
		{`{{ with $x := .a }}{{ $x : 1 }}{{ end }}`, `1:26: ":" alone means nothing here; a variable is set with {{ $x := .a }}`},
	} {
		_, err := Parse(c.text)
		checkMessage(t, c.text, err, c.want)
	}
}

func TestRenderMessages(t *testing.T) {
	for _, c := range []struct {
		text, want string
		missing    []string
	}{
		{`{{ .sentense }}`, `1:4: the template uses .sentense, which this row does not have; if it may be missing: {{ get . "sentense" | default "none" }}`, []string{"sentense"}},
		{`{{ .sentence.txt }}`, `1:4: the template uses .sentence.txt, which this row does not have; if it may be missing: {{ get .sentence "txt" | default "none" }}`, []string{"sentence", "txt"}},
		{`{{ .sentence.txt.x.y }}`, `1:4: the template uses .sentence.txt, which this row does not have; if it may be missing: {{ get .sentence "txt" | default "none" }}`, []string{"sentence", "txt"}},
		{"Grüße,\n\t{{ .language }} {{ $.sentence.txt | upper }}", `2:21: the template uses .sentence.txt, which this row does not have; if it may be missing: {{ get $.sentence "txt" | default "none" }}`, []string{"sentence", "txt"}},
		{`{{ .note | default "x" }}`, `1:4: the template uses .note, which this row does not have; if it may be missing: {{ get . "note" | default "none" }}`, []string{"note"}},
		{`{{ with .sentence }}{{ .txt }}{{ end }}`, `1:24: the template uses .sentence.txt, which this row does not have; if it may be missing: {{ get . "txt" | default "none" }}`, []string{"sentence", "txt"}},
		{`{{ $s := .sentence }}{{ range .tags }}{{ $s.txt }}{{ end }}`, `1:42: the template uses .sentence.txt, which this row does not have; if it may be missing: {{ get $s "txt" | default "none" }}`, []string{"sentence", "txt"}},
		{`{{ index .p "unit" }}`, `1:10: the template uses .p.unit, which this row does not have; if it may be missing: {{ get .p "unit" | default "none" }}`, []string{"p", "unit"}},
		{`{{ index .p "unit-cost" }}`, `1:10: the template uses index .p "unit-cost", which this row does not have; if it may be missing: {{ get .p "unit-cost" | default "none" }}`, []string{"p", "unit-cost"}},
		{`{{ index . "x" }}`, `1:10: the template uses .x, which this row does not have; if it may be missing: {{ get . "x" | default "none" }}`, []string{"x"}},
		{`{{ range .tags }}{{ if . }}{{ if kindIs "map" . }}{{ .nam }}{{ end }}{{ end }}{{ end }}`,
			`1:54: the template uses .nam, which the value here does not have; if it may be missing: {{ get . "nam" | default "none" }}`, nil},
		{`{{ define "a" }}{{ .x }}{{ end }}{{ template "a" }}`, `1:20: there is no value here that could have .x; hand one on where the template is called: {{ template "name" . }}`, nil},
		{`{{ define "a" }}{{ .txt }}{{ end }}{{ template "a" .sentence }}`, `1:20: the template uses .sentence.txt, which this row does not have; if it may be missing: {{ get . "txt" | default "none" }}`, []string{"sentence", "txt"}},
		{`{{ .sentence.note }}`, `1:4: .sentence.note is null in this row; give it a default: {{ .sentence.note | default "none" }}`, nil},
		{`a {{ $.nothing }}`, `1:6: $.nothing is null in this row; give it a default: {{ $.nothing | default "none" }}`, nil},
		{`{{ get .p "x" }}`, `1:4: get .p "x" is null in this row; give it a default: {{ get .p "x" | default "none" }}`, nil},
		{`{{ range .tags }}{{ . }}{{ end }}`, `1:21: . is null in this row; give it a default: {{ . | default "none" }}`, nil},
		{`{{ .nothing | upper }}`, `1:15: upper needs text, but gets null`, nil},
		{`{{ print .nothing }}`, `1:4: print needs text, but gets null`, nil},
		{`{{ join ", " .tags }}`, `1:4: join gets a list whose value number 2 is null; drop it with compact`, nil},
		{`{{ .nothing.x }}`, `1:4: .nothing is null in this row, so .nothing.x can't be read`, nil},
		{`{{ .language.x }}`, `1:4: .language is text in this row, so .language.x can't be read`, nil},
		{`{{ .count.x }}`, `1:4: .count is a number in this row, so .count.x can't be read`, nil},
		{`{{ .tags.name }}`, `1:4: .tags is a list in this row, so .tags.name can't be read`, nil},
		{`{{ .flag.x.y }}`, `1:4: .flag is true or false in this row, so .flag.x can't be read`, nil},
		{`{{ range .tags }}{{ .x }}{{ end }}`, `1:21: .x can't be read of a value that is no object`, nil},
		{`{{ range rest .tags }}{{ .x }}{{ end }}`, `1:26: .x can't be read of null`, nil},
		{`{{ (first .tags).x }}`, `1:11: .x can't be read of text`, nil},
		{`{{ atoi "many" }}`, `1:4: atoi needs a whole number, but gets "many"`, nil},
		{"{{ .language }}\n{{ .language | atoi }}", `2:16: atoi needs a whole number, but gets "German"`, nil},
		{`{{ fail (print "no text for " .language) }}`, `1:4: no text for German`, nil},
		{`{{ lt .language 3 }}`, `1:4: lt compares two numbers or two texts, not "German" with 3`, nil},
		{`{{ if gt .nothing 3 }}{{ end }}`, `1:7: gt compares two numbers or two texts, not null with 3`, nil},
		{`{{ eq .tags "a" }}`, `1:4: eq can't compare a list with "a"`, nil},
		{`{{ index .tags 7 }}`, `1:4: index finds no value number 7 (counted from 0) in a list of 3`, nil},
		{`{{ index .language 0 }}`, `1:4: index needs a list or an object, but gets "German"`, nil},
		{`{{ index .tags "x" }}`, `1:4: index needs a whole number, but gets "x"`, nil},
		{`{{ range .language }}{{ end }}`, `1:10: range goes over lists, objects and whole numbers, not "German"`, nil},
		{`{{ range .price }}{{ end }}`, `1:10: range goes over whole numbers, not 1.10`, nil},
		{`{{ range $i, $x := .count }}{{ end }}`, `1:10: range with two variables goes over lists and objects, not 3`, nil},
		{`{{ range .flag }}{{ end }}`, `1:10: range goes over lists, objects and whole numbers, not true`, nil},
		{`{{ printf "%d" .price }}`, `1:4: printf needs a whole number for %d, but gets 1.10`, nil},
		{`{{ printf "%s" }}`, `1:4: printf has no value for %s, the format's verb number 1`, nil},
		{`{{ printf "%s" 1 2 }}`, `1:4: printf has 2 values, but its format takes 1`, nil},
		{`{{ printf "%y" 1 }}`, `1:4: printf knows no "%y"; text is %s, a whole number %d, decimals %.2f, a percent sign %%`, nil},
		{`{{ printf "100%" }}`, `1:4: printf has a lone % at the end of its format; write %%`, nil},
		{`{{ fromJson "{" }}`, `1:4: fromJson needs JSON, but gets "{"`, nil},
		{`{{ regexMatch "(" .language }}`, "1:4: regexMatch can't read the pattern \"(\": missing closing ): `(`", nil},
		{`{{ b64dec "?" }}`, `1:4: b64dec needs base64, but gets "?"`, nil},
		{`{{ div 1 0 }}`, `1:4: div can't divide by 0`, nil},
		{`{{ add 9223372036854775807 1 }}`, `1:4: add gives a number beyond the largest whole one, 9223372036854775807; use addf, subf or mulf`, nil},
		{`{{ dict "a" }}`, `1:4: dict needs a value for every name, but gets 1 arguments`, nil},
		{`{{ ternary "a" "b" .count }}`, `1:4: ternary needs true or false, but gets 3`, nil},
		{`{{ get .language "x" }}`, `1:4: get needs an object, but gets "German"`, nil},
		{"{{ define \"a>: b\" }}{{ atoi `x>: y`}}{{ end }}{{ template \"a>: b\" }}", `1:24: atoi needs a whole number, but gets "x>: y"`, nil},
		{`{{ range 5 }}{{ repeat 1000000 "x" }}{{ end }}`, `1:1: the rendered text passes the limit of 4 MiB; let it go over less of the data, or prepare the text beforehand`, nil},
		{`{{ repeat 99999999 "x" }}`, `1:4: repeat needs more memory than the 32 MiB that a rendering may use`, nil},
		{`{{ range 999 }}{{ range 999 }}{{ end }}{{ end }}`, `1:25: rendering takes more than 100000 steps (rounds of range, calls of templates); let it go over less of the data, or prepare the text beforehand`, nil},
		{`{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}`, `1:17: templates call each other more than 100 deep`, nil},
	} {
		tmpl, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		_, err = tmpl.Render(row())
		checkMessage(t, c.text, err, c.want)
		var e *Error
		if errors.As(err, &e) && !slices.Equal(e.Missing, c.missing) {
			t.Errorf("%s: missing %q, want %q", c.text, e.Missing, c.missing)
		}
		_, err = tmpl.Value(row())
		if !tmpl.Single() {
			checkMessage(t, c.text, err, c.want)
		}
	}
}

func checkMessage(t *testing.T, text string, err error, want string) {
	t.Helper()
	var e *Error
	switch {
	case err == nil:
		t.Errorf("%s: no error, want %s", text, want)
	case !errors.As(err, &e):
		t.Errorf("%s: the error is a %T", text, err)
	case e.Error() != want:
		t.Errorf("%s\ngives %s\nwant  %s", text, e, want)
	case strings.Contains(e.Message, "template:"):
		t.Errorf("%s: %s", text, e)
	}
}
