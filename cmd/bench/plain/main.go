// Command plain is the floor of a real client: net/http used well, text/template
// for the prompts, JSON in and out, a file in the order of the prompts. It checks
// and retries nothing, and has no job file.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"text/template"
	"time"
)

func main() { os.Exit(Main(os.Args[1:], os.Stderr)) }

// Main asks one question a line of -lines and writes one record a line to -o.
func Main(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("plain", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "", "host:port of the server")
	lines := flags.String("lines", "", "file with a line a row")
	out := flags.String("o", "", "file of records, in the order of the lines")
	open := flags.Int("c", 1, "requests at a time")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := run(*addr, *lines, *out, *open); err != nil {
		fmt.Fprintf(stderr, "plain: %v\n", err)
		return 1
	}
	return 0
}

type row struct {
	number int
	line   string
}

type record struct {
	Row       int    `json:"row"`
	Line      string `json:"line"`
	Prompt    string `json:"prompt"`
	Response  string `json:"response"`
	EvalCount int    `json:"eval_count"`
	TTFT      int64  `json:"ttft_ns"` // from before the request was sent to the first piece with text
	err       error
}

func run(addr, lines, out string, open int) (err error) {
	input, err := os.Open(lines)
	if err != nil {
		return err
	}
	defer input.Close()
	output, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, output.Close()) }()
	c := &client{
		url:    "http://" + addr + "/api/chat",
		http:   http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: open, MaxConnsPerHost: open, DisableCompression: true}},
		prompt: template.Must(template.New("prompt").Parse("Answer in one word: {{ .line }}")),
	}
	rows, records := make(chan row), make(chan *record, open)
	var workers, writer sync.WaitGroup
	var read, write error
	workers.Go(func() { defer close(rows); read = feed(input, rows) })
	for range open {
		workers.Go(func() {
			for r := range rows {
				records <- c.ask(r)
			}
		})
	}
	writer.Go(func() { write = inOrder(records, output) })
	workers.Wait()
	close(records)
	writer.Wait()
	return errors.Join(read, write)
}

func feed(input io.Reader, rows chan<- row) error {
	scanner := bufio.NewScanner(input)
	for n := 0; scanner.Scan(); n++ {
		rows <- row{n, scanner.Text()}
	}
	return scanner.Err()
}

// inOrder writes each record once those before it are written. The first failed
// one is the error; the others are written all the same.
func inOrder(records <-chan *record, output io.Writer) (failed error) {
	buffer := bufio.NewWriterSize(output, 64<<10)
	encoder, waiting, next := json.NewEncoder(buffer), map[int]*record{}, 0
	for r := range records {
		waiting[r.Row] = r
		for ; waiting[next] != nil; next++ {
			if failed == nil {
				failed = waiting[next].err
			}
			if err := encoder.Encode(waiting[next]); err != nil && failed == nil {
				failed = err
			}
			delete(waiting, next)
		}
	}
	return errors.Join(failed, buffer.Flush())
}

type client struct {
	url     string
	http    http.Client
	prompt  *template.Template
	readers sync.Pool
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type question struct {
	Model    string         `json:"model"`
	Messages []message      `json:"messages"`
	Options  map[string]int `json:"options"`
	Stream   bool           `json:"stream"`
}

func (c *client) ask(r row) *record {
	rec := &record{Row: r.number, Line: r.line}
	rec.err = c.fill(rec)
	return rec
}

func (c *client) fill(rec *record) error {
	var prompt strings.Builder
	if err := c.prompt.Execute(&prompt, map[string]string{"line": rec.Line}); err != nil {
		return err
	}
	rec.Prompt = prompt.String()
	body, err := json.Marshal(question{"bench", []message{{"user", rec.Prompt}}, map[string]int{"num_predict": 64}, true})
	if err != nil {
		return err
	}
	sent := time.Now()
	reply, err := c.http.Post(c.url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("the server said %s", reply.Status)
	}
	return c.read(reply.Body, rec, sent)
}

// read gathers the pieces of an answer up to its last line and the end after it.
func (c *client) read(body io.Reader, rec *record, sent time.Time) error {
	reader, _ := c.readers.Get().(*bufio.Reader)
	if reader == nil {
		reader = bufio.NewReader(nil)
	}
	reader.Reset(body)
	defer c.readers.Put(reader)
	var text strings.Builder
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("row %d: the answer ended early: %w", rec.Row, err)
		}
		came := time.Since(sent) // before anything is made of it
		var piece struct {
			Message   message `json:"message"`
			Done      bool    `json:"done"`
			EvalCount int     `json:"eval_count"`
		}
		if err := json.Unmarshal(line, &piece); err != nil {
			return err
		}
		if rec.TTFT == 0 && piece.Message.Content != "" {
			rec.TTFT = int64(came)
		}
		text.WriteString(piece.Message.Content)
		if piece.Done {
			rec.Response, rec.EvalCount = text.String(), piece.EvalCount
			_, err := io.Copy(io.Discard, reader)
			return err
		}
	}
}
