package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// stats are the parts of the load server's account that are held against limits.
type stats struct {
	Completed int     `json:"completed"`
	MaxOpen   int     `json:"max_open"`
	Makespan  float64 `json:"makespan_ms"`
	Rate      float64 `json:"rate"`
	LateP99   float64 `json:"late_p99_ms"`
	Truth     *truth  `json:"truth"` // of answers that come token by token
}

// A told is what the report of a benchmark tells of the one group that it has, in seconds.
type told struct {
	OK       int       `json:"ok"`
	Latency  quantiles `json:"latency"`
	TTFT     quantiles `json:"ttft"`
	TPOT     quantiles `json:"tpot"`
	Schedule quantiles `json:"schedule_latency"` // zero in a closed loop
	Load     quantiles `json:"load"`             // zero where no request found the model not loaded
}

type quantiles struct {
	N      int     `json:"n"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

// asUsed is the latency as somebody met it who asked when a request was to start: in a
// closed loop nobody did.
func (t told) asUsed() quantiles {
	if t.Schedule.N > 0 {
		return t.Schedule
	}
	return t.Latency
}

// readReport reads the JSON report of a benchmark whose rows were all to be measured.
func readReport(path string, rows int) (told, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return told{}, err
	}
	var report struct {
		Groups []told `json:"groups"`
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return told{}, fmt.Errorf("%s: %w", path, err)
	}
	if len(report.Groups) != 1 {
		return told{}, fmt.Errorf("the report has %d groups, want 1", len(report.Groups))
	}
	got := report.Groups[0]
	if measured := min(got.OK, got.Latency.N+got.Load.N); measured != rows {
		return told{}, fmt.Errorf("%d of %d requests were measured", measured, rows)
	}
	return got, nil
}

// A first is when the first token of an answer came, by a client's clock.
type first struct {
	Prompt string `json:"prompt"`
	TTFT   int64  `json:"ttft_ns"`
}

// firsts are those of a run that is over: in plain's records, in runner's store.
func (b *bench) firsts(ctx context.Context, p program, s site) ([]first, error) {
	lines, err := os.ReadFile(s.output)
	if p != plain {
		var text string
		text, err = output(exec.CommandContext(ctx, b.clients.scan, "-ttft", s.store()))
		lines = []byte(text)
	}
	if err != nil {
		return nil, err
	}
	var all []first
	for decoder := json.NewDecoder(bytes.NewReader(lines)); ; {
		var f first
		switch err := decoder.Decode(&f); err {
		case nil:
			all = append(all, f)
		case io.EOF:
			return all, nil
		default:
			return nil, err
		}
	}
}

// added is what a client's times to first tokens have more than the server's own, row by
// row: the median. The rows have different prompts.
func added(rows int, client []first, server map[string]request) (time.Duration, error) {
	more := make([]float64, 0, rows)
	for _, f := range client {
		own, ok := server[f.Prompt]
		if !ok {
			return 0, fmt.Errorf("the server was never asked %q", f.Prompt)
		}
		more = append(more, float64(f.TTFT)-own.TTFT*1e6)
	}
	if len(more) != rows || len(server) != rows {
		return 0, fmt.Errorf("of %d rows the client timed %d, the server %d", rows, len(more), len(server))
	}
	return time.Duration(median(more)), nil
}

// A request is what the load server tells of one, in milliseconds.
type request struct {
	TTFT float64 `json:"ttft_ms"`
}

// get asks the load server for something of its account.
func (s *loadServer) get(ctx context.Context, path string, to any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+path, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(to)
}
