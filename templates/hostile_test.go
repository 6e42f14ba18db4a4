package templates

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// hostile are templates that would hang a process or exhaust its memory. Each must
// end with a message, or with a text where the comment says so.
var hostile = map[string]string{
	"repeat of repeat":             `{{ repeat 100000 (repeat 100000 "xxxxxxxxxx") }}`,
	"repeat of a lot":              `{{ repeat 9223372036854775807 "x" }}`,
	"repeat, just above":           `{{ repeat 33554433 "x" }}`,
	"output":                       `{{ range 5 }}{{ repeat 1000000 "x" }}{{ end }}`,
	"output of text":               `{{ range 99999 }}` + strings.Repeat("text ", 50) + `{{ end }}`,
	"range over the largest":       `{{ range 9223372036854775807 }}{{ end }}`,
	"range over data's largest":    `{{ range .large }}{{ end }}`,
	"range in range":               `{{ range 99999 }}{{ range 99999 }}{{ end }}{{ end }}`,
	"ranges in a row":              `{{ range 60000 }}{{ end }}{{ range 60000 }}{{ end }}`,
	"range seven deep":             strings.Repeat(`{{ range 20 }}`, 7) + strings.Repeat(`{{ end }}`, 7),
	"range in a template":          `{{ define "a" }}{{ range 1000 }}{{ end }}{{ end }}{{ range 1000 }}{{ template "a" . }}{{ end }}`,
	"range with continue":          `{{ range 1000 }}{{ range 1000 }}{{ continue }}{{ end }}{{ end }}`,
	"range over until":             `{{ range until 1000000 }}{{ end }}`,
	"until":                        `{{ until 9223372036854775807 }}`,
	"until below":                  `{{ until -9223372036854775808 }}`,
	"untilStep":                    `{{ untilStep -9223372036854775808 9223372036854775807 1 }}`,
	"seq":                          `{{ seq 1 9223372036854775807 }}`,
	"seq with a step":              `{{ seq 1 1 10000000 }}`,
	"seq backwards":                `{{ seq 10000000 1 }}`,
	"doubling by print":            `{{ $x := "ab" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}`,
	"doubling by println":          `{{ $x := "ab" }}{{ range 100 }}{{ $x = println $x $x }}{{ end }}`,
	"doubling by printf":           `{{ $x := "ab" }}{{ range 100 }}{{ $x = printf "%s%s" $x $x }}{{ end }}`,
	"doubling by %v":               `{{ $x := "ab" }}{{ range 100 }}{{ $x = printf "%v%v" $x $x }}{{ end }}`,
	"doubling by cat":              `{{ $x := "ab" }}{{ range 100 }}{{ $x = cat $x $x }}{{ end }}`,
	"doubling by quote":            `{{ $x := "ab" }}{{ range 100 }}{{ $x = quote $x $x }}{{ end }}`,
	"doubling by squote":           `{{ $x := "ab" }}{{ range 100 }}{{ $x = squote $x $x }}{{ end }}`,
	"escapes of escapes":           `{{ $x := "\"" }}{{ range 100 }}{{ $x = quote $x }}{{ end }}`,
	"escapes for HTML":             `{{ $x := "&" }}{{ range 1000 }}{{ $x = html $x $x }}{{ end }}`,
	"escapes for JavaScript":       `{{ $x := "'" }}{{ range 100 }}{{ $x = js $x }}{{ end }}`,
	"escapes for URLs":             `{{ $x := "%" }}{{ range 1000 }}{{ $x = urlquery $x $x }}{{ end }}`,
	"doubling by join":             `{{ $x := "ab" }}{{ range 100 }}{{ $x = join $x (list $x $x) }}{{ end }}`,
	"doubling by replace":          `{{ $x := "aa" }}{{ range 100 }}{{ $x = replace "a" $x $x }}{{ end }}`,
	"replacing nothing":            `{{ replace "" (repeat 10000 "x") (repeat 10000 "y") }}`,
	"doubling by regexReplaceAll":  `{{ $x := "ab" }}{{ range 100 }}{{ $x = regexReplaceAll ".*" $x "$0$0" }}{{ end }}`,
	"replacing by pattern":         `{{ regexReplaceAll "" (repeat 10000 "x") (repeat 10000 "y") }}`,
	"groups many times over":       `{{ regexReplaceAll "(?s)(.*)" (repeat 100000 "x") (repeat 1000 "$1") }}`,
	"base64 of base64":             `{{ $x := "ab" }}{{ range 1000 }}{{ $x = b64enc $x }}{{ end }}`,
	"base32 of base32":             `{{ $x := "ab" }}{{ range 1000 }}{{ $x = b32enc $x }}{{ end }}`,
	"JSON of JSON":                 `{{ $x := "\"" }}{{ range 100 }}{{ $x = toJson $x }}{{ end }}`,
	"a list twice in a list":       `{{ $x := list 1 }}{{ range 90 }}{{ $x = list $x $x }}{{ end }}{{ toJson $x }}`,
	"the same printed":             `{{ $x := list 1 }}{{ range 90 }}{{ $x = list $x $x }}{{ end }}{{ $x }}`,
	"the same indented":            `{{ $x := list 1 }}{{ range 90 }}{{ $x = list $x $x }}{{ end }}{{ toPrettyJson $x }}`,
	"the same compared":            `{{ $x := list 1 }}{{ $y := list 1 }}{{ range 90 }}{{ $x = list $x $x }}{{ $y = list $y $y }}{{ end }}{{ deepEqual $x $y }}`,
	"the same by eq":               `{{ $x := list 1 }}{{ $y := list 1 }}{{ range 90 }}{{ $x = list $x $x }}{{ $y = list $y $y }}{{ end }}{{ eq $x $y }}`,
	"an object twice in an object": `{{ $x := dict "a" 1 }}{{ range 90 }}{{ $x = dict "a" $x "b" $x }}{{ end }}{{ merge $x $x $x }}`,
	"lists 99999 deep":             `{{ $x := list 1 }}{{ range 99999 }}{{ $x = list $x }}{{ end }}{{ $x }}`,
	"objects 99999 deep":           `{{ $x := dict }}{{ range 99999 }}{{ $x = dict "a" $x }}{{ end }}{{ deepEqual $x (merge $x $x) }}`,
	"doubling by concat":           `{{ $x := list 1 }}{{ range 100 }}{{ $x = concat $x $x }}{{ end }}`,
	"growing by append":            `{{ $x := list }}{{ range 99999 }}{{ $x = append $x 1 }}{{ end }}`,
	"growing by prepend":           `{{ $x := list }}{{ range 99999 }}{{ $x = prepend $x 1 }}{{ end }}`,
	"growing by set":               `{{ $x := dict }}{{ range $i := until 99999 }}{{ $x = set $x (toString $i) $i }}{{ end }}`,
	"keeping many texts":           `{{ $x := list }}{{ range $i := until 999 }}{{ $x = list $x (upper (print $i (repeat 1000000 "x"))) }}{{ end }}`,
	"uniq of many":                 `{{ uniq (until 100000) }}`,
	"without many":                 `{{ $x := until 100000 }}{{ range 99999 }}{{ $y := has -1 $x }}{{ end }}`,
	"sorting long texts":           `{{ $a := print (repeat 1000000 "a") "b" }}{{ $b := print (repeat 1000000 "a") "c" }}{{ $l := list $a $b }}{{ range 14 }}{{ $l = concat $l $l }}{{ end }}{{ len (sortAlpha $l) }}`,
	"comparing long texts":         `{{ $a := print (repeat 4000000 "a") "b" }}{{ $b := print (repeat 4000000 "a") "c" }}{{ range 99999 }}{{ $x := eq $a $b }}{{ end }}`,
	"searching long texts":         `{{ $a := repeat 2000000 "ab" }}{{ $b := print (repeat 1000000 "ab") "c" }}{{ range 99999 }}{{ $x := contains $b $a }}{{ end }}`,
	"trimming by many letters":     `{{ trimAll (print (repeat 1000000 "é") "ü") (repeat 1000000 "ü") }}`,
	"splitting":                    `{{ splitList "" (repeat 4000000 "x") }}`,
	"splitting into fields":        `{{ split "" (repeat 1000000 "x") }}`,
	"many matches":                 `{{ regexFindAll "" (repeat 4000000 "x") -1 }}`,
	"many parts":                   `{{ regexSplit "" (repeat 4000000 "x") -1 }}`,
	"a pattern of many states":     `{{ regexMatch "((a{1,30}){1,30}x)" (repeat 1000000 "a") }}`,
	"a pattern with a count":       `{{ regexMatch "(?:(?:abcdefghij){500}k){2}" "x" }}`,
	"a slow pattern":               `{{ regexMatch "(x+x+x+x+x+x+x+)+y" (repeat 4000000 "x") }}`,
	"a slow pattern, many times":   `{{ $x := repeat 10000 "x" }}{{ range 99999 }}{{ $y := regexMatch "(x+x+x+x+)+y" $x }}{{ end }}`,
	"a long pattern":               `{{ regexMatch (repeat 100000 "(a|b)") "x" }}`,
	"many patterns":                `{{ range $i := until 99999 }}{{ $y := regexMatch (printf "(a|%d){100}" $i) "x" }}{{ end }}`,
	"printf of a wide number":      `{{ printf "%1000000000d" 1 }}`,
	"printf of many decimals":      `{{ printf "%.1000000000f" 1.5 }}`,
	"printf of a width":            `{{ printf "%*d" 1000000000 1 }}`,
	"printf of many widths":        `{{ range 99999 }}{{ $x := printf "%999d" 1 }}{{ end }}`,
	"indent":                       `{{ indent 1000000000 "x" }}`,
	"indent of many lines":         `{{ indent 100000 (repeat 100000 "\n") }}`,
	"nindent":                      `{{ nindent 9223372036854775807 "x" }}`,
	"wrapWith":                     `{{ wrapWith 1 (repeat 10000 "x") (repeat 10000 "y") }}`,
	"JSON text of many lists":      `{{ fromJson (print "[" (repeat 1000000 "[],") "1]") }}`,
	"JSON text of many numbers":    `{{ fromJson (print "[" (repeat 2000000 "1,") "1]") }}`,
	"JSON text nested deeply":      `{{ fromJson (repeat 1000000 "[") }}`,
	"a number with many digits":    `{{ add (repeat 1000000 "9") 1 }}`,
	"a number with an exponent":    `{{ eq .tiny "1e-999999998" }}{{ round .tiny 2 }}`,
	"multiplying without end":      `{{ $x := 2 }}{{ range 99999 }}{{ $x = mul $x $x }}{{ end }}`,
	"multiplying decimals":         `{{ $x := 2.5 }}{{ range 99999 }}{{ $x = mulf $x $x }}{{ end }}`,
	"dividing by nothing":          `{{ div 1 0 }}`,
	"dividing the least":           `{{ div -9223372036854775808 -1 }}`,
	"recursion":                    `{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}`,
	"recursion of two":             `{{ define "a" }}{{ template "b" . }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}{{ template "a" . }}`,
	"recursion with output":        `{{ define "a" }}xx{{ template "a" . }}{{ template "a" . }}{{ end }}{{ template "a" . }}`,
	"recursion of the whole":       "{{ template \"\\x00\" . }}",
	"calls that double":            doubling(40),
	"range over a channel's like":  `{{ range call .x }}{{ end }}`,
	"a long body":                  `{{ range 99999 }}` + strings.Repeat(`{{ if true }}{{ end }}`, 40_000) + `{{ end }}`,
	"a long body that breaks":      `{{ range 99999 }}` + strings.Repeat(`{{ if true }}{{ end }}`, 40_000) + `{{ if false }}{{ break }}{{ end }}{{ end }}`,
	"long bodies in long bodies":   `{{ range 300 }}{{ range 300 }}` + strings.Repeat(`{{ if true }}{{ end }}`, 40_000) + `{{ end }}{{ end }}`,
	"a long template, many times":  `{{ define "a" }}` + strings.Repeat(`{{ if true }}{{ end }}`, 25_000) + `{{ end }}` + strings.Repeat(`{{template "a"}}`, 20_000),
	"a long condition in a loop":   `{{ range 99999 }}{{ if and` + strings.Repeat(` true`, 40_000) + ` }}{{ end }}{{ end }}`,
	"nested parentheses":           `{{ ` + strings.Repeat("(", 100_000) + `1` + strings.Repeat(")", 100_000) + ` }}`,
	"nested blocks":                strings.Repeat(`{{if 1}}`, 60_000) + strings.Repeat(`{{end}}`, 60_000),
	"many branches":                `{{if 0}}` + strings.Repeat(`{{else if 0}}`, 60_000) + `{{end}}`,
	"many variables":               strings.Repeat(`{{$a:=1}}{{$a}}`, 60_000),
	"a large template":             strings.Repeat("x", 2<<20),
	"unclosed blocks":              strings.Repeat(`{{if 1}}`, 150),
	"a template of opens":          strings.Repeat("{{", 500_000),
	"abbreviating the negative":    `{{ trunc -9223372036854775808 "x" }}{{ substr -9223372036854775808 -1 "x" }}{{ fail "end" }}`,
	"chunks of many":               `{{ chunk 1 (until 1000000) }}`,
	"semver of a long text":        `{{ semverCompare (repeat 100000 ">1 ||") "1.2.3" }}`,
	"a long URL":                   `{{ urlJoin (dict "path" (repeat 8000000 "%")) }}`,
	"hashing":                      `{{ $x := repeat 8000000 "x" }}{{ range 99999 }}{{ $y := sha512sum $x }}{{ end }}`,
}

