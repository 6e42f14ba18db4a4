package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/batchrunner/runner/runner"
)

// The benchmarks tell nanoseconds a row; the plain ones are what SQLite takes for the
// same rows by itself.

// benchRows is how many results there are to be read.
const benchRows = 20000

func BenchmarkKeep(b *testing.B) {
	s := benchStore(b)
	run := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	outcomes := benchOutcomes(b.N)
	var wait sync.WaitGroup
	wait.Add(len(outcomes))
	b.ReportAllocs()
	b.ResetTimer()
	for _, o := range outcomes {
		run.Keep(o, func(err error) {
			if err != nil {
				b.Error(err)
			}
			wait.Done()
		})
	}
	wait.Wait()
}

// Results alone, as many in a transaction as the writer has.
func BenchmarkPlainInsert(b *testing.B) {
	s := benchStore(b)
	outcomes := benchOutcomes(b.N)
	ctx := context.Background()
	b.ReportAllocs()
	b.ResetTimer()
	for first := 0; first < len(outcomes); first += groupResults {
		inBench(b, s.conn, "BEGIN IMMEDIATE")
		for _, o := range outcomes[first:min(first+groupResults, len(outcomes))] {
			if _, err := insertResult(ctx, s.writer.stmts.result, newResult(o, &Run{id: 1})); err != nil {
				b.Fatal(err)
			}
		}
		inBench(b, s.conn, "COMMIT")
	}
}

// Tasks that are as they were.
func BenchmarkKeepKnown(b *testing.B) {
	s := benchStore(b)
	outcomes := benchFilled(b, s)
	run := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		at := i % len(outcomes)
		run.Keep(known(outcomes[at], int64(at)+1), nil)
	}
	if err := s.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	if run.ID() != 0 {
		b.Error("something was written")
	}
}

func BenchmarkFind(b *testing.B) {
	s := benchStore(b)
	outcomes := benchFilled(b, s)
	tasks := make([]runner.Sought, findAtOnce)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(tasks) {
		for i := range tasks {
			r := outcomes[(n+i)%len(outcomes)].Result
			tasks[i] = runner.Sought{Task: r.Task, Key: r.Key}
		}
		found, err := s.Find(context.Background(), "j", tasks)
		if err != nil || found[0] == nil || found[len(found)-1] == nil {
			b.Fatal(found, err)
		}
	}
}

// The same columns in the order of the table.
func BenchmarkPlainScan(b *testing.B) {
	s := benchStore(b)
	benchFilled(b, s)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		rows, err := s.reading.QueryContext(context.Background(), "SELECT "+columns+" FROM results r LIMIT ?", b.N-n)
		if err != nil {
			b.Fatal(err)
		}
		n += scanned(b, rows)
	}
}

func BenchmarkLast(b *testing.B) {
	s := benchStore(b)
	benchFilled(b, s)
	tasks := make([]TaskID, findAtOnce)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(tasks) {
		for i := range tasks {
			tasks[i] = TaskID{RowID: fmt.Sprintf("r%d", (n+i)%benchRows), Step: "a"}
		}
		found, err := s.Last(context.Background(), "j", tasks)
		if err != nil || found[0] == nil || found[len(found)-1] == nil {
			b.Fatal(found, err)
		}
	}
}

func benchStore(b *testing.B) *Store {
	b.Helper()
	s, err := Open(filepath.Join(b.TempDir(), "runner.db"), Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

func benchOutcomes(n int) []*runner.Outcome {
	outcomes := make([]*runner.Outcome, n)
	for i := range outcomes {
		outcomes[i] = answered(int64(i), "a", "an answer of about as many words as there are in a short sentence of a model")
	}
	return outcomes
}

// benchFilled keeps benchRows results of a run that has ended.
func benchFilled(b *testing.B, s *Store) []*runner.Outcome {
	b.Helper()
	run := s.Begin(RunInfo{Job: "j", Steps: []string{"a"}})
	outcomes := benchOutcomes(benchRows)
	for _, o := range outcomes {
		run.Keep(o, nil)
	}
	if err := run.End(context.Background(), Ending{State: "done", Summary: runner.Summary{Rows: benchRows}}); err != nil {
		b.Fatal(err)
	}
	return outcomes
}

func inBench(b *testing.B, conn *sql.Conn, text string) {
	b.Helper()
	if _, err := conn.ExecContext(context.Background(), text); err != nil {
		b.Fatal(err)
	}
}

func scanned(b *testing.B, rows *sql.Rows) (n int) {
	b.Helper()
	defer rows.Close()
	for ; rows.Next(); n++ {
		if _, _, err := scanStored(rows); err != nil {
			b.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}
