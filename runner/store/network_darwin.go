package store

import (
	"slices"

	"golang.org/x/sys/unix"
)

// OnNetwork says whether a folder is on a network file system, and of which kind.
func OnNetwork(dir string) (kind string, yes bool) {
	var about unix.Statfs_t
	if err := unix.Statfs(dir, &about); err != nil {
		return "", false
	}
	kind = unix.ByteSliceToString(about.Fstypename[:])
	return kind, slices.Contains([]string{"nfs", "smbfs", "cifs", "afpfs", "webdav", "ftp"}, kind)
}
