package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/sourcegraph/conc"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/batchrunner/runner/specs/say"
)

// A progress shows how far a run is.
type progress interface {
	// ended is told of every task that ended; done is how many of its step have.
	ended(step int, done int64)
	// say writes a line for a person above whatever the progress draws, made harmless
	// for a terminal.
	say(line string)
	// close ends the drawing; nothing is called afterwards.
	close()
}

// plainEvery is the distance of progress lines where there is no terminal.
const plainEvery = 10 * time.Second

// newProgress chooses how to show a run: bars on a terminal, plain lines
// elsewhere, nothing but messages with --quiet.
func (a *app) newProgress(m *meter) progress {
	switch {
	case a.quiet:
		return silent{a.err}
	case a.errTerminal:
		b := newBars(a.err, m)
		if a.outTerminal {
			a.screen.above = b.container
			b.closing = func() { a.screen.above = nil }
		}
		return b
	}
	return newPlain(a.err, m, plainEvery)
}

// silent shows messages only.
type silent struct{ w io.Writer }

func (silent) ended(int, int64)  {}
func (s silent) say(line string) { fmt.Fprintln(s.w, say.Clean(line)) }
func (silent) close()            {}

// bars draws a line per step on a terminal.
type bars struct {
	container *mpb.Progress
	bars      []*mpb.Bar
	closing   func() // called before the drawing ends; nil: nothing to do
}

func newBars(w io.Writer, m *meter) *bars {
	b := &bars{container: mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh(), mpb.WithRefreshRate(150*time.Millisecond))}
	width := 0
	for _, s := range m.steps {
		width = max(width, len(s.id))
	}
	for i, s := range m.steps {
		name := s.id + strings.Repeat(" ", width-len(s.id)+1)
		line := decor.Any(func(decor.Statistics) string { return " " + m.line(i, time.Now()) })
		bar := b.container.New(max(s.total, 0),
			mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("━").Padding(" "),
			mpb.BarWidth(24),
			mpb.PrependDecorators(decor.Name(name)),
			mpb.AppendDecorators(line),
		)
		b.bars = append(b.bars, bar)
	}
	return b
}

func (b *bars) ended(step int, done int64) { b.bars[step].SetCurrent(done) }

// say begins where the line begins: the terminal's own ^C has moved the cursor.
func (b *bars) say(line string) { _, _ = io.WriteString(b.container, "\r\x1b[K"+say.Clean(line)+"\n") }

func (b *bars) close() {
	if b.closing != nil {
		b.closing()
	}
	for _, bar := range b.bars {
		bar.Abort(true) // the last line of the run says it all
	}
	b.container.Wait()
}

// plain writes a line per step every so often.
type plain struct {
	mu   sync.Mutex
	w    io.Writer
	m    *meter
	end  chan struct{}
	wait conc.WaitGroup
}

func newPlain(w io.Writer, m *meter, every time.Duration) *plain {
	p := &plain{w: w, m: m, end: make(chan struct{})}
	p.wait.Go(func() { p.tick(every) })
	return p
}

func (p *plain) tick(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-p.end:
			return
		case now := <-ticker.C:
			p.lines(now)
		}
	}
}

func (p *plain) lines(now time.Time) {
	for i := range p.m.steps {
		name := ""
		if len(p.m.steps) > 1 {
			name = p.m.steps[i].id + ": "
		}
		p.say(name + p.m.line(i, now))
	}
}

func (p *plain) ended(int, int64) {}

func (p *plain) say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.w, say.Clean(line))
}

func (p *plain) close() {
	close(p.end)
	p.wait.Wait()
}
