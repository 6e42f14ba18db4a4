// Command scan reads every result of a store as plain code would, and says how many
// there are: the floor for a run that finds all its answers there. With -ttft it tells
// of each measured answer its prompt and when its first token came, a line of JSON each.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	_ "modernc.org/sqlite"
)

func main() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }

// Main reads the store that args name, and returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("scan", flag.ContinueOnError)
	flags.SetOutput(stderr)
	ttft := flags.Bool("ttft", false, "tell the time to the first token of each measured answer")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		fmt.Fprintln(stderr, "usage: scan [-ttft] STORE")
		return 2
	}
	if err := run(context.Background(), flags.Arg(0), *ttft, stdout); err != nil {
		fmt.Fprintln(stderr, "scan:", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, path string, ttft bool, out io.Writer) (err error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if ttft {
		return firsts(ctx, db, out)
	}
	n, err := scan(ctx, db)
	if err == nil {
		fmt.Fprintln(out, n)
	}
	return err
}

func scan(ctx context.Context, db *sql.DB) (n int, err error) {
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

// A first is what is told of an answer: its prompt is the newest message.
type first struct {
	Prompt string `json:"prompt"`
	TTFT   int64  `json:"ttft_ns"`
}

func firsts(ctx context.Context, db *sql.DB, out io.Writer) error {
	rows, err := db.QueryContext(ctx, `SELECT question ->> '$.messages[#-1].content', first_ns FROM results WHERE ok AND first_ns > 0 ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for lines := json.NewEncoder(out); rows.Next(); {
		var f first
		if err := rows.Scan(&f.Prompt, &f.TTFT); err != nil {
			return err
		}
		if err := lines.Encode(f); err != nil {
			return err
		}
	}
	return rows.Err()
}
