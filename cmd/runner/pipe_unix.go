//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// errBrokenPipe is the error of writing to a pipe that nobody reads any more.
const errBrokenPipe = syscall.EPIPE

// ignoreBrokenPipes lets a write to a closed stdout fail instead of ending the
// process: a closed stdout ends the printing, not the run.
func ignoreBrokenPipes() { signal.Ignore(syscall.SIGPIPE) }