// fine are templates as large that are allowed.
var fine = map[string]string{
	"a long pipeline":      `{{ "a" ` + strings.Repeat("| upper ", 20_000) + `}}`,
	"many actions":         strings.Repeat(`{{ .text }}`, 50_000),
	"many conditions":      strings.Repeat(`{{ if .text }}x{{ end }}`, 20_000),
	"a long chain":         `{{ get (dict "x" 1) "a" | default "x" }}` + strings.Repeat(" ", 100_000),
	"100,000 steps":        `{{ range 100000 }}{{ end }}`,
	"a document, cleaned":  `{{ .document | trim | replace "  " " " | regexReplaceAll "x+" "y" | upper | len }}`,
	"4 MiB":                `{{ repeat 4194304 "x" }}`,
	"a pattern over 1 MiB": `{{ regexReplaceAll "\\s+" .document " " | len }}`,
}

func doubling(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `{{ define "t%d" }}{{ template "t%d" .a }}{{ template "t%d" .b }}{{ end }}`, i, i+1, i+1)
	}
	fmt.Fprintf(&text, `{{ define "t%d" }}{{ end }}{{ $x := dict }}{{ range 60 }}{{ $x = dict "a" $x "b" $x }}{{ end }}{{ template "t0" $x }}`, n)
	return text.String()
}

