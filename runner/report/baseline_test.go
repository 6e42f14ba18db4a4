package report

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sampled is a Stat with an interval of 2% either way.
func sampled(n int, median float64) *Stat {
	s := &Stat{N: n, Mean: median, Median: median, Min: median, P90: median, P95: median, P99: median, Max: median}
	if n >= minSamples {
		s.Low, s.High = ref(median*0.98), ref(median*1.02)
	}
	return s
}

func measuredOnce(n int, latency, speed, pass float64) *Report {
	return &Report{
		Run: Run{Hardware: "one A100", Models: []Model{{Name: "m", Digest: "sha256:aaaabbbbcccc"}}},
		Groups: []Group{{
			Model: "m", Step: "main", Latency: sampled(n, latency), TokensPerSecond: sampled(n, speed),
			HostTokensPerSecond: speed * 4, Quality: []Quality{{PassRate, 100, pass}, {"score", 100, 4}},
		}},
	}
}

func TestAgainst(t *testing.T) {
	base := measuredOnce(20, 2, 40, 0.9)
	now := measuredOnce(20, 2.4, 39, 0.7)
	now.Groups[0].Quality[1].Mean = 4.5
	got, err := now.Against(base, AgainstOptions{FailOn: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	change := func(figure string, base, now, delta float64, shown, worse, missed bool) Change {
		return Change{Model: "m", Step: "main", Figure: figure, Base: base, Now: now, Delta: delta, Shown: shown, Worse: worse, Missed: missed}
	}
	want := []Change{
		change("latency", 2, 2.4, 0.2, true, true, true),
		change("tokens_per_sec", 40, 39, -0.025, false, true, false),
		change("host_tokens_per_sec", 160, 156, -0.025, false, true, false),
		change("pass_rate", 0.9, 0.7, -0.2/0.9, false, true, true),
		change("score", 4, 4.5, 0.125, false, false, false),
	}
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	missed := []Missed{
		{"latency", "latency of m is 2.40s, 20% above the baseline's 2.00s; up to 10% is let pass"},
		{"pass_rate", "pass_rate of m is 70.0%, 22% below the baseline's 90.0%; up to 10% is let pass"},
	}
	if diff := cmp.Diff(missed, now.Missed); diff != "" {
		t.Errorf("missed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(got, now.Changes); diff != "" {
		t.Errorf("the report's changes (-returned +report's):\n%s", diff)
	}
}

func TestAgainstChance(t *testing.T) {
	wide := measuredOnce(20, 2.4, 40, 0.9)
	wide.Groups[0].Latency.Low = ref(1.9)
	tests := []struct {
		name   string
		now    *Report
		base   *Report
		failOn float64
		missed int
	}{
		{"intervals that overlap", wide, measuredOnce(20, 2, 40, 0.9), 0.1, 0},
		{"too few for an interval: the medians count", measuredOnce(3, 2.4, 40, 0.9), measuredOnce(3, 2, 40, 0.9), 0.1, 1},
		{"too few of one", measuredOnce(20, 2.4, 40, 0.9), measuredOnce(3, 2, 40, 0.9), 0.1, 1},
		{"within what is let pass", measuredOnce(20, 2.4, 40, 0.9), measuredOnce(20, 2, 40, 0.9), 0.25, 0},
		{"better", measuredOnce(20, 1, 80, 1), measuredOnce(20, 2, 40, 0.9), 0, 0},
		{"anything is let pass", measuredOnce(20, 4, 20, 0), measuredOnce(20, 2, 40, 0.9), -1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tt.now.Against(tt.base, AgainstOptions{FailOn: tt.failOn}); err != nil {
				t.Fatal(err)
			}
			if len(tt.now.Missed) != tt.missed {
				t.Errorf("missed %+v; want %d", tt.now.Missed, tt.missed)
			}
		})
	}
}

func TestAgainstWhatIsMissing(t *testing.T) {
	base := measuredOnce(20, 2, 40, 0.9)
	base.Groups = append(base.Groups, Group{Model: "gone", Step: "main"})
	now := measuredOnce(20, 2, 40, 0.9)
	now.Groups[0].Latency, now.Groups[0].TokensPerSecond, now.Groups[0].HostTokensPerSecond = nil, nil, 0
	now.Groups[0].Quality = now.Groups[0].Quality[:1]
	if _, err := now.Against(base, AgainstOptions{}); err != nil {
		t.Fatal(err)
	}
	want := []Missed{
		{"latency", "latency of m was not measured in this run; the baseline has 2.00s"},
		{"missing", "gone was not in this run; the baseline has it"},
	}
	if diff := cmp.Diff(want, now.Missed); diff != "" {
		t.Errorf("missed (-want +got):\n%s", diff)
	}
}

func TestAgainstOtherMachines(t *testing.T) {
	tests := []struct {
		name   string
		change func(base *Report)
		opts   AgainstOptions
		want   string
	}{
		{"other hardware", func(b *Report) { b.Run.Hardware = "a laptop" }, AgainstOptions{}, "the baseline was measured on other hardware (a laptop) than this run (one A100); compare runs of one machine, or say that any hardware will do"},
		{"other hardware, as told", func(b *Report) { b.Run.Hardware = "a laptop" }, AgainstOptions{AnyHardware: true}, ""},
		{"other model", func(b *Report) { b.Run.Models[0].Digest = "ddddeeeeffff0000" }, AgainstOptions{}, `model "m" has other content in the baseline (ddddeeeeffff) than in this run (aaaabbbbcccc); make a new baseline, or say that any model will do`},
		{"other model, as told", func(b *Report) { b.Run.Models[0].Digest = "d" }, AgainstOptions{AnyModel: true}, ""},
		{"simulated", func(b *Report) { b.Run.Simulated = true }, AgainstOptions{AnyHardware: true, AnyModel: true}, "the baseline was measured on a simulated server and this run on a real one; their times can't be compared"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base, now := measuredOnce(20, 2, 40, 0.9), measuredOnce(20, 2, 40, 0.9)
			tt.change(base)
			_, err := now.Against(base, tt.opts)
			if got := errorText(err); got != tt.want {
				t.Errorf("error %q; want %q", got, tt.want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestAgainstAFile shows that a report that went through its JSON is a baseline like the
// report itself.
func TestAgainstAFile(t *testing.T) {
	tasks := func(latency int) []*Task {
		var tasks []*Task
		for row := range int64(20) {
			tasks = append(tasks, timed(row, "m", 0, ms(latency+int(row))))
		}
		return tasks
	}
	base := mustMake(t, Run{Hardware: "h"}, Options{}, tasks(200)...)
	var read Report
	if err := json.Unmarshal([]byte(asJSON(t, base)), &read); err != nil {
		t.Fatal(err)
	}
	for name, base := range map[string]*Report{"report": base, "file": &read} {
		now := mustMake(t, Run{Hardware: "h"}, Options{}, tasks(300)...)
		if _, err := now.Against(base, AgainstOptions{FailOn: 0.1}); err != nil {
			t.Fatal(err)
		}
		var missed []string
		for _, m := range now.Missed {
			missed = append(missed, m.Name)
		}
		if want := []string{"latency", "ttft", "tpot", "host_tokens_per_sec"}; !slices.Equal(missed, want) {
			t.Errorf("against a %s: missed %s; want %s", name, strings.Join(missed, ", "), strings.Join(want, ", "))
		}
	}
}

// Models that no one has seen in memory (an ordinary run, one with keep_alive: 0) are known
// by what they were asked.
func TestAgainstModelsOfQuestions(t *testing.T) {
	of := func(digest string) *Report {
		task := timed(0, "m", 0, ms(100))
		task.Question = []byte(`{"v":1,"digest":"` + digest + `","messages":[]}`)
		return mustMake(t, Run{}, Options{}, task)
	}
	if _, err := of("aaa").Against(of("bbb"), AgainstOptions{}); err == nil {
		t.Error("models of other content were compared")
	}
	if _, err := of("aaa").Against(of("aaa"), AgainstOptions{}); err != nil {
		t.Errorf("the same model is refused: %v", err)
	}
}
