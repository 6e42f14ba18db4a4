package simulate

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sourcegraph/conc"
)

// A crowd asks a server in a bubble of fake time; every request is a handler's
// goroutine of its own.
type crowd struct {
	s  *Server
	wg conc.WaitGroup
	// statuses by prompt, "gone" where the client left.
	got map[string]*httptest.ResponseRecorder
}

func newCrowd(cfg Config) *crowd {
	return &crowd{s: New(cfg), got: map[string]*httptest.ResponseRecorder{}}
}

// asks starts a request and returns when it waits for something.
func (c *crowd) asks(model, prompt string, more ...string) (leave func()) {
	ctx, leave := context.WithCancel(context.Background())
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/chat", strings.NewReader(body(model, prompt, more...)))
	w := httptest.NewRecorder()
	c.got[prompt] = w
	c.wg.Go(func() {
		defer func() { _ = recover() }() // a dropped connection, as net/http would
		c.s.ServeHTTP(w, r)
	})
	synctest.Wait()
	return leave
}

// order gives the prompts in the order in which they got slots.
func (c *crowd) order() []string {
	reqs := c.s.History().Requests
	slices.SortStableFunc(reqs, func(a, b Exchange) int { return a.Started.Compare(b.Started) })
	var prompts []string
	for _, r := range reqs {
		prompts = append(prompts, r.Prompt)
	}
	return prompts
}

func (c *crowd) loads() []string {
	var names []string
	for _, l := range c.s.History().Loads {
		names = append(names, fmt.Sprint(l.Model, " ", l.NumCtx))
	}
	return names
}

var second = Timing{Load: 10 * time.Second, Service: time.Second}

func TestRequestsWaitForSlotsInTheOrderTheyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(Config{Parallel: 2, Timing: second})
		start := time.Now()
		want := []string{"a", "b", "c", "d", "e", "f"}
		for _, prompt := range want {
			c.asks("m", prompt)
		}
		c.wg.Wait()
		if took := time.Since(start); took != 13*time.Second {
			t.Errorf("six seconds of work in two slots after a load of ten took %v", took)
		}
		if got := c.order(); !slices.Equal(sortedPairs(got), want) {
			t.Errorf("slots were given to %q", got)
		}
		h := c.s.History()
		if h.MaxSlots != 2 || h.MaxFlight != 6 || len(h.Loads) != 1 || h.InFlight != 0 {
			t.Errorf("history: %+v", h)
		}
	})
}

// sortedPairs sorts the two that start at the same moment.
func sortedPairs(prompts []string) []string {
	out := slices.Clone(prompts)
	for i := 0; i+1 < len(out); i += 2 {
		slices.Sort(out[i : i+2])
	}
	return out
}

