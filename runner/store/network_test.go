package store

import (
	"testing"
)

func TestNetworkKind(t *testing.T) {
	tests := []struct {
		fstype, source, kind string
		yes                  bool
	}{
		{"nfs", "server:/export", "nfs", true},
		{"smbfs", "//user@server/share", "smbfs", true},
		{"fuse.sshfs", "user@gpu1:/home", "sshfs", true},
		{"fuse.s3fs", "bucket", "s3fs", true},
		{"macfuse", "user@gpu1:/home", "sshfs", true},
		{"macfuse", "/dev/disk2s1", "macfuse", false},
		{"fuse.ntfs-3g", "/dev/sdb1", "ntfs-3g", false},
		{"fuseblk", "/dev/sdb1", "fuseblk", false},
		{"apfs", "/dev/disk1s1", "apfs", false},
		{"", "", "", false},
	}
	for _, tt := range tests {
		if kind, yes := networkKind(tt.fstype, tt.source); kind != tt.kind || yes != tt.yes {
			t.Errorf("networkKind(%q, %q) = %q, %v, want %q, %v", tt.fstype, tt.source, kind, yes, tt.kind, tt.yes)
		}
	}
}

func TestNetworkError(t *testing.T) {
	want := "the store /mnt/share/runner.db can't be on a network file system (nfs): SQLite's locks don't hold there; put it on a local disk with --store"
	if got := NetworkError("/mnt/share/runner.db", "nfs").Error(); got != want {
		t.Errorf("the error is %q, want %q", got, want)
	}
}
