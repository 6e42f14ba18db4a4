//go:build e2e && unix

package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/batchrunner/runner/runner/report"
)

const demoRows = report.MaxRows

// TestHTML opens reports in a real browser, from disk, as a person does.
func TestHTML(t *testing.T) {
	shots := os.Getenv("E2E_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	file := writeReport(t, newDemo().report(demoRows))
	browser := startBrowser(t)

	t.Run("asks for nothing and complains of nothing", func(t *testing.T) { quietPage(t, browser, file) })
	t.Run("reports of other kinds", func(t *testing.T) { otherPages(t, browser) })
	t.Run("filter", func(t *testing.T) { filterPage(t, browser, file) })
	t.Run("keyboard", func(t *testing.T) { keyboardPage(t, browser, file) })
	t.Run("links", func(t *testing.T) { linkedPage(t, browser, file) })
	t.Run("print", func(t *testing.T) { printedPage(t, browser, file, shots) })
	source := axe(t)
	for _, width := range []int64{1280, 375} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(fmt.Sprintf("%d %s", width, scheme), func(t *testing.T) { lookPage(t, browser, file, width, scheme, shots, source) })
		}
	}
	t.Run("hostile answers", func(t *testing.T) { hostilePage(t, browser) })
	t.Run("without script", func(t *testing.T) { plainPage(t, browser, file) })
}

func writeReport(t *testing.T, r *report.Report) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := report.WriteHTML(f, r); err != nil {
		t.Fatal(err)
	}
	return file
}

func emulate(scheme string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}, // nothing to wait for
	})
}

func quietPage(t *testing.T, browser context.Context, file string) {
	p := openTab(t, browser, file, 1280, "light")
	p.do(t, chromedp.Click("#theme", chromedp.ByQuery), chromedp.Click("#theme", chromedp.ByQuery))
	p.settle(t)
	p.quiet(t)
	if drawn := eval[int](t, p, `document.querySelectorAll("canvas").length`); drawn < 6 {
		t.Errorf("%d drawings on the page; want three over the load, one of speeds, one of each model, the timeline", drawn)
	}
	if shown := eval[string](t, p, `document.querySelector("#answers [role=status]").textContent`); shown != "10,000 rows" {
		t.Errorf("the answers are %q; want 10,000 rows", shown)
	}
}

// otherPages are of runs that have less, or other things, than the benchmark.
func otherPages(t *testing.T, browser context.Context) {
	empty := &report.Report{Run: report.Run{Job: "empty", ID: 1}}
	steps := newDemo().report(3) // no benchmark, two steps, each of another model
	steps.Bench, steps.Comparisons, steps.Changes, steps.Columns, steps.Groups = nil, nil, nil, nil, steps.Groups[:2]
	for i := range steps.Groups {
		steps.Groups[i].Level, steps.Groups[i].Step = report.Level{}, []string{"draft", "judge"}[i]
	}
	for i := range steps.Answers {
		steps.Answers[i].Vars, steps.Answers[i].Cells = nil, steps.Answers[i].Cells[:2]
		steps.Answers[i].Cells[1].Step = "judge"
	}
	open := newDemo().report(3) // an open loop
	for i := range open.Groups {
		g := &open.Groups[i]
		g.Level, g.Schedule = report.Level{Rate: float64(g.Level.Concurrency) / 2}, g.Latency
	}
	for _, c := range []struct {
		name     string
		r        *report.Report
		canvases int
		rows     string
	}{
		{"nothing", empty, 0, ""},
		{"two steps and no benchmark", steps, 4, "3 rows"}, // speeds, two distributions, the timeline
		{"open loop", open, 10, "3 rows"},                  // five over the rate, speeds, three distributions, the timeline
	} {
		p := openTab(t, browser, writeReport(t, c.r), 1280, "light")
		p.quiet(t)
		canvases := eval[int](t, p, `document.querySelectorAll("canvas").length`)
		rows := eval[string](t, p, `document.querySelector("#answers [role=status]")?.textContent || ""`)
		if canvases != c.canvases || rows != c.rows {
			t.Errorf("%s: %d drawings and %q; want %d and %q", c.name, canvases, rows, c.canvases, c.rows)
		}
	}
}

