package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sourcegraph/conc"
)

// interrupts turns signals into the two steps of leaving: the first one closes
// stop, so that no new task starts; the second one cancels the context, and ends the
// process where that is not enough.
type interrupts struct {
	stop   chan struct{}
	first  func() // told of the first signal
	leave  func() // called when the second one has not ended the run soon
	cancel context.CancelFunc
	end    chan struct{}
	wait   conc.WaitGroup
}

// watchInterrupts begins to listen for SIGINT, SIGTERM and SIGHUP. The caller
// calls close, after which signals act as before.
func watchInterrupts(ctx context.Context, first, leave func()) (context.Context, *interrupts) {
	ctx, cancel := context.WithCancel(ctx)
	i := &interrupts{stop: make(chan struct{}), first: first, leave: leave, cancel: cancel, end: make(chan struct{})}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	i.wait.Go(func() {
		defer signal.Stop(signals)
		i.listen(signals)
	})
	return ctx, i
}

func (i *interrupts) listen(signals <-chan os.Signal) {
	stopped := false
	for {
		select {
		case <-i.end:
			return
		case s := <-signals:
			switch {
			case !stopped:
				stopped = true
				close(i.stop)
				i.first()
			case s != syscall.SIGHUP: // a closing terminal sends it more than once
				i.cancel()
				i.leaveSoon()
				return
			}
		}
	}
}

// leaveSoon ends the process if the run does not: it may wait for a reader of its
// output, or for a disk.
func (i *interrupts) leaveSoon() {
	select {
	case <-i.end:
	case <-time.After(patience):
		i.leave()
	}
}

// patience is how long a run has to end after the second signal.
const patience = time.Second

// close stops listening and waits until that is so.
func (i *interrupts) close() {
	close(i.end)
	i.wait.Wait()
	i.cancel()
}
