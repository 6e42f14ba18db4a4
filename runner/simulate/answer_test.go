package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sourcegraph/conc/iter"
)

// question writes the body of a request to /api/chat.
func body(model, prompt string, more ...string) string {
	text := `{"model":` + quoted(model) + `,"messages":[{"role":"user","content":` + quoted(prompt) + `}]`
	for _, field := range more {
		text += "," + field
	}
	return text + "}"
}

// said asks for a whole answer and gives its text and its last line.
func said(t testing.TB, s *Server, body string) (text string, last map[string]any) {
	t.Helper()
	all := lines(t, ask(t, s, "POST", "/api/chat", body))
	var b strings.Builder
	for _, line := range all {
		if m, ok := line["message"].(map[string]any); ok {
			b.WriteString(m["content"].(string))
		}
	}
	return b.String(), all[len(all)-1]
}

func TestAnswersAreTheSameBytesAtAnyConcurrency(t *testing.T) {
	want := answers(t, 1)
	for _, workers := range []int{7, 64} {
		if diff := cmp.Diff(want, answers(t, workers)); diff != "" {
			t.Errorf("at concurrency %d:\n%s", workers, diff)
		}
	}
}

// answers asks a new server for 200 rows and gives the bytes of the replies: three
// models, of which two fit into memory, streams and whole answers, formats.
func answers(t *testing.T, workers int) []string {
	s := New(Config{Parallel: 2, MaxLoaded: 2, Timing: Timing{Sigma: 1}})
	srv := httptest.NewServer(s)
	defer srv.Close()
	rows := make([]int, 200)
	for i := range rows {
		rows[i] = i
	}
	mapper := iter.Mapper[int, string]{MaxGoroutines: workers}
	return mapper.Map(rows, func(i *int) string {
		more := `"options":{"num_predict":` + strconv.Itoa(5+*i%20) + `},"stream":` + strconv.FormatBool(*i%2 == 0)
		if *i%5 == 0 {
			more += `,"format":{"type":"object","properties":{"a":{"type":"integer"},"b":{"enum":["x","y"]}}}`
		}
		model := []string{"gemma3:4b", "qwen3:8b", "llama3.2"}[*i%3]
		r, err := srv.Client().Post(srv.URL+"/api/chat", "application/json", strings.NewReader(body(model, "row "+strconv.Itoa(*i), more)))
		if err != nil {
			return err.Error()
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		return fmt.Sprint(r.StatusCode, string(text), err)
	})
}

func TestWhatChangesAnAnswer(t *testing.T) {
	s := New(Config{})
	base, _ := said(t, s, body("gemma3:4b", "Explain tides"))
	for name, other := range map[string]string{
		"another model":  body("llama3.2", "Explain tides"),
		"another seed":   body("gemma3:4b", "Explain tides", `"options":{"seed":3}`),
		"another prompt": body("gemma3:4b", "Explain tides!"),
	} {
		if text, _ := said(t, s, other); text == base {
			t.Errorf("%s: the same answer %q", name, text)
		}
	}
	cold, _ := said(t, s, body("gemma3:4b", "Explain tides", `"options":{"seed":3,"temperature":0}`))
	colder, _ := said(t, s, body("gemma3:4b", "Explain tides", `"options":{"seed":4,"temperature":0}`))
	if cold != colder {
		t.Errorf("at temperature 0 the seed changes the answer: %q, %q", cold, colder)
	}
	if text, _ := said(t, New(Config{Seed: 1}), body("gemma3:4b", "Explain tides")); text == base {
		t.Errorf("another server seed gives the same answer %q", text)
	}
}

func TestAnswersReadWell(t *testing.T) {
	s := New(Config{})
	for _, c := range []struct{ model, system, prompt, want string }{
		{"gemma3:12b", "", "Translate to Spanish: Hello, how are you?", "Helló, hów aré yoú? [Spanish, simulated]"},
		{"gemma3:12b", "", "Translate to French (formal): Good morning", "Goôd mornîng [French, simulated]"},
		{"gemma3:4b", "", "Translate this Markdown into German.\n\n# Tea\n\nRun `make tea` now.\n\n```\nmake\n```", "# Teä\n\nRün `make tea` nöw.\n\n```\nmake\n``` [German, simulated]"},
		{"gemma3:4b", "", `Translate "Thank you" to Japanese`, "«Thank you» [Japanese, simulated]"},
		{"gemma3:4b", "You translate to Italian.", "See you soon", "Seè yoù soòn [Italian, simulated]"},
		{"gemma3:4b", "", "Rate this translation from 1 to 5: Hola", "1"},
		{"gemma3:4b", "", "Explain tides in one sentence", "Whoever knows tides well speaks of it in simple words. (simulated)"},
		{"gemma3:4b", "", "Write a short description of the following product: Trail shoes", "What matters about Trail shoes fits on one page. That is the heart of it. (simulated)"},
		{"llama3.2", "", "Why is the sky blue?", "Whoever knows the question “Why is the sky blue?” well speaks of it in simple words. Nothing about it needs special equipment. Try it once and the rest follows. (simulated)"},
	} {
		text, _ := said(t, s, `{"model":"`+c.model+`","messages":[{"role":"system","content":`+quoted(c.system)+`},{"role":"user","content":`+quoted(c.prompt)+`}],"options":{"temperature":0}}`)
		if text != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.prompt, text, c.want)
		}
	}
}