// search fills the search field and tells how long that took: until the new rows stand
// on the page, laid out, and until the browser has painted them.
const search = `(async (text) => {
	const field = document.getElementById("find"), began = performance.now();
	field.value = text;
	field.dispatchEvent(new Event("input", {bubbles: true}));
	document.body.getBoundingClientRect();
	const laid = performance.now() - began;
	await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
	return {laid, painted: performance.now() - began, status: document.querySelector("#answers [role=status]").textContent,
		rows: [...document.querySelectorAll(".sheet tbody .id")].map((id) => id.textContent)};
})(%q)`

func filterPage(t *testing.T, browser context.Context, file string) {
	p := openTab(t, browser, file, 1280, "light")
	type result struct {
		Laid, Painted float64
		Status        string
		Rows          []string
	}
	for i, c := range []struct{ text, status, first string }{
		{"s0123", "10 of 10,000 rows", "s01230-spanish"}, // the first search also makes the index
		{"S0777 japanese", "2 of 10,000 rows", "s07773-japanese"},
		{"timeout", "100 of 10,000 rows", "s00000-spanish"},
		{"no row has this", "0 of 10,000 rows", ""},
		{"", "10,000 rows", "s00000-spanish"},
	} {
		got := eval[result](t, p, fmt.Sprintf(search, c.text))
		t.Logf("filter %q: result laid out in %.1f ms, painted after %.1f ms", c.text, got.Laid, got.Painted)
		if i < 2 {
			t.Logf("SHOWS: %s filter on 10,000 rows in a browser", []string{"first", "further"}[i])
		}
		if got.Status != c.status || len(got.Rows) > 0 && got.Rows[0] != c.first || len(got.Rows) == 0 && c.first != "" {
			t.Errorf("filter %q: %q, rows %q; want %q, the first %q", c.text, got.Status, got.Rows, c.status, c.first)
		}
		if got.Painted > 2000 {
			t.Errorf("filter %q took %.0f ms", c.text, got.Painted)
		}
	}
	p.quiet(t)
}

// keyboardPage goes through the page by Tab alone.
func keyboardPage(t *testing.T, browser context.Context, file string) {
	p := openTab(t, browser, file, 1280, "light")
	sorted, found := false, false
	for range 200 {
		p.do(t, chromedp.KeyEvent(kb.Tab))
		at := eval[string](t, p, `document.activeElement.id || document.activeElement.closest("th")?.textContent || document.activeElement.textContent`)
		if at == "Latency median" && !sorted {
			sorted = true
			p.do(t, chromedp.KeyEvent(kb.Enter))
			sortsUp(t, p)
		}
		if found = at == "find"; found {
			break
		}
	}
	if !sorted || !found {
		t.Fatalf("Tab reached the sort button: %v, the filter: %v", sorted, found)
	}
	if outline := eval[string](t, p, `getComputedStyle(document.activeElement).outlineStyle`); outline != "solid" {
		t.Errorf("the focus is not to be seen: its outline is %q", outline)
	}
	p.do(t, chromedp.KeyEvent("s00042"))
	if rows := eval[string](t, p, `document.querySelector("#answers [role=status]").textContent`); rows != "1 of 10,000 rows" {
		t.Errorf("typing an id leaves %q", rows)
	}
	p.quiet(t)
}

func sortsUp(t *testing.T, p *tab) {
	t.Helper()
	const column = `[...document.querySelectorAll("#groups-table tbody tr")].map((line) => line.cells[document.activeElement.closest("th").cellIndex].dataset.v)`
	if how := eval[string](t, p, `document.activeElement.closest("th").getAttribute("aria-sort")`); how != "ascending" {
		t.Errorf("aria-sort is %q after Enter", how)
	}
	values := eval[[]string](t, p, column)
	ordered := eval[bool](t, p, `((all) => all.every((v, i) => i === 0 || v === "" || all[i-1] !== "" && Number(all[i-1]) <= Number(v)))(`+column+`)`)
	if !ordered || values[len(values)-1] != "" {
		t.Errorf("by latency: %q; want ascending, what was not measured last", values)
	}
}