const childVariable = "TEMPLATES_TEST_CHILD"

// A verdict is what became of a template in the child process.
type verdict struct {
	Name, Message string
	Size          int
	Took          time.Duration
}

// TestHostile renders every hostile template in a process of its own, which must
// survive them all within 256 MiB.
func TestHostile(t *testing.T) {
	if os.Getenv(childVariable) == "hostile" {
		renderHostile()
		return
	}
	if len(hostile) < 60 {
		t.Fatalf("%d hostile templates, want at least 60", len(hostile))
	}
	verdicts, peak := runChild(t, "TestHostile", "hostile")
	for name := range hostile {
		if v := verdicts[name]; v.Message == "" {
			t.Errorf("%s: no message, %d bytes of text", name, v.Size)
		} else if strings.Contains(v.Message, "can't be rendered") || strings.Contains(v.Message, "runtime error") {
			t.Errorf("%s: says only %q", name, v.Message)
		}
	}
	for name := range fine {
		if v := verdicts[name]; v.Message != "" || v.Size == 0 && name != "100,000 steps" {
			t.Errorf("%s: %d bytes of text, message %q", name, v.Size, v.Message)
		}
	}
	limit := int64(256 << 20)
	if raceEnabled {
		limit *= 4 // what the race detector remembers of each word
	}
	if peak > limit {
		t.Errorf("the process took %d MiB at its peak, more than %d", peak>>20, limit>>20)
	}
	t.Logf("%d hostile templates ended with a message, peak memory %d MiB", len(hostile), peak>>20)
}