func TestLimitsOfAnAnswer(t *testing.T) {
	s := New(Config{})
	words := strings.Repeat("word ", 300)
	for _, c := range []struct {
		name, body   string
		reason       string
		prompt, eval float64
	}{
		{"num_predict", body("gemma3:4b", "Explain tides", `"options":{"num_predict":3}`), "length", 7, 3},
		{"a short answer", body("gemma3:4b", "Rate tea from 1 to 5", `"options":{"num_predict":1}`), "stop", 10, 1},
		{"num_predict of 0 is no limit", body("gemma3:4b", "Rate tea from 1 to 5", `"options":{"num_predict":0}`), "stop", 10, 1},
		{"thinking counts", body("qwen3:8b", "Explain tides", `"options":{"num_predict":3}`), "length", 7, 3},
		{"a prompt that is cut", body("gemma3:4b", words, `"options":{"num_ctx":64,"num_predict":2}`), "length", 64, 2},
		{"a context that is full", body("gemma3:4b", "Explain tides", `"options":{"num_ctx":10},"shift":false`), "length", 7, 4},
	} {
		_, last := said(t, s, c.body)
		if last["done_reason"] != c.reason || last["prompt_eval_count"] != c.prompt || last["eval_count"] != c.eval {
			t.Errorf("%s: %v, want %s after %v and %v tokens", c.name, last, c.reason, c.prompt, c.eval)
		}
	}
	text, last := said(t, s, body("gemma3:4b", "Translate to German: One, two", `"options":{"stop":["x",","]}`))
	if text != "Onë" && text != "Öne" && text != "One" || last["done_reason"] != "stop" {
		t.Errorf("a stop sequence leaves %q, %v", text, last)
	}
}

func TestThinking(t *testing.T) {
	s := New(Config{})
	for _, c := range []struct {
		model, think string
		thinks       bool
	}{
		{"qwen3:8b", "", true}, // as v0.17.7: a model that can think does unless told not to
		{"qwen3:8b", `"think":false`, false},
		{"gpt-oss:20b", `"think":"low"`, true},
		{"gemma3:4b", `"think":false`, false},
	} {
		more := []string{}
		if c.think != "" {
			more = append(more, c.think)
		}
		all := lines(t, ask(t, s, "POST", "/api/chat", body(c.model, "Explain tides", more...)))
		first := all[0]["message"].(map[string]any)
		if _, thinks := first["thinking"]; thinks != c.thinks {
			t.Errorf("%s with %s: the first line is %v", c.model, c.think, all[0])
		}
		if text, _ := said(t, s, body(c.model, "Explain tides", more...)); !strings.HasSuffix(text, "(simulated)") {
			t.Errorf("%s with %s: says %q", c.model, c.think, text)
		}
	}
}

