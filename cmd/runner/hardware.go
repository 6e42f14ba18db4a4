package main

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// hardware names what a run's figures depend on beside the models: this machine, and the
// server's address where that is another one. The names of machines are left out, since
// those of a CI service change with each run.
func hardware(s *server, simulated bool) string {
	cpu := strings.Join(strings.Fields(cpuid.CPU.BrandName), " ")
	if cpu == "" {
		cpu = "unknown CPU"
	}
	here := fmt.Sprintf("%s, %d cores, %s/%s", cpu, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	switch {
	case simulated:
		return here + ", simulated server"
	case s == nil || isLoopback(s.address.Hostname()):
		return here
	}
	return here + ", server " + s.name
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.IsLoopback() || addr.IsUnspecified())
}
