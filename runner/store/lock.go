package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// A Lock is a job that this process alone works on. The kernel frees it when the process
// ends, however that is.
type Lock struct{ file *flock.Flock }

// A Holder is who works on a job.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// Held is the error of a job that another process works on.
type Held struct{ Holder }

func (h *Held) Error() string {
	if h.PID == 0 {
		return "another run of this job is under way; wait for it, or stop it"
	}
	host := ""
	if h.Host != "" {
		host = " on " + h.Host
	}
	return fmt.Sprintf("another run of this job is under way: process %d%s, since %s; wait for it, or stop it", h.PID, host, h.Since.Local().Format(time.DateTime))
}

// holderSuffix names the file beside the lock that says who holds it: a locked file
// can't be read everywhere. It may be left by a process that died, so it is read only
// where the lock is held.
const holderSuffix = ".holder"

// TakeLock takes the lock at path, which is made if it is not there. Where another
// process has it, the error is a *Held.
func TakeLock(path string, who Holder) (*Lock, error) {
	file := flock.New(path)
	taken, err := file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("the lock %s can't be taken: %w", path, err)
	}
	if !taken {
		held := holderOf(path)
		if err := file.Close(); err != nil {
			return nil, errors.Join(held, err)
		}
		return nil, held
	}
	text, err := json.Marshal(who)
	if err == nil {
		err = replace(path+holderSuffix, text)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the lock %s can't be written: %w", path, err), file.Unlock())
	}
	return &Lock{file}, nil
}

// replace writes a small file whole: who reads it meanwhile sees the old one.
func replace(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o666); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// holderOf says who holds a lock, as far as that can be told.
func holderOf(path string) *Held {
	held := &Held{}
	text, err := os.ReadFile(path + holderSuffix)
	if err == nil && json.Unmarshal(text, &held.Holder) != nil {
		held.Holder = Holder{}
	}
	return held
}

// Unlock gives the lock back.
func (l *Lock) Unlock() error { return l.file.Unlock() }

// NetworkError is the error of a store that would be on a network file system of a kind.
func NetworkError(path, kind string) error {
	return &Error{Path: path, Message: "can't be on a network file system (" + kind + "): SQLite's locks don't hold there; put it on a local disk with --store"}
}
