// Command bare is the floor of what a client can cost: raw sockets, one fixed
// request, nothing parsed but the end of a reply. With -rate it is a bare pacer
// that sleeps from one moment of an even schedule to the next.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

func main() { os.Exit(Main(os.Args[1:], os.Stderr)) }

// Main asks -rows times over -c connections and returns the exit code.
func Main(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("bare", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "", "host:port of the server")
	rows := flags.Int("rows", 1, "requests")
	open := flags.Int("c", 1, "connections, each with one request at a time")
	rate := flags.Float64("rate", 0, "requests started per second, evenly; 0: as fast as they are answered")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := run(*addr, *rows, min(*open, *rows), *rate); err != nil {
		fmt.Fprintf(stderr, "bare: %v\n", err)
		return 1
	}
	return 0
}

func run(addr string, rows, open int, rate float64) error {
	conns := make([]net.Conn, open)
	for i := range conns {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		defer conn.Close() //nolint:gocritic // all of them live to the end
		conns[i] = conn
	}
	body := `{"model":"bench","messages":[{"role":"user","content":"Answer in one word: line 0"}],"options":{"num_predict":64},"stream":true}`
	request := fmt.Appendf(nil, "POST /api/chat HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", addr, len(body), body)

	turns, stopped := make(chan struct{}), make(chan struct{})
	stop := sync.OnceFunc(func() { close(stopped) })
	errs := make(chan error, open)
	var workers sync.WaitGroup
	for _, conn := range conns {
		workers.Go(func() { errs <- ask(conn, request, turns, stop) })
	}
	pace(turns, stopped, rows, rate)
	workers.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// pace gives out the turns, each at its moment of the schedule where there is one.
func pace(turns chan<- struct{}, stopped <-chan struct{}, rows int, rate float64) {
	defer close(turns)
	for i, start := 0, time.Now(); i < rows; i++ {
		if rate > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(float64(i) / rate * float64(time.Second)))))
		}
		select {
		case turns <- struct{}{}:
		case <-stopped:
			return
		}
	}
}

// ask sends the request once for each turn and reads its reply to the end.
func ask(conn net.Conn, request []byte, turns <-chan struct{}, stop func()) error {
	replies := bufio.NewReader(conn)
	for range turns {
		if _, err := conn.Write(request); err != nil {
			stop()
			return err
		}
		if err := skip(replies); err != nil {
			stop()
			return err
		}
	}
	return nil
}

// skip reads one reply: a status of 200, then lines up to the empty last chunk.
func skip(replies *bufio.Reader) error {
	status, err := replies.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200 ") {
		return fmt.Errorf("the server said %q", status)
	}
	for {
		line, err := replies.ReadSlice('\n')
		if err != nil {
			return err
		}
		if bytes.Equal(line, []byte("0\r\n")) {
			_, err := replies.Discard(len("\r\n"))
			return err
		}
	}
}
