package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// spoken is a load of answers that come token by token.
func spoken(slots int) Load {
	return Load{Slots: slots, Tokens: 12, Sigma: 0.5, Seed: 1, FirstToken: 80 * time.Millisecond, PerToken: 20 * time.Millisecond}
}

func about(subject string) string {
	return fmt.Sprintf(`{"model":"bench","messages":[{"role":"system","content":"be brief"},{"role":"user","content":%q}],"stream":true}`, subject)
}

// last is what the last line of a reply tells.
type last struct {
	Done   bool          `json:"done"`
	Total  time.Duration `json:"total_duration"`
	Load   time.Duration `json:"load_duration"`
	Prompt time.Duration `json:"prompt_eval_duration"`
	Tokens int           `json:"eval_count"`
	Output time.Duration `json:"eval_duration"`
}

func lastOf(t *testing.T, lines []string) last {
	t.Helper()
	var got last
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil || !got.Done {
		t.Fatalf("the last line is %s, %v", lines[len(lines)-1], err)
	}
	return got
}

// get asks for a path in process and decodes the reply.
func get(t *testing.T, h http.Handler, path string, to any) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if err := json.Unmarshal(w.Body.Bytes(), to); err != nil {
		t.Fatalf("%s: %v: %s", path, err, w.Body)
	}
}

func TestLengthsBelongToPromptsAndAreLognormal(t *testing.T) {
	l := spoken(1)
	l.Tokens, l.Seed = 100, 7
	sum, different := 0, map[int]bool{}
	for n := range 20_000 {
		tokens := l.plan(n, fmt.Sprintf("question %d", n)).pieces
		sum += tokens
		different[tokens] = true
	}
	if mean := float64(sum) / 20_000; math.Abs(mean-100) > 2 || len(different) < 100 {
		t.Errorf("mean of lengths = %v of %d different ones, want 100 within 2%%", mean, len(different))
	}
	if one, again := l.plan(1, "a"), l.plan(2, "a"); one != again {
		t.Errorf("one prompt has two plans: %+v and %+v", one, again)
	}
	l.Tokens = 0.1
	if p := l.plan(0, "a"); p.pieces != 2 || p.whole() != 100*time.Millisecond {
		t.Errorf("plan = %+v, want two tokens", p)
	}
}

func TestAnswerComesTokenByTokenAndTellsItsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(spoken(1))
		begin := time.Now()
		lines := ask(t.Context(), h, about("rain"))
		took, got := time.Since(begin), lastOf(t, lines)
		tokens := spoken(1).length("rain")
		between := time.Duration(tokens-1) * 20 * time.Millisecond
		want := last{Done: true, Total: 80*time.Millisecond + between, Prompt: 80 * time.Millisecond, Tokens: tokens, Output: between}
		if got != want || took != want.Total || len(lines) != tokens+1 {
			t.Errorf("%d lines in %v, the last one tells %+v; want %+v", len(lines), took, got, want)
		}
	})
}

func TestWaitForASlotIsInTheTotalOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(spoken(1))
		var clients sync.WaitGroup
		clients.Go(func() { ask(t.Context(), h, about("rain")) })
		synctest.Wait() // it has the slot
		var got last
		clients.Go(func() { got = lastOf(t, ask(t.Context(), h, about("snow"))) })
		clients.Wait()
		first, second := spoken(1).plan(0, "rain"), spoken(1).plan(1, "snow")
		if got.Total != first.whole()+second.whole() || got.Prompt+got.Output != second.whole() || got.Load != 0 {
			t.Errorf("the second tells %+v; it waited %v and took %v", got, first.whole(), second.whole())
		}
		var all map[string]Request
		get(t, h, "/requests", &all)
		if want := ms(first.whole() + 80*time.Millisecond); len(all) != 2 || all["snow"].TTFT != want || all["snow"].Latency != ms(got.Total) || all["rain"].TTFT != 80 {
			t.Errorf("requests = %+v; the second's first token came after %v ms", all, want)
		}
	})
}