// runChild runs one test of this binary again, as a child process, and reads its verdicts.
func runChild(t *testing.T, test, task string, env ...string) (map[string]verdict, int64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(append(os.Environ(), childVariable+"="+task), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the child process died: %v\n%s", err, tail(string(out)))
	}
	verdicts := map[string]verdict{}
	var peak int64
	for line := range strings.Lines(string(out)) {
		if text, ok := strings.CutPrefix(line, "verdict "); ok {
			var v verdict
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				t.Fatal(err)
			}
			verdicts[v.Name] = v
		}
		if text, ok := strings.CutPrefix(line, "peak "); ok {
			if _, err := fmt.Sscan(text, &peak); err != nil {
				t.Fatal(err)
			}
		}
	}
	if peak == 0 {
		t.Fatal("the child process told no peak")
	}
	return verdicts, peak
}

func tail(s string) string { return s[max(0, len(s)-2000):] }

func say(v verdict) {
	line, _ := json.Marshal(v)
	fmt.Printf("verdict %s\n", line)
}

func renderHostile() {
	scope := map[string]any{
		"text": "text", "large": json.Number("9223372036854775807"), "tiny": json.Number("1e-999999999"),
		"document": strings.Repeat("some words  and xx more\n", 40_000),
	}
	unhurried := standard // a slow machine is no mistake of a fine template
	unhurried.time = time.Hour
	for _, set := range []struct {
		templates map[string]string
		limits    limits
	}{{hostile, standard}, {fine, unhurried}} {
		for name, text := range set.templates {
			begin := time.Now()
			out, err := renderWithin(set.limits, text, scope)
			v := verdict{Name: name, Size: len(out), Took: time.Since(begin)}
			if err != nil {
				v.Message = err.Error()
			}
			say(v)
		}
	}
	fmt.Printf("peak %d\n", peakMemory())
}

func render(text string, scope map[string]any) (string, error) {
	return renderWithin(standard, text, scope)
}

func renderWithin(l limits, text string, scope map[string]any) (string, error) {
	t, err := Parse(text)
	if err != nil {
		return "", err
	}
	t.limits = l
	return t.Render(scope)
}

// peakMemory is the most memory this process had at once: the kernel's figure
// where there is one, else what Go ever asked of the system, which is more.
func peakMemory() int64 {
	if f, err := os.Open("/proc/self/status"); err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			var kib int64
			if n, _ := fmt.Sscanf(s.Text(), "VmHWM: %d kB", &kib); n == 1 {
				return kib << 10
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}
