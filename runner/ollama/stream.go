package ollama

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ollama/ollama/api"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs/say"
)

// simulatedHeader is on every reply of a simulated server.
const simulatedHeader = "Runner-Simulated"

// repeats is how many equal chunks at the end of a stream without done:true mean
// that the server stopped it on purpose: Ollama does after 30 equal tokens, in
// versions before 2026-09 without a word (llm/server.go, Completion).
const repeats = 20

// An exchange is the reading of one reply's stream.
type exchange struct {
	client *Client
	req    *pipeline.Request
	chunk  func(runner.Chunk) // nil where nobody listens

	text, thinking strings.Builder
	timing         pipeline.Timing
	chunks         int    // lines so far that were not the last
	newest         []byte // the newest chunk's text, trimmed
	same           int    // how many chunks at the end are equal to newest
}

// A line is one line of the stream: the fields of api.ChatResponse that are read,
// with pointers where absence tells that it isn't Ollama's.
type line struct {
	Error      json.RawMessage `json:"error"`
	Model      string          `json:"model"`
	RemoteHost string          `json:"remote_host"`
	Message    *struct {
		Content  string `json:"content"`
		Thinking string `json:"thinking"`
	} `json:"message"`
	Done       *bool  `json:"done"`
	DoneReason string `json:"done_reason"`
	api.Metrics
}

// read reads the stream to the line that says done. Nothing that comes after that
// line can spoil the answer, and nothing else makes one: not status 200, and not
// a stream that ends without complaint.
func (x *exchange) read(ctx context.Context, resp *http.Response) (*pipeline.Answer, error) {
	in := lines{src: resp.Body, buf: x.client.buffers.get(), max: x.client.maxLine}
	defer func() { x.client.buffers.put(in.buf) }()
	for {
		text, end := in.next()
		came := time.Since(x.timing.Sent) // before anything is made of it
		if end != nil && !json.Valid(text) {
			return nil, x.ended(ctx, end, text)
		}
		answer, err := x.take(text, came)
		if err != nil {
			return nil, err
		}
		if answer != nil {
			x.timing.Last = came
			answer.Timing = x.timing
			answer.Simulated = resp.Header.Get(simulatedHeader) != ""
			return answer, nil
		}
		if end != nil {
			return nil, x.ended(ctx, end, nil)
		}
	}
}

// take takes in one line that came at some time. It returns the answer when the line is
// the last.
func (x *exchange) take(text []byte, came time.Duration) (*pipeline.Answer, error) {
	if content, thinking, ok := ordinary(text); ok {
		return nil, x.add(content, thinking, came)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, x.client.foreign(http.StatusOK, "application/json", text)
	}
	if message, ok := messageIn(l.Error); ok {
		return nil, x.client.reported(streaming, message, x.req)
	}
	if l.Message == nil || l.Done == nil {
		return nil, x.client.foreign(http.StatusOK, "application/json", text)
	}
	if l.RemoteHost != "" && !x.client.allowCloud {
		x.client.remote.Store(x.req.Model, l.RemoteHost) // not one prompt more
		return nil, x.client.cloudRefused(x.req.Model, l.RemoteHost)
	}
	if err := x.add([]byte(l.Message.Content), []byte(l.Message.Thinking), came); err != nil || !*l.Done {
		return nil, err
	}
	return x.answer(&l), nil
}

// add appends a chunk's text to the answer and hands it on.
func (x *exchange) add(content, thinking []byte, came time.Duration) error {
	x.chunks++
	x.clock(len(content) > 0, len(content)+len(thinking) > 0, came)
	if x.text.Len()+x.thinking.Len()+len(content)+len(thinking) > x.client.maxAnswer {
		return x.tooLarge()
	}
	x.text.Write(content)
	x.thinking.Write(thinking)
	newest := bytes.TrimSpace(content)
	if len(content) == 0 {
		newest = bytes.TrimSpace(thinking)
	}
	if !bytes.Equal(newest, x.newest) {
		x.newest = append(x.newest[:0], newest...)
		x.same = 0
	}
	x.same++
	if x.chunk != nil { // an empty one is a sign of life
		x.chunk(runner.Chunk{Text: string(content), Thinking: string(thinking)})
	}
	return nil
}

// clock notes when a chunk came.
func (x *exchange) clock(text, token bool, came time.Duration) {
	if !token {
		return
	}
	t := &x.timing
	t.Chunks++
	t.Newest = came
	if t.First == 0 {
		t.First = came
	}
	if text && t.FirstText == 0 {
		t.FirstText = came
	}
}

func (x *exchange) answer(l *line) *pipeline.Answer {
	return &pipeline.Answer{
		Response: x.text.String(), Thinking: x.thinking.String(),
		Model: l.Model, DoneReason: l.DoneReason,
		PromptEvalCount: l.PromptEvalCount, EvalCount: l.EvalCount,
		TotalDuration: l.TotalDuration, LoadDuration: l.LoadDuration,
		PromptEvalDuration: l.PromptEvalDuration, EvalDuration: l.EvalDuration,
	}
}

// ended gives the error of a stream that ended, by end, before it said done; rest
// is the piece of a line at its end.
func (x *exchange) ended(ctx context.Context, end error, rest []byte) error {
	c := x.client
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(end, errLineTooLong):
		return x.tooLarge()
	case !errors.Is(end, io.EOF):
		return c.lost(ctx, end, x.progress())
	case x.chunks == 0 && len(bytes.TrimSpace(rest)) > 0 && !bytes.HasPrefix(bytes.TrimSpace(rest), []byte("{")):
		return c.foreign(http.StatusOK, "text/plain", rest)
	case x.same >= repeats && len(rest) == 0:
		return c.fail(runner.Repeat, 0, "the model wrote %q over and over, and %s broke the answer off", shorten(clean(string(x.newest)), 40), c.shown)
	}
	return c.fail(runner.Incomplete, 0, "the answer of %s ended %s, without the mark of its end (done: true)", c.shown, x.progress())
}

// progress says how far the answer was.
func (x *exchange) progress() string {
	if x.chunks == 0 {
		return "before its first chunk"
	}
	return "after " + say.Plural(x.chunks, "chunk") + " of the answer"
}

func (x *exchange) tooLarge() error {
	return x.client.fail(runner.TooLarge, 0, "the answer is longer than %s; lower num_predict", size(int64(x.client.maxAnswer)))
}
