package runner_test

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// The lines of an event file, word by word: programs read them.
func TestEventsAsJSON(t *testing.T) {
	virtual(t, func(t *testing.T) {
		began := time.Now()
		m := &scripted{}
		m.do = func(ctx context.Context, _ *pipeline.Request, chunk func(runner.Chunk)) (*pipeline.Answer, error) {
			if err := sleep(ctx, time.Second); err != nil {
				return nil, err
			}
			switch len(m.asked) {
			case 1:
				return nil, fail(runner.Disconnected, "connection reset")
			case 2:
				return nil, &runner.Error{Class: runner.RateLimited, Message: "slow down", RetryAfter: time.Minute}
			}
			chunk(runner.Chunk{Text: "Hola"})
			return &pipeline.Answer{Response: "Hola", DoneReason: "length", PromptEvalCount: 9, EvalCount: 256}, nil
		}
		s := step("main")
		s.Retry = specs.Retry{Attempts: 3, Initial: 0, Max: 0}
		loads := loadable{m, func(ctx context.Context, _ *pipeline.Request) (bool, error) { return true, sleep(ctx, 2*time.Second) }}
		r := run(t.Context(), plan(1, 1, s), loads, runner.Options{Chunks: true})
		var lines []string
		for _, e := range r.events {
			if e.Time.Before(began) || e.Time.After(time.Now()) {
				t.Errorf("time %s", e.Time)
			}
			e.Time = time.Time{}
			line, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, strings.Replace(string(line), `"time":"0001-01-01T00:00:00Z",`, "", 1))
		}
		want := []string{
			`{"v":1,"event":"model_loading","model":"m"}`,
			`{"v":1,"event":"model_loaded","model":"m","after":2000000000,"ok":true,"cold":true}`,
			`{"v":1,"event":"attempt_started","row":0,"id":"r0","step":"main","model":"m","attempt":1}`,
			`{"v":1,"event":"attempt_failed","row":0,"id":"r0","step":"main","model":"m","attempt":1,"after":1000000000,"class":"disconnected","message":"connection reset","retry":true}`,
			`{"v":1,"event":"attempt_started","row":0,"id":"r0","step":"main","model":"m","attempt":2}`,
			`{"v":1,"event":"host_paused","class":"rate_limited","message":"slow down","wait":60000000000}`,
			`{"v":1,"event":"attempt_failed","row":0,"id":"r0","step":"main","model":"m","attempt":2,"after":1000000000,"class":"rate_limited","message":"slow down","retry":true}`,
			`{"v":1,"event":"host_resumed","after":60000000000}`,
			`{"v":1,"event":"attempt_started","row":0,"id":"r0","step":"main","model":"m","attempt":3}`,
			`{"v":1,"event":"first_token","row":0,"id":"r0","step":"main","model":"m","attempt":3,"after":1000000000}`,
			`{"v":1,"event":"chunk","row":0,"id":"r0","step":"main","model":"m","attempt":3,"text":"Hola"}`,
			`{"v":1,"event":"task_done","row":0,"id":"r0","step":"main","model":"m","attempt":3,"after":1000000000,"ok":true,"prompt_tokens":9,"output_tokens":256,"warnings":["the answer was cut at num_predict 256"]}`,
			`{"v":1,"event":"row_done","row":0,"id":"r0","ok":true}`,
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// Observe is called by one goroutine at a time, though many have something to tell.
func TestObserveIsCalledByOneAtATime(t *testing.T) {
	inside := 0
	observe := func(runner.Event) {
		inside++
		if inside > 1 {
			t.Error("called while it was being called")
		}
		runtime.Gosched()
		inside--
	}
	_, err := runner.Run(t.Context(), plan(200, 16, step("a")), speaks(0, 3, 0, false),
		runner.Options{Observe: observe, Chunks: true}, func(*runner.Record) error { return nil })
	if err != nil {
		t.Error(err)
	}
}
