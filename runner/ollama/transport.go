package ollama

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/batchrunner/runner/specs"
)

const (
	dialTimeout = 10 * time.Second // a host that is up answers in milliseconds, over a slow VPN in seconds
	idleTimeout = 90 * time.Second
	maxHeaders  = 64 << 10 // Ollama's are 200 bytes
	bufferSize  = 4 << 10  // a chunk is 150 bytes; thousands of streams are open at once

	// After done:true only the end of the body is missing, which lets the
	// connection be used again. More than this isn't worth waiting for.
	drainBytes = 16 << 10
	drainTime  = 250 * time.Millisecond
)

// newTransport makes the one transport of a client. As many connections stay open
// as there are requests in flight: the standard two would mean a new connection
// for nearly every row.
func newTransport(host *url.URL, cfg Config) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Control: noLinkLocal(host)}
	connections := cmp.Or(cfg.Connections, specs.DefaultConcurrency)
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	t := &http.Transport{
		DialContext:            dialer.DialContext,
		Protocols:              protocols,
		MaxIdleConns:           connections + 2, // two for the control plane
		MaxIdleConnsPerHost:    connections + 2,
		IdleConnTimeout:        idleTimeout,
		TLSHandshakeTimeout:    dialTimeout,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaders,
		ReadBufferSize:         bufferSize,
		WriteBufferSize:        bufferSize,
	}
	if cfg.Proxy {
		t.Proxy = http.ProxyFromEnvironment
	}
	return t
}

// noLinkLocal refuses to connect to link-local addresses, where clouds serve
// their machines' credentials, unless the host was given as such an address.
func noLinkLocal(host *url.URL) func(network, address string, _ syscall.RawConn) error {
	if ip, err := netip.ParseAddr(host.Hostname()); err == nil && ip.IsLinkLocalUnicast() {
		return nil
	}
	return func(_, address string, _ syscall.RawConn) error {
		if ap, err := netip.ParseAddrPort(address); err == nil && ap.Addr().Unmap().IsLinkLocalUnicast() {
			return fmt.Errorf("the name leads to the link-local address %s", ap.Addr())
		}
		return nil
	}
}

// drain reads the end of a body whose answer is complete, so that its connection
// can be used again, but neither much nor long.
func drain(body io.Reader, cancel context.CancelFunc) {
	late := time.AfterFunc(drainTime, cancel)
	defer late.Stop()
	// What goes wrong here costs a connection, not an answer.
	_, _ = io.CopyN(io.Discard, body, drainBytes)
}
