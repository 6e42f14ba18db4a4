package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A Holder is the process that has a lock.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// holderWait, holderTries times, is how long one who takes a lock may need to say so.
const (
	holderWait  = 10 * time.Millisecond
	holderTries = 20
)

// String is for people: process 4711 on gpu1 since 14:03.
func (h Holder) String() string {
	text := fmt.Sprintf("process %d", h.PID)
	if h.Host != "" {
		text += " on " + h.Host
	}
	if h.Since.IsZero() {
		return text
	}
	form := "2006-01-02 15:04"
	if time.Since(h.Since) < 12*time.Hour {
		form = "15:04"
	}
	return text + " since " + h.Since.Local().Format(form)
}

// holderSuffix names the file beside a lock that says who holds it: a locked file
// can't be read everywhere. A process that was killed leaves it, so it is read only
// where the lock is held, and believed only of a process that is there.
const holderSuffix = ".holder"

// write writes the file whole: who reads it meanwhile sees another one, or none.
func (h Holder) write(path string) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	// Only the lock's holder writes beside it, so one name is enough.
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o666); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func removeHolder(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// waitForHolder reads who holds the lock at path. One who has only just taken it gets
// a moment to say so.
func waitForHolder(path string, who Holder) Holder {
	for range holderTries {
		if h := readHolder(path, who); h.PID != 0 {
			return h
		}
		time.Sleep(holderWait)
	}
	return Holder{}
}

// readHolder reads who holds the lock at path, the zero Holder where that can't be told.
func readHolder(path string, who Holder) Holder {
	text, err := os.ReadFile(path + holderSuffix)
	if err != nil {
		return Holder{}
	}
	var h Holder
	if json.Unmarshal(text, &h) != nil || h.PID <= 0 || h.Host == who.Host && !Alive(h.PID) {
		return Holder{}
	}
	return h
}

// anyHolder finds one of those who hold locks of a folder.
func anyHolder(dir string, who Holder) Holder {
	files, err := os.ReadDir(dir)
	if err != nil {
		return Holder{}
	}
	for _, file := range files {
		lock, ok := strings.CutSuffix(file.Name(), holderSuffix)
		if !ok || lock == gateName {
			continue
		}
		if h := readHolder(filepath.Join(dir, lock), who); h.PID != 0 {
			return h
		}
	}
	return Holder{}
}

// Alive says whether a process of this machine is there; in doubt it is.
func Alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer func() { _ = p.Release() }() // there is nothing to lose
	if runtime.GOOS == "windows" {
		return true // a process that is not there is not found
	}
	err = p.Signal(syscall.Signal(0))
	return !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH)
}
