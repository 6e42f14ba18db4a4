package store

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opened is a store in a folder of its own that the test's end closes.
func opened(t *testing.T) *Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "runner.db"))
	t.Cleanup(func() { closed(t, s) })
	return s
}

func closed(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// answered is the outcome of a task that got an answer.
func answered(row int64, step, text string) *runner.Outcome {
	question := fmt.Appendf(nil, `{"v":1,"digest":"a1b2","messages":[{"role":"user","content":"%s %s %d"}]}`, text, step, row)
	return &runner.Outcome{
		Result: &runner.Result{
			Task: pipeline.Task{Step: step, Row: row}, Key: pipeline.KeyOf(question), Attempts: 1,
			Request: &pipeline.Request{Model: "gemma3:12b"},
			Answer: &pipeline.Answer{
				Response: text, Thinking: "hm", DoneReason: "stop", Model: "gemma3:12b", PromptEvalCount: 3, EvalCount: 2, Warnings: []string{"odd"},
				TotalDuration: 4, LoadDuration: 1, PromptEvalDuration: 2, EvalDuration: 1, Simulated: true,
			},
		},
		RowID: fmt.Sprintf("r%d", row), Question: question, Started: time.UnixMilli(1000),
	}
}

func failed(row int64, step string, class runner.Class) *runner.Outcome {
	o := answered(row, step, "?")
	o.Result.Answer, o.Result.Err = nil, &runner.Error{Class: class, Message: "no", Status: 503}
	return o
}

// known is the outcome of a task whose result was there.
func known(o *runner.Outcome, id int64) *runner.Outcome {
	k := *o
	k.Question, k.Stored, k.Started = nil, id, time.Time{}
	return &k
}

// keep keeps outcomes in a run and waits until they are durable.
func keep(t *testing.T, r *Run, outcomes ...*runner.Outcome) {
	t.Helper()
	var wait sync.WaitGroup
	for _, o := range outcomes {
		if o.Question == nil {
			r.Keep(o, nil)
			continue
		}
		wait.Add(1)
		r.Keep(o, func(err error) {
			if err != nil {
				t.Error(err)
			}
			wait.Done()
		})
	}
	wait.Wait()
	if err := r.store.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

func ended(t *testing.T, r *Run, rows int64) {
	t.Helper()
	if err := r.End(t.Context(), Ending{State: "done", Summary: runner.Summary{Rows: rows, OK: rows}}); err != nil {
		t.Fatal(err)
	}
}

// soughtKeys are tasks that have nothing but their keys.
func soughtKeys(keys ...pipeline.Key) []runner.Sought {
	tasks := make([]runner.Sought, len(keys))
	for i, key := range keys {
		tasks[i].Key = key
	}
	return tasks
}

func finds(t *testing.T, s *Store, keys ...pipeline.Key) []*runner.Stored {
	t.Helper()
	found, err := s.Find(t.Context(), "another job", soughtKeys(keys...))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// query gives what a query says, a line a row.
func query(t *testing.T, s *Store, text string, args ...any) string {
	t.Helper()
	rows, err := s.reading.QueryContext(t.Context(), text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(sql.NullString)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if i > 0 {
				out.WriteByte(' ')
			}
			if s := v.(*sql.NullString); s.Valid {
				out.WriteString(s.String)
			} else {
				out.WriteByte('-')
			}
		}
		out.WriteByte('\n')
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
