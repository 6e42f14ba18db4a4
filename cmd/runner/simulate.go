package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/url"
	"strings"

	"github.com/batchrunner/runner/runner/simulate"
	"github.com/sourcegraph/conc"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// simulateFlags run a job against a simulated server.
type simulateFlags struct {
	simulate bool
	faults   []string
	speed    float64
}

func (f *simulateFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.simulate, "simulate", false, "ask a simulated server: made-up answers, outputs below .runner/simulated/")
	flags.StringArrayVar(&f.faults, "fault", nil, "let the simulated server fail: --fault \"cut after=3 times=1\" (kinds: runner simulate --help)")
	flags.Float64Var(&f.speed, "speed", 0, "how fast the simulated server is: 1 as a small model on a good GPU, 0 at once")
}

// check finds flags that say nothing without --simulate.
func (f *simulateFlags) check() error {
	switch {
	case !f.simulate && len(f.faults) > 0:
		return fail(exitMistake, "--fault goes with --simulate")
	case !f.simulate && f.speed != 0:
		return fail(exitMistake, "--speed goes with --simulate")
	case f.speed < 0 || math.IsNaN(f.speed):
		return fail(exitMistake, "--speed %v: it must be 0 or more", f.speed)
	}
	return nil
}

// simulated starts a simulated server for a job and connects to it. The caller
// calls end when it needs the server no more.
func (a *app) simulated(ctx context.Context, j *checkedJob, flags *applyFlags) (s *server, end func(), err error) {
	faults, err := parseFaults(flags.faults)
	if err != nil {
		return nil, nil, err
	}
	config := simulate.Config{
		Models: simulatedModels(j.checked.Models), AnyModel: true,
		Faults: faults, Parallel: j.plan.Concurrency, CountsOnly: true,
	}
	if flags.speed > 0 {
		config.Timing, config.Speed = simulate.DefaultTiming(), flags.speed
		if j.plan.Bench != nil { // it is to see times as they were, its queue too
			config.Timing, config.Speed, config.Measured = config.Timing.Faster(flags.speed), 1, true
		}
	}
	address, stop, err := startSimulated(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	if s, err = connect(address, "the simulated server", &flags.hostFlags); err != nil {
		stop()
		return nil, nil, err
	}
	return s, func() { s.Close(); stop() }, nil
}

// startSimulated serves a simulated Ollama on a free loopback port until the
// function it returns is called.
func startSimulated(ctx context.Context, config simulate.Config) (*url.URL, func(), error) {
	address, stop, err := serveHere(ctx, simulate.New(config))
	if err != nil {
		return nil, nil, fail(exitServer, "the simulated server finds no port: %v", err)
	}
	return &url.URL{Scheme: "http", Host: address}, stop, nil
}

// serveHere serves on a free loopback port until stop is called.
func serveHere(ctx context.Context, server *simulate.Server) (address string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wait conc.WaitGroup
	wait.Go(func() { _ = server.Serve(ctx, listener) }) // its end is ours
	stop = func() {
		cancel()
		wait.Wait()
	}
	return listener.Addr().String(), stop, nil
}

func simulatedModels(names []string) []simulate.Model {
	var models []simulate.Model
	for _, name := range names {
		models = append(models, simulate.Model{Name: name})
	}
	return models
}

func parseFaults(texts []string) ([]simulate.Fault, error) {
	var faults []simulate.Fault
	for _, text := range texts {
		f, err := simulate.ParseFault(text)
		if err != nil {
			return nil, fail(exitMistake, "--fault %q: %v; see: runner simulate --help", text, err)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

// serverFlags are the flags of the command simulate.
type serverFlags struct {
	address string
	models  []string
	faults  []string
	config  simulate.Config
	timing  simulate.Timing
}

func (a *app) simulateCommand() *cobra.Command {
	flags := serverFlags{timing: simulate.DefaultTiming()}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve a simulated Ollama, for trying jobs without a GPU",
		Long: `Serves a simulated Ollama: the same API, queueing, model loads, context limit and
pace, with made-up answers that are always the same for the same request. Every
reply says that it is simulated. GET /runner/history tells what was asked.

Faults, for --fault here and with apply --simulate:

` + faultKinds() + `
A fault is a kind and what it is for: "cut after=3 match='row 17' times=1" cuts the
first answer to each prompt that matches after its third chunk.`,
		Example: "  runner simulate &\n  OLLAMA_HOST=127.0.0.1:11435 runner apply translate.yaml",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serveSimulated(cmd.Context(), &flags)
		},
	}
	flags.add(cmd.Flags())
	return cmd
}

func (f *serverFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.address, "address", "127.0.0.1:11435", "where to listen; port 0 takes a free one")
	flags.StringSliceVar(&f.models, "model", nil, "the models that are present (default: any that is asked for)")
	flags.IntVar(&f.config.Parallel, "slots", 1, "requests worked on at once for each model, as OLLAMA_NUM_PARALLEL")
	flags.IntVar(&f.config.MaxLoaded, "loaded", 3, "models in memory at once, as OLLAMA_MAX_LOADED_MODELS")
	flags.IntVar(&f.config.MaxQueue, "queue", 512, "requests that may wait for a model to load, as OLLAMA_MAX_QUEUE")
	flags.IntVar(&f.config.NumCtx, "context", 4096, "the context of requests without num_ctx, in tokens")
	flags.DurationVar(&f.timing.Load, "load", f.timing.Load, "how long loading a model takes")
	flags.DurationVar(&f.timing.FirstToken, "first-token", f.timing.FirstToken, "how long reading a prompt takes")
	flags.DurationVar(&f.timing.PerToken, "per-token", f.timing.PerToken, "how long each token of an answer takes")
	flags.Float64Var(&f.timing.Sigma, "spread", 0, "spread the times by a lognormal factor with this sigma")
	flags.Float64Var(&f.config.Speed, "speed", 1, "divide all times by this; 0: everything at once")
	flags.Uint64Var(&f.config.Seed, "seed", 0, "other answers, other requests that meet a fault")
	flags.BoolVar(&f.config.Measured, "measured", false, "report durations as they were, not as planned")
	flags.StringArrayVar(&f.faults, "fault", nil, "fail on purpose: see above")
}

func faultKinds() string {
	var b strings.Builder
	for _, k := range simulate.Kinds() {
		fmt.Fprintf(&b, "  %-16s %s\n", k.Name, k.Doc)
	}
	return b.String()
}

// check finds numbers that no server could have.
func (f *serverFlags) check() error {
	for _, n := range []struct {
		flag  string
		value float64
		least float64
	}{
		{"slots", float64(f.config.Parallel), 1}, {"loaded", float64(f.config.MaxLoaded), 1}, {"queue", float64(f.config.MaxQueue), 1},
		{"context", float64(f.config.NumCtx), 1}, {"load", float64(f.timing.Load), 0}, {"first-token", float64(f.timing.FirstToken), 0},
		{"per-token", float64(f.timing.PerToken), 0}, {"spread", f.timing.Sigma, 0}, {"speed", f.config.Speed, 0},
	} {
		if !(n.value >= n.least) || math.IsInf(n.value, 0) {
			return fail(exitMistake, "--%s must be at least %v", n.flag, n.least)
		}
	}
	if _, port, err := net.SplitHostPort(f.address); err != nil || port == "" {
		return fail(exitMistake, "--address %q: write host:port, such as 127.0.0.1:11435", f.address)
	}
	return nil
}

func (a *app) serveSimulated(ctx context.Context, f *serverFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	faults, err := parseFaults(f.faults)
	if err != nil {
		return err
	}
	config := f.config
	config.Faults, config.Timing = faults, f.timing
	if config.Speed == 0 { // at once, as with apply --simulate
		config.Timing, config.Speed = simulate.Timing{}, 1
	}
	config.Models = simulatedModels(f.models)
	listener, err := net.Listen("tcp", f.address)
	if err != nil {
		return fail(exitServer, "--address %s: %s", f.address, reason(err))
	}
	a.info("a simulated Ollama listens on http://%s; end it with Ctrl-C", listener.Addr())
	ctx, signals := watchInterrupts(ctx, func() {}, func() { a.leave(exitInterrupted) })
	defer signals.close()
	serving, cancel := context.WithCancel(ctx)
	var wait conc.WaitGroup
	wait.Go(func() {
		defer cancel()
		select {
		case <-signals.stop:
		case <-serving.Done():
		}
	})
	err = simulate.New(config).Serve(serving, listener)
	cancel()
	wait.Wait()
	if err != nil {
		return fail(exitServer, "%v", err)
	}
	return nil
}