// linkedPage follows a failure to its row, and a cause to its answers.
func linkedPage(t *testing.T, browser context.Context, file string) {
	p := openTab(t, browser, file, 1280, "light")
	p.do(t, chromedp.Click(`a[href="#row-54"]`, chromedp.ByQuery))
	p.settle(t)
	if row := eval[string](t, p, `document.activeElement.dataset.row`); row != "54" {
		t.Errorf("the link to row 54 leads to row %q", row)
	}
	p.do(t, chromedp.Click(`button[data-class="schema"]`, chromedp.ByQuery))
	if shown := eval[string](t, p, `document.querySelector("#answers [role=status]").textContent`); shown != "100 of 10,000 rows" {
		t.Errorf("the cause's button shows %q; want 100 rows", shown)
	}
	p.quiet(t)
}

// printedPage has the first 50 answers, and nothing to press.
func printedPage(t *testing.T, browser context.Context, file, shots string) {
	p := openTab(t, browser, file, 794, "dark") // A4
	p.do(t, emulation.SetEmulatedMedia().WithMedia("print"))
	type paper struct {
		Rows, Controls int
		Ground         string
	}
	got := eval[paper](t, p, `(dispatchEvent(new Event("beforeprint")), {
		rows: document.querySelectorAll(".sheet tbody").length,
		controls: [...document.querySelectorAll("input, select, .pager, nav")].filter((c) => c.getClientRects().length > 0).length,
		ground: getComputedStyle(document.body).backgroundColor})`)
	if want := (paper{50, 0, "rgb(255, 255, 255)"}); got != want {
		t.Errorf("on paper: %+v; want %+v", got, want)
	}
	p.settle(t)
	p.shot(t, shots, "report-print")
	if rows := eval[int](t, p, `(dispatchEvent(new Event("afterprint")), document.querySelectorAll(".sheet tbody").length)`); rows != 25 {
		t.Errorf("%d rows after printing; want the page of 25 again", rows)
	}
	p.quiet(t)
}

// lookPage takes pictures, and looks for what keeps people from reading the page.
func lookPage(t *testing.T, browser context.Context, file string, width int64, scheme, shots, axeSource string) {
	p := openTab(t, browser, file, width, scheme)
	p.shot(t, shots, fmt.Sprintf("report-%d-%s", width, scheme))
	if over := eval[[]string](t, p, overflowing); len(over) > 0 {
		t.Errorf("wider than the window of %d: %q", width, over)
	}
	if cut := eval[bool](t, p, `innerWidth < 500 && document.querySelector(".sheet").offsetWidth > innerWidth`); cut {
		t.Error("the answers are no cards, but wider than the window")
	}
	p.do(t, chromedp.Evaluate(`for (const part of document.querySelectorAll("details")) part.open = true`, nil))
	p.settle(t)
	if over := eval[[]string](t, p, overflowing); len(over) > 0 {
		t.Errorf("with all parts open, wider than the window of %d: %q", width, over)
	}
	serious, lesser := violations(t, p, axeSource)
	for _, v := range serious {
		t.Errorf("axe: %v", v)
	}
	for _, v := range lesser {
		t.Logf("axe, of less weight: %v", v)
	}
	p.quiet(t)
}

