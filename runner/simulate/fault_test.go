package simulate

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An outcome is what a client sees on its socket.
type outcome struct {
	Status int    // 0: no reply
	Type   string // of the content
	Body   string
	Lines  int    // -1: as many as there are
	End    string // "whole", "reset", "closed", "silence"
	Size   int    // of the body, of which Body holds the beginning
}

// observe posts a body over a socket of its own and reads what comes. It waits for
// it as long as that takes; only where silence is expected after some lines, a
// short time without more is taken for it.
func observe(t *testing.T, addr, body string, want outcome) outcome {
	t.Helper()
	conn := posted(t, addr, body)
	var o outcome
	p := &patient{Conn: conn, lines: math.MaxInt}
	if want.End == "silence" {
		p.lines = want.Lines
	}
	in := bufio.NewReader(p)
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		o.End = ending(err)
		return o
	}
	o.Status, o.Type = r.StatusCode, r.Header.Get("Content-Type")
	block := make([]byte, 64<<10)
	for err == nil {
		var n int
		n, err = r.Body.Read(block)
		o.Lines += bytes.Count(block[:n], []byte("\n"))
		o.Size += n
		o.Body += string(block[:min(n, max(0, maxPending-len(o.Body)))])
	}
	o.End = ending(err)
	if errors.Is(err, io.EOF) {
		o.End = "whole"
	}
	return o
}

// posted sends a body over a socket of its own, which the test's end closes.
func posted(t *testing.T, addr, body string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the server may have been first
	fmt.Fprintf(conn, "POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	return conn
}

// patient gives up when nothing more comes after so many lines of an answer.
type patient struct {
	net.Conn
	lines int
	seen  int
}

func (p *patient) Read(b []byte) (int, error) {
	wait := time.Minute
	if p.seen >= p.lines {
		wait = 200 * time.Millisecond
	}
	_ = p.SetReadDeadline(time.Now().Add(wait)) // a socket that is closed shows in Read
	n, err := p.Conn.Read(b)
	p.seen += bytes.Count(b[:n], []byte("}\n"))
	return n, err
}

func ending(err error) string {
	switch {
	case err == nil:
		return "whole"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "silence"
	}
	return err.Error()
}

func TestEveryFaultIsSeenOnTheSocket(t *testing.T) {
	const json, ndjson = "application/json; charset=utf-8", "application/x-ndjson"
	fails := func(status int, text string) outcome {
		return outcome{status, json, `{"error":"` + text + `"}`, 0, "whole", 0}
	}
	want := map[string]outcome{
		"reset":      {200, ndjson, "*", 1, "reset", 0},
		"cut":        {200, ndjson, "*", 1, "closed", 0},
		"no-done":    {200, ndjson, "*", 1, "whole", 0},
		"stall":      {200, ndjson, "*", 1, "silence", 0},
		"garbled":    {200, ndjson, "*garbled\n", 2, "whole", 0},
		"crash":      {200, ndjson, "*" + `{"error":"an error was encountered while running the model: unexpected EOF"}` + "\n", 2, "whole", 0},
		"drop":       {End: "closed"},
		"drop-reset": {End: "reset"},
		"down":       {End: "reset"},
		"hang":       {End: "silence"},
		"slow":       {End: "silence"},

		"bad-gateway":  {502, "", "", 0, "whole", 0},
		"html-gateway": {502, "text/html", "*</html>\n", 2, "whole", 0},
		"empty-body":   {200, ndjson, "", 0, "whole", 0},
		"foreign-json": {200, "application/json", `{"status":"ok","service":"portal"}` + "\n", 1, "whole", 0},
		"html":         {200, "text/html", "*</html>\n", 2, "whole", 0},
		"redirect":     {307, "", "", 0, "whole", 0},

		"busy":            fails(503, "server busy, please try again.  maximum pending requests exceeded"),
		"rate-limit":      fails(429, "too many requests"),
		"rate-limit-date": fails(429, "too many requests"),
		"error":           fails(500, "something went wrong"),
		"load-timeout":    fails(500, "timed out waiting for llama runner to start - progress 0.00 - "),
		"memory":          fails(500, "model requires more system memory (9.2 GiB) than is available (5.1 GiB)"),
		"layout":          fails(500, "memory layout cannot be allocated"),
		"resources":       fails(500, "model failed to load, this may be due to resource limitations or an internal error, check ollama server logs for details"),
		"cuda":            fails(500, "llama runner process has terminated: cudaMalloc failed: out of memory"),
		"stopped":         fails(500, "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details"),
		"terminated":      fails(500, "llama runner process has terminated: exit status 2"),
		"not-running":     fails(500, "llama runner process no longer running: -1 "),
		"nan":             fails(500, "failed to encode response: json: unsupported value: NaN"),
		"missing":         fails(404, "model 'm' not found"),
		"pull-first":      fails(404, `model \"m\" not found, try pulling it first`),
		"capability":      fails(400, `\"m\" does not support thinking`),
		"overflow":        fails(400, "the input length exceeds the context length"),
		"invalid":         fails(400, "invalid request"),
		"forbidden":       fails(403, "ollama cloud is disabled: remote model is unavailable"),
		"unauthorized":    {401, json, `{"error":"unauthorized","signin_url":"https://ollama.com/connect?name=simulated"}`, 0, "whole", 0},

		"repeat":         {200, ndjson, "*" + `"content":" again"},"done":false}` + "\n", 30, "whole", 0},
		"loop":           {200, ndjson, `*"done_reason":"length"*`, 41, "whole", 0},
		"empty":          {200, ndjson, `{"model":"m","created_at":"2026-01-01T00:00:00.0335Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":34500000,"load_duration":1000000,"prompt_eval_count":7,"prompt_eval_duration":33500000}` + "\n", 1, "whole", 0},
		"thinking-only":  {200, ndjson, `*"thinking":*"done_reason":"stop"*`, -1, "whole", 0},
		"load-reply":     {200, ndjson, `*"content":""*"done_reason":"load"*`, 1, "whole", 0},
		"garbage":        {200, ndjson, `*GGGGGG*"done_reason":"stop"*`, -1, "whole", 0},
		"invalid-json":   {200, ndjson, `*"done_reason":"stop"*`, -1, "whole", 0},
		"off-schema":     {200, ndjson, `*unexpe*"done_reason":"stop"*`, -1, "whole", 0},
		"format-ignored": {200, ndjson, `*Sure*"done_reason":"stop"*`, -1, "whole", 0},
		"cut-prompt":     {200, ndjson, `*"prompt_eval_count":7*`, -1, "whole", 0},
		"long-line":      {200, ndjson, "*", 2, "whole", 0},
		"huge-line":      {200, ndjson, "*", 2, "whole", 0},
	}
	for _, k := range Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			expected, ok := want[k.Name]
			if !ok {
				t.Fatal("no expectation: a new kind needs one")
			}
			l, done := listening(t, New(Config{Faults: []Fault{{Kind: k.Name}}}))
			defer done()
			got := observe(t, l.Addr().String(), body("m", "Explain tides", `"options":{"num_predict":40}`), expected)
			size := got.Size
			got.Size = 0
			if expected.Lines < 0 {
				got.Lines = expected.Lines
			}
			if fits(got.Body, expected.Body) {
				got.Body = expected.Body
			}
			if diff := cmp.Diff(expected, got); diff != "" {
				t.Error(diff)
			}
			if k.Name == "long-line" && size < 8<<20 || k.Name == "huge-line" && size < 64<<20 {
				t.Errorf("the body has only %d bytes", size)
			}
		})
	}
}

