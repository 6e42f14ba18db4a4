package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/batchrunner/runner/specs/say"
)

// Exit codes; see `runner help exit-codes`.
const (
	exitOK          = 0
	exitFailedRows  = 1   // finished, but more rows failed than max_failures
	exitMistake     = 2   // job file or flags wrong: nothing ran
	exitServer      = 3   // the model server cannot be used
	exitHeld        = 4   // another run of the job is under way
	exitDisk        = 5   // outputs or the store cannot be written
	exitInterrupted = 130 // by a signal; what had finished is kept
)

// An exit is an error with the code that the process ends with. One without a
// message has said all it has to say already.
type exit struct {
	code    int
	message string
}

func (e *exit) Error() string { return e.message }

// fail makes an exit with a message for a person.
func fail(code int, format string, args ...any) error {
	return &exit{code: code, message: fmt.Sprintf(format, args...)}
}

// An app is what a command works with: its streams and its environment.
type app struct {
	in        io.Reader
	out, err  io.Writer
	printing  *printing // out
	getenv    func(string) string
	lookupEnv func(string) (string, bool)

	outTerminal, errTerminal bool
	color                    bool // of what goes to err
	quiet, verbose           bool
	leave                    func(code int) // ends the process at once
	screen                   screen
}

// Main runs the command line args and returns the process's exit code.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := newApp(stdin, stdout, stderr)
	cmd := a.root(args)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if lost := a.printing.failed; err == nil && lost != nil && !isClosedPipe(lost) {
		err = printed(lost)
	}
	return a.report(err)
}

// A printing is stdout, which remembers whether something was lost: most of what is
// printed is printed line by line.
type printing struct {
	io.Writer
	failed error // the first
}

func (p *printing) Write(text []byte) (int, error) {
	n, err := p.Writer.Write(text)
	if err != nil && p.failed == nil {
		p.failed = err
	}
	return n, err
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	to := &printing{Writer: stdout}
	a := &app{in: stdin, out: to, printing: to, err: stderr, getenv: os.Getenv, lookupEnv: os.LookupEnv, leave: os.Exit}
	a.screen.app = a
	dumb := a.getenv("TERM") == "dumb"
	a.outTerminal = isTerminal(stdout) && !dumb
	a.errTerminal = isTerminal(stderr) && !dumb
	a.color = a.errTerminal && a.getenv("NO_COLOR") == ""
	return a
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// A screen is where records are printed: stdout, or above what the progress draws
// on the same terminal, which would wipe them out.
type screen struct {
	app   *app
	above io.Writer // while the progress draws, nil otherwise
}

func (s *screen) Write(text []byte) (int, error) {
	if s.above != nil {
		return s.above.Write(text)
	}
	return s.app.out.Write(text)
}

// width is the terminal's, in columns, or 0 where there is none.
func (a *app) width() int {
	f, ok := a.printing.Writer.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// report says what ended the command, unless it was said before, and returns
// the exit code. An error that is no exit comes from reading the command line.
func (a *app) report(err error) int {
	if err == nil {
		return exitOK
	}
	var e *exit
	if !errors.As(err, &e) {
		e = &exit{code: exitMistake, message: err.Error()}
	}
	if e.message != "" {
		a.say("%s", e.message)
	}
	return e.code
}

// say writes one message for a person, made harmless for a terminal.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.err, "runner: %s\n", say.Clean(strings.TrimRight(fmt.Sprintf(format, args...), "\n")))
}

// info writes a line for a person that --quiet leaves out.
func (a *app) info(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.err, say.Clean(fmt.Sprintf(format, args...)))
	}
}

// arguments turns cobra's check of the number of arguments into sentences.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return fail(exitMistake, "%s needs %s; see: %s --help", cmd.CommandPath(), what, cmd.CommandPath())
		case most >= 0 && len(args) > most:
			return fail(exitMistake, "%s takes %s, not %q as well; see: %s --help", cmd.CommandPath(), what, args[most], cmd.CommandPath())
		}
		return nil
	}
}
