package store

import (
	"slices"
	"strings"
)

// NetworkError is the error of a store that would be on a network file system of a kind.
func NetworkError(path, kind string) error {
	return &Error{Path: path, Message: "can't be on a network file system (" + kind + "): SQLite's locks don't hold there; put it on a local disk with --store"}
}

// networkTypes are the names of network file systems as systems list them.
var networkTypes = []string{
	"9p", "acfs", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "ftp", "fuse.glusterfs", "gfs2", "gpfs", "lustre", "ncpfs", "nfs", "nfs3", "nfs4",
	"ocfs2", "orangefs", "panfs", "prl_fs", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "vmhgfs", "webdav",
}

// networkPrograms are programs that show another machine's files by FUSE.
var networkPrograms = []string{
	"ceph", "ceph-fuse", "cifs", "curlftpfs", "davfs", "gcsfuse", "glusterfs", "goofys", "juicefs", "mfs", "moosefs", "rclone", "s3fs", "smbnetfs", "sshfs",
	"vmhgfs-fuse", "weed",
}

// networkKind says whether a file system is a network's, by the name of its type
// (nfs4, fuse.sshfs) and by what is mounted (gpu1:/home).
func networkKind(fstype, source string) (kind string, yes bool) {
	if slices.Contains(networkTypes, fstype) {
		return fstype, true
	}
	if program, ok := strings.CutPrefix(fstype, "fuse."); ok {
		return program, slices.Contains(networkPrograms, program)
	}
	// macFUSE has one name for all; sshfs mounts user@host:path.
	if host, _, ok := strings.Cut(source, ":"); ok && strings.Contains(fstype, "fuse") && strings.Contains(host, "@") && !strings.Contains(host, "/") {
		return "sshfs", true
	}
	return fstype, false
}
