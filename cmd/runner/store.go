package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/runner/store"
	"github.com/batchrunner/runner/specs/say"
)

func (a *app) storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Look after the store of results: gc, verify, export, import",
		Args:  arguments(0, 0, "gc, verify, export or import"),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.gcCommand(), a.verifyCommand(), a.exportCommand(), a.importCommand())
	return cmd
}

func (a *app) gcCommand() *cobra.Command {
	var flags historyFlags
	var age string
	var dry bool
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove results that no job needs any more",
		Long: `Removes results that are no task's any more and are old, and old failed attempts, runs
and what tasks were, and gives the room back to the disk. What a job would reuse stays,
and an answer that was replaced lately. While a run is under way nothing is removed.`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.gc(cmd.Context(), &flags, age, dry) },
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&age, "older-than", "30d", "how old: 30d, 12h")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be removed, and remove nothing")
	return cmd
}

func (a *app) gc(ctx context.Context, flags *historyFlags, age string, dry bool) error {
	old, err := parseAge(age)
	if err != nil {
		return err
	}
	keep := store.Keep{Since: time.Now().Add(-old), DryRun: dry}
	if dry {
		return flags.withStore(store.Options{ReadOnly: true}, func(s *store.Store) error { return a.collect(ctx, s, keep) })
	}
	return flags.withStore(store.Options{}, func(s *store.Store) error {
		return alone(s, func() error { return a.collect(ctx, s, keep) })
	})
}

// collect removes what is old, or says what it would.
func (a *app) collect(ctx context.Context, s *store.Store, keep store.Keep) error {
	r, err := s.GC(ctx, keep)
	if err != nil && r == (store.Removed{}) {
		return storeExit(err)
	}
	verb, size := "removed", byteSize(r.Bytes)+" freed"
	if keep.DryRun {
		verb, size = "would remove", "about "+byteSize(r.Bytes)
	}
	fmt.Fprintf(a.out, "%s %s, %s, %s and %s, %s\n", verb, say.Plural(r.Results, "result"), say.Plural(r.Tasks, "earlier task"), say.Plural(r.Attempts, "failed attempt"), say.Plural(r.Runs, "run"), size)
	if err != nil {
		return storeExit(err)
	}
	return nil
}

// alone does something while no run uses the store.
func alone(s *store.Store, do func() error) error {
	locks, err := locksOf(filepath.Dir(s.Path()))
	if err != nil {
		return err
	}
	lock, err := store.TakeAll(locks, thisProcess())
	if err != nil {
		return lockExit(err)
	}
	err = do()
	if free := lock.Unlock(); free != nil && err == nil {
		return fail(exitDisk, "%v", free)
	}
	return err
}

// longestAge bounds what is asked for: a hundred years.
const longestAge = 36500

// parseAge reads 30d, 12h, 90m.
func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= longestAge {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fail(exitMistake, "--older-than %s: write it as 30d or 12h", text)
	}
	return d, nil
}

// withStore opens the store that the flags name for something, and closes it.
func (f *historyFlags) withStore(opts store.Options, do func(*store.Store) error) error {
	s, err := f.openStore(opts)
	if err != nil {
		return err
	}
	err = do(s)
	if closing := s.Close(); closing != nil && err == nil {
		return storeExit(closing)
	}
	return err
}

func (a *app) verifyCommand() *cobra.Command {
	var flags historyFlags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Look for damage in the store",
		Args:  arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withStore(store.Options{ReadOnly: true}, func(s *store.Store) error { return a.verifyStore(cmd.Context(), s) })
		},
	}
	flags.add(cmd.Flags())
	return cmd
}

func (a *app) verifyStore(ctx context.Context, s *store.Store) error {
	problems := int64(0)
	err := s.Verify(ctx, func(problem string) {
		if problems++; problems <= maxSamples || a.verbose {
			fmt.Fprintln(a.out, say.Clean(problem))
		}
	})
	switch {
	case err != nil:
		return storeExit(err)
	case problems > 0:
		return fail(exitDisk, "the store %s has %s; what is whole can be taken out with: runner store export", s.Path(), say.Plural(problems, "problem"))
	}
	a.info("the store %s is whole", s.Path())
	return nil
}