func TestStreamedAndWholeAnswersAreEqual(t *testing.T) {
	for _, cfg := range []Config{{}, {Timing: Timing{Fixed: true, Chunks: 4}}, {Timing: Timing{Fixed: true, Chunks: 1}}} {
		s := New(cfg)
		for _, model := range []string{"gemma3:4b", "qwen3:8b"} {
			streamed, last := said(t, s, body(model, "Explain tides"))
			whole, only := said(t, s, body(model, "Explain tides", `"stream":false`))
			delete(only["message"].(map[string]any), "content")
			delete(only["message"].(map[string]any), "thinking")
			delete(last["message"].(map[string]any), "content")
			if streamed != whole || cmp.Diff(last, only) != "" {
				t.Errorf("%+v, %s: streamed %q, whole %q\n%s", cfg.Timing, model, streamed, whole, cmp.Diff(last, only))
			}
		}
	}
}

func TestChunks(t *testing.T) {
	s := New(Config{Timing: Timing{Fixed: true, Chunks: 4}})
	if all := lines(t, ask(t, s, "POST", "/api/chat", body("gemma3:4b", "Explain tides"))); len(all) != 5 {
		t.Errorf("%d lines for 4 pieces and an end", len(all))
	}
}

func TestModels(t *testing.T) {
	s := New(Config{Models: []Model{{Name: "a:1b", Digest: "feed", Capabilities: []string{"completion", "thinking"}}, {Name: "gpt-oss:120b-cloud"}, {Name: "nomic-embed-text"}}})
	for _, c := range []struct {
		body   string
		status int
		text   string
	}{
		{body("A:1B", "x"), 200, ""},
		{body("b", "x"), 404, `{"error":"model 'b' not found"}`},
		{body("nomic-embed-text", "x"), 400, `{"error":"\"nomic-embed-text\" does not support chat"}`},
		{body("a:1b", "x", `"think":true`), 200, ""},
	} {
		r := ask(t, s, "POST", "/api/chat", c.body)
		text, _ := io.ReadAll(r.Body)
		if r.StatusCode != c.status || c.text != "" && string(text) != c.text {
			t.Errorf("%s: %d %s", c.body, r.StatusCode, text)
		}
	}
	cloud := lines(t, ask(t, s, "POST", "/api/show", `{"model":"gpt-oss:120b-cloud"}`))[0]
	if cloud["remote_host"] != "https://ollama.com:443" || cloud["remote_model"] != "gpt-oss:120b" {
		t.Errorf("a model in the cloud is shown as %v", cloud)
	}
	if r := ask(t, New(Config{}), "POST", "/api/chat", body("some/missing:8b", "x")); r.StatusCode != http.StatusNotFound {
		t.Errorf("a name with missing in it is present: %d", r.StatusCode)
	}
	s.Add("b")
	if r := ask(t, s, "POST", "/api/chat", body("b", "x")); r.StatusCode != http.StatusOK {
		t.Errorf("an added model is missing: %d", r.StatusCode)
	}
	tags := lines(t, ask(t, s, "GET", "/api/tags", ""))[0]["models"].([]any)
	if first := tags[0].(map[string]any); first["digest"] != "feed" || len(tags) != 4 {
		t.Errorf("%d models, the first is %v", len(tags), first)
	}
}

func TestScriptedAnswers(t *testing.T) {
	s := New(Config{Answer: func(q Question) string { return strings.ToUpper(q.Messages[0].Content) + q.Model }})
	if text, _ := said(t, s, body("m", "tea")); text != "TEAm" {
		t.Errorf("the answer is %q", text)
	}
}

func TestAppendStringWritesJSON(t *testing.T) {
	for _, s := range []string{"", "plain", `"\`, "<&>", "\u2028é\x00\x7f", "\xff", "日本"} {
		want, err := json.Marshal(s)
		if got := appendString(nil, s); err != nil || !bytes.Equal(got, want) {
			t.Errorf("appendString(%q) = %s, want %s", s, got, want)
		}
	}
}

func FuzzTokensJoinToTheText(f *testing.F) {
	for _, s := range []string{"", "Hello, how are you?", "  two  spaces ", "antidisestablishment", "日本語 テキスト", "\xff\xfe", "a\n\nb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		joined, n := "", 0
		for rest := text; rest != ""; n++ {
			var first string
			first, rest = token(rest)
			if first == "" {
				t.Fatalf("an empty token in %q", text)
			}
			joined += first
		}
		if joined != text || n != countTokens(text) {
			t.Errorf("%q becomes %q", text, joined)
		}
	})
}
