package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// began is when the runs of these tests began.
var began = time.Date(2026, 11, 27, 9, 30, 0, 0, time.UTC)

// near compares figures but for the last bits of their arithmetic.
var near = cmpopts.EquateApprox(1e-9, 1e-12)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// timed is a task of a warm model that was sent at a time of its run and took latency: a
// tenth of it to the first token, and in the server 10 ms for the model, 20 ms for the
// prompt and 100 ms for an answer of 11 tokens.
func timed(row int64, model string, sent, latency time.Duration) *Task {
	at := began.Add(sent)
	return &Task{
		Row: row, RowID: fmt.Sprintf("r%d", row), Step: "main", Model: model, Asked: true, Attempts: 1,
		Response: "answer", DoneReason: "stop", PromptTokens: 40, OutputTokens: 11,
		Total: latency, Load: ms(10), Prompt: ms(20), Generate: ms(100),
		Measured: &Measured{Due: at, Sent: at, First: latency / 10, FirstText: latency / 10, Newest: latency, Last: latency, Chunks: 11},
	}
}

func failing(row int64, model, class, message string) *Task {
	return &Task{Row: row, RowID: fmt.Sprintf("r%d", row), Step: "main", Model: model, Asked: true, Attempts: 1, Class: class, Message: message}
}

func allOf(tasks []*Task) iter.Seq2[*Task, error] {
	return func(yield func(*Task, error) bool) {
		for _, t := range tasks {
			if !yield(t, nil) {
				return
			}
		}
	}
}

