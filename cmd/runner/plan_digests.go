package main

import (
	"context"

	"github.com/batchrunner/runner/runner/store"
)

// findDigests asks the server for its list of models, else takes what is remembered. The
// caller calls end when no more digests are needed: later rows may name other models.
func (p *changePlan) findDigests(ctx context.Context, models []string, stored bool) (end func(), err error) {
	if p.flags.simulate {
		return p.simulatedDigests(ctx, models)
	}
	s, end, err := p.begin(ctx, &p.flags.hostFlags, false)
	if err != nil {
		return nil, err
	}
	if p.digests, err = p.digestsOf(ctx, s, models, stored); err != nil {
		end()
		return nil, err
	}
	return end, nil
}

func (p *changePlan) digestsOf(ctx context.Context, s *server, models []string, stored bool) (d *digests, err error) {
	found, asking := s.Digests(ctx, models)
	for name, digest := range found {
		found[name] = digestOn(s.Simulated(), digest)
	}
	d = &digests{from: s.name, byName: found, ask: asks(ctx, s)}
	if asking != nil {
		if d, err = p.remembered(ctx); err != nil {
			return nil, err
		}
	}
	missing := d.lacking(models)
	switch {
	case len(missing) == 0:
	case !stored: // nothing is known, whatever the digests are
		for _, name := range missing {
			d.byName[name] = "unknown"
		}
		d.from = "nobody: every task is new"
		d.ask = func(string) (string, error) { return "unknown", nil }
	case asking != nil:
		return nil, fail(exitMistake, "nothing tells the digest of %s (%v); with the server at hand, run once: runner lock %s", quoted(missing), asking, p.job.file)
	default:
		if _, err := s.Preflight(ctx, needs(p.flags.checked, p.job.job)); err != nil {
			return nil, fail(exitServer, "%v", err)
		}
		return nil, fail(exitServer, "%s did not list %s, but has it now; plan again", s.name, quoted(missing))
	}
	return d, nil
}

// asks asks a server for the digest of one model, which a later row names.
func asks(ctx context.Context, s *server) func(name string) (string, error) {
	return func(name string) (string, error) {
		digest, err := s.Digest(ctx, name)
		return digestOn(s.Simulated(), digest), err
	}
}

func (p *changePlan) remembered(ctx context.Context) (*digests, error) {
	where := p.flags.storeFlags.of(p.job, false)
	if !where.exists() {
		lock, err := p.job.folder.readLockFile()
		d := &digests{from: lockName, byName: map[string]string{}}
		if lock != nil {
			for name, m := range lock.Models {
				d.byName[name] = m.Digest
			}
		}
		return d, err
	}
	s, err := store.Open(where.path, store.Options{ReadOnly: true})
	if err != nil {
		return nil, storeExit(err)
	}
	defer s.Close() // only read from
	return rememberedDigests(ctx, p.job.folder, s)
}

func (p *changePlan) simulatedDigests(ctx context.Context, models []string) (end func(), err error) {
	checked := &checkedJob{loadedJob: p.job, checked: p.flags.checked}
	s, end, err := p.simulated(ctx, checked, &applyFlags{hostFlags: p.flags.hostFlags})
	if err != nil {
		return nil, err
	}
	found, err := s.Digests(ctx, models)
	if err != nil {
		end()
		return nil, fail(exitServer, "%v", err)
	}
	for name, digest := range found {
		found[name] = digestOn(true, digest)
	}
	p.digests = &digests{from: "the simulated server", byName: found, ask: asks(ctx, s)}
	return end, nil
}
