package simulate

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// A front is the listener of a server that can go down: its connections break, its
// port is closed and refuses all others, and is open again after a while. A
// listener that isn't plain TCP stays open; what comes is turned away.
type front struct {
	s    *Server
	addr net.Addr
	done chan struct{} // closed by Close

	mu    sync.Mutex
	inner net.Listener
	shut  bool // inner is closed, until the server is back
	conns map[net.Conn]struct{}
}

func newFront(s *Server, l net.Listener) *front {
	return &front{s: s, addr: l.Addr(), done: make(chan struct{}), inner: l, conns: map[net.Conn]struct{}{}}
}

// Accept gives the next connection that is let in.
func (f *front) Accept() (net.Conn, error) {
	for {
		conn, err := f.listener().Accept()
		switch {
		case err == nil && !f.s.outage.now(f.s.cfg.Clock):
			return conn, nil
		case err == nil:
			cutOff(conn, reset)
		case !f.isShut():
			return nil, err
		default:
			if err := f.reopen(); err != nil {
				return nil, err
			}
		}
	}
}

func (f *front) listener() net.Listener {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inner
}

func (f *front) isShut() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shut
}

// Close ends the listener for good.
func (f *front) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.done:
	default:
		close(f.done)
	}
	if f.shut {
		return nil
	}
	return f.inner.Close()
}

// Addr is the address it listens on.
func (f *front) Addr() net.Addr { return f.addr }

// down closes the port and breaks all connections.
func (f *front) down() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if tcp, ok := f.inner.(*net.TCPListener); ok && !f.shut {
		f.shut = true
		_ = tcp.Close() // it is opened anew in any case
	}
	for conn := range f.conns {
		cutOff(conn, reset)
	}
}

// track knows the connections there are.
func (f *front) track(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		f.mu.Lock()
		f.conns[conn] = struct{}{}
		f.mu.Unlock()
	case http.StateClosed, http.StateHijacked:
		f.mu.Lock()
		delete(f.conns, conn)
		f.mu.Unlock()
	}
}

const (
	reopenEvery = 10 * time.Millisecond // while something else has the port
	reopenFor   = 5 * time.Second
)

// reopen waits until the server is back and opens the port again.
func (f *front) reopen() error {
	for f.s.outage.now(f.s.cfg.Clock) {
		left, changed := f.s.outage.left(f.s.cfg.Clock)
		if !(life{client: f.done, server: changed}).wait(f.s.cfg.Clock, left) && f.closed() {
			return http.ErrServerClosed
		}
	}
	for waited := time.Duration(0); ; waited += reopenEvery {
		l, err := net.Listen(f.addr.Network(), f.addr.String())
		if err == nil {
			return f.open(l)
		}
		if waited >= reopenFor {
			return err
		}
		if !(life{client: f.done}).wait(f.s.cfg.Clock, reopenEvery) {
			return http.ErrServerClosed
		}
	}
}

func (f *front) closed() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// open takes a new listener, unless Close or another outage was first.
func (f *front) open(l net.Listener) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inner = l
	if f.closed() {
		_ = l.Close() // nothing came through it
		return http.ErrServerClosed
	}
	if !f.s.outage.now(f.s.cfg.Clock) {
		f.shut = false
		return nil
	}
	_ = l.Close() // it is opened anew; shut stays true, so that Accept comes back
	return nil
}
