// Command runner brings the outputs of a job file up to date: it asks language
// models for each row of the job's matrix and writes the answers in order.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
