package store

import "golang.org/x/sys/unix"

// networked are the magic numbers of file systems on which SQLite's locks can't be
// relied on (statfs(2), linux/magic.h).
var networked = map[uint32]string{
	0x6969:     "nfs",
	0x517b:     "smb",
	0xff534d42: "cifs",
	0xfe534d42: "smb2",
	0x564c:     "ncp",
	0x5346414f: "afs",
	0x6b414653: "afs",
	0x73757245: "coda",
	0x01021997: "9p",
	0x00c36400: "ceph",
	0x0bd00bd0: "lustre",
	0x47504653: "gpfs",
	0x7461636f: "ocfs2",
	0x01161970: "gfs2",
}

// OnNetwork says whether a folder is on a network file system, and of which kind.
func OnNetwork(dir string) (kind string, yes bool) {
	var about unix.Statfs_t
	if err := unix.Statfs(dir, &about); err != nil {
		return "", false
	}
	kind, yes = networked[uint32(about.Type)]
	return kind, yes
}
