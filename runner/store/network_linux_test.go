package store

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Lines of /proc/self/mountinfo, with and without optional fields.
const mountinfo = `25 30 0:23 / /sys rw,nosuid shared:7 - sysfs sysfs rw
30 1 253:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
91 30 0:49 / /mnt/with\040space rw,nosuid - fuse.sshfs user@gpu1:/home rw,user_id=1000
92 30 0:50 / /mnt/odd rw shared:8 master:3 - fuse
`

func TestMountOf(t *testing.T) {
	tests := []struct {
		major, minor   uint32
		fstype, source string
	}{
		{0, 49, "fuse.sshfs", "user@gpu1:/home"},
		{253, 1, "ext4", "/dev/vda1"},
		{0, 50, "", ""}, // cut short
		{0, 4, "", ""},
	}
	for _, tt := range tests {
		if fstype, source := mountOf(strings.NewReader(mountinfo), tt.major, tt.minor); fstype != tt.fstype || source != tt.source {
			t.Errorf("%d:%d is %q of %q, want %q of %q", tt.major, tt.minor, fstype, source, tt.fstype, tt.source)
		}
	}
}

// The kernel's own file systems are nobody's network, and a folder that is not there is
// on none.
func TestOnNetwork(t *testing.T) {
	for _, dir := range []string{"/proc", "/sys", filepath.Join(t.TempDir(), "none")} {
		if kind, yes := OnNetwork(dir); yes {
			t.Errorf("%s is on %s", dir, kind)
		}
	}
}

// The system's list has the device of a folder as it is looked for.
func TestMountOfARealFolder(t *testing.T) {
	var stat unix.Stat_t
	if err := unix.Stat("/proc", &stat); err != nil {
		t.Fatal(err)
	}
	if fstype, _ := mountedOn(stat.Dev); fstype != "proc" {
		t.Errorf("/proc is a %q", fstype)
	}
}
