package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/gofrs/flock"
)

// A Lock is what this process alone works on: a job, or all that is in a folder of
// locks. The kernel frees it when the process ends, however that is.
type Lock struct {
	gate *flock.Flock
	job  *flock.Flock // nil of TakeAll
	said string       // the file that says who holds it
}

// Held is the error of what another process works on. Where nobody can tell which one,
// its PID is 0.
type Held struct {
	Holder
	what string
}

// What a lock can be refused for.
const (
	heldJob = "another run of this job is under way"
	heldAny = "a run is under way"
	heldAll = "another process works on the whole store"
)

func (h *Held) Error() string {
	what := cmp.Or(h.what, heldJob)
	if h.PID == 0 {
		return what + "; wait for it, or stop it"
	}
	return fmt.Sprintf("%s: %s; wait for it, or stop it", what, h.Holder)
}

// gateName is the file in a folder of locks that each job's lock shares, and that
// TakeAll has for itself. Locks of jobs have names with an extension.
const gateName = "gate"

// TakeLock takes the lock at path, which is made if it is not there; its folder must be.
// Where another process has it, or has all of its folder, the error is a *Held, at once.
func TakeLock(path string, who Holder) (*Lock, error) {
	gate := newFlock(filepath.Join(filepath.Dir(path), gateName))
	if err := take(gate, gate.TryRLock, gate.Path(), heldAll, who); err != nil {
		return nil, err
	}
	job := newFlock(path)
	l := &Lock{gate: gate, job: job, said: path + holderSuffix}
	if err := take(job, job.TryLock, path, heldJob, who); err != nil {
		return nil, errors.Join(err, gate.Unlock())
	}
	return l.say(who)
}

// TakeAll takes all locks of a folder, also those that nobody took yet, so that no run
// is under way until it is unlocked. Where one is, the error is a *Held, at once.
func TakeAll(dir string, who Holder) (*Lock, error) {
	gate := newFlock(filepath.Join(dir, gateName))
	err := take(gate, gate.TryLock, gate.Path(), heldAny, who)
	if held, ok := errors.AsType[*Held](err); ok && held.PID == 0 {
		held.Holder = anyHolder(dir, who)
	}
	if err != nil {
		return nil, err
	}
	return (&Lock{gate: gate, said: gate.Path() + holderSuffix}).say(who)
}

// newFlock is a lock file that others may take as well, as far as the umask says.
func newFlock(path string) *flock.Flock { return flock.New(path, flock.SetPermissions(0o666)) }

// take tries to take a lock; where another process has it, it finds out who.
func take(file *flock.Flock, try func() (bool, error), path, what string, who Holder) error {
	taken, err := try()
	switch {
	case err != nil:
		return fmt.Errorf("the lock %s can't be taken: %w", path, cause(err))
	case !taken && what == heldAny:
		// Mostly runs share the gate, and the file beside it is somebody's from before.
		return &Held{Holder: readHolder(path, who), what: what}
	case !taken:
		return &Held{Holder: waitForHolder(path, who), what: what}
	}
	return nil
}

// say writes who holds a lock that is taken.
func (l *Lock) say(who Holder) (*Lock, error) {
	if err := who.write(l.said); err != nil {
		return nil, errors.Join(fmt.Errorf("the lock's file %s can't be written: %w", l.said, cause(err)), l.Unlock())
	}
	return l, nil
}

// Unlock gives the lock back.
func (l *Lock) Unlock() error {
	err := removeHolder(l.said)
	if l.job != nil {
		err = errors.Join(err, l.job.Unlock())
	}
	return errors.Join(err, l.gate.Unlock())
}

// cause is what the system says, without the call and the path.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