func (a *app) exportCommand() *cobra.Command {
	var flags historyFlags
	var to string
	cmd := &cobra.Command{
		Use:     "export [RUN]",
		Short:   "Write a run, a job or everything as JSON lines",
		Example: "  runner store export --job translate -o translate.jsonl\n  runner store export 17 | jq 'select(.kind == \"results\").row.response'",
		Args:    arguments(0, 1, "one run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withStore(store.Options{ReadOnly: true}, func(s *store.Store) error {
				return a.export(cmd.Context(), s, flags.job, args, to)
			})
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&flags.job, "job", "", "everything of this job, by its `name`")
	cmd.Flags().StringVarP(&to, "output", "o", "", "write it to this `file`")
	return cmd
}

func (a *app) export(ctx context.Context, s *store.Store, job string, args []string, to string) error {
	sel := store.Selection{Job: job}
	if len(args) > 0 {
		run, err := theRun(ctx, s, job, args)
		if err != nil {
			return err
		}
		sel = store.Selection{Run: run.ID}
	}
	if to == "" {
		_, err := s.Export(ctx, a.out, sel)
		return exported(err)
	}
	file, err := os.Create(to)
	if err != nil {
		return fail(exitDisk, "-o %s: %s", to, reason(err))
	}
	n, err := s.Export(ctx, file, sel)
	if err = errors.Join(err, file.Close()); err != nil {
		return exported(err)
	}
	a.info("%s written to %s", say.Plural(n, "line"), to)
	return nil
}

// exported makes the exit of an export that failed.
func exported(err error) error {
	var trouble *store.Error
	if errors.As(err, &trouble) {
		return storeExit(err)
	}
	return printed(err)
}

func (a *app) importCommand() *cobra.Command {
	var flags historyFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take in what export wrote, here or elsewhere",
		Long: `Takes in what "runner store export" wrote, all of it or nothing. Results that are there
already are left as they are, so that importing twice adds nothing. While a run is
under way nothing is taken in. "-" reads stdin.`,
		Args: arguments(1, 1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.importFile(cmd.Context(), &flags, args[0])
		},
	}
	flags.add(cmd.Flags())
	return cmd
}

func (a *app) importFile(ctx context.Context, flags *historyFlags, name string) error {
	from := a.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return fail(exitMistake, "%s: %s", name, reason(err))
		}
		defer file.Close() // only read from
		from = file
	}
	if err := flags.makeState(); err != nil {
		return err
	}
	return flags.withStore(store.Options{Create: true}, func(s *store.Store) error {
		return alone(s, func() error { return a.importFrom(ctx, s, from, name) })
	})
}

// makeState makes the folder of the store, as a run does.
func (f *historyFlags) makeState() error {
	path, err := f.path()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fail(exitDisk, "the folder of %s can't be made: %s", path, reason(err))
	}
	if f.store != "" {
		return nil
	}
	name, err := f.folder()
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return fail(exitDisk, "%s can't be opened: %s", name, reason(err))
	}
	defer root.Close()
	if err := output.Ignore(root); err != nil {
		return diskExit(err)
	}
	return nil
}

func (a *app) importFrom(ctx context.Context, s *store.Store, from io.Reader, name string) error {
	added, err := s.Import(ctx, from)
	var bad *store.BadLine
	switch {
	case errors.As(err, &bad):
		return fail(exitMistake, "%s: %v; nothing was taken in", name, bad)
	case err != nil:
		return storeExit(err)
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(added)) {
		if n := added[kind]; n > 0 {
			parts = append(parts, say.Plural(n, strings.TrimSuffix(kind, "s")))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing, all of it was there"}
	}
	a.info("added %s", strings.Join(parts, ", "))
	return nil
}
