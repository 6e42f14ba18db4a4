package main

import "syscall"

// errBrokenPipe is the error of writing to a pipe that nobody reads any more.
const errBrokenPipe = syscall.ERROR_BROKEN_PIPE

// ignoreBrokenPipes has nothing to do here: there is no signal for it.
func ignoreBrokenPipes() {}
