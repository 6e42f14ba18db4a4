//go:build e2e && unix

// Package e2e_test drives bin/runner, as a person would, against a real Ollama with
// a real model. It asks the server at OLLAMA_HOST, with copies of the model in
// E2E_MODEL under the names that the examples use; without these it builds the
// Ollama of go.mod, starts it for itself alone and makes the model from the file in
// E2E_GGUF. With neither it fails: nothing here is ever skipped.
package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ollama is the server that the tests ask, started by TestMain.
var ollama *server

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := begin(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: %v\n", err)
		return 1
	}
	defer ollama.close()
	return m.Run()
}

// begin finds or starts the server, with the model under every name in need.
func begin(ctx context.Context) error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, "bin", "runner")); err != nil {
		return fmt.Errorf("no bin/runner to test (%w); make build makes it", err)
	}
	host, model, gguf := os.Getenv("OLLAMA_HOST"), os.Getenv("E2E_MODEL"), os.Getenv("E2E_GGUF")
	switch {
	case host != "" && model != "":
		ollama, err = join(ctx, host, model)
	case gguf != "":
		if !filepath.IsAbs(gguf) {
			gguf = filepath.Join(root, gguf)
		}
		ollama, err = start(ctx, root, gguf)
	default:
		return fmt.Errorf("no model to ask: set OLLAMA_HOST and E2E_MODEL to a server and a model that it has, or E2E_GGUF to a model's file for a server built here")
	}
	if err != nil {
		return err
	}
	names, err := exampleModels(root)
	if err == nil {
		err = ollama.copyModel(ctx, names)
	}
	if err != nil {
		ollama.close()
	}
	return err
}

// command prepares bin/runner in a folder, as a user of the server has it: the
// server in OLLAMA_HOST, and nothing of the tester's own configuration.
func command(ctx context.Context, host, dir string, args ...string) (*exec.Cmd, error) {
	binary, err := filepath.Abs("../../bin/runner")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = dir
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "RUNNER_") && name != "XDG_CONFIG_HOME" {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "OLLAMA_HOST="+host, "XDG_CONFIG_HOME="+filepath.Join(dir, "no-config"), "HOME="+filepath.Join(dir, "no-config"))
	return cmd, nil
}
