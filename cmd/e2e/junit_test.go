//go:build e2e && unix

package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batchrunner/runner/runner/report"
)

// A JUnit report is valid to the schema that CI services hold it against, whatever
// models and servers put into it.
func TestJUnitIsValid(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Fatal("no xmllint to validate JUnit reports; install libxml2-utils (Debian) or libxml2 (Homebrew)")
	}
	schema := filepath.Join("..", "..", "runner", "report", "testdata", "jenkins-junit.xsd")
	for name, tasks := range map[string][]*report.Task{"empty": nil, "hostile": junitTasks()} {
		file := filepath.Join(t.TempDir(), name+".xml")
		writeJUnit(t, file, tasks)
		out, err := exec.CommandContext(t.Context(), xmllint, "--noout", "--nonet", "--schema", schema, file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func writeJUnit(t *testing.T, file string, tasks []*report.Task) {
	t.Helper()
	r := &report.Report{
		Run:    report.Run{Job: "compare", Host: "gpu1", Began: time.Unix(0, 0)},
		Missed: []report.Missed{{Name: "p95_latency", Message: "p95_latency is 2.1s, 5% over 2s"}},
	}
	each := func(yield func(*report.Task, error) bool) {
		for _, task := range tasks {
			if !yield(task, nil) {
				return
			}
		}
	}
	var b bytes.Buffer
	if err := report.WriteJUnit(&b, r, each); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// junitTasks are tasks that answered and failed, with every character that XML may not
// have and every end of its own constructs.
func junitTasks() (tasks []*report.Task) {
	texts := []string{"]]>", "<![CDATA[", "</failure></testcase>", "&#0; &amp;", "\xff\xfe", "\ufffe\uffff", "\"'", "\x1b[31m", "\u202e"}
	var controls strings.Builder
	for c := range 32 {
		fmt.Fprintf(&controls, "%c", c)
	}
	for i, text := range append(texts, controls.String()) {
		tasks = append(tasks,
			&report.Task{Row: int64(i), RowID: text, Step: text, Model: text, Asked: true, Response: text, Total: time.Duration(i) * time.Microsecond},
			&report.Task{Row: int64(i), RowID: text, Step: text, Model: text, Asked: true, Class: "schema", Message: text, Response: text},
		)
	}
	return tasks
}
