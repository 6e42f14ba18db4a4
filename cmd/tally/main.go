// Command tally runs go test and ends with one line that says what the tests
// showed. It prints go test's own closing lines as they come, the output of what
// failed, and the skipped tests by name; with -v each test's closing line, too. A
// test shows something by logging
//
//	SHOWS: 92 bad job files
//
// and equal things are added up. A package in which no test ran is a failure.
//
//	tally -- [flags of go test] packages
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
)

func main() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }

// Main runs go test with the arguments and returns the exit code: 0 when every
// package ran at least one test and none failed, 1 otherwise, 2 for wrong use.
func Main(args []string, stdout, stderr io.Writer) int {
	args = slices.DeleteFunc(args, func(a string) bool { return a == "--" })
	if len(args) == 0 {
		fmt.Fprintln(stderr, "tally: no packages; say tally -- ./...")
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	sum, err := test(ctx, args, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "tally: %v\n", err)
		return 1
	}
	fmt.Fprintln(stdout, sum)
	return 0
}

// test runs go test and reads its events. The error is why the run does not count.
func test(ctx context.Context, args []string, stdout, stderr io.Writer) (*sum, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	sum, readErr := read(events, stdout, slices.Contains(args, "-v"))
	if readErr != nil {
		_, _ = io.Copy(stdout, events) // lets go test end; what it says is for a person
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("go test %s: %w", strings.Join(args, " "), err)
	}
	if readErr != nil {
		return nil, readErr
	}
	if err := sum.check(); err != nil {
		return nil, err
	}
	return sum, nil
}
