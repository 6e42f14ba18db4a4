package main

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/runner/store"
	"github.com/batchrunner/runner/specs"
	"github.com/spf13/pflag"
)

// storeFlags say where results are kept.
type storeFlags struct {
	store string
	none  bool
}

func (f *storeFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.store, "store", "", "the `file` that keeps results (default: .runner/runner.db in the root)")
}

// storeFile is the name of the file that keeps a root's results.
const storeFile = "runner.db"

// stored is where a job's results are kept.
type stored struct {
	path string // of the store's file
	base string // inside the root: of a simulated run's own folder, else empty
	job  string // what the job is called there
}

// storeOf says where the results of a job are.
func (f *storeFlags) of(j *loadedJob, simulated bool) stored {
	s := stored{job: jobName(j.job)}
	inside := stateFolder
	if simulated {
		s.base = output.Simulated
		inside = output.Simulated
	}
	s.path = f.store
	if s.path == "" || simulated {
		s.path = filepath.Join(j.folder.path, filepath.FromSlash(inside), storeFile)
	}
	return s
}

// jobName tells the jobs of a root apart: two folders may have one of the same name.
func jobName(job *specs.Job) string {
	if job.Dir == "." || job.Dir == "" {
		return job.Name
	}
	return path.Join(job.Dir, job.Name)
}

// exists says whether anything was kept there yet.
func (s stored) exists() bool {
	_, err := os.Stat(s.path)
	return err == nil
}

// A keeping is a job's results while this process alone works on the job.
type keeping struct {
	*store.Store
	stored
	lock *store.Lock
	run  *store.Run // nil before begin
}

// keep takes the job's lock and opens its store, which is made if there is none. A job
// that another process works on ends with the exit that says so.
func (a *app) keep(j *loadedJob, where stored) (*keeping, error) {
	if err := j.makeState(where); err != nil {
		return nil, err
	}
	dir := filepath.Dir(where.path)
	if kind, yes := store.OnNetwork(dir); yes {
		return nil, storeExit(store.NetworkError(where.path, kind))
	}
	lock, err := lockJob(dir, where.job)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(where.path, store.Options{Create: true})
	if err != nil {
		return nil, errors.Join(storeExit(err), lock.Unlock())
	}
	return &keeping{Store: s, stored: where, lock: lock}, nil
}

// makeState makes the folder of the store. That of the root itself must be a folder in
// it, and not a link to somewhere else.
func (j *loadedJob) makeState(where stored) error {
	inside := path.Join(stateFolder)
	if where.base != "" {
		inside = where.base
	}
	if err := j.folder.MkdirAll(inside, 0o777); err != nil {
		return fail(exitDisk, "the folder %s for results can't be made: %s; --store keeps them elsewhere, --no-store nowhere", inside, reason(err))
	}
	for at := inside; at != "."; at = path.Dir(at) {
		info, err := j.folder.Lstat(at)
		if err != nil {
			return fail(exitDisk, "%s can't be looked at: %s", at, reason(err))
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return fail(exitMistake, "%s is a link; results are kept inside the root only: make it a folder", at)
		}
	}
	if err := output.Ignore(j.folder.Root); err != nil {
		return diskExit(err)
	}
	return nil
}

// lockJob takes the lock of a job: beside the store, so that all who share the store
// share it.
func lockJob(dir, job string) (*store.Lock, error) {
	locks, err := locksOf(dir)
	if err != nil {
		return nil, err
	}
	lock, err := store.TakeLock(filepath.Join(locks, output.FolderName(job)+".lock"), thisProcess())
	return lock, lockExit(err)
}

// lockOutputs takes the job's lock in its root where keep does not, since the results are
// kept elsewhere or not at all: two runs of a job would write to the same partial files.
func lockOutputs(j *loadedJob, flags *applyFlags) (unlock func() error, err error) {
	where := (&storeFlags{}).of(j, flags.simulate)
	nothing := func() error { return nil }
	if len(j.job.Outputs) == 0 || !flags.none && sameFolder(filepath.Dir(flags.storeFlags.of(j, flags.simulate).path), filepath.Dir(where.path)) {
		return nothing, nil
	}
	if err := j.makeState(where); err != nil {
		return nothing, err
	}
	lock, err := lockJob(filepath.Dir(where.path), where.job)
	if err != nil {
		return nothing, err
	}
	return lock.Unlock, nil
}

// sameFolder says whether two names are of one folder; one that is not there is none.
func sameFolder(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// locksOf is the folder with the locks of a store in dir, which is made.
func locksOf(dir string) (string, error) {
	locks := filepath.Join(dir, "locks")
	if err := os.MkdirAll(locks, 0o777); err != nil {
		return "", fail(exitDisk, "the folder %s can't be made: %s", locks, reason(err))
	}
	return locks, nil
}

// thisProcess is who takes a lock.
func thisProcess() store.Holder {
	host, _ := os.Hostname() // for people: without one they have the process
	return store.Holder{PID: os.Getpid(), Host: host, Since: time.Now()}
}

// lockExit makes the exit of a lock that can't be had.
func lockExit(err error) error {
	var held *store.Held
	switch {
	case err == nil:
		return nil
	case errors.As(err, &held):
		return fail(exitHeld, "%v", held)
	}
	return fail(exitDisk, "%v", err)
}

// close ends the use of the store and frees the lock.
func (k *keeping) close() error {
	return errors.Join(k.Close(), k.lock.Unlock())
}

// storeExit makes the exit of a store that is in trouble.
func storeExit(err error) error { return fail(exitDisk, "%v", err) }
