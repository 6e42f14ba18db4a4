// Command scan reads every result of a store as plain code would, and says how many
// there are: the floor for a run that finds all its answers there.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	_ "modernc.org/sqlite"
)

func main() { os.Exit(Main(os.Args[1:])) }

// Main reads the store that args name, and returns the exit code.
func Main(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: scan STORE")
		return 2
	}
	n, err := scan(context.Background(), args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, "scan:", err)
		return 1
	}
	fmt.Fprintln(os.Stdout, n)
	return 0
}

func scan(ctx context.Context, path string) (n int, err error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `SELECT id, key, question, model, ok, response, thinking, done_reason, prompt_tokens, output_tokens,
		total_ns, load_ns, prompt_ns, output_ns, class, message, attempts, stored_ms FROM results`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var key []byte
		var id, attempts, stored int64
		var ok bool
		var model string
		var question, response, thinking, reason, class, message sql.NullString
		var prompt, output, total, load, promptTime, outputTime sql.NullInt64
		err := rows.Scan(&id, &key, &question, &model, &ok, &response, &thinking, &reason, &prompt, &output, &total, &load, &promptTime, &outputTime,
			&class, &message, &attempts, &stored)
		if err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}
