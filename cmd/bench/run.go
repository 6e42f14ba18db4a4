package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
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
	told  told          // by the report of a benchmark
	added time.Duration // to the server's own times to first tokens, of a work that is matched
}

func (f figure) String() string {
	text := fmt.Sprintf("%v wall, %v CPU, %s", f.wall.Round(time.Millisecond), f.cpu.Round(time.Millisecond), mebibytes(float64(f.peak)))
	if f.stats.Truth != nil {
		text += "; " + f.deviations()
	}
	if f.added > 0 {
		text += fmt.Sprintf("; added %v", f.added)
	}
	return text
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
	if err := server.get(ctx, "/stats", &f.stats); err != nil {
		return f, err
	}
	if err := c.complete(site, f.stats); err != nil {
		return f, err
	}
	err = b.tell(ctx, c, site, server, &f)
	return f, err
}

// tell adds what a contestant told of its run.
func (b *bench) tell(ctx context.Context, c contestant, s site, server *loadServer, f *figure) (err error) {
	if c.program == benching {
		f.told, err = readReport(s.report, c.rows)
		return err
	}
	if !c.matched {
		return nil
	}
	var own map[string]request
	if err := server.get(ctx, "/requests", &own); err != nil {
		return err
	}
	client, err := b.firsts(ctx, c.program, s)
	if err != nil {
		return err
	}
	f.added, err = added(c.rows, client, own)
	return err
}

// complete says whether all rows were asked, never too many at once, and written.
func (c contestant) complete(s site, got stats) error {
	if got.Completed != c.rows+c.warmups {
		return fmt.Errorf("%d of %d rows were answered", got.Completed, c.rows+c.warmups)
	}
	if got.MaxOpen > c.concurrency {
		return fmt.Errorf("%d requests were open at once, %d were allowed", got.MaxOpen, c.concurrency)
	}
	if c.program == bare || c.program == benching {
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

// serverArgs are the load server's for a work.
func (w work) serverArgs() []string {
	return []string{
		"-slots", strconv.Itoa(w.slots), "-service", w.service.String(), "-sigma", fmt.Sprint(w.sigma),
		"-chunks", strconv.Itoa(max(w.chunks, 1)), "-rate", fmt.Sprint(w.rate), "-tokens", fmt.Sprint(w.tokens),
		"-load", w.load.String(), "-freeze", w.freeze.String(), "-freeze-at", w.freezeAt.String(), fmt.Sprintf("-requests=%v", w.matched),
	}
}

func startServer(ctx context.Context, path string, w work) (*loadServer, error) {
	cmd := exec.CommandContext(ctx, path, w.serverArgs()...)
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
