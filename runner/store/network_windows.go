package store

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// OnNetwork says whether a folder is on a network drive or share.
func OnNetwork(dir string) (kind string, yes bool) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", false
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real // a link may lead to a share
	}
	root, err := windows.UTF16PtrFromString(filepath.VolumeName(abs) + `\`)
	if err != nil {
		return "", false
	}
	return "a network drive", windows.GetDriveType(root) == windows.DRIVE_REMOTE
}
