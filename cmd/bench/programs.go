package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A program is one of those that are measured.
type program int

const (
	runner   program = iota // apply of a job, without a store
	keeping                 // apply with a store, which is empty
	again                   // apply with a store that knows every row
	benching                // bench of a job
	planned                 // plan of a job, with a store that knows every row
	scan                    // a plain read of that store
	version                 // runner version
	bare
	plain
	empty // a main without a word that imports what runner's does
)

// programs are the paths of what is measured, and of the load server.
type programs struct {
	runner, bare, plain, empty, server, scan string
}

func (p programs) path(of program) string {
	return map[program]string{runner: p.runner, keeping: p.runner, again: p.runner, benching: p.runner, planned: p.runner, version: p.runner, scan: p.scan, bare: p.bare, plain: p.plain, empty: p.empty}[of]
}

// args are a program's for the work at a site.
func (p program) args(addr string, s site, w work) []string {
	rows, open := strconv.Itoa(w.rows), strconv.Itoa(w.concurrency)
	switch p {
	case runner:
		return []string{"apply", s.job, "--root", s.dir, "--host", "http://" + addr, "--quiet", "--no-store"}
	case keeping, again:
		return []string{"apply", s.job, "--root", s.dir, "--host", "http://" + addr, "--quiet"}
	case benching:
		return []string{"bench", s.job, "--root", s.dir, "--host", "http://" + addr, "--quiet"}
	case planned:
		return []string{"plan", s.job, "--root", s.dir, "--host", "http://" + addr}
	case scan:
		return []string{s.store()}
	case version:
		return []string{"version"}
	case bare:
		return []string{"-addr", addr, "-rows", rows, "-c", open, "-rate", fmt.Sprint(w.rate)}
	case plain:
		return []string{"-addr", addr, "-lines", s.data, "-o", s.output, "-c", open}
	}
	return nil
}

const house = "github.com/batchrunner/runner/cmd"

// build finds the runner and makes the other programs in a folder, as runner
// itself is built.
func (p *programs) build(ctx context.Context, dir string) error {
	found, err := exec.LookPath(p.runner)
	if err == nil {
		p.runner, err = filepath.Abs(found)
	}
	if err != nil {
		return fmt.Errorf("no runner to measure (%w); make build makes it", err)
	}
	if err := p.buildOurs(ctx, dir); err != nil {
		return err
	}
	return p.buildEmpty(ctx, dir)
}

// buildOurs makes the load server and the reference clients.
func (p *programs) buildOurs(ctx context.Context, dir string) error {
	p.bare, p.plain, p.server, p.scan = filepath.Join(dir, "bare"), filepath.Join(dir, "plain"), filepath.Join(dir, "server"), filepath.Join(dir, "scan")
	for _, path := range []string{p.bare, p.plain, p.server, p.scan} {
		if err := goBuild(ctx, path, house+"/bench/"+filepath.Base(path)); err != nil {
			return err
		}
	}
	return nil
}

// buildEmpty makes a main that imports what runner's does.
func (p *programs) buildEmpty(ctx context.Context, dir string) error {
	imports, err := output(exec.CommandContext(ctx, "go", "list", "-f", `{{join .Imports "\n"}}`, house+"/runner"))
	if err != nil {
		return err
	}
	source := filepath.Join(dir, "empty.go")
	if err := os.WriteFile(source, emptyMain(strings.Fields(imports)), 0o600); err != nil {
		return err
	}
	p.empty = filepath.Join(dir, "empty")
	return goBuild(ctx, p.empty, source)
}

func goBuild(ctx context.Context, path, source string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	_, err := output(cmd)
	return err
}

// emptyMain is a program that does nothing but start with these packages in it.
func emptyMain(imports []string) []byte {
	var b bytes.Buffer
	b.WriteString("package main\n\nimport (\n")
	for _, path := range imports {
		fmt.Fprintf(&b, "\t_ %q\n", path)
	}
	b.WriteString(")\n\nfunc main() {}\n")
	return b.Bytes()
}

func output(cmd *exec.Cmd) (string, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}
