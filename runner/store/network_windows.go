package store

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// OnNetwork says whether a folder is on a network file system, and of which kind.
func OnNetwork(dir string) (kind string, yes bool) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", false
	}
	root, err := windows.UTF16PtrFromString(filepath.VolumeName(abs) + `\`)
	if err != nil {
		return "", false
	}
	return "a network drive", windows.GetDriveType(root) == windows.DRIVE_REMOTE
}
