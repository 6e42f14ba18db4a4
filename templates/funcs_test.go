package templates

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Masterminds/sprig/v3"
	"github.com/google/go-cmp/cmp"
	"github.com/sourcegraph/conc/pool"
)

// TestExamplesOfFunctions renders what the documentation shows.
func TestExamplesOfFunctions(t *testing.T) {
	for _, f := range Describe() {
		if f.Text == "" || f.Output == "" {
			t.Errorf("%s is not described", f.Name)
		}
		if !strings.Contains(f.Example, f.Name) {
			t.Errorf("%s: the example %s does not call it", f.Name, f.Example)
		}
		if got, err := render(f.Example, nil); err != nil || got != f.Output {
			t.Errorf("%s gives %q, %v; want %q", f.Example, got, err, f.Output)
		}
	}
}

// TestEveryFunction calls each function with values of every kind, in two time
// zones, several times at once: outcomes are equal, and arguments stay as they are.
func TestEveryFunction(t *testing.T) {
	if os.Getenv(childVariable) == "functions" {
		callFunctions(t)
		return
	}
	west, _ := runChild(t, "TestEveryFunction", "functions", "TZ=America/New_York")
	east, _ := runChild(t, "TestEveryFunction", "functions", "TZ=Asia/Tokyo")
	if zone := west["zone"].Message; zone == east["zone"].Message {
		t.Errorf("both processes are in time zone %s", zone)
	}
	for _, name := range Functions() {
		if w, e := west[name], east[name]; w.Message != e.Message || w.Size < 2 {
			t.Errorf("%s: %d calls, outcomes differ between time zones: %t", name, w.Size, w.Message != e.Message)
		}
	}
}

func callFunctions(t *testing.T) {
	name, _ := time.Now().Zone()
	say(verdict{Name: "zone", Message: name})
	values, before := argumentValues(), argumentValues()
	for _, name := range Functions() {
		calls := callsOf(name)
		runs := pool.NewWithResults[string]().WithMaxGoroutines(2)
		for range 2 {
			runs.Go(func() string { return outcomes(calls, values) })
		}
		results := runs.Wait()
		if first := results[0]; slices.ContainsFunc(results, func(r string) bool { return r != first }) {
			t.Errorf("%s gives different outcomes for equal arguments", name)
		}
		say(verdict{Name: name, Size: len(calls), Message: fmt.Sprintf("%x", sha256.Sum256([]byte(results[0])))})
	}
	if diff := cmp.Diff(before, values); diff != "" {
		t.Errorf("a function changed its argument:\n%s", diff)
	}
	fmt.Println("peak 1")
}

func argumentValues() map[string]any {
	return map[string]any{
		"text":   "Wörter und mehr, 2026-01-31T10:00:00+01:00",
		"digits": "10",
		"number": json.Number("2"),
		"null":   nil,
		"bool":   true,
		"list":   []any{"b", "a", json.Number("1.10"), nil, []any{"c"}, "b"},
		"object": map[string]any{"text": "x", "b": map[string]any{"c": json.Number("1")}, "a": "", "host": "h"},
		"other":  map[string]any{"b": map[string]any{"d": "y"}, "a": []any{"z"}},
	}
}

// callsOf are templates that call a function with arguments of all kinds.
func callsOf(name string) []string {
	f := functions().byName[name]
	all := []string{".text", ".digits", ".number", ".null", ".bool", ".list", ".object", ".other", "-1", `"b"`}
	some := []string{".text", ".digits", ".list", ".object", `"b"`}
	var calls []string
	for args := f.min; args <= 3 && (f.max < 0 || args <= f.max); args++ {
		values := all
		if args == 3 {
			values = some
		}
		for _, list := range product(values, args) {
			calls = append(calls, fmt.Sprintf("{{ %s %s | toRawJson }}", name, strings.Join(list, " ")))
		}
	}
	return calls
}

func product(values []string, n int) [][]string {
	if n == 0 {
		return [][]string{nil}
	}
	var all [][]string
	for _, rest := range product(values, n-1) {
		for _, v := range values {
			all = append(all, append(slices.Clip(rest), v))
		}
	}
	return all
}

