package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/sourcegraph/conc"
)

// interrupts turns signals into the two steps of leaving: the first one closes
// stop, so that no new task starts; the second one cancels the context.
type interrupts struct {
	stop   chan struct{}
	first  func() // told of the first signal
	cancel context.CancelFunc
	end    chan struct{}
	wait   conc.WaitGroup
}

// watchInterrupts begins to listen for SIGINT, SIGTERM and SIGHUP. The caller
// calls close, after which signals act as before.
func watchInterrupts(ctx context.Context, first func()) (context.Context, *interrupts) {
	ctx, cancel := context.WithCancel(ctx)
	i := &interrupts{stop: make(chan struct{}), first: first, cancel: cancel, end: make(chan struct{})}
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
				return
			}
		}
	}
}

// close stops listening and waits until that is so.
func (i *interrupts) close() {
	close(i.end)
	i.wait.Wait()
	i.cancel()
}
