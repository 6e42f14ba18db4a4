package output_test

import (
	"syscall"
	"testing"
)

// smallDisk mounts a disk of 256 KiB at dir until the test ends, if it may.
func smallDisk(t *testing.T, dir string) bool {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		return false
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return true
}

func setLimit(which int, to uint64) error {
	return syscall.Setrlimit(which, &syscall.Rlimit{Cur: to, Max: to})
}
