//go:build unix

package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/batchrunner/runner/runner/simulate"
)

// An interrupting server sends this process an interrupt when a question comes.
type interrupting struct {
	url       string
	chats, at atomic.Int64 // questions so far, and the number of the one; by then somebody must listen to signals
}

func newInterrupting(t *testing.T, server http.Handler) *interrupting {
	t.Helper()
	i := &interrupting{}
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/chat" && i.chats.Add(1) == i.at.Load() {
			_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(listening.Close)
	i.url = listening.URL
	return i
}

// What an interrupted benchmark measured is not measured again: the next command goes on,
// and the report is of both. --redo begins anew.
func TestBenchGoesOn(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", "model: a\nprompt: Say {{ .n }}\nconcurrency: 1\nmatrix: {n: {count: 8}}\nreport: report.json\nbench: {runs: 5, warmup: 0}\n")
	server := simulate.New(simulate.Config{Timing: simulate.Timing{Service: 5 * time.Millisecond}})
	listening := newInterrupting(t, server)
	listening.at.Store(10)
	apply := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := Main(context.Background(), append([]string{"bench", "job.yaml", "--host", listening.url}, args...), nil, &out, &errs)
		return code, errs.String()
	}
	if code, said := apply(); code != exitInterrupted {
		t.Fatalf("exit code %d: %s", code, said)
	}
	before := server.History().Outcomes["answered"]
	if before == 0 || before == 40 {
		t.Fatalf("%d were answered before the interrupt", before)
	}
	code, said := apply()
	if code != 0 || !strings.Contains(said, "going on with benchmark 1") {
		t.Errorf("exit code %d: %s", code, said)
	}
	if after := server.History().Outcomes["answered"]; after != 40 {
		t.Errorf("%d answered in both runs, want each of the 40 once", after)
	}
	if r := readReport(t, "report.json"); r.Asked != 40 || r.Reused != 0 || r.Groups[0].Latency.N != 40 {
		t.Errorf("%d asked, %d reused, %d measured", r.Asked, r.Reused, r.Groups[0].Latency.N)
	}
	for _, args := range [][]string{nil, {"--redo"}} { // a finished one is begun anew in any case
		before := server.History().Asked
		if code, said := apply(args...); code != 0 || server.History().Asked != before+40 {
			t.Errorf("%q: exit code %d, %d asked: %s", args, code, server.History().Asked-before, said)
		}
	}
}