// fits compares a text with a pattern in which * stands for anything.
func fits(text, pattern string) bool {
	if pattern == "*" {
		return true
	}
	quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, "(?s:.*)")
	return regexp.MustCompile("^" + quoted + "$").MatchString(text)
}

func TestFaultsWithoutStreaming(t *testing.T) {
	for kind, want := range map[string]outcome{
		"reset":   {200, "application/json; charset=utf-8", "*", 0, "reset", 0},
		"cut":     {200, "application/json; charset=utf-8", "*", 0, "closed", 0},
		"no-done": {200, "application/json; charset=utf-8", `*"done":false*`, 0, "whole", 0},
		"repeat":  {200, "application/json; charset=utf-8", `*again again"},"done":false}`, 0, "whole", 0},
		"crash":   {500, "application/json; charset=utf-8", `{"error":"` + crashText + `"}`, 0, "whole", 0},
		"stall":   {End: "silence"},
		"garbled": {200, "application/json; charset=utf-8", "*garbled\n", 1, "whole", 0},
	} {
		t.Run(kind, func(t *testing.T) {
			l, done := listening(t, New(Config{Faults: []Fault{{Kind: kind}}}))
			defer done()
			got := observe(t, l.Addr().String(), body("m", "Explain tides", `"stream":false`), want)
			got.Size = 0
			if fits(got.Body, want.Body) {
				got.Body = want.Body
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFaultsStrikeAfterSoManyPieces(t *testing.T) {
	for after, want := range map[int]int{-1: 0, 0: 1, 1: 1, 5: 5, 1000: 37} {
		l, done := listening(t, New(Config{Faults: []Fault{{Kind: "cut", After: after}}}))
		if got := observe(t, l.Addr().String(), body("m", "Explain tides"), outcome{}); got.Lines != want || got.Status != 200 || got.End != "closed" {
			t.Errorf("cut after %d: %d lines, %d, %s", after, got.Lines, got.Status, got.End)
		}
		done()
	}
}

func TestAPromptCutAgainstTheRequest(t *testing.T) {
	long := body("m", strings.Repeat("word ", 300), `"options":{"num_ctx":64},"truncate":false`)
	if r := ask(t, New(Config{}), "POST", "/api/chat", long); r.StatusCode != 400 {
		t.Errorf("truncate:false: %d", r.StatusCode)
	}
	if _, last := said(t, New(Config{Faults: []Fault{{Kind: "cut-prompt"}}}), long); last["prompt_eval_count"] != 64.0 {
		t.Errorf("truncate:false on a server that cuts all the same: %v", last)
	}
}

func TestStallsAndSlownessEnd(t *testing.T) {
	for _, f := range []Fault{{Kind: "stall", For: 10 * time.Millisecond}, {Kind: "slow", For: 10 * time.Millisecond}} {
		s := New(Config{Faults: []Fault{f}})
		for _, stream := range []string{"true", "false"} {
			text, last := said(t, s, body("m", "Explain tides", `"stream":`+stream))
			if last["done"] != true || !strings.HasSuffix(text, "(simulated)") {
				t.Errorf("%v, stream %s: %q, %v", f, stream, text, last)
			}
		}
		if h := s.History(); h.Outcomes["answered"] != 2 || h.Faults[f.Kind] != 2 {
			t.Errorf("%v: history: %v, %v", f, h.Outcomes, h.Faults)
		}
	}
	s := New(Config{Faults: []Fault{{Kind: "hang", For: 10 * time.Millisecond}}})
	if r := ask(t, s, "POST", "/api/chat", body("m", "x")); r.StatusCode != 500 {
		t.Errorf("a hang with an end: %d", r.StatusCode)
	}
}

func TestRetryAfter(t *testing.T) {
	s := New(Config{Faults: []Fault{{Kind: "rate-limit", For: 2500 * time.Millisecond, Times: 1}, {Kind: "rate-limit-date", For: time.Hour}}})
	if got := ask(t, s, "POST", "/api/chat", body("m", "x")).Header.Get("Retry-After"); got != "3" {
		t.Errorf("Retry-After: %s", got)
	}
	got := ask(t, s, "POST", "/api/chat", body("m", "x")).Header.Get("Retry-After")
	if at, err := http.ParseTime(got); err != nil || time.Until(at) < 58*time.Minute {
		t.Errorf("Retry-After: %s", got)
	}
}

// TestARedirectIsNoticed: whoever follows it has sent the prompt to a stranger.
func TestARedirectIsNoticed(t *testing.T) {
	s := New(Config{Faults: []Fault{{Kind: "redirect"}}})
	l, done := listening(t, s)
	defer done()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	follows := &http.Client{Transport: transport}
	r, err := follows.Post("http://"+l.Addr().String()+"/api/chat", "application/json", strings.NewReader(body("m", "x")))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if h := s.History(); h.Elsewhere != 1 {
		t.Errorf("%d prompts went elsewhere", h.Elsewhere)
	}
}

func TestTheServerGoesDownAndComesBack(t *testing.T) {
	s := New(Config{Timing: Timing{Service: time.Hour}, Parallel: 9})
	l, done := listening(t, s)
	defer done()
	addr := l.Addr().String()
	var streams []net.Conn
	for range 3 {
		streams = append(streams, posted(t, addr, body("m", "x")))
	}
	for s.History().InFlight < 3 {
		time.Sleep(time.Millisecond)
	}
	s.Down(time.Hour)
	for i, conn := range streams {
		if _, err := conn.Read(make([]byte, 1)); ending(err) != "reset" {
			t.Errorf("stream %d of a server that goes down ends with %v", i, err)
		}
	}
	for range 3 {
		if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a server that is down answers a call: %v", err)
		}
	}
	s.Down(0)
	for {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close() // it only had to be there
			break
		}
	}
	if got := observe(t, addr, `{"model":"m"}`, outcome{}); got.Status != 200 {
		t.Errorf("a server that is up again replies %+v", got)
	}
	if h := s.History(); len(h.Loads) != 2 {
		t.Errorf("a server that comes back has lost its models: %v", h.Loads)
	}
}

func TestWhichRequestsMeetAFault(t *testing.T) {
	re := regexp.MustCompile
	for _, c := range []struct {
		name   string
		faults []Fault
		ask    [][2]string // model and prompt, one after the other
		want   []int
	}{
		{"all", []Fault{{Kind: "error"}}, [][2]string{{"m", "a"}, {"m", "a"}}, []int{500, 500}},
		{"by prompt", []Fault{{Kind: "error", Match: re("^row 1$")}}, [][2]string{{"m", "row 1"}, {"m", "row 17"}}, []int{500, 200}},
		{"by model", []Fault{{Kind: "error", Match: re("gemma")}}, [][2]string{{"m", "a"}, {"gemma3:4b", "a"}}, []int{200, 500}},
		{"by both", []Fault{{Kind: "error", Match: re("a"), Model: re("^m$")}}, [][2]string{{"m", "a"}, {"n", "a"}, {"m", "b"}}, []int{500, 200, 200}},
		{"the first attempts at each thing", []Fault{{Kind: "error", Times: 2}}, [][2]string{{"m", "a"}, {"m", "b"}, {"m", "a"}, {"m", "a"}, {"m", "b"}, {"m", "b"}}, []int{500, 500, 500, 200, 500, 200}},
		{"one kind after the other", []Fault{{Kind: "busy", Times: 1}, {Kind: "error", Times: 1}}, [][2]string{{"m", "a"}, {"m", "a"}, {"m", "a"}}, []int{503, 500, 200}},
	} {
		s := New(Config{Faults: c.faults})
		var got []int
		for _, a := range c.ask {
			got = append(got, ask(t, s, "POST", "/api/chat", body(a[0], a[1])).StatusCode)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestAttemptsWithAnotherSeedAreAttemptsAtTheSameThing, since clients try again so.
func TestAttemptsWithAnotherSeedAreAttemptsAtTheSameThing(t *testing.T) {
	s := New(Config{Faults: []Fault{{Kind: "error", Times: 1}}})
	first := ask(t, s, "POST", "/api/chat", body("m", "a", `"options":{"seed":1}`)).StatusCode
	second := ask(t, s, "POST", "/api/chat", body("m", "a", `"options":{"seed":2,"temperature":1}`)).StatusCode
	if first != 500 || second != 200 {
		t.Errorf("%d, then %d", first, second)
	}
}

func TestSharesAddUpAndStayTheSame(t *testing.T) {
	faults := []Fault{{Kind: "error", Share: 0.1}, {Kind: "busy", Share: 0.2}, {Kind: "capability", Share: 0.3}}
	count := func(seed uint64) (map[int]int, []int) {
		s := New(Config{Faults: faults, CountsOnly: true, Seed: seed})
		got, each := map[int]int{}, []int{}
		for i := range 2000 {
			r := ask(t, s, "POST", "/api/chat", body("m", fmt.Sprint("row ", i)))
			got[r.StatusCode]++
			each = append(each, r.StatusCode)
		}
		return got, each
	}
	got, each := count(0)
	for status, share := range map[int]float64{500: 0.1, 503: 0.2, 400: 0.3, 200: 0.4} {
		if part := float64(got[status]) / 2000; part < share-0.04 || part > share+0.04 {
			t.Errorf("%d: %v of the requests, want %v", status, part, share)
		}
	}
	if _, again := count(0); !slices.Equal(each, again) {
		t.Error("other requests meet the faults on another server")
	}
	if _, other := count(1); slices.Equal(each, other) {
		t.Error("the same requests meet the faults with another seed")
	}
}

func TestFaultsOfTheControlPlane(t *testing.T) {
	s := New(Config{Faults: []Fault{{Kind: "html", On: "tags", Times: 1}, {Kind: "memory", On: "load"}, {Kind: "bad-gateway", On: "version"}}})
	for _, c := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{"GET", "/api/tags", "", 200, "*<html>*"},
		{"GET", "/api/tags", "", 200, `{"models":*`},
		{"GET", "/api/version", "", 502, ""},
		{"POST", "/api/chat", `{"model":"m"}`, 500, "*more system memory*"},
		{"POST", "/api/chat", body("m", "x"), 200, "*"},
	} {
		r := ask(t, s, c.method, c.path, c.body)
		text, _ := io.ReadAll(r.Body)
		if r.StatusCode != c.status || !fits(string(text), c.text) {
			t.Errorf("%s %s: %d %.100s", c.method, c.path, r.StatusCode, text)
		}
	}
}
