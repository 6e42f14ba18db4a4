package main

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/store"
)

// digests say which model a name stands for. They are safe for concurrent use.
type digests struct {
	from string // where they come from, for messages
	// ask asks for one that was not known before the run: a row's own model. Nil:
	// nobody can be asked.
	ask func(name string) (string, error)

	mu     sync.Mutex
	byName map[string]string
}

// of gives a model's digest.
func (d *digests) of(name string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if digest := d.byName[name]; digest != "" {
		return digest, nil
	}
	if d.ask == nil {
		return "", &runner.Error{Class: runner.ModelMissing, Message: fmt.Sprintf("nothing tells the digest of model %q; with the server at hand, run: runner lock FILE", name)}
	}
	digest, err := d.ask(name)
	if err != nil {
		return "", err
	}
	d.byName[name] = digest
	return digest, nil
}

// identify gives what a request's key needs beside it.
func (d *digests) identify(req *pipeline.Request) (pipeline.Identity, error) {
	digest, err := d.of(req.Model)
	digest, simulated := strings.CutPrefix(digest, simulatedPrefix)
	return pipeline.Identity{Digest: digest, Simulated: simulated}, err
}

// simulatedPrefix begins the digests of a simulated server's models: its answers are
// nobody else's.
const simulatedPrefix = "simulated:"

// short is a digest as people compare it.
func short(digest string) string {
	return fmt.Sprintf("%.12s", strings.TrimPrefix(digest, simulatedPrefix))
}

// digestOn is a model's digest as it is remembered of a server.
func digestOn(simulated bool, digest string) string {
	if simulated && digest != "" {
		return simulatedPrefix + digest
	}
	return digest
}

// all gives the digests that are known.
func (d *digests) all() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.byName)
}

// lacking lists the names of which no digest is known.
func (d *digests) lacking(names []string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var missing []string
	for _, name := range names {
		if d.byName[name] == "" {
			missing = append(missing, name)
		}
	}
	return missing
}

// onServer are the digests of the models that a server has.
func (s *server) digests(ctx context.Context) *digests {
	d := &digests{from: s.name, byName: map[string]string{}}
	for name, info := range s.report.Models {
		d.byName[name] = digestOn(s.report.Simulated, info.Digest)
	}
	d.ask = func(name string) (string, error) {
		digest, err := s.Digest(ctx, name)
		return digestOn(s.report.Simulated, digest), err
	}
	return d
}

// rememberedDigests are those of the root's lock file, and for other names the store's
// last sight.
func rememberedDigests(ctx context.Context, f *folder, s *store.Store) (*digests, error) {
	seen, err := s.Models(ctx)
	if err != nil {
		return nil, storeExit(err)
	}
	d := &digests{from: "the last run", byName: map[string]string{}}
	for name, m := range seen {
		d.byName[name] = m.Digest
	}
	lock, err := f.readLockFile()
	if err != nil || lock == nil {
		return d, err
	}
	d.from = lockName + ", else the last run"
	for name, m := range lock.Models {
		d.byName[name] = m.Digest
	}
	return d, nil
}

// holdToLock refuses models that are not those of the lock file, now and when a later
// row names another one.
func (r *applying) holdToLock() error {
	lock, err := r.job.folder.readLockFile()
	if err != nil {
		return err
	}
	if lock == nil {
		return fail(exitMistake, "--locked: there is no %s; write it with: runner lock %s", lockName, r.job.file)
	}
	var problems []string
	for _, name := range r.job.checked.Models {
		digest, err := r.digests.of(name)
		if err == nil {
			err = lock.allows(name, digest, r.job.file)
		}
		if err != nil {
			problems = append(problems, err.Error())
		}
	}
	if len(problems) > 0 {
		return fail(exitMistake, "%s", strings.Join(problems, "\n"))
	}
	ask := r.digests.ask
	if ask == nil {
		return nil
	}
	r.digests.ask = func(name string) (string, error) {
		digest, err := ask(name)
		if err == nil {
			err = lock.allows(name, digest, r.job.file)
		}
		return digest, err
	}
	return nil
}

// allows says why a model is not the one that the lock file pins.
func (l *lockFile) allows(name, digest, file string) error {
	pinned, ok := l.Models[name]
	switch {
	case !ok:
		return fail(exitMistake, "%s does not have model %q; add it with: runner lock %s", lockName, name, file)
	case pinned.Digest != digest:
		return fail(exitMistake, "model %q is %s on the server, but %s pins %s; fetch that one, or accept the new one with: runner lock %s --update", name, short(digest), lockName, short(pinned.Digest), file)
	}
	return nil
}

// quoted lists names in quotes.
func quoted(names []string) string {
	return `"` + strings.Join(names, `", "`) + `"`
}