func TestModelIsLoadedOnceByTheFirstWhoAsks(t *testing.T) {
	empty := `{"model":"bench","messages":[]}`
	tests := []struct {
		name        string
		path, body  string
		loadOfFirst time.Duration // that the first reply tells; an empty one tells none, as with Ollama
	}{
		{"by a prompt", "/api/chat", about("rain"), 2 * time.Second},
		{"by an empty chat", "/api/chat", empty, 0},
		{"by an empty generation", "/api/generate", `{"model":"bench"}`, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				load := spoken(2)
				load.Loading = 2 * time.Second
				h := New(load)
				var running struct{ Models []any }
				if get(t, h, "/api/ps", &running); len(running.Models) != 0 {
					t.Error("the model is in memory though nobody asked for it")
				}
				begin := time.Now()
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, test.path, strings.NewReader(test.body)))
				first := lastOf(t, strings.Split(strings.TrimSpace(w.Body.String()), "\n"))
				if took := time.Since(begin); took < 2*time.Second || first.Load != test.loadOfFirst {
					t.Errorf("the first took %v and tells %+v", took, first)
				}
				if get(t, h, "/api/ps", &running); len(running.Models) != 1 {
					t.Error("the model is not in memory")
				}
				second := lastOf(t, ask(t.Context(), h, about("snow")))
				if second.Load != 0 || second.Total != load.plan(1, "snow").whole() {
					t.Errorf("the second tells %+v, want no load", second)
				}
			})
		})
	}
}

func TestThoseWhoComeWhileTheModelLoadsWaitForTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		load := spoken(2)
		load.Loading = 2 * time.Second
		h := New(load)
		var clients sync.WaitGroup
		clients.Go(func() { ask(t.Context(), h, about("rain")) })
		time.Sleep(1500 * time.Millisecond)
		if got := lastOf(t, ask(t.Context(), h, about("snow"))); got.Load != 500*time.Millisecond {
			t.Errorf("the second tells %+v, want a load of 500ms", got)
		}
		clients.Wait()
	})
}

func TestClientThatLeavesWhileTheModelLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		load := spoken(1)
		load.Loading = time.Hour
		h := New(load)
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		if lines := ask(ctx, h, about("rain")); len(lines) != 1 || lines[0] != "" {
			t.Errorf("it was answered %q", lines)
		}
		if got := tell(t, h); got.Requests != 1 || got.Completed != 0 || got.Truth != nil {
			t.Errorf("stats = %+v", got)
		}
	})
}

// TestFrozenServer sends 100 requests a second to a server that freezes after 300 ms for
// one second.
func TestFrozenServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const frozen, service = 300 * time.Millisecond, 15 * time.Millisecond
		h := New(Load{Slots: 200, Service: service, Freeze: Freeze{At: frozen, For: time.Second}})
		begin := time.Now()
		var clients sync.WaitGroup
		for n := range 200 {
			clients.Go(func() {
				due := time.Duration(n) * 10 * time.Millisecond
				time.Sleep(due)
				ask(t.Context(), h, question)
				want := due + service
				switch thaw := frozen + time.Second; {
				case due >= frozen && due < thaw:
					want = thaw + service // heard at the thaw
				case want >= frozen && want < thaw:
					want = thaw // being answered when it froze
				}
				if at := time.Since(begin); at != want {
					t.Errorf("request %d, due at %v, was answered at %v, want %v", n, due, at, want)
				}
			})
		}
		clients.Go(func() {
			time.Sleep(frozen + 100*time.Millisecond)
			if tell(t, h); time.Since(begin) != frozen+time.Second {
				t.Errorf("the account was told after %v", time.Since(begin))
			}
		})
		clients.Wait()
	})
}

func TestNoLateTokenMovesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		load := spoken(1)
		load.Tokens, load.Sigma, load.Freeze = 10, 0, Freeze{At: 90 * time.Millisecond, For: 65 * time.Millisecond}
		got := lastOf(t, ask(t.Context(), New(load), about("rain")))
		if got.Total != 260*time.Millisecond {
			t.Errorf("total = %v; the freeze delays the tokens at 100 to 140 ms, and not the last one", got.Total)
		}
	})
}