func TestModelsAreLoadedAsOllamaDoes(t *testing.T) {
	for _, c := range []struct {
		name string
		ask  [][3]string // model, prompt, more; one after the other
		want []string
	}{
		{"one load for many requests", [][3]string{{"a", "1"}, {"a", "2"}, {"A:latest", "3"}}, []string{"a:latest 4096"}},
		{"both fit", [][3]string{{"a", "1"}, {"b", "2"}, {"a", "3"}}, []string{"a:latest 4096", "b:latest 4096"}},
		{"the one used longest ago leaves", [][3]string{{"a", "1"}, {"b", "2"}, {"a", "3"}, {"c", "4"}, {"a", "5"}, {"b", "6"}}, []string{"a:latest 4096", "b:latest 4096", "c:latest 4096", "b:latest 4096"}},
		{"another num_ctx", [][3]string{{"a", "1"}, {"a", "2", `"options":{"num_ctx":512}`}}, []string{"a:latest 4096", "a:latest 512"}},
		{"another num_thread", [][3]string{{"a", "1"}, {"a", "2", `"options":{"num_thread":2}`}}, []string{"a:latest 4096", "a:latest 4096"}},
		{"another num_gpu", [][3]string{{"a", "1", `"options":{"num_gpu":4}`}, {"a", "2", `"options":{"num_gpu":0}`}, {"a", "3", `"options":{"num_gpu":-1}`}}, []string{"a:latest 4096", "a:latest 4096"}},
		{"options that don't matter to loading", [][3]string{{"a", "1"}, {"a", "2", `"options":{"seed":1,"num_predict":3,"temperature":0}`}}, []string{"a:latest 4096"}},
		{"another shift", [][3]string{{"a", "1"}, {"a", "2", `"shift":false`}}, []string{"a:latest 4096", "a:latest 4096"}},
		{"keep_alive of 0", [][3]string{{"a", "1", `"keep_alive":0`}, {"a", "2"}}, []string{"a:latest 4096", "a:latest 4096"}},
		{"an idle model leaves after five minutes", [][3]string{{"a", "1"}, {"sleep", "299s"}, {"a", "2"}, {"sleep", "301s"}, {"a", "3"}}, []string{"a:latest 4096", "a:latest 4096"}},
		{"keep_alive for good", [][3]string{{"a", "1", `"keep_alive":-1`}, {"sleep", "1000h"}, {"a", "3"}}, []string{"a:latest 4096"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				crowd := newCrowd(Config{MaxLoaded: 2, Timing: second})
				for _, a := range c.ask {
					if a[0] == "sleep" {
						d, _ := time.ParseDuration(a[1])
						time.Sleep(d)
						continue
					}
					more := []string{}
					if a[2] != "" {
						more = append(more, a[2])
					}
					crowd.asks(a[0], a[1], more...)
					crowd.wg.Wait()
				}
				if diff := cmp.Diff(c.want, crowd.loads()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestABusyModelIsNotTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(Config{MaxLoaded: 1, Timing: second})
		start := time.Now()
		c.asks("a", "1")
		c.asks("b", "2") // waits for a to end, and stands before the next one of a
		c.asks("a", "3")
		c.wg.Wait()
		if got := c.order(); !slices.Equal(got, []string{"1", "2", "3"}) && !slices.Equal(got, []string{"1", "3", "2"}) {
			t.Errorf("served in the order %q", got)
		}
		if took := time.Since(start); took < 22*time.Second {
			t.Errorf("two models loaded one after the other took %v", took)
		}
	})
}

func TestTheQueueHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(Config{MaxQueue: 2, MaxLoaded: 1, Timing: second})
		c.asks("a", "a loads")
		c.asks("b", "b is first in line")
		c.asks("c", "c waits")
		c.asks("d", "d is too many")
		c.asks("a", "a is here already")
		c.wg.Wait()
		for prompt, status := range map[string]int{"a loads": 200, "b is first in line": 200, "c waits": 200, "d is too many": 503, "a is here already": 200} {
			if got := c.got[prompt]; got.Code != status {
				t.Errorf("%q: %d %s", prompt, got.Code, got.Body)
			}
		}
		if got := c.got["d is too many"].Body.String(); got != `{"error":"server busy, please try again.  maximum pending requests exceeded"}` {
			t.Errorf("it says %s", got)
		}
		if h := c.s.History(); h.Outcomes["refused 503"] != 1 || h.Outcomes["answered"] != 4 {
			t.Errorf("outcomes: %v", h.Outcomes)
		}
	})
}

func TestWaitingForASlotIsUnlimitedUnlessToldOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for limit, busy := range map[int]int64{0: 0, 3: 6} {
			c := newCrowd(Config{MaxQueue: 1, MaxWaiting: limit, Timing: second})
			for i := range 10 {
				c.asks("a", fmt.Sprint(i))
			}
			c.wg.Wait()
			if got := c.s.History().Outcomes["refused 503"]; got != busy {
				t.Errorf("with MaxWaiting %d, %d of 10 requests were refused", limit, got)
			}
		}
	})
}

func TestClientsThatLeaveMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(Config{Timing: second, MaxLoaded: 1})
		leaveLoading := c.asks("a", "leaves while it loads")
		c.asks("a", "waits for the load")
		leaveQueue := c.asks("a", "leaves the queue")
		leaveLine := c.asks("b", "leaves the line")
		time.Sleep(time.Second)
		leaveQueue()
		leaveLine()
		synctest.Wait()
		leaveLoading()
		time.Sleep(10 * time.Second) // the load begins anew
		leaveSlot := c.asks("a", "leaves its slot")
		c.asks("a", "is last")
		time.Sleep(1500 * time.Millisecond)
		leaveSlot()
		c.wg.Wait()
		h := c.s.History()
		if h.Outcomes["gone"] != 4 || h.Outcomes["answered"] != 2 || h.InFlight != 0 {
			t.Errorf("outcomes: %v", h.Outcomes)
		}
		if diff := cmp.Diff([]string{"a:latest 4096", "a:latest 4096"}, c.loads()); diff != "" {
			t.Error(diff)
		}
		if n := len(c.s.sched.loaded); n != 1 || c.s.sched.loaded["a:latest"].refs != 0 || c.s.sched.loaded["a:latest"].busy != 0 {
			t.Errorf("%d models are loaded: %+v", n, c.s.sched.loaded["a:latest"])
		}
	})
}

