package report_test

import (
	"fmt"
	"os"
	"time"

	"github.com/batchrunner/runner/runner/report"
)

// A report is made of the tasks of a run, in the order of its rows, whoever kept them.
func Example() {
	began := time.Unix(0, 0)
	tasks := func(yield func(*report.Task, error) bool) {
		for row := range int64(8) {
			sent := began.Add(time.Duration(row) * time.Second)
			task := &report.Task{
				Row: row, RowID: fmt.Sprint(row), Step: "main", Model: "gemma3:4b", Asked: true, Attempts: 1,
				Response: "Hello!", OutputTokens: 20, Generate: 400 * time.Millisecond, Total: 500 * time.Millisecond,
				Measured: &report.Measured{Due: sent, Sent: sent, First: 100 * time.Millisecond, Newest: 500 * time.Millisecond, Last: 500 * time.Millisecond, Chunks: 20},
			}
			if !yield(task, nil) {
				return
			}
		}
	}
	r, err := report.Make(report.Run{ID: 1, Job: "hello", State: "done", Began: began}, report.Options{Steps: []string{"main"}}, tasks)
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Judge([]report.Threshold{{Figure: "p95_latency", Op: "<=", Value: 0.4, Text: "400ms"}})
	g := r.Groups[0]
	fmt.Printf("%s: median %.1f s, %.0f tokens/s\n", g.Model, g.Latency.Median, g.TokensPerSecond.Mean)
	fmt.Println(r.Missed[0].Message)
	_ = report.WriteAnnotations(os.Stdout, r)
	// Output:
	// gemma3:4b: median 0.5 s, 50 tokens/s
	// p95_latency of gemma3:4b is 500ms, 25% above the limit of 400ms
	// ::error title=runner%3A p95_latency::p95_latency of gemma3:4b is 500ms, 25%25 above the limit of 400ms
}