func TestTruthIsOfTheNewestRequestOfEachPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		load := spoken(1)
		load.Loading = time.Second // that only the first warm-up meets
		h := New(load)
		subjects := []string{"rain", "rain", "rain", "snow", "hail", "wind"} // the first two warm up
		for _, subject := range subjects {
			ask(t.Context(), h, about(subject))
		}
		got := tell(t, h).Truth
		if got == nil || got.Requests != 4 || got.Planned != got.Measured {
			t.Fatalf("truth = %+v, want 4 requests as planned", got)
		}
		var latencies []float64
		for _, subject := range subjects[2:] {
			latencies = append(latencies, ms(load.plan(0, subject).whole()))
		}
		l := got.Planned.Latency
		if got.Planned.TTFT != (Quantiles{80, 80, 80}) || got.Planned.PerToken != (Quantiles{20, 20, 20}) || l.Max != l.P95 {
			t.Errorf("truth = %+v", got.Planned)
		}
		below, above := 0, 0
		for _, latency := range latencies {
			if latency <= l.P50 {
				below++
			}
			if latency >= l.P50 {
				above++
			}
		}
		if below < 2 || above < 2 {
			t.Errorf("median latency = %v of %v", l.P50, latencies)
		}
	})
}

func TestMedianOfAnEvenNumberIsBetweenTheMiddleTwo(t *testing.T) {
	of := func(latencies ...time.Duration) (all []times) {
		for _, l := range latencies {
			all = append(all, times{latency: l * time.Millisecond, pieces: 2})
		}
		return all
	}
	for _, test := range []struct {
		all  []times
		want Quantiles
	}{
		{of(7), Quantiles{7, 7, 7}},
		{of(40, 10, 30, 20), Quantiles{25, 40, 40}},
		{of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20), Quantiles{10.5, 19, 20}},
	} {
		if got := figures(test.all).Latency; got != test.want {
			t.Errorf("quantiles of %v = %+v, want %+v", test.all, got, test.want)
		}
	}
}

func TestAlarm(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	a, err := newAlarm(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	for range 3 {
		moment := time.Now().Add(2 * time.Millisecond)
		if err := a.sleep(ctx, moment); err != nil || time.Now().Before(moment) {
			t.Errorf("it woke %v before its moment, %v", time.Until(moment), err)
		}
	}
	if err := a.sleep(ctx, time.Now().Add(-time.Second)); err != nil {
		t.Errorf("a moment that is over: %v", err)
	}
	var sleeping sync.WaitGroup
	sleeping.Go(func() {
		if err := a.sleep(ctx, time.Now().Add(time.Hour)); !errors.Is(err, context.Canceled) {
			t.Errorf("the client left, and it says %v", err)
		}
	})
	leave()
	sleeping.Wait()
}

// TestMainAnswersTokenByToken meets the program with real clocks and sockets.
func TestMainAnswersTokenByToken(t *testing.T) {
	stdin, closeInput := io.Pipe()
	stdout, printed := io.Pipe()
	var running sync.WaitGroup
	var errs bytes.Buffer
	args := []string{"-slots", "4", "-tokens", "5", "-sigma", "0.5", "-first-token", "4ms", "-per-token", "2ms", "-load", "20ms", "-freeze", "10ms", "-freeze-at", "2ms"}
	running.Go(func() {
		if code := Main(args, stdin, printed, &errs); code != 0 {
			t.Errorf("Main = %d: %s", code, errs.String())
		}
	})
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + strings.TrimSpace(addr)
	var clients sync.WaitGroup
	for n := range 8 {
		clients.Go(func() {
			resp, err := http.Post(url+"/api/chat", "application/json", strings.NewReader(about(fmt.Sprint("subject ", n))))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), `"done":true`) {
				t.Errorf("reply %q, %v", body, err)
			}
		})
	}
	clients.Wait()
	resp, err := http.Get(url + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got Stats
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Truth == nil || got.Truth.Requests != 8 || got.Truth.Planned.TTFT != (Quantiles{4, 4, 4}) || got.Truth.Measured.TTFT.P50 < 4 {
		t.Errorf("stats = %+v, truth %+v", got, got.Truth)
	}
	_ = closeInput.Close()
	running.Wait()
}
