//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory is the largest resident set of a process that has ended, in bytes:
// getrusage gives kilobytes, on macOS bytes. A process begins with the peak of the
// one that started it, so this program stays smaller than all that it measures.
func peakMemory(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	peak := int64(usage.Maxrss) //nolint:unconvert // an int32 on some machines
	if runtime.GOOS != "darwin" {
		peak <<= 10
	}
	return peak
}