func mustMake(t rapid.TB, run Run, opts Options, tasks ...*Task) *Report {
	t.Helper()
	if run.Began.IsZero() {
		run.Began = began
	}
	if opts.Steps == nil {
		opts.Steps = []string{"main"}
	}
	r, err := Make(run, opts, allOf(tasks))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMakeByHand checks the figures of three requests against a computation by hand.
func TestMakeByHand(t *testing.T) {
	tasks := []*Task{
		timed(0, "m", 0, ms(200)),       // sent at 0, ended at 0.2
		timed(1, "m", ms(200), ms(400)), // ended at 0.6
		timed(2, "m", ms(600), ms(300)), // ended at 0.9
	}
	tasks[1].Measured.FirstText = ms(140) // thought for 100 ms after its first token at 40 ms
	bench := &Bench{Runs: 3, Order: "grouped", Goodput: map[string]float64{"latency": 0.35, "tpot": 0.02}}
	g := mustMake(t, Run{}, Options{Bench: bench}, tasks...).Groups[0]
	check := func(name string, got *Stat, mean, median, highest float64) {
		t.Helper()
		if got == nil {
			t.Fatalf("%s was not measured", name)
		}
		if diff := cmp.Diff([]float64{mean, median, highest}, []float64{got.Mean, got.Median, got.P99}, near); diff != "" {
			t.Errorf("%s: mean, median, p99 (-want +got):\n%s", name, diff)
		}
	}
	check("latency", g.Latency, 0.3, 0.3, 0.4)
	check("ttft", g.TTFT, 0.03, 0.03, 0.04)
	check("ttf_text", g.TTFText, 0.19/3, 0.03, 0.14)
	check("tpot", g.TPOT, 0.027, 0.027, 0.036) // (0.3 - 0.03) / 10 of the median one
	check("inter_chunk", g.Chunks, 0.027, 0.027, 0.036)
	check("queue", g.Queue, 0.17, 0.17, 0.27) // total - 10 - 20 - 100 ms
	check("tokens_per_sec", g.TokensPerSecond, 110, 110, 110)
	check("prompt_tokens_per_sec", g.PromptTokensPerSecond, 2000, 2000, 2000)
	rates := []float64{g.HostTokensPerSecond, g.RequestsPerSecond, *g.Goodput}
	// 33 tokens and 3 requests in 0.9 s; only the first one kept 350 ms and 20 ms a token.
	if diff := cmp.Diff([]float64{33 / 0.9, 3 / 0.9, 1 / 0.9}, rates, near); diff != "" {
		t.Errorf("rates of the host (-want +got):\n%s", diff)
	}
	if g.Schedule != nil || g.Load != nil {
		t.Errorf("a warm closed loop has a schedule latency %v or a load %v", g.Schedule, g.Load)
	}
	if g.Latency.Low != nil {
		t.Errorf("three measurements have an interval from %v", *g.Latency.Low)
	}
}

func TestMakeMissingFigures(t *testing.T) {
	noDurations := timed(0, "m", 0, ms(200))
	noDurations.Total, noDurations.Prompt, noDurations.Generate = 0, 0, 0
	oneToken := timed(1, "m", ms(200), ms(200))
	oneToken.OutputTokens, oneToken.Measured.Chunks = 1, 1
	overlapping := timed(2, "m", ms(400), ms(100)) // its parts are longer than the whole
	g := mustMake(t, Run{}, Options{}, noDurations, oneToken, overlapping).Groups[0]
	if g.Latency.N != 3 || g.TPOT.N != 2 || g.Chunks.N != 2 {
		t.Errorf("latency, tpot, inter_chunk of %d, %d, %d requests; want 3, 2, 2", g.Latency.N, g.TPOT.N, g.Chunks.N)
	}
	if g.Generate.N != 2 || g.Queue.N != 2 || g.Queue.Min != 0 {
		t.Errorf("generate and queue of %d and %d requests from %v; want 2, 2, from 0", g.Generate.N, g.Queue.N, g.Queue.Min)
	}
	if g.TTFText != nil {
		t.Errorf("no model thought, but ttf_text is %+v", *g.TTFText)
	}
}

func TestMakeCounts(t *testing.T) {
	reused := timed(1, "m", 0, ms(100))
	reused.Asked, reused.Measured = false, nil
	cold := timed(2, "m", 0, ms(3000))
	cold.Load = 2 * time.Second
	older := timed(3, "m", 0, ms(100))
	older.Measured = nil
	unasked := failing(5, "", "input", "the prompt needs .x")
	unasked.Asked, unasked.Attempts = false, 0
	interrupted := failing(6, "m", "interrupted", "")
	r := mustMake(t, Run{}, Options{}, timed(0, "m", ms(3000), ms(200)), reused, cold, older,
		failing(4, "m", "timeout", "no answer within 30s"), unasked, interrupted)
	got := map[string]int64{"rows": r.Rows, "ok": r.OK, "failed": r.Failed, "asked": r.Asked, "reused": r.Reused}
	want := map[string]int64{"rows": 6, "ok": 4, "failed": 2, "asked": 4, "reused": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if len(r.Groups) != 1 {
		t.Fatalf("%d groups; the row without a request belongs to the only model", len(r.Groups))
	}
	g := r.Groups[0]
	if g.Requests != 4 || g.OK != 3 || g.Failures["timeout"] != 1 || len(g.Failures) != 1 || g.Error != "" {
		t.Errorf("requests %d, ok %d, failures %v, error %q; want 4, 3, timeout:1, none", g.Requests, g.OK, g.Failures, g.Error)
	}
	if g.Cold != 1 || g.Load.N != 1 || g.Load.Mean != 2 || g.Latency.N != 1 || g.Latency.Max != 0.2 {
		t.Errorf("cold %d, load %+v, latency %+v; the cold request is in load alone", g.Cold, g.Load, g.Latency)
	}
	if g.Generate.N != 2 {
		t.Errorf("generate of %d requests; want 2: the server's times need no measurement by the client", g.Generate.N)
	}
	if diff := cmp.Diff([]Quality{{PassRate, 6, 4.0 / 6}}, g.Quality, near); diff != "" {
		t.Errorf("quality (-want +got):\n%s", diff)
	}
}

func TestMakeGroups(t *testing.T) {
	second := timed(2, "slow", ms(500), ms(300))
	second.Level = Level{Concurrency: 4}
	r := mustMake(t, Run{}, Options{},
		failing(0, "broken", "model_missing", `model "broken" is not on the server`),
		timed(1, "slow", 0, ms(500)), second, timed(3, "fast", ms(800), ms(100)))
	var names []string
	for _, g := range r.Groups {
		names = append(names, strings.TrimSpace(g.Model+" "+g.Level.words()))
	}
	if want := []string{"fast", "slow 4 at a time", "slow", "broken"}; !slices.Equal(names, want) {
		t.Errorf("groups %q; want %q", names, want)
	}
	if got := r.Groups[3].Error; got != `model "broken" is not on the server` {
		t.Errorf("error of the model that failed wholly: %q", got)
	}
}

func TestMakeRowsWithoutModel(t *testing.T) {
	lost := failing(2, "", "input", "the prompt needs .x")
	r := mustMake(t, Run{}, Options{}, timed(0, "a", 0, ms(100)), timed(1, "b", ms(100), ms(200)), lost)
	last := r.Groups[len(r.Groups)-1]
	if len(r.Groups) != 3 || last.Model != "" || last.Quality[0].Mean != 0 || last.Error != lost.Message {
		t.Errorf("groups %+v; want one without a model for the row that is nobody's", r.Groups)
	}
}

func TestMakeQuality(t *testing.T) {
	var tasks []*Task
	for row, lang := range []string{"es", "fr", "es"} {
		draft, judge := timed(int64(row), "m", 0, ms(100)), timed(int64(row), "j", 0, ms(100))
		draft.Step, judge.Step = "draft", "judge"
		draft.Vars = map[string]string{"lang": lang, "n": fmt.Sprint(row), "tone": "neutral"}
		judge.Vars = draft.Vars
		if row == 2 {
			judge.Class, judge.Measured = "schema", nil
		} else {
			judge.Columns = map[string]float64{"score": float64(row + 4)}
			draft.Columns = judge.Columns
		}
		tasks = append(tasks, judge, draft) // the other way round than the job
	}
	r := mustMake(t, Run{}, Options{Steps: []string{"draft", "judge"}, Columns: []string{"n", "lang", "tone"}}, tasks...)
	got := make(map[string][]Quality)
	for _, g := range r.Groups {
		got[g.Step] = g.Quality
	}
	want := map[string][]Quality{
		"draft": {{PassRate, 3, 1}},
		"judge": {{PassRate, 3, 2.0 / 3}, {"score", 2, 4.5}}, // of the row's last step
	}
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("quality of groups (-want +got):\n%s", diff)
	}
	axes := []AxisQuality{
		{"n", "0", []Quality{{PassRate, 1, 1}, {"score", 1, 4}}},
		{"n", "1", []Quality{{PassRate, 1, 1}, {"score", 1, 5}}},
		{"n", "2", []Quality{{PassRate, 1, 0}}},
		{"lang", "es", []Quality{{PassRate, 2, 0.5}, {"score", 1, 4}}},
		{"lang", "fr", []Quality{{PassRate, 1, 1}, {"score", 1, 5}}},
	}
	if diff := cmp.Diff(axes, r.ByAxis, near); diff != "" {
		t.Errorf("quality by axis; tone has one value and isn't there (-want +got):\n%s", diff)
	}
}

func TestMakeGivesUpLongAxes(t *testing.T) {
	var tasks []*Task
	for row := range int64(60) {
		task := timed(row, "m", 0, ms(100))
		if row%4 == 0 { // of rows that are all ok no axis tells anything
			task.Class, task.Measured = "schema", nil
		}
		task.Vars = map[string]string{"many": fmt.Sprint(row), "long": strings.Repeat("x", 201) + fmt.Sprint(row%2), "two": fmt.Sprint(row % 2)}
		tasks = append(tasks, task)
	}
	r := mustMake(t, Run{}, Options{Columns: []string{"many", "long", "two"}}, tasks...)
	if len(r.ByAxis) != 2 || r.ByAxis[0].Axis != "two" {
		t.Errorf("axes %+v; want two values of %q", r.ByAxis, "two")
	}
}

func TestMakeOpenLoop(t *testing.T) {
	var tasks []*Task
	for row := range int64(8) {
		task := timed(row, "m", time.Duration(row)*ms(150), ms(100))
		task.Level = Level{Rate: 10}
		task.Measured.Due = began.Add(time.Duration(row) * ms(100))
		task.Measured.Late = time.Duration(row) * ms(50)
		tasks = append(tasks, task)
	}
	g := mustMake(t, Run{}, Options{Bench: &Bench{Runs: 8}}, tasks...).Groups[0]
	// The last one was to start at 0.7 s, was sent at 1.05 s and ended at 1.15 s.
	if diff := cmp.Diff([]float64{0.1, 0.45, 0.35}, []float64{g.Schedule.Min, g.Schedule.Max, g.Late.Max}, near); diff != "" {
		t.Errorf("schedule latency and lateness (-want +got):\n%s", diff)
	}
	if !slices.Equal(g.Doubtful, []string{"schedule_latency"}) {
		t.Errorf("doubtful are %q; want the schedule latency, since requests were sent late", g.Doubtful)
	}
}

// In an interleaved benchmark the time of the other models is not a model's own.
func TestMakeOfInterleaved(t *testing.T) {
	var tasks []*Task
	for i := range 12 { // a, b, a, b, ...: 100 ms each, one after the other
		task := timed(int64(i), []string{"a", "b"}[i%2], time.Duration(i)*ms(100), ms(100))
		task.Repetition = i/2 + 1
		tasks = append(tasks, task)
	}
	for _, g := range mustMake(t, Run{}, Options{Bench: &Bench{Runs: 6, Order: "interleaved"}}, tasks...).Groups {
		if diff := cmp.Diff([]float64{10, 110}, []float64{g.RequestsPerSecond, g.HostTokensPerSecond}, near); diff != "" {
			t.Errorf("requests and tokens a second of %s (-want +got):\n%s", g.Model, diff)
		}
	}
}

func TestMakeLeavesOutThePauseOfAnInterruptedRun(t *testing.T) {
	before := timed(0, "m", -10*time.Second, ms(500))
	after := timed(1, "m", ms(0), ms(500))
	before.Run, after.Run = 1, 2
	r := mustMake(t, Run{}, Options{}, before, after)
	if got := r.Groups[0].RequestsPerSecond; got != 2 {
		t.Errorf("%v requests/s; want 2 in the second that something was measured", got)
	}
	if len(r.Timeline) != 1 || r.Timeline[0].From != 0 {
		t.Errorf("timeline %+v; want what this run measured", r.Timeline)
	}
}

func TestMakeEmpty(t *testing.T) {
	r := mustMake(t, Run{ID: 7}, Options{})
	if r.Version != Version || r.Run.ID != 7 || r.Rows != 0 || r.Groups == nil || len(r.Groups) != 0 {
		t.Errorf("report of no tasks: %+v", r)
	}
}

func TestMakeReturnsTheErrorOfItsTasks(t *testing.T) {
	broken := errors.New("the store is gone")
	_, err := Make(Run{}, Options{}, func(yield func(*Task, error) bool) {
		if yield(timed(0, "m", 0, ms(1)), nil) {
			yield(nil, broken)
		}
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v; want %v", err, broken)
	}
}

// drawTasks draws rows of two steps and up to three models.
func drawTasks(t *rapid.T) [][]*Task {
	var rows [][]*Task
	for row := range rapid.Int64Range(0, 40).Draw(t, "rows") {
		var tasks []*Task
		for _, step := range []string{"draft", "judge"} {
			model := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "model")
			task := timed(row, model, time.Duration(row)*ms(100), ms(rapid.IntRange(1, 2000).Draw(t, "latency")))
			task.Step = step
			task.Load = ms(rapid.SampledFrom([]int{0, 10, 900}).Draw(t, "load"))
			task.Asked = rapid.Bool().Draw(t, "asked")
			task.Class = rapid.SampledFrom([]string{"", "", "", "timeout", "upstream", "schema"}).Draw(t, "class")
			task.Vars = map[string]string{"v": fmt.Sprint(row % 7)}
			tasks = append(tasks, task)
		}
		rows = append(rows, tasks)
	}
	return rows
}

func TestMakeIsIndependentOfTheOrderOfSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawTasks(t)
		opts := Options{Steps: []string{"draft", "judge"}, Columns: []string{"v"}, MaxRows: 5, Seed: rapid.Uint64().Draw(t, "seed")}
		want := asJSON(t, mustMake(t, Run{}, opts, slices.Concat(rows...)...))
		for _, row := range rows {
			if rapid.Bool().Draw(t, "reverse") {
				slices.Reverse(row)
			}
		}
		got := asJSON(t, mustMake(t, Run{}, opts, slices.Concat(rows...)...))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("another order of steps makes another report (-want +got):\n%s", diff)
		}
	})
}