// outcomes renders each call twice.
func outcomes(calls []string, scope map[string]any) string {
	var all strings.Builder
	for _, call := range calls {
		t, err := Parse(call)
		if err != nil {
			fmt.Fprintln(&all, call, err)
			continue
		}
		text, err := t.Render(scope)
		again, errAgain := t.Render(scope)
		fmt.Fprintln(&all, call, text, err, text == again && reflect.DeepEqual(err, errAgain))
	}
	return all.String()
}

// TestMessagesOfFunctions holds every failure of every function against the words
// that no author should have to read.
func TestMessagesOfFunctions(t *testing.T) {
	scope := argumentValues()
	for _, name := range Functions() {
		for _, call := range callsOf(name) {
			text, err := render(call, scope)
			if err == nil {
				if strings.Contains(text, "%!") || strings.Contains(text, "no value") {
					t.Errorf("%s gives %q", call, text)
				}
				continue
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%s: the error is a %T", call, err)
			}
			if e.Missing != nil {
				continue // says which variable, at its place
			}
			if e.Line != 1 || e.Col != len("{{ ")+1 {
				t.Errorf("%s: the place is %d:%d", call, e.Line, e.Col)
			}
			if !strings.HasPrefix(e.Message, name) && name != "fail" {
				t.Errorf("%s: the message does not begin with the function: %s", call, e.Message)
			}
			if word := forbidden(strings.TrimPrefix(e.Message, name)); word != "" {
				t.Errorf("%s: the message says %q: %s", call, word, e.Message)
			}
		}
	}
}

// forbidden finds words of Go in a message for people.
func forbidden(message string) string {
	for _, word := range []string{"interface", "map[", "[]", "nil", "json.Number", "string", "int64", "float64", "strconv", "reflect", "runtime",
		"template:", "executing", "error calling", "rendered", "%!", "\x00", "\n"} {
		if strings.Contains(message, word) {
			return word
		}
	}
	return ""
}

// TestAllowList holds the functions against sprig's and Go's: each is here, or it
// is said why not.
func TestAllowList(t *testing.T) {
	names := []string{"and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery", "call",
		"eq", "ne", "lt", "le", "gt", "ge"}
	for name := range sprig.TxtFuncMap() {
		names = append(names, name)
	}
	for _, name := range names {
		reason, _ := banned(name)
		here := slices.Contains(Functions(), name)
		if here == (reason != "") {
			t.Errorf("%s: allowed %t, reason against it %q", name, here, reason)
		}
		_, err := Parse("{{ " + name + " }}")
		if !here && (err == nil || !strings.Contains(err.Error(), reason)) {
			t.Errorf("%s: the message is %v, want %q", name, err, reason)
		}
	}
	if !slices.IsSorted(Functions()) {
		t.Error("the functions are not sorted")
	}
}

