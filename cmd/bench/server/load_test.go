package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
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

const question = `{"model":"bench","messages":[{"role":"user","content":"hello"}],"stream":true}`

// ask sends a question in process and gives the lines of the reply.
func ask(ctx context.Context, h http.Handler, body string) []string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/chat", strings.NewReader(body)))
	return strings.Split(strings.TrimSuffix(w.Body.String(), "\n"), "\n")
}

func tell(t *testing.T, h http.Handler) Stats {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/stats", nil))
	var s Stats
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAccountOfSixRequestsOnTwoSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Load{Slots: 2, Service: 10 * time.Millisecond, Chunks: 5})
		var clients sync.WaitGroup
		for range 6 {
			clients.Go(func() { ask(t.Context(), h, question) })
		}
		clients.Wait()
		got := tell(t, h)
		want := Stats{Requests: 6, Completed: 6, Makespan: 30, Ideal: 30, Busy: 1, MaxOpen: 6}
		if got != want {
			t.Errorf("stats = %+v, want %+v", got, want)
		}
	})
}

func TestAnswerIsStreamedEvenlyAndEndsWithDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Load{Slots: 1, Service: 40 * time.Millisecond, Chunks: 4})
		begin := time.Now()
		lines := ask(t.Context(), h, question)
		if took := time.Since(begin); took != 40*time.Millisecond {
			t.Errorf("the answer took %v, planned were 40ms", took)
		}
		text := ""
		for i, line := range lines {
			var got struct {
				Message struct{ Content string }
				Done    bool
				Eval    int `json:"eval_count"`
			}
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatal(err)
			}
			text += got.Message.Content
			if last := i == len(lines)-1; got.Done != last || last && got.Eval != 4 {
				t.Errorf("line %d is %s", i, line)
			}
		}
		if text != " word word word word" {
			t.Errorf("text = %q", text)
		}
	})
}

func TestRequestWithoutMessagesLoadsAndTakesNoSlot(t *testing.T) {
	h := New(Load{Slots: 1, Service: time.Hour})
	lines := ask(t.Context(), h, `{"model":"bench","messages":[]}`)
	if len(lines) != 1 || !strings.Contains(lines[0], `"done_reason":"load"`) {
		t.Errorf("reply = %q", lines)
	}
	if got := tell(t, h); got.Requests != 0 {
		t.Errorf("requests = %d, want 0", got.Requests)
	}
}

func TestClientThatLeavesIsNotCompletedAndFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Load{Slots: 1, Service: time.Second})
		ctx, leave := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		clients.Go(func() { ask(t.Context(), h, question) })
		synctest.Wait() // the first has the slot
		clients.Go(func() { ask(ctx, h, question) })
		synctest.Wait()
		leave()
		synctest.Wait()
		clients.Go(func() { ask(t.Context(), h, question) })
		clients.Wait()
		got := tell(t, h)
		if got.Requests != 3 || got.Completed != 2 || got.Makespan != 2000 || got.MaxOpen != 2 {
			t.Errorf("stats = %+v", got)
		}
	})
}

func TestPlannedTimesAreLognormalAndDependOnTheNumberAlone(t *testing.T) {
	l := Load{Service: 50 * time.Millisecond, Sigma: 0.5, Seed: 1}
	sum := time.Duration(0)
	for n := range 20_000 {
		sum += l.service(n)
	}
	mean := sum.Seconds() / 20_000
	if math.Abs(mean-0.05) > 0.001 {
		t.Errorf("mean = %v s, want 0.05 within 2%%", mean)
	}
	seventh := l.service(7)
	if again := l.service(7); again != seventh || l.service(8) == seventh {
		t.Error("a request's time must depend on its number, and on nothing else")
	}
}

func TestLatenessAgainstTheEvenSchedule(t *testing.T) {
	arrivals := []time.Duration{5 * time.Millisecond, 100 * time.Millisecond, 203 * time.Millisecond}
	got := lateness(arrivals, 10)
	want := []time.Duration{0, 3 * time.Millisecond, 5 * time.Millisecond} // the second kept the schedule best
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("lateness = %v, want %v", got, want)
			break
		}
	}
	if q := quantile(got, 0.99); q != 5*time.Millisecond {
		t.Errorf("99th percentile = %v", q)
	}
	if q := quantile(got, 0.5); q != 3*time.Millisecond {
		t.Errorf("median = %v", q)
	}
}

func TestRateIsCountedFromFirstToLastArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Load{Slots: 1, Rate: 100})
		for range 51 {
			ask(t.Context(), h, question)
			time.Sleep(10 * time.Millisecond)
		}
		if got := tell(t, h); got.Achieved != 100 || got.LateMax != 0 {
			t.Errorf("stats = %+v, want a rate of 100 and nothing late", got)
		}
	})
}

// TestMainServesUntilItsInputEnds meets the program as the bench does: an address on
// its output, a client on a socket, its input closed.
func TestMainServesUntilItsInputEnds(t *testing.T) {
	stdin, closeInput := io.Pipe()
	stdout, printed := io.Pipe()
	var running sync.WaitGroup
	var errs bytes.Buffer
	code := -1
	running.Go(func() { code = Main([]string{"-slots", "2"}, stdin, printed, &errs) })
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post("http://"+strings.TrimSpace(addr)+"/api/chat", "application/json", strings.NewReader(question))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || !strings.Contains(string(body), `"done":true`) {
		t.Errorf("reply %q, %v", body, err)
	}
	_ = closeInput.Close()
	running.Wait()
	if code != 0 || errs.Len() > 0 {
		t.Errorf("Main = %d, %s", code, errs.String())
	}
}

func TestMainRefusesUnknownFlags(t *testing.T) {
	if code := Main([]string{"-nope"}, strings.NewReader(""), io.Discard, io.Discard); code != 2 {
		t.Errorf("Main = %d, want 2", code)
	}
}
