package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// echo answers with the prompt in two pieces, and cuts the stream of a prompt with
// the word in it.
func echo(t *testing.T, cut string) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q question
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		prompt := q.Messages[0].Content
		half := len(prompt) / 2
		for _, text := range []string{prompt[:half], prompt[half:]} {
			fmt.Fprintf(w, "{\"message\":{\"content\":%q},\"done\":false}\n", text)
			w.(http.Flusher).Flush()
		}
		if cut == "" || !strings.Contains(prompt, cut) {
			_, _ = io.WriteString(w, "{\"done\":true,\"eval_count\":2}\n")
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func apply(t *testing.T, server *httptest.Server, lines string) (records, errs string, code int) {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.txt"), filepath.Join(dir, "out.jsonl")
	if err := os.WriteFile(in, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	code = Main([]string{"-addr", server.Listener.Addr().String(), "-lines", in, "-o", out, "-c", "8"}, &said)
	written, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(written), said.String(), code
}

func TestPlainWritesRecordsInTheOrderOfTheLines(t *testing.T) {
	var lines, want strings.Builder
	for n := range 200 {
		fmt.Fprintf(&lines, "line %d\n", n)
		prompt := fmt.Sprintf("Answer in one word: line %d", n)
		fmt.Fprintf(&want, `{"row":%d,"line":"line %d","prompt":%q,"response":%q,"eval_count":2,"ttft_ns":TIME}`+"\n", n, n, prompt, prompt)
	}
	got, errs, code := apply(t, echo(t, ""), lines.String())
	got = regexp.MustCompile(`"ttft_ns":[1-9][0-9]*}`).ReplaceAllString(got, `"ttft_ns":TIME}`)
	if code != 0 || got != want.String() {
		t.Errorf("Main = %d: %s; wrote\n%s", code, errs, got)
	}
}

func TestPlainFailsOnAnAnswerWithoutItsEnd(t *testing.T) {
	got, errs, code := apply(t, echo(t, "two"), "one\ntwo\nthree\n")
	if code != 1 || !strings.Contains(errs, "row 1: the answer ended early") {
		t.Errorf("Main = %d: %s", code, errs)
	}
	if n := strings.Count(got, "\n"); n != 3 {
		t.Errorf("%d records, want 3", n)
	}
}
