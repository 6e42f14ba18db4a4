//go:build e2e && unix

package e2e_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// A trouble makes a server die and come back.
type trouble interface {
	die() error
	revive(ctx context.Context) error
}

// trouble gives the address of a server that can die: our own is killed, one that
// belongs to somebody else is cut off by a proxy in front of it.
func (s *server) trouble(t *testing.T) (host string, how trouble) {
	t.Helper()
	if s.process != nil {
		return s.host, mortal{s}
	}
	p := newProxy(t, s.host)
	return p.host, p
}

// A mortal is our own server.
type mortal struct{ *server }

func (m mortal) die() error                       { return m.kill() }
func (m mortal) revive(ctx context.Context) error { return m.serve(ctx) }

// A proxy passes bytes on to a server until it is told to break.
type proxy struct {
	host, target string

	mu       sync.Mutex
	listener net.Listener // nil while dead
	pairs    map[net.Conn]net.Conn
	work     sync.WaitGroup
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	p := &proxy{target: target, host: "127.0.0.1:0", pairs: map[net.Conn]net.Conn{}}
	if err := p.revive(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.die()
		p.work.Wait()
	})
	return p
}

// revive listens, again on the port of the first time.
func (p *proxy) revive(context.Context) error {
	l, err := net.Listen("tcp", p.host)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.host, p.listener = l.Addr().String(), l
	p.work.Go(func() { p.accept(l) })
	return nil
}

func (p *proxy) accept(l net.Listener) {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = from.Close()
			continue
		}
		p.mu.Lock()
		p.pairs[from] = to
		p.mu.Unlock()
		p.work.Go(func() { p.pass(from, to) })
	}
}

func (p *proxy) pass(from, to net.Conn) {
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(to, from)
		_ = to.Close()
	})
	_, _ = io.Copy(from, to)
	_ = from.Close()
	up.Wait()
	p.mu.Lock()
	delete(p.pairs, from)
	p.mu.Unlock()
}

// cut resets every connection that is open and counts them.
func (p *proxy) cut() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for from, to := range p.pairs {
		if tcp, ok := from.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, as a machine that fails leaves it
		}
		_, _ = from.Close(), to.Close()
	}
	return len(p.pairs)
}

// die closes the port, too.
func (p *proxy) die() error {
	p.mu.Lock()
	l := p.listener
	p.listener = nil
	p.mu.Unlock()
	if l == nil {
		return nil
	}
	err := l.Close()
	p.cut()
	return err
}
