package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A figure is what one run of a contestant cost.
type figure struct {
	wall  time.Duration // start to exit
	cpu   time.Duration // user and system
	peak  int64         // largest resident set, bytes
	stats stats
}

func (f figure) String() string {
	return fmt.Sprintf("%v wall, %v CPU, %s", f.wall.Round(time.Millisecond), f.cpu.Round(time.Millisecond), mebibytes(float64(f.peak)))
}

// stats are the parts of the load server's account that are held against limits.
type stats struct {
	Completed int     `json:"completed"`
	MaxOpen   int     `json:"max_open"`
	Makespan  float64 `json:"makespan_ms"`
	Rate      float64 `json:"rate"`
	LateP99   float64 `json:"late_p99_ms"`
}

// patience bounds one run: a million rows take two minutes on two cores.
const patience = 15 * time.Minute

// run lets a contestant do its work once, on a load server of its own, and refuses
// the figures of a run that did not do all of it.
func (b *bench) run(ctx context.Context, c contestant, n int) (f figure, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if c.rows == 0 {
		return spend(exec.CommandContext(ctx, b.clients.path(c.program), c.args("", site{}, c.work)...))
	}
	site, err := b.prepare(c.work, n)
	if err != nil {
		return f, err
	}
	server, err := startServer(ctx, b.clients.server, c.work)
	if err != nil {
		return f, err
	}
	defer server.stop()
	if c.known && !site.ready() {
		fill := contestant{program: keeping, work: c.work}
		fmt.Fprintf(b.log, "asking %d rows once\n", c.rows)
		if _, err := spend(exec.CommandContext(ctx, b.clients.path(keeping), fill.args(server.addr, site, c.work)...)); err != nil {
			return f, err
		}
	}
	f, err = spend(exec.CommandContext(ctx, b.clients.path(c.program), c.args(server.addr, site, c.work)...))
	if err != nil || c.known {
		return f, err
	}
	if f.stats, err = server.stats(ctx); err != nil {
		return f, err
	}
	return f, c.complete(site, f.stats)
}

// complete says whether all rows were asked, never too many at once, and written.
func (c contestant) complete(s site, got stats) error {
	if got.Completed != c.rows {
		return fmt.Errorf("%d of %d rows were answered", got.Completed, c.rows)
	}
	if got.MaxOpen > c.concurrency {
		return fmt.Errorf("%d requests were open at once, %d were allowed", got.MaxOpen, c.concurrency)
	}
	if c.program == bare {
		return nil
	}
	written, err := countLines(s.output)
	if err == nil && written != c.rows {
		err = fmt.Errorf("%d of %d records were written", written, c.rows)
	}
	return err
}

// spend runs a program and tells what it cost. Its words are part of the error.
func spend(cmd *exec.Cmd) (figure, error) {
	var said bytes.Buffer
	cmd.Stderr = &said
	begin := time.Now()
	err := cmd.Run()
	f := figure{wall: time.Since(begin)}
	if err != nil {
		return f, fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, strings.TrimSpace(said.String()))
	}
	f.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	f.peak = peakMemory(cmd.ProcessState)
	return f, nil
}

// A loadServer is a running cmd/bench/server.
type loadServer struct {
	addr string
	cmd  *exec.Cmd
	in   io.Closer // its standard input: it ends with it
}

func startServer(ctx context.Context, path string, w work) (*loadServer, error) {
	cmd := exec.CommandContext(ctx, path,
		"-slots", strconv.Itoa(w.slots), "-service", w.service.String(), "-sigma", fmt.Sprint(w.sigma),
		"-chunks", strconv.Itoa(max(w.chunks, 1)), "-rate", fmt.Sprint(w.rate))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &loadServer{cmd: cmd, in: in}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("the load server did not start: %w", err)
	}
	s.addr = strings.TrimSpace(line)
	return s, nil
}

func (s *loadServer) stop() {
	_, _ = s.in.Close(), s.cmd.Wait() // how it ends is of no interest
}

func (s *loadServer) stats(ctx context.Context) (got stats, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/stats", nil)
	if err != nil {
		return got, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return got, err
	}
	defer resp.Body.Close()
	err = json.NewDecoder(resp.Body).Decode(&got)
	return got, err
}

func countLines(path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	buffer := make([]byte, 64<<10)
	for n := 0; ; {
		read, err := file.Read(buffer)
		n += bytes.Count(buffer[:read], []byte("\n"))
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