// TestFunctions shows where functions differ from sprig's, and their edges.
func TestFunctions(t *testing.T) {
	scope := map[string]any{
		"price": json.Number("1.10"), "count": json.Number("0"), "big": json.Number("9007199254740993"), "huge": "18446744073709551616",
		"city": "Zürich", "japanese": "日本語テキスト", "list": []any{"a", json.Number("2")}, "csv": "10", "code": "007", "null": nil,
		"object": map[string]any{"b": json.Number("1"), "a": nil},
	}
	for _, c := range []struct{ what, text, want string }{
		{"numbers keep their spelling", `{{ .price }} {{ .price | quote }} {{ toJson .price }} {{ list .price }}`, `1.10 "1.10" 1.10 [1.10]`},
		{"whole numbers are exact beyond 2^53", `{{ add .big 1 }} {{ mul .big 2 }} {{ sub .big 1 }}`, `9007199254740994 18014398509481986 9007199254740992`},
		{"they compare exactly", `{{ eq .big 9007199254740992 }} {{ gt .big 9007199254740992 }} {{ gt .huge "18446744073709551615" }}`, `false true true`},
		{"numbers print without exponent", `{{ mulf 1000 1000 }} {{ 1e20 }} {{ 1e21 }} {{ 0.000001 }} {{ 0.0000001 }} {{ divf 1 3 }}`,
			`1000000 100000000000000000000 1e+21 0.000001 1e-07 0.3333333333333333`},
		{"decimals add up", `{{ add 0.1 0.2 }} {{ add .price 1 }} {{ add 1.5 1.5 }}`, `0.3 2.1 3`},
		{"numeric text compares by value", `{{ gt .csv "9" }} {{ eq .csv 10.0 }} {{ eq "1.10" "1.1" }} {{ lt "-1" "0" }} {{ eq "1e1" .csv }}`, `true true true true true`},
		{"text with leading zeros is text", `{{ eq .code 7 }} {{ eq .code "007" }} {{ eq .code "7" }} {{ lt .code "1" }}`, `false true false true`},
		{"other text compares as text", `{{ lt "apple" "banana" }} {{ eq "1.1.0" "1.10" }} {{ eq "a" "b" "a" }}`, `true false true`},
		{"bools compare with their words", `{{ eq "true" true }} {{ eq false "true" }} {{ eq "TRUE" true }}`, `true false false`},
		{"null equals only null", `{{ eq .null nil }} {{ eq .null "" }} {{ ne .null 0 }}`, `true false true`},
		{"lists compare", `{{ eq .list (list "a" 2.0) }} {{ eq .object .object }} {{ eq .list (list "a" "2") }}`, `true true false`},
		{"0 is empty, as a number", `{{ if .count }}yes{{ else }}no{{ end }} {{ with .count }}yes{{ else }}no{{ end }} {{ or .count "none" }} {{ and .count "x" }} {{ not .count }} {{ default "d" .count }}`,
			`no no none 0 true d`},
		{"0 is not empty, as text", `{{ if "0" }}yes{{ end }} {{ empty "0" }}`, `yes false`},
		{"and and or stop early", `{{ or true (fail "no") }} {{ and false (fail "no") }} {{ .count | or "" }}`, `true false 0`},
		{"characters are counted, not bytes", `{{ len .city }} {{ trunc 2 .city }} {{ trunc -3 .city }} {{ substr 1 3 .japanese }} {{ slice .japanese 2 4 }} {{ abbrev 5 .japanese }} {{ trunc 99 .city }} {{ substr 2 -1 .city }}`,
			`6 Zü ich 本語 語テ 日本... Zürich rich`},
		{"long words without spaces wrap between characters", `{{ wrapWith 3 "|" .japanese }} {{ wrap 3 .japanese }} {{ wrap 4 "ab cdefghij k" }}`, "日本語|テキス|ト 日本語テキスト ab\ncdefghij\nk"},
		{"abbrevboth", `{{ abbrevboth 5 9 .japanese }} {{ abbrevboth 0 5 "abcdefgh" }} {{ abbrevboth 20 8 "abcdefghijkl" }}`, `日本語テキスト ab... ...hijkl`},
		{"lists and objects print as JSON", `{{ .list }} {{ .object }} {{ print .list }} {{ printf "%v %s" .list .object }}`, `["a",2] {"a":null,"b":1} ["a",2] ["a",2] {"a":null,"b":1}`},
		{"objects go in the order of their names", `{{ keys .object }} {{ range $k, $v := .object }}{{ $k }}{{ end }} {{ values .object }}`, `["a","b"] ab [null,1]`},
		{"set gives a copy", `{{ $d := dict "a" 1 }}{{ $e := set $d "b" 2 }}{{ $d }} {{ $e }} {{ unset $e "a" }} {{ $e }}`, `{"a":1} {"a":1,"b":2} {"b":2} {"a":1,"b":2}`},
		{"merge gives a copy, inner objects merged", `{{ $d := dict "a" (dict "x" 1) "e" "" }}{{ merge $d (dict "a" (dict "x" 2 "y" 3) "e" "f") }} {{ $d }}`, `{"a":{"x":1,"y":3},"e":"f"} {"a":{"x":1},"e":""}`},
		{"mergeOverwrite", `{{ mergeOverwrite (dict "a" (dict "x" 1) "e" "f") (dict "a" (dict "x" 2) "e" "") }}`, `{"a":{"x":2},"e":"f"}`},
		{"append leaves the list alone", `{{ $l := list 1 }}{{ $m := append $l 2 }}{{ $n := append $l 3 }}{{ $m }} {{ $n }} {{ append (initial $m) 9 }} {{ $m }}`, `[1,2] [1,3] [1,9] [1,2]`},
		{"get of what is missing", `{{ get .object "x" | default "none" }} {{ get .null "x" | default "none" }} {{ get .object "b" }} {{ dig "x" "y" "none" .object }} {{ dig "a" "y" "none" .object }}`, `none none 1 none none`},
		{"index", `{{ index .list 1 }} {{ index .list .count }} {{ index .object "b" }} {{ index .list "1" }} {{ index (list (dict "a" .list)) 0 "a" 1 }}`, `2 a 1 2 2`},
		{"range over numbers and numeric text", `{{ range .csv }}x{{ end }} {{ range 3 }}{{ . }}{{ end }} {{ range .count }}x{{ else }}none{{ end }} {{ range .null }}x{{ else }}null{{ end }}`, `xxxxxxxxxx 012 none null`},
		{"until and seq", `{{ until 0 }} {{ until -2 }} {{ untilStep 9 0 -4 }} {{ seq 3 }} {{ seq -2 }} {{ seq 1 3 }} {{ seq 9 -4 1 }} {{ seq 5 2 1 }}`, `[] [0,-1] [9,5,1] 1 2 3 1 0 -1 -2 1 2 3 9 5 1 `},
		{"rounding", `{{ round 1.005 2 }} {{ round "2.5" 0 }} {{ round -2.4 0 }} {{ round -2.5 0 }} {{ round .big 2 }} {{ floor -1.5 }} {{ ceil "1.2" }}`, `1.01 3 -2 -3 9007199254740993 -2 2`},
		{"dividing", `{{ div 7 2 }} {{ div 7.0 2 }} {{ div -7 2 }} {{ mod -7 3 }} {{ div "9" .csv }}`, `3 3.5 -3 -1 0`},
		{"conversions", `{{ int "3.9" }} {{ int -3.9 }} {{ atoi "-12" }} {{ float64 .price }} {{ int .code }} {{ toDecimal "17" }}`, `3 -3 -12 1.1 7 15`},
		{"printf", `{{ printf "%d %d %5.1f %05d %x %t %q %%" .price2 .csv .price 7 255 true "a" }}`, `2 10   1.1 00007 ff true "a" %`},
		{"printf of large numbers", `{{ printf "%d %d" .big .huge }}`, `9007199254740993 18446744073709551616`},
		{"regular expressions", "{{ regexFindAll `[a-z]` \"a1b2\" -1 }} {{ regexSplit `\\d` \"a1b2\" -1 }} {{ regexReplaceAll `(\\w)(\\w)` \"ab\" \"$2$1\" }}", `["a","b"] ["a","b",""] ba`},
		{"JSON", `{{ toJson "<é>" }} {{ toRawJson "<é>" }} {{ (fromJson "[1.50, {\"a\": null}]") }}`, `"\u003cé\u003e" "<é>" [1.50,{"a":null}]`},
		{"data is no template", `{{ print "{{ .x }}" }}`, `{{ .x }}`},
		{"kinds", `{{ kindOf .price }} {{ kindOf .big }} {{ kindOf .csv }} {{ kindOf .list }} {{ kindOf .object }} {{ kindOf nil }} {{ kindOf true }}`, `float64 int string slice map invalid bool`},
	} {
		scope["price2"] = json.Number("2.0")
		if got, err := render(c.text, scope); err != nil || got != c.want {
			t.Errorf("%s: %s\ngives %q, %v\nwant  %q", c.what, c.text, got, err, c.want)
		}
	}
}
