package output

import "os"

// Ignore writes a .gitignore into the root's folder .runner, which must be there,
// unless something has that name: what is kept there is for this machine alone, but
// for the schema that editors read.
func Ignore(root *os.Root) error { return (&Set{root: root}).ignore() }

// FolderName makes a job's name the name of a file or folder: different jobs have
// different ones.
func FolderName(job string) string { return folderName(job) }
