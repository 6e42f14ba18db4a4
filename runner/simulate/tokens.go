package simulate

import (
	"unicode"
	"unicode/utf8"
)

const (
	tokenRunes      = 6 // letters or digits of one token; longer words are several
	messageOverhead = 4 // tokens of a chat template around each message
)

// token cuts the first token off a text that isn't empty. A token is a run of at
// most six letters or digits, with the spaces before it; or any other single
// character, with the spaces before it; or spaces at the end of the text. Tokens
// joined again are the text.
func token(text string) (first, rest string) {
	i := 0
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	for n := 0; i < len(text) && n < tokenRunes; n++ {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		if !wordly(r) {
			if n == 0 {
				i += size
			}
			break
		}
		i += size
	}
	return text[:i], text[i:]
}

func wordly(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

func countTokens(text string) int {
	n := 0
	for text != "" {
		_, text = token(text)
		n++
	}
	return n
}

// firstTokens gives the first n tokens of a text, and how many there are if it has
// fewer.
func firstTokens(text string, n int) (string, int) {
	rest := text
	for i := range n {
		if rest == "" {
			return text, i
		}
		_, rest = token(rest)
	}
	return text[:len(text)-len(rest)], n
}

// promptTokens counts a conversation as a model would see it.
func promptTokens(messages []Message) int {
	n := 0
	for i := range messages {
		n += countTokens(messages[i].Content) + messageOverhead
	}
	return n
}

// truncated drops messages from the front, as v0.17.7 does (server/prompt.go): all
// system messages stay, and the last message. What is still too long is cut.
func truncated(messages []Message, limit int) (kept []Message, tokens int) {
	tokens = promptTokens(messages)
	for i := 0; tokens > limit && i < len(messages)-1; i++ {
		kept = kept[:0]
		for _, m := range messages[:i+1] {
			if m.Role == "system" {
				kept = append(kept, m)
			}
		}
		kept = append(kept, messages[i+1:]...)
		tokens = promptTokens(kept)
	}
	if kept == nil {
		kept = messages
	}
	return kept, min(tokens, limit)
}
