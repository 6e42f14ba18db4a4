package report

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// loop makes a closed loop at a concurrency, on a server that works on two requests at a
// time, each for 130 ms: of those in flight, two are worked on and the rest wait.
func loop(first int64, concurrency int) []*Task {
	var tasks []*Task
	for i := range 48 {
		wave := i / 2 // two end every 130 ms, and one is sent for each that ends
		end := time.Duration(wave+1) * ms(130)
		sent := max(0, end-time.Duration((concurrency+1)/2)*ms(130))
		if concurrency == 1 {
			sent, end = time.Duration(i)*ms(130), time.Duration(i+1)*ms(130)
		}
		task := timed(first+int64(i), "m", sent, end-sent)
		task.Level = Level{Concurrency: concurrency}
		tasks = append(tasks, task)
	}
	return tasks
}

func TestSweepHints(t *testing.T) {
	r := mustMake(t, Run{}, Options{Bench: &Bench{Runs: 1}}, slices.Concat(loop(0, 1), loop(48, 2), loop(96, 4), loop(144, 8))...)
	want := []string{
		"m does best with 2 requests in flight: 169 tokens/s; with more, only its queue grew",
		"m (4 at a time) waited in the server's queue for 130ms of 260ms (medians): it works on about 2 at a time; ask for no more, or raise OLLAMA_NUM_PARALLEL on the server",
	}
	if !slices.Equal(r.Hints, want) {
		t.Errorf("hints\n%s\nwant\n%s", strings.Join(r.Hints, "\n"), strings.Join(want, "\n"))
	}
	r = mustMake(t, Run{}, Options{Bench: &Bench{Runs: 1}}, slices.Concat(loop(0, 1), loop(48, 2))...)
	if want := "m does best with 2 requests in flight: 169 tokens/s, the most that was tried; more may do better still"; !slices.Equal(r.Hints, []string{want}) {
		t.Errorf("hints %q; want %q", r.Hints, want)
	}
}

func TestProcessorHints(t *testing.T) {
	half := 0.629
	run := Run{Models: []Model{{Name: "cpu", Accelerated: new(float64)}, {Name: "gpu", Accelerated: ref(1)}, {Name: "both", Accelerated: &half}, {Name: "unknown"}}}
	want := []string{
		"cpu ran on the CPU alone: nothing of it was in a GPU's memory",
		"only 62% of both was in a GPU's memory, and the rest ran on the CPU: a smaller context, quantization or model may fit whole",
	}
	if got := mustMake(t, run, Options{}).Hints; !slices.Equal(got, want) {
		t.Errorf("hints %q; want %q", got, want)
	}
}

// openLoop makes an open loop of 10/s on a server that ends one request every interval.
func openLoop(interval time.Duration) []*Task {
	var tasks []*Task
	free := time.Duration(0)
	for i := range 40 {
		due := time.Duration(i) * ms(100)
		free = max(free, due) + interval
		task := timed(int64(i), "m", due, free-due)
		task.Level = Level{Rate: 10}
		tasks = append(tasks, task)
	}
	return tasks
}

func TestOpenLoopHints(t *testing.T) {
	if got := mustMake(t, Run{}, Options{Bench: &Bench{}}, openLoop(ms(80))...).Hints; len(got) != 0 {
		t.Errorf("below its capacity: hints %q", got)
	}
	// 40 requests in 40 x 120 ms.
	want := "m was asked for 10.0 requests/s and reached 8.33: that is more than the host can do, and its queue grew all along"
	if got := mustMake(t, Run{}, Options{Bench: &Bench{}}, openLoop(ms(120))...).Hints; !slices.Equal(got, []string{want}) {
		t.Errorf("above its capacity: hints %q; want %q", got, want)
	}
	short := openLoop(ms(80))[:8] // ends with a wait for the last answer: 8 requests in 0.78 s are 10/s
	short[7].Measured.Last, short[7].Total = time.Second, time.Second
	if got := mustMake(t, Run{}, Options{Bench: &Bench{}}, short...).Hints; len(got) != 0 {
		t.Errorf("a short run with a long end: hints %q", got)
	}
}

func TestOpenLoopHintOfLateSending(t *testing.T) {
	tasks := openLoop(ms(80))
	for i, task := range tasks {
		task.Measured.Sent = task.Measured.Sent.Add(time.Duration(i) * ms(10))
	}
	got := mustMake(t, Run{}, Options{Bench: &Bench{}}, tasks...).Hints
	want := "m: requests ended 275ms after they were to start, but took only 80.0ms once sent (medians): a user would see the first, schedule_latency"
	if !slices.Contains(got, want) {
		t.Errorf("hints %q; want %q", got, want)
	}
}

