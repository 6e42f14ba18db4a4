package simulate

import (
	"encoding/json"
	"strconv"
	"time"
)

// A script writes the lines of one answer, in the words and the order of fields of
// api.ChatResponse or api.GenerateResponse.
type script struct {
	chat bool
	head []byte // what all lines begin with
	base time.Time
}

func newScript(q *question, base time.Time) *script {
	head := appendString([]byte(`{"model":`), q.Model)
	if q.entry.RemoteHost != "" {
		head = appendString(append(head, `,"remote_model":`...), q.entry.RemoteModel)
		head = appendString(append(head, `,"remote_host":`...), q.entry.RemoteHost)
	}
	return &script{chat: q.chat, head: append(head, `,"created_at":"`...), base: base}
}

// begin writes a line as far as the text, which came offset after the start.
func (s *script) begin(b []byte, offset time.Duration, thinking, content string) []byte {
	b = append(b, s.head...)
	b = s.base.Add(offset).AppendFormat(b, time.RFC3339Nano)
	if s.chat {
		b = append(b, `","message":{"role":"assistant","content":`...)
	} else {
		b = append(b, `","response":`...)
	}
	b = appendString(b, content)
	if thinking != "" {
		b = appendString(append(b, `,"thinking":`...), thinking)
	}
	if s.chat {
		b = append(b, '}')
	}
	return b
}

// chunk writes the line of a piece.
func (s *script) chunk(b []byte, offset time.Duration, thinking, content string) []byte {
	return append(s.begin(b, offset, thinking, content), ",\"done\":false}\n"...)
}

// figures are what the last line of an answer reports.
type figures struct {
	total, load, prompt, answer time.Duration
	promptTokens, tokens        int
	context                     []int
}

// end writes the last line, without a newline. Zeros are left out, as Ollama does.
func (s *script) end(b []byte, offset time.Duration, thinking, content, reason string, f *figures) []byte {
	b = s.begin(b, offset, thinking, content)
	b = appendString(append(b, `,"done":true,"done_reason":`...), reason)
	if len(f.context) > 0 {
		b = append(b, `,"context":[`...)
		for i, id := range f.context {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(id), 10)
		}
		b = append(b, ']')
	}
	b = appendNumber(b, `,"total_duration":`, int64(f.total))
	b = appendNumber(b, `,"load_duration":`, int64(f.load))
	b = appendNumber(b, `,"prompt_eval_count":`, int64(f.promptTokens))
	b = appendNumber(b, `,"prompt_eval_duration":`, int64(f.prompt))
	b = appendNumber(b, `,"eval_count":`, int64(f.tokens))
	b = appendNumber(b, `,"eval_duration":`, int64(f.answer))
	return append(b, '}')
}

func appendNumber(b []byte, name string, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(append(b, name...), n, 10)
}

// appendString writes a JSON string as encoding/json does.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) // a string always marshals
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