// asJSON also shows that every report can be written: there is no NaN in it and no Inf.
func asJSON(t rapid.TB, r *Report) string {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMakeCountsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawTasks(t)
		r := mustMake(t, Run{}, Options{Steps: []string{"draft", "judge"}, MaxRows: 5}, slices.Concat(rows...)...)
		if r.Rows != int64(len(rows)) || r.OK+r.Failed != r.Rows {
			t.Fatalf("rows %d, ok %d, failed %d of %d", r.Rows, r.OK, r.Failed, len(rows))
		}
		var requests, failures int64
		for _, g := range r.Groups {
			failed := 0
			for _, n := range g.Failures {
				failed += n
			}
			if g.Requests != g.OK+failed {
				t.Fatalf("%s: %d requests, %d ok, %d failed", g.Model, g.Requests, g.OK, failed)
			}
			requests += int64(g.Requests)
		}
		for _, f := range r.Failures {
			failures += f.Count
		}
		if requests != r.Asked {
			t.Fatalf("groups have %d requests of %d", requests, r.Asked)
		}
		if len(r.Answers) > 5 || len(r.Timeline) > 5 || failures < r.Failed {
			t.Fatalf("%d answers, %d spans, %d failures of %d failed rows", len(r.Answers), len(r.Timeline), failures, r.Failed)
		}
	})
}

