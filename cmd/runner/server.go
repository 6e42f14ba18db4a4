package main

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner/ollama"
	"github.com/batchrunner/runner/specs"
)

// A server is the model server of a run, checked and connected.
type server struct {
	*ollama.Client
	address *url.URL
	name    string // as messages name it
	report  *ollama.Report
}

// idleConnections is how many connections are kept for the next request; more than
// there are requests in flight costs nothing.
const idleConnections = 4096

// connect makes a client of the server at address, which messages call by name, or by
// its address where name is empty; it calls nothing yet.
func connect(address *url.URL, name string, host *hostFlags) (*server, error) {
	client, err := ollama.New(ollama.Config{Host: address, Name: name, Connections: idleConnections, AllowCloud: host.cloud, Proxy: host.proxy})
	if err != nil {
		return nil, fail(exitServer, "%v", err)
	}
	return &server{Client: client, address: address, name: hostName(address)}, nil
}

// begin connects to the server of the flags and starts to look at it, also at the
// models in memory where it is sure that something will be asked. The caller
// calls end when it needs the server no more.
func (a *app) begin(ctx context.Context, host *hostFlags, sure bool) (s *server, end func(), err error) {
	address, err := host.address(a.getenv)
	if err != nil {
		return nil, nil, err
	}
	if s, err = connect(address, "", host); err != nil {
		return nil, nil, err
	}
	stop := s.Begin(ctx, sure)
	return s, func() { stop(); s.Close() }, nil
}

// needs lists the models of a job with what is asked of them.
func needs(checked *pipeline.Checked, job *specs.Job) []ollama.Need {
	var all []ollama.Need
	for _, model := range checked.Models {
		need := ollama.Need{Model: model, Steps: checked.Steps[model]}
		need.Think = slices.ContainsFunc(job.Steps, func(s specs.Step) bool {
			return slices.Contains(need.Steps, s.ID.Value) && wantsThinking(s.Think)
		})
		all = append(all, need)
	}
	return all
}

func wantsThinking(think any) bool {
	switch t := think.(type) {
	case bool:
		return t
	case string:
		return t != ""
	}
	return false
}

// noModel is the error of a job that names no model, with what there is.
func (a *app) noModel(ctx context.Context, file string, host *hostFlags) error {
	models, err := a.hostModels(ctx, host)
	switch {
	case err != nil:
		return fail(exitMistake, "%s names no model; add one (model: gemma3:4b) or choose one with -m", file)
	case len(models) == 0:
		return fail(exitMistake, "%s names no model, and the server has none; fetch one with: ollama pull gemma3:4b", file)
	}
	return fail(exitMistake, "%s names no model; choose one with -m: %s", file, strings.Join(models, ", "))
}

// namesNoModel says whether a step of the job has no model to ask.
func namesNoModel(job *specs.Job) bool {
	return slices.ContainsFunc(job.Steps, func(s specs.Step) bool { return s.Model == nil })
}