func TestLoadAndUnload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Timing: second})
		start := time.Now()
		load := lines(t, ask(t, s, "POST", "/api/chat", `{"model":"a","messages":[],"options":{"num_ctx":99}}`))[0]
		if load["done_reason"] != "load" || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", load, time.Since(start))
		}
		ps := lines(t, ask(t, s, "GET", "/api/ps", ""))[0]["models"].([]any)
		if len(ps) != 1 || ps[0].(map[string]any)["context_length"] != 99.0 {
			t.Errorf("in memory: %v", ps)
		}
		unload := lines(t, ask(t, s, "POST", "/api/generate", `{"model":"a","keep_alive":0}`))[0]
		if unload["done_reason"] != "unload" || len(s.sched.loaded) != 0 {
			t.Errorf("%v leaves %v", unload, s.sched.loaded)
		}
		if h := s.History(); h.Asked != 0 || h.LoadAsks != 2 || len(h.Loads) != 1 {
			t.Errorf("history: %+v", h)
		}
	})
}

func TestTimeAsTold(t *testing.T) {
	timing := Timing{Load: time.Second, FirstToken: 100 * time.Millisecond, PerToken: 10 * time.Millisecond}
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name string
			cfg  Config
			want time.Duration
		}{
			{"as reported", Config{Timing: timing}, time.Second + 100*time.Millisecond + 50*time.Millisecond},
			{"ten times as fast", Config{Timing: timing, Speed: 10}, 115 * time.Millisecond},
			{"at once", Config{Timing: timing, Speed: math.Inf(1)}, 0},
			{"without a timing", Config{}, 0},
			{"a fixed time", Config{Timing: second}, 11 * time.Second},
		} {
			for _, streams := range []string{"true", "false"} {
				s := New(c.cfg)
				start := time.Now()
				last := lines(t, ask(t, s, "POST", "/api/chat", body("a", "x", `"options":{"num_predict":5}`, `"stream":`+streams)))
				if took := time.Since(start); took.Round(time.Microsecond) != c.want {
					t.Errorf("%s, stream %s: it took %v, want %v", c.name, streams, took, c.want)
				}
				end := last[len(last)-1]
				if end["load_duration"] != 1e6 || c.cfg.Timing == timing && (end["eval_duration"] != 5e7 || end["prompt_eval_duration"] != 1e8 || end["total_duration"] != 151e6) {
					t.Errorf("%s, stream %s: it reports %v", c.name, streams, end)
				}
			}
		}
	})
}

func TestMeasuredDurationsShowQueueAndLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(Config{Timing: second, Measured: true})
		c.asks("a", "first", `"stream":false`)
		c.asks("a", "second", `"stream":false`)
		c.wg.Wait()
		// Which of the two is served first is not decided: both waited for the load.
		var totals []float64
		for _, w := range c.got {
			end := lines(t, w.Result())[0]
			totals = append(totals, end["total_duration"].(float64))
			if end["load_duration"] != 1e10 {
				t.Errorf("%v waited ten seconds for the load", end)
			}
		}
		slices.Sort(totals)
		if !slices.Equal(totals, []float64{11e9, 12e9}) {
			t.Errorf("in all they took %v", totals)
		}
	})
}

// TestPiecesComeWhenTheyAreDue: in a stream of four pieces over a second, after a
// tenth of it for the prompt.
func TestPiecesComeWhenTheyAreDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Timing: Timing{Service: time.Second, Chunks: 4}})
		w := &timedWriter{start: time.Now()}
		s.ServeHTTP(w, httptest.NewRequest("POST", "/api/chat", strings.NewReader(body("a", "Explain tides"))))
		want := []time.Duration{325, 550, 775, 1000}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(w.at, want) {
			t.Errorf("written after %v, want %v", w.at, want)
		}
	})
}

type timedWriter struct {
	start time.Time
	at    []time.Duration
	h     http.Header
}

func (w *timedWriter) Header() http.Header {
	if w.h == nil {
		w.h = http.Header{}
	}
	return w.h
}
func (w *timedWriter) WriteHeader(int) {}
func (w *timedWriter) Flush()          {}
func (w *timedWriter) Write(b []byte) (int, error) {
	w.at = append(w.at, time.Since(w.start))
	return len(b), nil
}

func TestLognormalTimesHaveTheirMean(t *testing.T) {
	timing := Timing{Service: 50 * time.Millisecond, Sigma: 0.5}
	const n = 20000
	var sum time.Duration
	slower := 0
	for i := range n {
		prompt, answer := timing.of(1, 1, mix(uint64(i)))
		sum += prompt + answer
		if prompt+answer > 50*time.Millisecond {
			slower++
		}
	}
	if mean := sum / n; mean < 49*time.Millisecond || mean > 51*time.Millisecond {
		t.Errorf("the mean is %v", mean)
	}
	if share := float64(slower) / n; share < 0.38 || share > 0.42 { // the median lies below the mean: 40.1%
		t.Errorf("%v of them are slower than the mean", share)
	}
}
