package store

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// networked are the magic numbers of file systems on which SQLite's locks can't be
// relied on (statfs(2), linux/magic.h, and the file systems' own headers).
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
	0x19830326: "beegfs",
	0x20030528: "orangefs",
	0xaad7aaea: "panfs",
	0x7461636f: "ocfs2",
	0x01161970: "gfs2",
	0x786f4256: "vboxsf",
	0xbacbacbc: "vmhgfs",
}

// fuseMagic is the number of every file system by FUSE, whose files may be anywhere.
const fuseMagic = 0x65735546

// OnNetwork says whether a folder is on a network file system, and of which kind.
func OnNetwork(dir string) (kind string, yes bool) {
	var about unix.Statfs_t
	if err := unix.Statfs(dir, &about); err != nil {
		return "", false
	}
	magic := uint32(about.Type)
	if kind, yes = networked[magic]; yes || magic != fuseMagic {
		return kind, yes
	}
	var stat unix.Stat_t
	if err := unix.Stat(dir, &stat); err != nil {
		return "", false
	}
	return networkKind(mountedOn(stat.Dev))
}

// mountedOn finds the type and the source of the mounted file system of a device.
func mountedOn(device uint64) (fstype, source string) {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", ""
	}
	defer mounts.Close()
	return mountOf(mounts, unix.Major(device), unix.Minor(device))
}

// mountOf finds the type and the source of what is mounted from a device, in a list as
// proc_pid_mountinfo(5) describes it; empty where it is not there.
func mountOf(mounts io.Reader, major, minor uint32) (fstype, source string) {
	device := fmt.Sprintf("%d:%d", major, minor)
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		place, what, ok := strings.Cut(lines.Text(), " - ")
		fields, types := strings.Fields(place), strings.Fields(what)
		if ok && len(fields) > 2 && fields[2] == device && len(types) > 1 {
			return types[0], types[1]
		}
	}
	return "", ""
}
