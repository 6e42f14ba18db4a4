// Command server is the load server of make bench: it speaks enough of Ollama's
// API for any client, holds each request for a time planned from a seed, and keeps
// its own account of what arrived and when, which GET /stats tells. It knows
// nothing of the clients that are measured on it.
//
// With -tokens it answers as a model would: a first token, then one after the other at
// an even pace, as many as it plans from the prompt. -load lets the first request wait
// for the model, -freeze lets all of them wait once.
//
// It prints the address it listens on as its first line and ends with its standard
// input, so that it never outlives who started it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

func main() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// Main serves until stdin ends.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var load Load
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&load.Slots, "slots", 1, "requests served at once; the others wait their turn")
	flags.DurationVar(&load.Service, "service", 0, "mean service time of a request")
	flags.Float64Var(&load.Sigma, "sigma", 0, "spread of lognormal service times, or lengths; 0: all equal")
	flags.IntVar(&load.Chunks, "chunks", 1, "pieces that an answer is streamed in, evenly over its service time")
	flags.Uint64Var(&load.Seed, "seed", 1, "plans the service times, or the lengths")
	flags.Float64Var(&load.Rate, "rate", 0, "arrivals per second to account lateness against; 0: none")
	flags.Float64Var(&load.Tokens, "tokens", 0, "mean length of answers that come token by token; 0: they come in chunks")
	flags.DurationVar(&load.FirstToken, "first-token", 80*time.Millisecond, "time to the first token")
	flags.DurationVar(&load.PerToken, "per-token", 20*time.Millisecond, "time to each further token")
	flags.DurationVar(&load.Loading, "load", 0, "time that the model takes to get into memory; 0: it is there")
	flags.DurationVar(&load.Freeze.At, "freeze-at", 0, "when the server freezes, from the first prompt")
	flags.DurationVar(&load.Freeze.For, "freeze", 0, "how long it is frozen; 0: never")
	flags.BoolVar(&load.Requests, "requests", false, "keep each request, for GET /requests")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	load.Exact = load.Tokens > 0
	if err := serve(load, stdin, stdout); err != nil {
		fmt.Fprintf(stderr, "server: %v\n", err)
		return 1
	}
	return 0
}

func serve(load Load, stdin io.Reader, stdout io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: New(load), ReadHeaderTimeout: time.Minute}
	var running sync.WaitGroup
	var served error
	running.Go(func() { served = server.Serve(listener) })
	fmt.Fprintln(stdout, listener.Addr())

	_, err = io.Copy(io.Discard, stdin)
	stop, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if server.Shutdown(stop) != nil {
		_ = server.Close() // a client holds on; its requests end here
	}
	running.Wait()
	if errors.Is(served, http.ErrServerClosed) {
		served = nil
	}
	return errors.Join(err, served)
}