func TestWarnings(t *testing.T) {
	quiet := func() []*Task {
		var tasks []*Task
		for row := range int64(10) {
			tasks = append(tasks, timed(row, "m", time.Duration(row)*ms(200), ms(200)))
		}
		return tasks
	}
	tests := []struct {
		name   string
		run    Run
		bench  *Bench
		change func([]*Task)
		want   []string
	}{
		{"nothing to doubt", Run{State: "done"}, &Bench{}, nil, nil},
		{"simulated", Run{Simulated: true}, nil, nil, []string{"these figures are a simulated server's; they say nothing about a model"}},
		{"partial and interrupted", Run{Partial: true, State: "interrupted"}, nil, nil, []string{
			"the run was over a part of the job's rows", "the run was interrupted; figures are of what it had done by then",
		}},
		{"failed", Run{}, nil, func(tasks []*Task) { tasks[3].Class = "timeout" }, []string{"without the requests that failed, figures are of the rest: m: 1 of 10 failed"}},
		{"cold in a benchmark", Run{}, &Bench{}, func(tasks []*Task) { tasks[0].Load = time.Second }, []string{
			"requests found the model not loaded, in the measured part; their load is in no other figure: m: 1",
		}},
		{"cold in a run", Run{}, nil, func(tasks []*Task) { tasks[0].Load = time.Second }, nil},
		{"few", Run{}, nil, func(tasks []*Task) {
			for _, task := range tasks[:5] {
				task.Measured = nil
			}
		}, []string{"too few measurements to say how sure a median is (at least 6 are needed): m: 5"}},
		{"noise", Run{}, nil, func(tasks []*Task) {
			for i, task := range tasks {
				task.Measured.Last = ms(200 + 20*i)
			}
		}, []string{"too much noise: the median latency isn't known within 10% either way; more runs would help: m: 220ms to 360ms"}},
		{"models in turns", Run{}, &Bench{Order: "interleaved"}, func(tasks []*Task) {
			for i, task := range tasks {
				task.Model = []string{"m", "n"}[i%2]
				task.Measured = nil
			}
		}, []string{"the models took turns (order: interleaved): requests/s and tokens/s of the host are over a time in which others were asked too"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tasks := quiet()
			if tt.change != nil {
				tt.change(tasks)
			}
			if got := mustMake(t, tt.run, Options{Bench: tt.bench}, tasks...).Warnings; !slices.Equal(got, tt.want) {
				t.Errorf("warnings %q; want %q", got, tt.want)
			}
		})
	}
}

func TestDoubtful(t *testing.T) {
	// Ten requests of 200 ms, the first token after 20 ms, and 18 ms between 11 tokens.
	tests := []struct {
		name string
		lag  *Lag
		late time.Duration
		want []string
	}{
		{"no lag known", nil, 0, nil},
		{"5% of the first token is let pass", &Lag{Median: 0.001, P99: 0.001}, 0, nil},
		{"median of the first token", &Lag{Median: 0.0011, P99: 0.001}, 0, []string{"ttft"}},
		{"p99 of the first token", &Lag{Median: 0, P99: 0.0011}, 0, []string{"ttft"}},
		{"of a gap a tenth of the lag", &Lag{Median: 0.0091, P99: 0.0091}, 0, []string{"ttft", "tpot", "inter_chunk"}},
		{"all", &Lag{Median: 0.0101, P99: 0.0101}, 0, []string{"latency", "ttft", "tpot", "inter_chunk"}},
		{"late sending slows a closed loop", nil, ms(11), []string{"host_tokens_per_sec", "requests_per_sec"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tasks []*Task
			for row := range int64(10) {
				task := timed(row, "m", time.Duration(row)*ms(200), ms(200))
				task.Measured.Late = tt.late
				tasks = append(tasks, task)
			}
			r := mustMake(t, Run{Lag: tt.lag}, Options{}, tasks...)
			if got := r.Groups[0].Doubtful; !slices.Equal(got, tt.want) {
				t.Errorf("doubtful %q; want %q", got, tt.want)
			}
			warning := "the report's own error passes 5% of these figures: m: " + strings.Join(tt.want, ", ")
			if got := slices.Contains(r.Warnings, warning); got != (tt.want != nil) {
				t.Errorf("warnings %q", r.Warnings)
			}
		})
	}
}

func TestNoHintsOfRatesInTurns(t *testing.T) {
	tasks := slices.Concat(loop(0, 1), loop(48, 4))
	other := timed(96, "n", 0, ms(100))
	r := mustMake(t, Run{}, Options{Bench: &Bench{Order: "interleaved"}}, append(tasks, other)...)
	if len(r.Hints) != 0 {
		t.Errorf("hints %q; want none: rates of models that take turns say nothing of the host", r.Hints)
	}
}
