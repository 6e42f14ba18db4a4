package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/batchrunner/runner/runner/ollama"
	"github.com/batchrunner/runner/runner/store"
	"github.com/batchrunner/runner/specs/say"
	"github.com/spf13/cobra"
)

func (a *app) lockCommand() *cobra.Command {
	var flags jobFlags
	var host hostFlags
	var where storeFlags
	var update bool
	cmd := &cobra.Command{
		Use:   "lock FILE",
		Short: "Pin the models of a job by their digests, in runner.lock",
		Long: `Writes runner.lock into the root: for each model that the job asks, the digest of
what its name stands for on your server. Commit the file: "runner apply --locked"
asks no other models, and "runner apply --offline" finds stored answers by it.

A model that has moved since is told and stays as it is, but with --update, which
says how many stored answers of it are asked again then.`,
		Example: "  runner lock translate.yaml\n  runner apply translate.yaml --locked",
		Args:    arguments(1, 1, "one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.limited, flags.concurrent = cmd.Flags().Changed("limit"), cmd.Flags().Changed("concurrency")
			return a.lock(cmd.Context(), args[0], &flags, &host, &where, update)
		},
	}
	flags.addFile(cmd)
	host.add(cmd.Flags())
	where.add(cmd.Flags())
	cmd.Flags().BoolVar(&update, "update", false, "pin what the names stand for now")
	return cmd
}

// A moved model is one whose name stands for another one than the lock file says.
type moved struct {
	name     string
	from, to lockedModel
}

func (a *app) lock(ctx context.Context, file string, flags *jobFlags, host *hostFlags, where *storeFlags, update bool) error {
	j, err := a.loadChecked(file, flags)
	if err != nil {
		return err
	}
	defer j.close()
	if namesNoModel(j.job) {
		return a.noModel(ctx, file, host)
	}
	before, err := j.folder.readLockFile()
	if err != nil {
		return err
	}
	report, err := a.lookAtModels(ctx, j, host)
	if err != nil {
		return err
	}
	lock, changes := pin(before, j.checked.Models, report, update)
	if err := j.folder.writeLockFile(lock); err != nil {
		return err
	}
	return a.tellPins(ctx, j, where.of(j.loadedJob, false), before, lock, changes, update)
}

// lookAtModels asks the server for the job's models, which must all be there.
func (a *app) lookAtModels(ctx context.Context, j *checkedJob, host *hostFlags) (*ollama.Report, error) {
	s, end, err := a.begin(ctx, host, false)
	if err != nil {
		return nil, err
	}
	defer end()
	report, err := s.Preflight(ctx, needs(j.checked, j.job))
	if err != nil {
		return nil, fail(exitServer, "%v", err)
	}
	return report, nil
}

// pin adds the models to the lock file, and moves those that changed if told to.
func pin(before *lockFile, names []string, report *ollama.Report, update bool) (*lockFile, []moved) {
	lock := &lockFile{Version: lockVersion, Models: map[string]lockedModel{}}
	if before != nil {
		for name, m := range before.Models {
			lock.Models[name] = m
		}
	}
	var changes []moved
	for _, name := range names {
		info := report.Models[name]
		now := lockedModel{Digest: digestOn(report.Simulated, info.Digest), Size: info.Size}
		was, pinned := lock.Models[name]
		if pinned && was.Digest != now.Digest {
			changes = append(changes, moved{name, was, now})
			if !update {
				continue
			}
		}
		lock.Models[name] = now
	}
	return lock, changes
}

// tellPins says which models are pinned, and which have moved.
func (a *app) tellPins(ctx context.Context, j *checkedJob, where stored, before, lock *lockFile, changes []moved, update bool) error {
	for _, name := range j.checked.Models {
		if _, known := before.find(name); !known {
			fmt.Fprintf(a.out, "%s: %s\n", say.Clean(name), short(lock.Models[name].Digest))
		}
	}
	for _, m := range changes {
		line := fmt.Sprintf("%s: moved from %s to %s", say.Clean(m.name), short(m.from.Digest), short(m.to.Digest))
		n, err := answersOf(ctx, where, m.name, m.from.Digest)
		if err != nil {
			return err
		}
		if n > 0 {
			line += fmt.Sprintf("; %s of it will be asked again", say.Plural(n, "stored answer"))
		}
		fmt.Fprintln(a.out, line)
	}
	switch {
	case len(changes) > 0 && !update:
		return fail(exitMistake, "%s stays as it was for %s; to pin what is there now: runner lock %s --update", lockName, say.Plural(len(changes), "model"), j.file)
	case before.same(lock):
		a.info("%s has the job's models already", lockName)
	default:
		a.info("wrote %s; commit it", lockName)
	}
	return nil
}

func (l *lockFile) find(name string) (lockedModel, bool) {
	if l == nil {
		return lockedModel{}, false
	}
	m, ok := l.Models[name]
	return m, ok
}

// same says whether two lock files pin the same.
func (l *lockFile) same(o *lockFile) bool {
	if l == nil || len(l.Models) != len(o.Models) {
		return false
	}
	for name, m := range o.Models {
		if l.Models[name] != m {
			return false
		}
	}
	return true
}

// answersOf counts the tasks whose stored answer came from a model.
func answersOf(ctx context.Context, where stored, model, digest string) (int64, error) {
	if !where.exists() {
		return 0, nil
	}
	s, err := store.Open(where.path, store.Options{ReadOnly: true})
	if err != nil {
		return 0, storeExit(err)
	}
	n, err := s.AnswersOf(ctx, model, strings.TrimPrefix(digest, simulatedPrefix))
	if err = errors.Join(err, s.Close()); err != nil {
		return 0, storeExit(err)
	}
	return n, nil
}

// writeLockFile replaces the root's lock file, whole or not at all, where it changes.
func (f *folder) writeLockFile(lock *lockFile) error {
	text, err := lock.text()
	if err != nil {
		return fail(exitDisk, "%v", err)
	}
	if old, err := fs.ReadFile(f.FS(), lockName); err == nil && bytes.Equal(old, text) {
		return nil
	}
	beside := lockName + ".new"
	if err := f.writeWhole(beside, text); err != nil {
		return fail(exitDisk, "%s can't be written: %s", lockName, reason(errors.Join(err, f.Remove(beside))))
	}
	if err := f.Rename(beside, lockName); err != nil {
		return fail(exitDisk, "%s can't be replaced: %s", lockName, reason(err))
	}
	return nil
}

func (f *folder) writeWhole(name string, text []byte) error {
	file, err := f.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