// TestMakeMemory makes a report of 200,000 rows. Their answers are 100 MB; what stays is
// the numbers of each row and the texts of 100.
func TestMakeMemory(t *testing.T) {
	const rows, bound = 200_000, 64 << 20
	draws := rand.New(rand.NewPCG(1, 2))
	var peak uint64
	tasks := func(yield func(*Task, error) bool) {
		for row := range int64(rows) {
			task := timed(row, "m", time.Duration(row)*time.Millisecond, ms(50+draws.IntN(100)))
			task.Response = strings.Repeat("x", 500)
			task.Question = question(fmt.Sprint("question ", row), "sha")
			task.Vars = map[string]string{"n": fmt.Sprint(row)}
			if row%50_000 == 49_999 {
				peak = max(peak, heapInUse())
			}
			if !yield(task, nil) {
				return
			}
		}
	}
	before := heapInUse()
	r, err := Make(Run{Began: began}, Options{Steps: []string{"main"}, Columns: []string{"n"}, MaxRows: 100}, tasks)
	if err != nil {
		t.Fatal(err)
	}
	grown := int64(max(peak, heapInUse())) - int64(before)
	t.Logf("%d rows: the heap grew by %d MB", rows, grown>>20)
	if grown > bound {
		t.Errorf("the heap grew by %d MB; want at most %d", grown>>20, bound>>20)
	}
	if r.Rows != rows || len(r.Answers) != 100 || r.Dropped != rows-100 || r.Groups[0].Latency.N != rows || len(r.Timeline) != 100 {
		t.Errorf("rows %d, answers %d, dropped %d, measured %d, spans %d", r.Rows, len(r.Answers), r.Dropped, r.Groups[0].Latency.N, len(r.Timeline))
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// question is the stored text of a question; the prompt is one that needs no escapes.
func question(prompt, digest string) []byte {
	return []byte(`{"v":1,"digest":"` + digest + `","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"` + prompt + `"}]}`)
}

func sortRows(tasks []*Task) {
	slices.SortStableFunc(tasks, func(a, b *Task) int { return int(a.Row - b.Row) })
}

// A load before a model's first request is on its groups' lines and on the timeline, and
// makes no request a cold one.
func TestLoadsBeforeTheFirstRequest(t *testing.T) {
	began := time.UnixMilli(1_700_000_000_000)
	task := timed(0, "a", 3*time.Second, ms(200))
	task.Measured.Sent, task.Measured.Due = began.Add(3*time.Second), began.Add(3*time.Second)
	r := mustMake(t, Run{Began: began}, Options{Loads: []Load{{"a", began.Add(time.Second), 2 * time.Second}, {"b", began, time.Second}}}, task)
	g := r.Groups[0]
	if g.Load == nil || g.Load.N != 1 || g.Load.Mean != 2 || g.Cold != 0 || g.Latency == nil {
		t.Errorf("load %+v, %d cold, latency %+v", g.Load, g.Cold, g.Latency)
	}
	var loads []string
	for _, s := range r.Timeline {
		if s.Kind == loadSpan {
			loads = append(loads, fmt.Sprintf("%s %g to %g", s.Model, s.From, s.To))
		}
	}
	if want := []string{"b 0 to 1", "a 1 to 3"}; !slices.Equal(loads, want) {
		t.Errorf("the timeline's loads are %q, want %q", loads, want)
	}
}

// Tasks that failed before they could be asked are counted where their group has no line of figures.
func TestTextOfUnasked(t *testing.T) {
	var tasks []*Task
	for i := range int64(3) {
		tasks = append(tasks, failing(i, "", "input", "no such field"))
	}
	var text strings.Builder
	if err := WriteText(&text, mustMake(t, Run{}, Options{}, tasks...), TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if want := "no model  all 3 failed: no such field"; !strings.Contains(text.String(), want) {
		t.Errorf("no %q in:\n%s", want, text.String())
	}
}