// overflowing are elements that make the page scroll sideways, if it does.
const overflowing = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
	.filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, nav"))
	.slice(0, 5).map((e) => e.tagName + "." + e.className).concat("page " + document.documentElement.scrollWidth)`

// plainPage reads the page where no script runs.
func plainPage(t *testing.T, browser context.Context, file string) {
	ctx, end := chromedp.NewContext(browser)
	t.Cleanup(end)
	p := &tab{ctx: ctx, url: "file://" + file}
	p.open(t)
	p.do(t, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(p.url), chromedp.WaitVisible("#groups-table", chromedp.ByQuery))
	var text string
	p.do(t, chromedp.Text("body", &text, chromedp.ByQuery))
	for _, want := range []string{"translate run 42", "qwen3:8b", "490ms", "p95_latency of qwen3:8b", "no answer within 30s", "need JavaScript"} {
		if !strings.Contains(text, want) {
			t.Errorf("without script the page does not say %q", want)
		}
	}
	if strings.Contains(text, "Theme:") {
		t.Error("without script there is a button that does nothing")
	}
}

// hostilePage compares a page full of attacks with a tame one of the same shape.
func hostilePage(t *testing.T, browser context.Context) {
	tame := openTab(t, browser, writeReport(t, attacked(func(int) string { return "tame" })), 1280, "light")
	wild := openTab(t, browser, writeReport(t, attacked(attack)), 1280, "light")
	title := eval[string](t, tame, `document.title`)
	for i := range 4 {
		want, got := eval[shape](t, tame, shapeOf), eval[shape](t, wild, shapeOf)
		if want.Rows != 25 || !reflect.DeepEqual(got, want) {
			t.Errorf("page %d: %+v; a tame report is %+v", i+1, got, want)
		}
		for _, p := range []*tab{tame, wild} {
			eval[bool](t, p, `(document.querySelectorAll(".pager")[0].children[3].click(), true)`)
		}
	}
	for i := range 100 {
		wild.do(t, chromedp.Evaluate(fmt.Sprintf(search, attack(i)), nil))
	}
	wild.settle(t)
	wild.quiet(t)
	if got := eval[string](t, wild, `document.title`); got != title {
		t.Errorf("the title became %q", got)
	}
	if got := eval[bool](t, wild, `"pwned" in window`); got {
		t.Error("an answer ran")
	}
	t.Log("SHOWS: 100 hostile answers that changed nothing")
}

// A shape is what a page is made of, but for its words.
type shape struct {
	Rows     int
	Elements map[string]int
	Handlers int      // attributes that would run something
	Links    []string // where links and the like lead, but into the page
}

// All parts of long texts are shown first.
const shapeOf = `(() => {
	for (const more of document.querySelectorAll(".sheet button[aria-expanded=false]")) more.click();
	const elements = {}, links = [];
	let handlers = 0;
	for (const e of document.querySelectorAll("*")) {
		const tag = e.tagName.toLowerCase();
		if (tag !== "button" && tag !== "option") elements[tag] = (elements[tag] || 0) + 1;
		for (const a of e.attributes) {
			if (/^on/i.test(a.name)) handlers++;
			if (["href", "src", "action", "srcdoc", "data", "xlink:href"].includes(a.name) && !/^#/.test(a.value)) links.push(a.value);
		}
	}
	return {rows: document.querySelectorAll(".sheet tbody").length, elements, handlers, links};
})()`

// attacked is a report of 100 rows in which all that others write is written by attack.
func attacked(attack func(int) string) *report.Report {
	r := newDemo().report(100)
	names := map[string]string{}
	for m, name := range append(newDemo().models, r.Groups[15].Model) {
		names[name] = fmt.Sprint(m, attack(m))
	}
	for i := range r.Groups {
		r.Groups[i].Model, r.Groups[i].Sample, r.Groups[i].Step = names[r.Groups[i].Model], attack(i), "draft"+attack(3)
	}
	r.Groups[15].Error = attack(5)
	for i := range r.Timeline {
		r.Timeline[i].Model = names[r.Timeline[i].Model]
	}
	for i := range r.Comparisons {
		r.Comparisons[i].A, r.Comparisons[i].B = names[r.Comparisons[i].A], names[r.Comparisons[i].B]
	}
	for i := range r.Answers {
		attackRow(&r.Answers[i], names, attack, i)
	}
	r.Failures, r.Hints, r.Warnings, r.Missed = nil, nil, nil, nil
	for i := range 100 {
		r.Failures = append(r.Failures, report.Failure{Class: "schema" + attack(i), Message: attack(i), Count: 3, Rows: []int64{0, 3, 6}})
		r.Hints, r.Warnings = append(r.Hints, attack(i)), append(r.Warnings, attack(i))
		r.Missed = append(r.Missed, report.Missed{Name: attack(i), Message: attack(i)})
	}
	return r
}

func attackRow(row *report.Row, names map[string]string, attack func(int) string, i int) {
	row.ID = fmt.Sprint(i, attack(i))
	row.Vars = map[string]string{"language": fmt.Sprint(i%3, attack(i%3)), "tone": fmt.Sprint(i, attack(i)), "sentence": fmt.Sprint(i, attack(i))}
	for c := range row.Cells {
		cell := &row.Cells[c]
		cell.Model, cell.Step, cell.Prompt, cell.Response = names[cell.Model], "draft"+attack(3), attack(i), attack(i)
		if cell.Class != "" {
			cell.Class, cell.Message = "schema"+attack(i), attack(i)
		}
	}
}

// attacks try to be more than text, each in another way.
var attacks = []string{
	`<script>window.pwned=1;alert(1)</script>`, `</script><script>window.pwned=1;alert(1)</script>`, `</script ><img src=x onerror="window.pwned=1">`,
	`<!--`, `<!-- <script>`, `--><script>window.pwned=1</script>`, `]]><script>window.pwned=1</script>`, `<![CDATA[<script>window.pwned=1</script>]]>`,
	`<img src=x onerror=window.pwned=1>`, `"><svg onload=window.pwned=1>`, `' onmouseover='window.pwned=1`, `" autofocus onfocus="window.pwned=1" x="`,
	`<iframe src="javascript:parent.pwned=1"></iframe>`, `<iframe srcdoc="<script>parent.pwned=1</script>">`, `<object data="data:text/html,x">`, `<embed src="//example.com/x">`,
	`<style>body{display:none}</style>`, `</style><style>*{visibility:hidden}`, `<link rel=stylesheet href=https://example.com/x.css>`, `@import url(https://example.com/x.css);`,
	`<a href="javascript:window.pwned=1">click</a>`, `[click](javascript:window.pwned=1)`, `javascript:window.pwned=1`, `![x](https://example.com/x.png)`,
	`<meta http-equiv=refresh content="0;url=https://example.com">`, `<base href="https://example.com/">`, `<form action=https://example.com><input name=q autofocus>`, `<template><script>window.pwned=1</script></template>`,
	`{{.Run.Job}}{{template "page.tmpl" .}}`, `{{constructor.constructor("window.pwned=1")()}}`, "${window.pwned=1}", "`;window.pwned=1;`",
	"\u202eright to left\u202d\u2066\u2067", "\u200b\u200c\u200d\u2060\ufeffzero width", "nul\x00 bell\x07 escape\x1b[31m", "line\u2028separator\u2029paragraph",
	`<title>pwned</title>`, `</title><title>pwned</title>`, `</textarea><script>window.pwned=1</script>`, `</noscript><script>window.pwned=1</script>`,
	`<details open ontoggle=window.pwned=1>`, `<video><source onerror=window.pwned=1>`, `<body onload=window.pwned=1>`, `<math><mtext><img src onerror=window.pwned=1>`,
	`__proto__`, `constructor`, `\u003cscript\u003ewindow.pwned=1\u003c/script\u003e`, `&lt;script&gt;window.pwned=1&lt;/script&gt;`,
	`(.*+?^${}[]\|`, "\xff\xfe not UTF-8",
}

// attack is one of a hundred: each of the attacks alone, and in a very long line.
func attack(i int) string {
	text := attacks[i%len(attacks)]
	if i >= len(attacks) {
		return text + strings.Repeat("long", 3000) + text
	}
	return text
}
