package store

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/runner"
)

// problems are what Verify finds.
func problems(t *testing.T, s *Store) (found []string) {
	t.Helper()
	if err := s.Verify(t.Context(), func(problem string) { found = append(found, problem) }); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestVerify(t *testing.T) {
	tests := []struct {
		name, damage string
		want         []string
	}{
		{"nothing", "", nil},
		{"a changed question", "UPDATE results SET question = replace(question, 'user', 'User') WHERE id = 2", []string{"result 2: its key is not that of its question"}},
		{"a short key", "UPDATE results SET key = x'00', question = NULL WHERE id = 3", []string{
			"result 3: its key is not that of its question", "job j, row r2, step a: its result has another key"}},
		{"an answer that is gone", "UPDATE results SET response = NULL WHERE id = 1", []string{"result 1: it is ok and has no answer"}},
		{"a failure without a class", "UPDATE results SET class = NULL WHERE id = 4", []string{"result 4: it has failed and has no class"}},
		{"a result that is gone", "DELETE FROM results WHERE id = 2", []string{"job j, row r1, step a: its result is missing"}},
		{"somebody else's result", "UPDATE tasks SET result = 3 WHERE row = 1", []string{"job j, row r1, step a: its result has another key"}},
		{"a task that is two things", "INSERT INTO tasks SELECT job, row, step, 7, NULL, row_id, key, result, class, message, model FROM tasks WHERE row = 0",
			[]string{"job j, row r0, step a: it is there twice"}},
		{"a question that is not known", "UPDATE results SET question = NULL", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := opened(t)
			ran(t, s, "j", answered(0, "a", "x"), answered(1, "a", "x"), answered(2, "a", "x"), failed(3, "a", runner.Timeout))
			execute(t, s, tt.damage)
			if diff := cmp.Diff(tt.want, problems(t, s)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A file whose middle was overwritten has problems, which are told to the end.
func TestVerifyOfADamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner.db")
	s := open(t, path)
	var outcomes []*runner.Outcome
	for row := range int64(300) {
		outcomes = append(outcomes, answered(row, "a", strings.Repeat("text ", 30)))
	}
	ran(t, s, "j", outcomes...)
	closed(t, s)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pages := len(text) / 4096
	for page := pages / 2; page < pages/2+pages/4; page++ {
		copy(text[page*4096:], bytes.Repeat([]byte{0xa5}, 4096))
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err = Open(path, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	found := strings.Join(problems(t, s), "\n")
	for _, want := range []string{"btreeInitPage() returns error", "the results can't be read to the end"} {
		if !strings.Contains(found, want) {
			t.Errorf("the problems are\n%s\nand none says %q", found, want)
		}
	}
}

// What a run that is under way writes is no problem.
func TestVerifyBesideARun(t *testing.T) {
	s := opened(t)
	r := s.Begin(RunInfo{Job: "j"})
	for row := range int64(50) {
		keep(t, r, answered(row, "a", "x"))
		if row%10 == 0 {
			whole(t, s)
		}
	}
}
