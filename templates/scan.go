package templates

import (
	"fmt"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A token is a piece of an action, for checks before parsing and for the places of
// syntax errors: text/template tells only their lines. What is a template and what
// is not, only text/template says.
type token struct {
	kind       tokenKind
	start, end int // bytes of the template's text
}

type tokenKind int

const (
	openToken     tokenKind = iota // {{
	closeToken                     // }}
	wordToken                      // a function or keyword
	fieldToken                     // .name
	dotToken                       // .
	variableToken                  // $name
	quotedToken                    // "text" or `text`
	charToken                      // 'c'
	numberToken
	signToken // any other character, := included
	badToken  // what follows can't be read
)

// tokens gives the tokens of all actions in order, up to the first bad one. It
// follows the lexer of text/template/parse.
func tokens(text string) iter.Seq[token] {
	return func(yield func(token) bool) {
		for pos := 0; ; {
			i := strings.Index(text[pos:], "{{")
			if i < 0 {
				return
			}
			start := pos + i
			pos = start + len("{{")
			if trimsAfter(text[pos:]) {
				pos += len("- ")
			}
			if strings.HasPrefix(text[pos:], "/*") {
				if pos = afterComment(text, pos); pos < 0 {
					yield(token{badToken, start, len(text)})
					return
				}
				continue
			}
			if !yield(token{openToken, start, start + len("{{")}) {
				return
			}
			if pos = action(text, pos, yield); pos < 0 {
				return
			}
		}
	}
}

func trimsAfter(s string) bool { return len(s) > 1 && s[0] == '-' && isSpace(s[1]) }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// afterComment gives the place after a comment's }}, -1 where it has none.
func afterComment(text string, pos int) int {
	i := strings.Index(text[pos:], "*/")
	if i < 0 {
		return -1
	}
	end := pos + i + len("*/")
	if n := closing(text[end:]); n > 0 {
		return end + n
	}
	return -1
}

// closing is the length of the }} or -}} at the beginning of s, 0 where there is none.
func closing(s string) int {
	if strings.HasPrefix(s, "}}") {
		return len("}}")
	}
	if len(s) > 1 && isSpace(s[0]) && strings.HasPrefix(s[1:], "-}}") {
		return len(" -}}")
	}
	return 0
}

// action gives the tokens of one action and the place after it, -1 to stop.
func action(text string, pos int, yield func(token) bool) int {
	for {
		if n := closing(text[pos:]); n > 0 {
			if !yield(token{closeToken, pos, pos + n}) {
				return -1
			}
			return pos + n
		}
		if pos == len(text) {
			yield(token{badToken, pos, pos})
			return -1
		}
		if isSpace(text[pos]) {
			pos++
			continue
		}
		t := next(text, pos)
		if !yield(t) || t.kind == badToken {
			return -1
		}
		pos = t.end
	}
}

// next reads the token at pos, which is no space and no }}.
func next(text string, pos int) token {
	rest := text[pos:]
	c := rest[0]
	switch {
	case c == '"' || c == '\'':
		return quoted(text, pos)
	case c == '`':
		if i := strings.IndexByte(rest[1:], '`'); i >= 0 {
			return token{quotedToken, pos, pos + i + 2}
		}
		return token{badToken, pos, len(text)}
	case c == '$':
		return name(text, pos, variableToken)
	case c == '.' && (len(rest) == 1 || !isDigit(rest[1])):
		if nameLength(rest[1:]) == 0 {
			return token{dotToken, pos, pos + 1}
		}
		return name(text, pos, fieldToken)
	case c == '.' || c == '+' || c == '-' || isDigit(c):
		return token{numberToken, pos, pos + 1 + numberLength(rest[1:])}
	case nameLength(rest) > 0:
		return name(text, pos, wordToken)
	}
	_, n := utf8.DecodeRuneInString(rest)
	if c == ':' && len(rest) > 1 && rest[1] == '=' {
		n = len(":=")
	}
	return token{signToken, pos, pos + n}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func quoted(text string, pos int) token {
	kind := quotedToken
	if text[pos] == '\'' {
		kind = charToken
	}
	for i := pos + 1; i < len(text) && text[i] != '\n'; i++ {
		switch text[i] {
		case '\\':
			i++
		case text[pos]:
			return token{kind, pos, i + 1}
		}
	}
	return token{badToken, pos, len(text)}
}

// name reads a word, field or variable. One that runs into another character is
// bad from that character on.
func name(text string, pos int, kind tokenKind) token {
	end := pos
	if kind != wordToken {
		end++
	}
	end += nameLength(text[end:])
	if end < len(text) && !isSpace(text[end]) && !strings.ContainsRune(".,|:)(", rune(text[end])) && closing(text[end:]) == 0 {
		return token{badToken, end, len(text)}
	}
	return token{kind, pos, end}
}

// nameLength is the length of the letters, digits and underscores at the beginning of s.
func nameLength(s string) int {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return i
		}
	}
	return len(s)
}

