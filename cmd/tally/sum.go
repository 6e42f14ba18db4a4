package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/batchrunner/runner/specs/say"
)

// An event is a line of go test -json (go doc cmd/test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds, of a test that ended
}

// A sum is what a run of tests came to.
type sum struct {
	packages []string       // in the order they ended
	tests    map[string]int // top-level tests that passed, by package
	failed   []string       // packages and tests
	skipped  []string
	shows    map[string]int64 // how many, by what
	order    []string         // the keys of shows, by package and then as logged
	said     map[string][]string
	output   map[string]*strings.Builder // by package and test, until it ends
	verbose  bool                        // each test's closing line is printed
}

// showsLine is a log line of a test: "    file_test.go:12: SHOWS: 92 bad job files".
var showsLine = regexp.MustCompile(`\bSHOWS: ([0-9][0-9,]*) (\S.*)`)

// read takes in the events and prints what a person wants to see of them.
func read(events io.Reader, out io.Writer, verbose bool) (*sum, error) {
	s := &sum{
		tests: map[string]int{}, shows: map[string]int64{},
		said: map[string][]string{}, output: map[string]*strings.Builder{},
		verbose: verbose,
	}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if jsonErr := json.Unmarshal(line, &e); jsonErr != nil {
				return s, fmt.Errorf("go test said %q where an event was expected", line)
			}
			s.take(&e, out)
		}
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return s, err
		}
	}
}

func (s *sum) take(e *event, out io.Writer) {
	name := strings.TrimSuffix(e.Package+" "+e.Test, " ")
	switch e.Action {
	case "build-output":
		fmt.Fprint(out, e.Output)
	case "output":
		s.hear(e, name, out)
	case "pass":
		if s.verbose && e.Test != "" {
			fmt.Fprintf(out, "--- PASS: %s (%.2fs)\n", e.Test, e.Elapsed)
		}
		s.end(e, name)
	case "skip":
		if e.Test != "" {
			s.skipped = append(s.skipped, name)
		}
		s.end(e, "")
	case "fail":
		s.failed = append(s.failed, name)
		if text := s.output[name]; text != nil {
			fmt.Fprint(out, text)
		}
		s.end(e, "")
	}
}

// hear keeps a test's output in case it fails, prints a package's closing line, and
// notes what a test shows.
func (s *sum) hear(e *event, name string, out io.Writer) {
	if e.Test == "" {
		if closing(e.Output) {
			fmt.Fprint(out, e.Output)
			return
		}
	} else if m := showsLine.FindStringSubmatch(e.Output); m != nil {
		s.said[e.Package] = append(s.said[e.Package], m[1]+" "+strings.TrimSpace(m[2]))
	}
	if s.output[name] == nil {
		s.output[name] = &strings.Builder{}
	}
	s.output[name].WriteString(e.Output)
}

// closing says whether a line is the one go test ends a package with.
func closing(line string) bool {
	return strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "FAIL\t") || strings.HasPrefix(line, "?   \t")
}

// end closes the account of a test or package; passed is its name where it passed.
func (s *sum) end(e *event, passed string) {
	delete(s.output, strings.TrimSuffix(e.Package+" "+e.Test, " "))
	switch {
	case e.Test == "" && e.Package != "":
		s.packages = append(s.packages, e.Package)
	case passed != "" && !strings.Contains(e.Test, "/"):
		s.tests[e.Package]++
	}
}

// check is the error of a run that does not count.
func (s *sum) check() error {
	if len(s.failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(s.failed, ", "))
	}
	if len(s.packages) == 0 {
		return errors.New("no package was tested")
	}
	for _, p := range s.packages {
		if s.tests[p] == 0 {
			return fmt.Errorf("%s: no test ran", p)
		}
	}
	return nil
}

// String is the line that says something: the counts of tests, then what they
// showed, in the order of the packages' names.
func (s *sum) String() string {
	s.add()
	total := int64(0)
	for _, n := range s.tests {
		total += int64(n)
	}
	var b strings.Builder
	for _, name := range s.skipped {
		fmt.Fprintf(&b, "skipped: %s\n", name)
	}
	fmt.Fprintf(&b, "%s tests in %d packages ok", say.Count(total), len(s.packages))
	sep := ": "
	for _, what := range s.order {
		fmt.Fprintf(&b, "%s%s %s", sep, say.Count(s.shows[what]), what)
		sep = ", "
	}
	return b.String()
}

// add sums up what was said, by package, so that the order never depends on which
// package was quicker.
func (s *sum) add() {
	for _, p := range slices.Sorted(slices.Values(s.packages)) {
		for _, line := range s.said[p] {
			count, what, _ := strings.Cut(line, " ")
			n, err := strconv.ParseInt(strings.ReplaceAll(count, ",", ""), 10, 64)
			if err != nil {
				continue // more digits than a count has
			}
			if _, known := s.shows[what]; !known {
				s.order = append(s.order, what)
			}
			s.shows[what] += n
		}
	}
}
