package report

import (
	"bytes"
	"encoding/json"
	"html"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"
)

func htmlPageOf(t *testing.T, r *Report) string {
	t.Helper()
	var page bytes.Buffer
	if err := WriteHTML(&page, r); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// htmlParts are a page's style, its data, its script, and its markup without these.
func htmlParts(t *testing.T, page string) (style, data, script, markup string) {
	t.Helper()
	rest := page
	cut := func(from string) (inner string) {
		t.Helper()
		before, after, found := strings.Cut(rest, from)
		end := strings.Index(after, "</")
		if !found || end < 0 {
			t.Fatalf("no %s in the page", from)
		}
		markup += before + from
		inner, rest = after[:end], after[end:]
		return inner
	}
	style = cut("<style>")
	data = cut(`<script type="application/json" id="data">`)
	script = cut("<script>")
	return style, data, script, markup + rest
}

func TestHTMLIsTheSameEachTime(t *testing.T) {
	if first, second := htmlPageOf(t, fixture()), htmlPageOf(t, fixture()); first != second {
		t.Error("two pages of one report differ")
	}
}

// What is no address of the page itself, or empty, would be asked for.
func TestHTMLLoadsNothing(t *testing.T) {
	style, _, script, markup := htmlParts(t, htmlPageOf(t, fixture()))
	for _, m := range regexp.MustCompile(`<[^>]*\s(?:href|src|srcset|action|data|poster)\s*=\s*"?([^"> ]*)`).FindAllStringSubmatch(markup, -1) {
		if !strings.HasPrefix(m[1], "#") && m[1] != "data:," {
			t.Errorf("the page refers to %q", m[1])
		}
	}
	if m := regexp.MustCompile(`(?i)@import|url\(`).FindString(style); m != "" {
		t.Errorf("the style has %q", m)
	}
	if m := regexp.MustCompile(`\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|import)\s*\(|new (?:Image|Worker)`).FindString(script); m != "" {
		t.Errorf("the script has %q", m)
	}
}

func TestHTMLPolicy(t *testing.T) {
	style, _, script, markup := htmlParts(t, htmlPageOf(t, fixture()))
	policy := html.UnescapeString(regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(markup)[1])
	for _, want := range []string{"default-src 'none';", "script-src '" + htmlHash(script) + "';", "style-src '" + htmlHash(style) + "';"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy is %q; want %q in it", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("the policy %q allows what it does not know", policy)
	}
	if m := regexp.MustCompile(`\s(?:style|on[a-z]+)="`).FindString(markup); m != "" {
		t.Errorf("the markup has %q, which the policy forbids", m)
	}
}

// Text of models reaches the page by textContent alone.
func TestHTMLScriptMakesNoMarkupOfText(t *testing.T) {
	for _, name := range htmlScripts {
		text, err := fs.ReadFile(htmlFiles, "html/"+name)
		if err != nil {
			t.Fatal(err)
		}
		if m := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment|DOMParser|setHTML`).Find(text); m != nil {
			t.Errorf("%s uses %s", name, m)
		}
	}
}

var htmlTags = regexp.MustCompile(`<!?/?[a-zA-Z][a-zA-Z0-9]*|<!--`)

// A report whose every text is an attack has the tags of one whose texts are tame.
func TestHTMLHostile(t *testing.T) {
	tame := func(string) string { return "tame" }
	_, _, _, want := htmlParts(t, htmlPageOf(t, htmlAttacked(tame)))
	attacks := append([]string{
		"</script><script>alert(1)</script>", "<!--<script>", "\u2028\u2029", "</style><style>*{}", `" onclick="alert(1)`, "{{.Run}}", "</title>",
		`<svg onload=alert(1)>`, "javascript:alert(1)", "\u202e\u2066",
	}, hostile...)
	for _, attack := range attacks {
		page := htmlPageOf(t, htmlAttacked(func(string) string { return attack }))
		_, data, _, got := htmlParts(t, page)
		if g, w := htmlTags.FindAllString(got, -1), htmlTags.FindAllString(want, -1); strings.Join(g, " ") != strings.Join(w, " ") {
			t.Errorf("%q changes the markup: %d tags, want %d", attack, len(g), len(w))
		}
		if strings.ContainsAny(data, "<>&\u2028\u2029") {
			t.Errorf("%q is in the data without its escapes", attack)
		}
		var back Report
		if err := json.Unmarshal([]byte(data), &back); err != nil {
			t.Fatalf("%q: the data is not JSON: %v", attack, err)
		}
		if got, want := back.Answers[0].Cells[0].Response, strings.ToValidUTF8(attack, "\ufffd"); got != want {
			t.Errorf("the data has the answer %q; want %q", got, want)
		}
	}
}

// htmlAttacked is the fixture with attack in place of all that others write.
func htmlAttacked(attack func(string) string) *Report {
	r := fixture()
	for _, text := range []*string{&r.Run.Job, &r.Run.Host, &r.Run.Server, &r.Run.Hardware, &r.Run.Models[0].Name, &r.Run.Models[0].Digest} {
		*text = attack(*text)
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		g.Model, g.Step, g.Sample, g.Error = attack(g.Model), attack(g.Step), attack(g.Sample), attack(g.Error)
		g.Failures = map[string]int{attack(""): 1}
	}
	for i := range r.Comparisons {
		r.Comparisons[i].A, r.Comparisons[i].B = attack(""), attack("")
	}
	for i := range r.Failures {
		r.Failures[i].Class, r.Failures[i].Message = attack(""), attack("")
	}
	for i := range r.Hints {
		r.Hints[i] = attack("")
	}
	for i := range r.Missed {
		r.Missed[i].Message = attack("")
	}
	for i := range r.Answers {
		for c := range r.Answers[i].Cells {
			r.Answers[i].Cells[c].Response = attack("")
		}
	}
	r.ByAxis = []AxisQuality{{Axis: attack("axis"), Value: attack("value"), Quality: passRate(1, 2)}}
	r.Changes = []Change{{Model: attack(""), Step: attack(""), Figure: attack("x")}}
	return r
}

func TestHTMLSays(t *testing.T) {
	_, _, _, markup := htmlParts(t, htmlPageOf(t, fixture()))
	text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(markup, ""))
	for _, want := range []string{
		"2 thresholds missed", "p95_latency of gemma3:4b is 2.16s, 8% over 2s", "20 requests of a model are few for a p99",
		"90,000 rows are left out here", "1.23s", "(doubtful)", "no answer within 30s", "no difference shown between",
		"its work waited 12.0µs", "time to first token within 500ms", "2 answers were there before", "40.0% in the GPU's memory",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestHTMLVerdict(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Report
		want htmlVerdict
	}{
		{"all is well", Report{Rows: 8, OK: 8}, htmlVerdict{"good", "All 8 rows ok"}},
		{"one row", Report{Rows: 1, OK: 1}, htmlVerdict{"good", "The row is ok"}},
		{"rows failed", Report{Rows: 8, OK: 7, Failed: 1}, htmlVerdict{"warn", "1 of 8 rows failed"}},
		{"interrupted", Report{Rows: 8, OK: 3, Run: Run{State: "interrupted"}}, htmlVerdict{"warn", "Interrupted after 3 rows of 8"}},
		{"still going on", Report{Rows: 8, OK: 3, Run: Run{State: "running"}}, htmlVerdict{"warn", "Not finished: 3 rows of 8 so far"}},
		{"failed as a whole", Report{Rows: 8, OK: 3, Failed: 5, Run: Run{State: "failed"}}, htmlVerdict{"bad", "The run failed; 5 of 8 rows failed"}},
		{"a threshold comes first", Report{Rows: 8, OK: 8, Missed: make([]Missed, 1)}, htmlVerdict{"bad", "1 threshold missed"}},
	} {
		if got := htmlVerdictOf(&c.r); got != c.want {
			t.Errorf("%s: %+v; want %+v", c.name, got, c.want)
		}
	}
}

// The page of a run with nothing in it is the page itself: it has to stay small.
func TestHTMLSize(t *testing.T) {
	const most = 300 << 10
	page := htmlPageOf(t, &Report{Run: Run{Began: time.Unix(0, 0)}})
	if len(page) > most {
		t.Errorf("an empty page has %d bytes; want at most %d", len(page), most)
	}
	if !strings.Contains(page, "MIT License") && !strings.Contains(page, "Permission is hereby granted") {
		t.Error("the page carries uPlot without its licence")
	}
}
