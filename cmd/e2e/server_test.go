//go:build e2e && unix

package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ollama/ollama/api"
)

// A server is a real Ollama, one of our own or one that was there.
type server struct {
	host   string // host:port
	client *api.Client
	model  string   // the name of the model that copies are made of
	made   []string // models that close removes, of a server that was there

	// Of a server of our own:
	binary, home string
	log          *os.File
	process      *process
}

// A process is our server and whoever it starts: a group under a shell that ends
// all of it when its standard input closes, so that nothing is left however the
// tests end.
type process struct {
	group *exec.Cmd
	life  io.Closer // the group's standard input
	pid   int       // of ollama serve
}

const group = `"$0" serve & echo $!; cat >/dev/null; kill -9 0`

// join uses a server that is there.
func join(ctx context.Context, host, model string) (*server, error) {
	if !strings.Contains(host, "://") {
		host = "http://" + host
	}
	u, err := url.Parse(host)
	if err != nil {
		return nil, fmt.Errorf("OLLAMA_HOST: %w", err)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "11434")
	}
	s := &server{host: u.Host, client: api.NewClient(u, &http.Client{}), model: model}
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// start builds Ollama, starts it on a free port with a home of its own and makes
// the model from a file.
func start(ctx context.Context, root, gguf string) (*server, error) {
	binary, err := build(ctx, root)
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "runner-e2e-")
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(home, "server.log"))
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{host: "127.0.0.1:" + port, model: "e2e:latest", binary: binary, home: home, log: log}
	s.client = api.NewClient(&url.URL{Scheme: "http", Host: s.host}, &http.Client{})
	if err = s.serve(ctx); err == nil {
		err = s.create(ctx, gguf)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// build makes the binary, once for each version.
func build(ctx context.Context, root string) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/ollama/ollama")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	version := strings.TrimSpace(string(out))
	binary := filepath.Join(root, ".cache", "ollama-"+version)
	cmd := exec.CommandContext(ctx, filepath.Join(root, "cmd", "e2e", "build-ollama"), binary, version)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building Ollama %s: %w", version, err)
	}
	return binary, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// serve starts our server and waits until it answers.
func (s *server) serve(ctx context.Context) error {
	cmd := exec.Command("sh", "-c", group, s.binary)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = s.log
	cmd.Env = append(os.Environ(), "HOME="+s.home, "OLLAMA_MODELS="+filepath.Join(s.home, "models"),
		"OLLAMA_HOST="+s.host, "OLLAMA_NUM_PARALLEL=4", "OLLAMA_MAX_LOADED_MODELS=3", "OLLAMA_KEEP_ALIVE=10m")
	life, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process = &process{group: cmd, life: life}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		s.process.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err == nil {
		err = s.ready(ctx)
	}
	if err != nil {
		s.end()
	}
	return err
}

// ready waits until the server answers.
func (s *server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := s.client.Version(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no Ollama answers on %s: %w\n%s", s.host, err, s.lastWords())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lastWords are the end of our server's log.
func (s *server) lastWords() []byte {
	if s.log == nil {
		return nil
	}
	text, err := os.ReadFile(s.log.Name())
	if err != nil {
		return []byte(err.Error())
	}
	return text[max(0, len(text)-4000):]
}

// end ends our server and all that it started, and waits until its port is free.
func (s *server) end() {
	if s.process == nil {
		return
	}
	_ = s.process.life.Close()
	_ = s.process.group.Wait() // killed by its own hand
	s.process = nil
	for range 500 {
		conn, err := net.Dial("tcp", s.host)
		if err != nil {
			return
		}
		_ = conn.Close()
		time.Sleep(10 * time.Millisecond)
	}
}

// kill is what a crash does: ollama serve dies in the middle of a word, and so
// does what it had started.
func (s *server) kill() error {
	err := syscall.Kill(s.process.pid, syscall.SIGKILL)
	s.end()
	return err
}

func (s *server) close() {
	if s.home == "" {
		for _, name := range s.made {
			if err := s.client.Delete(context.Background(), &api.DeleteRequest{Model: name}); err != nil {
				fmt.Fprintf(os.Stderr, "e2e: model %q stays on %s: %v\n", name, s.host, err)
			}
		}
		return
	}
	s.end()
	_ = s.log.Close()
	_ = os.RemoveAll(s.home)
}

// create makes the model from a GGUF file.
func (s *server) create(ctx context.Context, gguf string) error {
	data, err := os.ReadFile(gguf)
	if err != nil {
		return fmt.Errorf("E2E_GGUF: %w", err)
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(data))
	if err := s.client.CreateBlob(ctx, digest, bytes.NewReader(data)); err != nil {
		return fmt.Errorf("giving %s the model: %w", gguf, err)
	}
	stream := false
	req := &api.CreateRequest{
		Model: s.model, Files: map[string]string{filepath.Base(gguf): digest}, Stream: &stream,
		// More threads wait for each other in a loop: on busy cores that is fifty times slower.
		Parameters: map[string]any{"num_thread": 1},
	}
	return s.client.Create(ctx, req, func(api.ProgressResponse) error { return nil })
}

// copyModel gives the model more names. Those that the server knows already keep
// what they mean.
func (s *server) copyModel(ctx context.Context, names []string) error {
	list, err := s.client.List(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if slices.ContainsFunc(list.Models, func(m api.ListModelResponse) bool { return m.Name == name }) {
			continue
		}
		if err := s.client.Copy(ctx, &api.CopyRequest{Source: s.model, Destination: name}); err != nil {
			return fmt.Errorf("copying %q to %q: %w", s.model, name, err)
		}
		s.made = append(s.made, name)
	}
	return nil
}
