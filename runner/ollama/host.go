package ollama

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// Ollama's own ports: the one it listens on, and those of the schemes when a
// scheme is written (envconfig.Host in github.com/ollama/ollama).
const defaultPort = "11434"

// ParseHost reads where an Ollama server is, in every form that OLLAMA_HOST takes:
// nothing (the default server of this machine), host, host:port, :port, IPv4, IPv6
// with or without brackets, each with http:// or https:// and a path if wanted, in
// quotes or spaces. Without a scheme the port is 11434, with one it is the scheme's.
// An address to listen on (0.0.0.0, [::]) becomes the one to call (loopback).
// Where Ollama falls back to a default in silence (a port that is none), this is an
// error; errors never show what stands before an @.
func ParseHost(s string) (*url.URL, error) {
	text := unquote(s)
	scheme, rest, hasScheme := strings.Cut(text, "://")
	if !hasScheme {
		scheme, rest = "http", text
	}
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" {
		return nil, fmt.Errorf("host %q: the scheme must be http or https", hide(text))
	}
	authority, tail, _ := strings.Cut(rest, "/")
	user, hostport, err := cutUser(authority)
	if err != nil {
		return nil, fmt.Errorf("host %q: %w", hide(text), err)
	}
	if strings.ContainsAny(tail, "?#") || strings.ContainsFunc(tail, unfit) {
		return nil, fmt.Errorf("host %q: the path must be a plain one, without ? or #", hide(text))
	}
	if !hasScheme && hostport == "ollama.com" {
		scheme, hasScheme = "https", true // as Ollama's own client does
	}
	host, port, err := splitPort(hostport, portOf(scheme, hasScheme))
	if err != nil {
		return nil, fmt.Errorf("host %q: %w", hide(text), err)
	}
	u := &url.URL{Scheme: scheme, User: user, Host: net.JoinHostPort(host, port)}
	if tail = strings.Trim(tail, "/"); tail != "" {
		u.Path = path.Clean("/" + tail)
	}
	return u, nil
}

// unquote strips spaces and quotes around a value, as they get into it from .env
// and unit files.
func unquote(s string) string {
	for {
		t := strings.Trim(strings.TrimSpace(s), `"'`)
		if t == s {
			return s
		}
		s = t
	}
}

func portOf(scheme string, written bool) string {
	switch {
	case !written:
		return defaultPort
	case scheme == "https":
		return "443"
	}
	return "80"
}

// cutUser splits user:password@ off an authority.
func cutUser(authority string) (*url.Userinfo, string, error) {
	at := strings.LastIndex(authority, "@")
	if at < 0 {
		return nil, authority, nil
	}
	name, password, hasPassword := strings.Cut(authority[:at], ":")
	name, err1 := url.PathUnescape(name)
	password, err2 := url.PathUnescape(password)
	if err1 != nil || err2 != nil || name == "" {
		return nil, "", errors.New("the user before the @ must be written as user:password, special characters as %40 and the like")
	}
	if !hasPassword {
		return url.User(name), authority[at+1:], nil
	}
	return url.UserPassword(name, password), authority[at+1:], nil
}

// splitPort gives the host to call and its port, from host, host:port, :port and
// the forms of IPv6.
func splitPort(hostport, port string) (string, string, error) {
	host := hostport
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	if _, err := netip.ParseAddr(host); err != nil { // else an address without a port
		h, p, err := net.SplitHostPort(hostport)
		switch {
		case err == nil:
			host, port = h, p
		case strings.Contains(hostport, ":"):
			return "", "", errors.New("write it as host:port, an IPv6 address as [::1]:port")
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", fmt.Errorf("the port must be a number from 1 to 65535, not %q", port)
	}
	host, err := callable(host)
	return host, port, err
}

// callable checks a host's name or address and turns the addresses that mean "all
// of this machine's" into one that can be called.
func callable(host string) (string, error) {
	if host == "" {
		return "127.0.0.1", nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		switch {
		case ip.IsUnspecified() && ip.Is4():
			return "127.0.0.1", nil
		case ip.IsUnspecified():
			return "::1", nil
		}
		return ip.String(), nil
	}
	if len(host) > 253 || strings.ContainsFunc(host, unfit) {
		return "", errors.New("a host's name has letters, digits, dots and hyphens only")
	}
	return strings.ToLower(host), nil
}

// unfit says that a character can't stand in a host's name or a plain path.
func unfit(r rune) bool {
	return r <= ' ' || r == 0x7f || r > 0x7f || strings.ContainsRune("\"'<>\\^`{|}#?@%[]:*,;", r)
}

// hide gives a host as someone wrote it without what stands before an @.
func hide(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "", text
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = "...@" + rest[at+1:]
	}
	if ok {
		return scheme + "://" + rest
	}
	return rest
}

// Shown is a server as messages name it: scheme, host, port and path, this
// machine's loopback address as localhost, and never a user or password.
func Shown(host *url.URL) string {
	name := host.Hostname()
	switch {
	case isLoopback(host):
		name = "localhost"
	case strings.Contains(name, ":"):
		name = "[" + name + "]"
	}
	if port := host.Port(); port != "" {
		name += ":" + port
	}
	return host.Scheme + "://" + name + strings.TrimRight(host.Path, "/")
}

func isLoopback(host *url.URL) bool {
	name := host.Hostname()
	ip, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && ip.IsLoopback()
}

// isCloud says that a server is Ollama's own in the internet, where api.Client
// would sign requests with the user's key.
func isCloud(host *url.URL) bool {
	name := strings.ToLower(strings.TrimSuffix(host.Hostname(), "."))
	return name == "ollama.com" || strings.HasSuffix(name, ".ollama.com") ||
		name == "ollama.ai" || strings.HasSuffix(name, ".ollama.ai")
}
