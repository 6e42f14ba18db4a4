package main

import (
	"net"
	"net/url"

	"github.com/batchrunner/runner/runner/ollama"
	"github.com/spf13/pflag"
)

// hostFlags choose the model server.
type hostFlags struct {
	host  string
	cloud bool
	proxy bool
}

func (f *hostFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.host, "host", "", "Ollama's `address`, in any form that OLLAMA_HOST takes (default: OLLAMA_HOST, else localhost:11434)")
	flags.BoolVar(&f.cloud, "allow-cloud", false, "allow models that run on somebody else's computers (names with -cloud)")
	flags.BoolVar(&f.proxy, "proxy", false, "reach the server through HTTP_PROXY")
}

// address is the server's address: the flag's, else OLLAMA_HOST's, else Ollama's default.
func (f *hostFlags) address(getenv func(string) string) (*url.URL, error) {
	name, value := "--host", f.host
	if value == "" {
		name, value = "OLLAMA_HOST", getenv("OLLAMA_HOST")
	}
	u, err := ollama.ParseHost(value)
	if err != nil {
		return nil, fail(exitMistake, "%s: %v", name, err)
	}
	return u, nil
}

// hostName is how messages name a host: without scheme and default port.
func hostName(u *url.URL) string {
	host := u.Hostname()
	if host == "127.0.0.1" || host == "::1" {
		host = "localhost"
	}
	if port := u.Port(); port != "" && port != "11434" {
		return net.JoinHostPort(host, port)
	}
	return host
}
