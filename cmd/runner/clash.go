package main

import (
	"path/filepath"
	"strings"
)

// clash finds two jobs that write one file: the later one would replace the earlier
// one's answers without a word.
func clash(jobs []*checkedJob) error {
	writers := map[string]string{}
	for _, j := range jobs {
		mine := map[string]bool{}
		for _, out := range j.job.Outputs {
			if out.File.Constant() {
				name := filepath.Join(j.folder.path, j.job.Dir, filepath.FromSlash(out.File.Text()))
				mine[strings.ToLower(name)] = true
			}
		}
		for name := range mine {
			if other, ok := writers[name]; ok {
				return fail(exitMistake, "%s and %s write the same file, %s; run them one after the other, or name it differently", other, j.file, filepath.Base(name))
			}
			writers[name] = j.file
		}
	}
	return nil
}
