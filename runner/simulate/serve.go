package simulate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/sourcegraph/conc"
)

// Listen opens a socket for Serve: "127.0.0.1:11434", ":0", or "" for a free port
// on loopback.
func Listen(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another address or port", err)
	}
	return l, nil
}

// patience is how long a client may take to read what it was sent after the server
// was told to stop.
const patience = time.Second

// Serve answers requests that come through l until ctx ends, then breaks off those
// under way, waits for their handlers and returns nil. It closes l. Another error
// is why l failed.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	base, stop := context.WithCancel(context.WithoutCancel(ctx)) // ends after the listener
	defer stop()
	var under underway
	f := newFront(s, l)
	defer s.outage.watch(f.down)()
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if under.enter() {
				defer under.leave()
				s.ServeHTTP(w, r)
			}
		}),
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnState:         f.track,
		ReadHeaderTimeout: time.Minute, // against clients that hold connections and say nothing
	}
	var closer conc.WaitGroup
	served, done := context.WithCancel(ctx)
	closer.Go(func() {
		<-served.Done()
		stop()
		grace, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if server.Shutdown(grace) != nil {
			_ = server.Close() // the listener is closed already, connections end in any case
		}
	})
	err := server.Serve(f)
	done()
	closer.Wait()
	under.wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// underway counts the handlers at work.
type underway struct {
	mu     sync.Mutex
	closed bool
	count  sync.WaitGroup
}

func (u *underway) enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.closed {
		u.count.Add(1)
	}
	return !u.closed
}

func (u *underway) leave() { u.count.Done() }

// wait lets none enter any more and waits for the others to leave.
func (u *underway) wait() {
	u.mu.Lock()
	u.closed = true
	u.mu.Unlock()
	u.count.Wait()
}
