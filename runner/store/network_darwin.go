package store

import "golang.org/x/sys/unix"

// OnNetwork says whether a folder is on a network file system, and of which kind.
func OnNetwork(dir string) (kind string, yes bool) {
	var about unix.Statfs_t
	if err := unix.Statfs(dir, &about); err != nil {
		return "", false
	}
	return networkKind(unix.ByteSliceToString(about.Fstypename[:]), unix.ByteSliceToString(about.Mntfromname[:]))
}
