package output_test

import (
	"syscall"
	"testing"
)

func smallDisk(*testing.T, string) bool { return false }

func setLimit(which int, to uint64) error {
	return syscall.Setrlimit(which, &syscall.Rlimit{Cur: to, Max: to})
}