func numberLength(s string) int {
	for i := range len(s) {
		sign := (s[i] == '+' || s[i] == '-') && i > 0 && strings.IndexByte("eEpP", s[i-1]) >= 0
		if !sign && s[i] != '.' && nameLength(s[i:]) == 0 {
			return i
		}
	}
	return len(s)
}

// place turns a byte of a text into line and column, from 1, in characters.
func place(text string, pos int) (line, col int) {
	pos = max(0, min(pos, len(text)))
	begin := strings.LastIndexByte(text[:pos], '\n') + 1
	return 1 + strings.Count(text[:pos], "\n"), 1 + utf8.RuneCountInString(text[begin:pos])
}

func errorAt(text string, pos int, message, help string) *Error {
	line, col := place(text, pos)
	return &Error{Line: line, Col: col, Message: message, Help: help}
}

// An opener is a block that has begun: if, range, with, define, block, and each
// else-if of an if, which text/template nests.
type opener struct {
	word  string
	pos   int // of its {{
	chain int // else-ifs and else-withs
}

// opens says whether a word begins a block.
func opens(word string) bool {
	switch word {
	case "if", "range", "with", "define", "block":
		return true
	}
	return false
}

// checkSize refuses a text that would cost the parser too much memory or time.
func checkSize(text string) *Error {
	if len(text) > maxText {
		return &Error{Line: 1, Col: 1, Message: "the template is larger than " + size(maxText)}
	}
	var blocks []opener
	nested, parens, variables, start := 0, 0, 0, 0
	first := ""
	for t := range tokens(text) {
		word := text[t.start:t.end]
		switch t.kind {
		case openToken:
			start, first, parens = t.start, "", 0
		case wordToken:
			blocks, nested = follow(blocks, nested, first, word, start)
			first = word
		case signToken:
			switch word {
			case "(":
				parens++
			case ")":
				parens--
			case ":=":
				variables++
			}
		}
		switch {
		case nested > maxNesting:
			return errorAt(text, start, "blocks are nested too deeply, or have too many branches", fmt.Sprintf("the limit is %d", maxNesting))
		case parens > maxNesting:
			return errorAt(text, t.start, "parentheses are nested too deeply", fmt.Sprintf("the limit is %d", maxNesting))
		case variables > maxVariables:
			return errorAt(text, t.start, "the template has too many variables", fmt.Sprintf("the limit is %d", maxVariables))
		}
	}
	return nil
}

// follow keeps count of the blocks that are open, given the first words of an
// action: before is what stands before the word, "" where it is the first.
func follow(blocks []opener, nested int, before, word string, start int) ([]opener, int) {
	switch {
	case before == "" && opens(word):
		return append(blocks, opener{word: word, pos: start}), nested + 1
	case before == "else" && (word == "if" || word == "with") && len(blocks) > 0:
		blocks[len(blocks)-1].chain++
		return blocks, nested + 1
	case before == "" && word == "end" && len(blocks) > 0:
		last := blocks[len(blocks)-1]
		return blocks[:len(blocks)-1], nested - 1 - last.chain
	}
	return blocks, nested
}
