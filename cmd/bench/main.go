// Command bench measures bin/runner against two reference clients on a load server
// that keeps its own account, and prints one table of ratios with their limits.
// The peers alternate, the figures are medians, and a ratio that misses its limit
// is measured once more before it counts.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }

// Main prints the table and returns the exit code: 0 when every limit is kept, 1
// when one is missed or nothing could be measured, 2 for wrong flags.
func Main(args []string, stdout, stderr io.Writer) int {
	var b bench
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&b.rounds, "rounds", 5, "rounds of each item")
	flags.StringVar(&b.clients.runner, "runner", "bin/runner", "the command that is measured")
	only := flags.String("only", "", "items to measure, with commas: "+strings.Join(keys(items()), ", "))
	if err := flags.Parse(args); err != nil {
		return 2
	}
	chosen, err := choose(items(), *only)
	if err != nil || b.rounds < 1 || flags.NArg() > 0 {
		fmt.Fprintf(stderr, "bench: wrong flags; see -help (%v)\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b.log = stderr
	missed, err := b.measure(ctx, chosen, stdout)
	if err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return 1
	}
	if missed > 0 {
		return 1
	}
	return 0
}

// A bench measures with a set of built programs.
type bench struct {
	rounds  int
	clients programs
	dir     string    // for jobs, data and outputs
	log     io.Writer // what is being done, for a person
}

// measure does the items one after the other and prints each as it is known.
func (b *bench) measure(ctx context.Context, chosen []item, out io.Writer) (missed int, err error) {
	dir, err := os.MkdirTemp("", "runner-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	b.dir = dir
	if err := b.clients.build(ctx, dir); err != nil {
		return 0, err
	}
	writeHead(out, b.rounds)
	for _, it := range chosen {
		lines, err := b.item(ctx, it)
		if err != nil {
			return missed, fmt.Errorf("(%s) %s: %w", it.key, it.title, err)
		}
		missed += writeItem(out, it, lines)
	}
	return missed, nil
}

// item measures one, and once more where a limit was missed: what is missed again
// counts.
func (b *bench) item(ctx context.Context, it item) ([]line, error) {
	lines, err := b.round(ctx, it)
	if err != nil || !anyMissed(lines) {
		return lines, err
	}
	fmt.Fprintf(b.log, "(%s) a limit was missed; once more\n", it.key)
	again, err := b.round(ctx, it)
	if err != nil {
		return nil, err
	}
	for i := range lines {
		if lines[i].missed() || lines[i].limit == 0 {
			lines[i] = again[i]
			lines[i].again = true
		}
	}
	return lines, nil
}

func (b *bench) roundsOf(it item) int {
	if it.once {
		return 1
	}
	return b.rounds * max(it.each, 1)
}

// round measures every contestant of an item in each round and sums up.
func (b *bench) round(ctx context.Context, it item) ([]line, error) {
	figures := make([][]figure, len(it.contestants))
	rounds := b.roundsOf(it)
	for n := range rounds {
		for i := range it.contestants {
			i = (i + n) % len(it.contestants) // nobody is always first
			c := it.contestants[i]
			f, err := b.run(ctx, c, n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			figures[i] = append(figures[i], f)
			if it.each <= 1 {
				fmt.Fprintf(b.log, "(%s) round %d of %d: %s %v\n", it.key, n+1, rounds, c.name, f)
			}
		}
	}
	lines := make([]line, len(it.checks))
	for i, c := range it.checks {
		lines[i] = c.line(it, figures)
	}
	return lines, nil
}
