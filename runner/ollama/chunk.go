package ollama

import (
	"encoding/json"
	"unicode/utf8"
)

// ordinary reads a line of exactly the form in which Ollama writes nearly all of
// them: a chunk of text, not the last. It takes a tenth of the time that
// encoding/json does, which costs more than everything else about a chunk. Any
// other line, and any doubt, is not ok and left to encoding/json; FuzzOrdinary
// holds the one against the other.
func ordinary(text []byte) (content, thinking []byte, ok bool) {
	if _, text, ok = quoted(text, `{"model":"`); !ok {
		return nil, nil, false
	}
	if _, text, ok = quoted(text, `,"created_at":"`); !ok {
		return nil, nil, false
	}
	if content, text, ok = quoted(text, `,"message":{"role":"assistant","content":"`); !ok {
		return nil, nil, false
	}
	if thinks, rest, found := quoted(text, `,"thinking":"`); found {
		thinking, text = thinks, rest
	}
	return content, thinking, string(text) == `},"done":false}`
}

// quoted reads prefix, which ends with a quote, and the rest of that JSON string.
// The value is part of text unless it has escapes.
func quoted(text []byte, prefix string) (value, rest []byte, ok bool) {
	if len(text) < len(prefix) || string(text[:len(prefix)]) != prefix {
		return nil, nil, false
	}
	whole := text[len(prefix)-1:] // with its opening quote
	plain, ascii := true, true
	for i := 1; i < len(whole); i++ {
		switch b := whole[i]; {
		case b == '"' && plain:
			return whole[1:i], whole[i+1:], ascii || utf8.Valid(whole[1:i])
		case b == '"':
			value, ok = unquoted(whole[:i+1])
			return value, whole[i+1:], ok
		case b == '\\':
			plain = false
			i++ // what is escaped can't close the string
		case b < ' ':
			return nil, nil, false
		case b >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, nil, false
}

// unquoted reads a JSON string with escapes.
func unquoted(literal []byte) ([]byte, bool) {
	var s string
	if json.Unmarshal(literal, &s) != nil {
		return nil, false
	}
	return []byte(s), true
}
