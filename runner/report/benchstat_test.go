package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/perf/benchfmt"
)

func writeBenchstat(t *testing.T, run Run, tasks ...*Task) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteBenchstat(&b, run, listed(tasks...)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestBenchstat(t *testing.T) {
	var b bytes.Buffer
	if err := WriteBenchstat(&b, fixture().Run, fixtureTasks()); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "benchstat.want", b.String())
	readBenchstat(t, b.String())
}

// readBenchstat reads text as benchstat does: each result as "name value unit".
func readBenchstat(t *testing.T, text string) (results []string) {
	t.Helper()
	in := benchfmt.NewReader(strings.NewReader(text), "test")
	for in.Scan() {
		switch rec := in.Result().(type) {
		case *benchfmt.Result:
			line := rec.Name.String()
			for _, v := range rec.Values {
				line += fmt.Sprintf(" %.4g %s", v.Value, v.Unit)
			}
			results = append(results, line)
			checkConfig(t, rec)
		default:
			t.Errorf("not a result: %v", rec)
		}
	}
	if err := in.Err(); err != nil {
		t.Error(err)
	}
	if lines := strings.Count(text, "\nBenchmark"); len(results) != lines {
		t.Errorf("%d results of %d lines", len(results), lines)
	}
	return results
}

// checkConfig lets only those keys pass that keep benchstat from comparing two runs for
// good reason.
func checkConfig(t *testing.T, rec *benchfmt.Result) {
	t.Helper()
	for _, c := range rec.Config {
		if c.Key != "hardware" && c.Key != "simulated" {
			t.Errorf("runs that differ in %q would not be compared", c.Key)
		}
	}
}

func measuredTask(step string, level Level) *Task {
	return &Task{
		Step: step, Model: "hf.co/a b/c=d:4b", Level: level, Asked: true, PromptTokens: 10, OutputTokens: 20,
		Total: 2 * time.Second, Prompt: time.Second / 2, Generate: time.Second, Measured: &Measured{First: time.Second / 4},
	}
}

func TestBenchstatNames(t *testing.T) {
	const name = "Model/name=hf.co_a_b_c_d:4b"
	one, four, open := Level{Concurrency: 1}, Level{Concurrency: 4}, Level{Rate: 2.5}
	for _, c := range []struct {
		about string
		tasks []*Task
		want  []string // the names of the first and the last result
	}{
		{"one step and level", []*Task{measuredTask("main", one)}, []string{name + "/step=prefill", name + "/step=total"}},
		{"no benchmark", []*Task{measuredTask("main", Level{})}, []string{name + "/step=prefill", name + "/step=total"}},
		{"two levels", []*Task{measuredTask("main", one), measuredTask("main", four)}, []string{name + "/step=prefill/concurrency=1", name + "/step=total/concurrency=4"}},
		{"an open level", []*Task{measuredTask("main", one), measuredTask("main", open)}, []string{name + "/step=prefill/concurrency=1", name + "/step=total/rate=2.5"}},
		{"two steps", []*Task{measuredTask("a", one), measuredTask("b", one)}, []string{name + "/step=prefill/task=a", name + "/step=total/task=b"}},
	} {
		results := readBenchstat(t, writeBenchstat(t, Run{Hardware: "h"}, c.tasks...))
		if len(results) != 4*len(c.tasks) {
			t.Errorf("%s: %q", c.about, results)
			continue
		}
		first, _, _ := strings.Cut(results[0], " ")
		last, _, _ := strings.Cut(results[len(results)-1], " ")
		if diff := cmp.Diff(c.want, []string{first, last}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.about, diff)
		}
	}
}

func TestBenchstatFigures(t *testing.T) {
	const name = "Model/name=hf.co_a_b_c_d:4b/step="
	cold := measuredTask("main", Level{})
	cold.Load = 3 * time.Second
	reused, failed, older := measuredTask("main", Level{}), measuredTask("main", Level{}), measuredTask("main", Level{})
	reused.Asked, failed.Class, older.Measured = false, "timeout", nil
	got := readBenchstat(t, writeBenchstat(t, Run{Simulated: true}, cold, reused, failed, older, measuredTask("main", Level{})))
	want := []string{
		name + "load 3 sec/op",
		name + "prefill 0.05 sec/token 20 token/sec",
		name + "generate 0.05 sec/token 20 token/sec",
		name + "ttft 0.25 sec/op",
		name + "total 2 sec/op",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Nothing in a name or a header line is a result, a key or a unit of its own.
func TestBenchstatIsHarmless(t *testing.T) {
	for _, s := range append(append([]string{"\nBenchmarkX 1 1 ns/op", "key: value", "Unit ns/op better=higher", "a\tb"}, hostile...), payloads...) {
		run := Run{Job: s, Hardware: s, Runner: s, Server: s, ServerVersion: s, Models: []Model{{Name: s, Digest: s}}}
		task := measuredTask(s, Level{})
		task.Model = "m" + s
		if results := readBenchstat(t, writeBenchstat(t, run, task)); len(results) != 4 {
			t.Errorf("%q: %q", s, results)
		}
	}
}

func TestBenchstatErrors(t *testing.T) {
	broken := errors.New("the store is gone")
	calls := 0
	for at := 1; at <= 2; at++ {
		calls = 0
		failing := func(yield func(*Task, error) bool) {
			if calls++; calls == at {
				yield(nil, broken)
			}
		}
		if err := WriteBenchstat(io.Discard, Run{}, failing); !errors.Is(err, broken) {
			t.Errorf("an error of pass %d: %v", at, err)
		}
	}
}
