package templates

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

func unknownFunction(x *syntaxError, m []string) *Error {
	name := m[1]
	pos := x.find(name)
	if message, help := banned(name); message != "" {
		return x.at(pos, message, help)
	}
	message := "unknown function " + strconv.Quote(name)
	if similar := functions().similar(name); similar != "" {
		return x.at(pos, message, "did you mean "+strconv.Quote(similar)+"?")
	}
	return x.at(pos, message, "a variable begins with a dot: {{ ."+name+" }}")
}

// unclosedAction points to the {{ that has no }}; the parser reads on to the end.
func unclosedAction(x *syntaxError, _ []string) *Error {
	return x.at(x.begin(), "this action is never closed", "end it with }}")
}

func (x *syntaxError) openParen() int {
	var open []int
	for _, t := range x.tokens {
		switch x.word(t) {
		case "(":
			open = append(open, t.start)
		case ")":
			open = open[:max(0, len(open)-1)]
		}
	}
	if len(open) == 0 {
		return x.begin()
	}
	return open[len(open)-1]
}

func (x *syntaxError) extraParen() int {
	open := 0
	for _, t := range x.tokens {
		switch x.word(t) {
		case "(":
			open++
		case ")":
			if open--; open < 0 {
				return t.start
			}
		}
	}
	return x.begin()
}

// badCharacter explains what runs into a name: a hyphen in most cases.
func badCharacter(x *syntaxError, m []string) *Error {
	pos, _ := x.bad()
	chain, path, rest := x.chainBefore(pos)
	c := character(m[1])
	switch {
	case rest != "" && chain < pos && x.text[chain] != '"' && isWordStart(rest[1:]) && c == '-':
		return x.column(chain, path, rest)
	case c == '[' && chain < pos:
		written := x.text[chain:pos]
		return x.at(pos, "a value in a list is not read with [ ]", "write {{ index "+written+" 0 }}")
	case c == '}':
		return x.at(pos, `"}" alone does not end an action`, "write }}")
	}
	if help := operators[string(c)]; help != "" {
		return x.at(pos, "there is no "+strconv.Quote(string(c))+" in templates", help)
	}
	return x.at(pos, strconv.Quote(string(c))+" can't stand in a name", "put a space before it")
}

// chainBefore finds the .a.b that ends at pos, its names, and the character at pos
// with the letters, digits and hyphens that follow.
func (x *syntaxError) chainBefore(pos int) (start int, path []string, rest string) {
	start = pos
	for start > 0 {
		r, n := utf8.DecodeLastRuneInString(x.text[:start])
		if r != '.' && r != '$' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		start -= n
	}
	end := pos
	for end < len(x.text) && (x.text[end] == '-' || nameLength(x.text[end:]) > 0) {
		_, n := utf8.DecodeRuneInString(x.text[end:])
		end += n
	}
	return start, strings.Split(x.text[start:pos], "."), x.text[pos:end]
}

// column is the mistake of .p.unit-price: only letters, digits and _ can follow a dot.
func (x *syntaxError) column(start int, path []string, rest string) *Error {
	last := len(path) - 1
	name := path[last] + rest
	object := strings.Join(path[:last], ".")
	if object == "" {
		object = "."
	}
	written := x.text[start : start+len(strings.Join(path, "."))+len(rest)]
	help := "write {{ index " + object + " " + strconv.Quote(name) + " }}"
	if path[0] != "" && path[0][0] != '$' {
		return x.at(start, strconv.Quote(written)+" is no name of a function", "a variable begins with a dot")
	}
	return x.at(start, written+" can't be read so, since "+strconv.Quote(name)+" has more than letters, digits and _", help)
}

// isWordStart tells .unit-price from .a-1 and .a-.b, which are meant as arithmetic.
func isWordStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == '_' || r == '-' || unicode.IsLetter(r)
}

// character reads U+002D.
func character(code string) rune {
	n, _ := strconv.ParseUint(strings.TrimPrefix(code, "U+"), 16, 32)
	return rune(n)
}

// operators are what people write who know other languages.
var operators = map[string]string{
	"=":  "two values are compared with eq: {{ if eq .a .b }}",
	"!":  "write {{ if not .a }} or {{ if ne .a .b }}",
	"<":  "write {{ if lt .a .b }}",
	">":  "write {{ if gt .a .b }}",
	"&":  "write {{ if and .a .b }}",
	"+":  "write {{ add .a .b }}, or {{ print .a .b }} for text",
	"-":  "write {{ sub .a .b }}",
	"*":  "write {{ mul .a .b }}",
	"/":  "write {{ div .a .b }}",
	"?":  "write {{ ternary \"yes\" \"no\" .a }}",
	"%":  "write {{ mod .a .b }}",
	",":  "arguments stand side by side: {{ replace \"a\" \"b\" .text }}",
	"[":  "a list is made with list, and read with index: {{ index .list 0 }}",
	"{":  "an object is made with dict: {{ dict \"name\" .value }}",
	"}":  "end the action with }}",
	":=": "a variable is set at the start of an action: {{ $x := .a }}",
}

func oddCharacter(x *syntaxError, m []string) *Error {
	c := character(m[1])
	pos := x.find(string(c))
	if strings.ContainsRune("“”„«»‘’", c) {
		return x.at(pos, strconv.Quote(string(c))+" is no straight quote", `text stands in "..."`)
	}
	return x.at(pos, strconv.QuoteToGraphic(string(c))+" can't stand in an action", "")
}

// badNumber is 1.5x, a lone + or -, or .p.2nd.
func badNumber(x *syntaxError, m []string) *Error {
	for i, t := range x.tokens {
		if t.kind != numberToken {
			continue
		}
		word := x.word(t)
		if help := operators[word]; help != "" {
			return x.at(t.start, "there is no "+strconv.Quote(word)+" in templates", help)
		}
		_, err := strconv.ParseFloat(strings.ReplaceAll(word, "_", ""), 64)
		_, notWhole := strconv.ParseInt(word, 0, 64)
		if word[0] == '.' && i > 0 && x.tokens[i-1].end == t.start && len(word) > 1 {
			start, path, _ := x.chainBefore(t.start)
			return x.column(start, append(path, ""), word[1:])
		}
		switch {
		case strings.HasPrefix(m[0], "integer overflow"):
			if notWhole != nil {
				return x.at(t.start, abbreviated(word)+" is larger than whole numbers can be, 9223372036854775807", "")
			}
		case err != nil && notWhole != nil, i+1 < len(x.tokens) && x.tokens[i+1].start == t.end && x.tokens[i+1].kind == numberToken:
			return x.at(t.start, strconv.Quote(abbreviated(word))+" is no number", "text stands in double quotes")
		}
	}
	return x.at(x.begin(), "a number in this action can't be read", "")
}

func singleQuotes(x *syntaxError, _ []string) *Error {
	pos, _ := x.bad()
	for _, t := range x.tokens {
		if t.kind == charToken && utf8.RuneCountInString(x.word(t)) != len("'c'") {
			text := strings.Trim(x.word(t), "'")
			return x.at(t.start, "text stands in double quotes, not in single ones", "write "+abbreviated(strconv.Quote(text)))
		}
	}
	return x.at(pos, "text stands in double quotes, not in single ones", "")
}

// unclosedBlock points to the innermost block that has no end.
func unclosedBlock(x *syntaxError, _ []string) *Error {
	var blocks []opener
	nested, start, first := 0, 0, ""
	for t := range tokens(x.text) {
		switch t.kind {
		case openToken:
			start, first = t.start, ""
		case wordToken:
			word := x.word(t)
			blocks, nested = follow(blocks, nested, first, word, start)
			first = word
		}
	}
	if len(blocks) == 0 {
		return x.at(len(x.text), "the template ends too early", "")
	}
	last := blocks[len(blocks)-1]
	return x.at(last.pos, "this {{ "+last.word+" }} is never closed", "add {{ end }}")
}

// definedTwice points to the second definition; the parser notices at its end.
func definedTwice(x *syntaxError, m []string) *Error {
	pos, first := x.begin(), true
	var define, word token
	for t := range tokens(x.text) {
		if t.kind == quotedToken && (x.word(word) == "define" || x.word(word) == "block") && unquoted(x.word(t)) == unquoted(m[1]) {
			if !first {
				pos = define.start
				break
			}
			first = false
		}
		if t.kind == openToken {
			define = t
		}
		word = t
	}
	return x.at(pos, "template "+m[1]+" is already defined", "")
}

func undefinedVariable(x *syntaxError, m []string) *Error {
	name := m[1]
	return x.at(x.find(name), "variable "+name+" is not set here",
		"set it with {{ "+name+" := ... }} before, and outside of any if, with or range that has ended; a variable of the row begins with a dot")
}

func missingValue(x *syntaxError, m []string) *Error {
	switch what := m[1]; what {
	case "if", "with", "range":
		return x.at(x.begin(), "{{ "+what+" }} says nothing to go by", "write {{ "+what+" .name }}")
	case "parenthesized pipeline":
		return x.at(x.find("("), "these parentheses are empty", "")
	}
	return x.at(x.begin(), "this action is empty", "")
}

// emptyCommand is a | without a value before it or a function behind it.
func emptyCommand(x *syntaxError, _ []string) *Error {
	for i, t := range x.tokens[:max(0, len(x.tokens)-1)] {
		if x.word(t) == "|" && x.tokens[i+1].start == t.end && x.word(x.tokens[i+1]) == "|" {
			return x.at(t.start, `there is no "||" in templates`, "write {{ if or .a .b }}")
		}
	}
	return x.at(x.find("|"), "a value or a function is missing beside |", "")
}

// notAFunction points behind the | that is followed by a value.
func notAFunction(x *syntaxError, _ []string) *Error {
	for i, t := range x.tokens[:max(0, len(x.tokens)-1)] {
		next := x.tokens[i+1]
		if x.word(t) == "|" && next.kind != wordToken && x.word(next) != "(" && next.kind != fieldToken && next.kind != variableToken {
			return x.at(next.start, x.word(next)+" is no function", "after | stands a function, such as upper or default \"none\"")
		}
	}
	return here("after | stands a function, such as upper or default \"none\"", "")(x, nil)
}

// badEscape finds the text with a backslash that begins no escape.
func badEscape(x *syntaxError, _ []string) *Error {
	for _, t := range x.tokens {
		if t.kind != quotedToken {
			continue
		}
		word := x.word(t)
		if _, err := strconv.Unquote(word); err != nil {
			help := `write \\ for a backslash`
			if !strings.Contains(word, "`") {
				help += ", or put the text in backquotes: `" + strings.Trim(word, `"`) + "`"
			}
			return x.at(t.start, `in double quotes \ begins an escape, and one of these is none`, help)
		}
	}
	return here("a text in this action can't be read", "")(x, nil)
}

// unexpected is whatever stands where it can't.
func unexpected(x *syntaxError, m []string) *Error {
	word := strings.Trim(m[1], "<>")
	if strings.HasPrefix(m[1], "<") && len(m[1]) <= 2 || word == "" {
		word = m[1] // a comparison
	}
	if unquoted, err := strconv.Unquote(`"` + word + `"`); err == nil {
		word = unquoted
	}
	pos := x.find(word)
	for _, t := range x.tokens {
		if whole := x.word(t); t.kind == numberToken && whole != word && strings.Contains(whole, word) {
			return x.at(t.start, strconv.Quote(abbreviated(whole))+" is no number", "text stands in double quotes")
		}
	}
	switch {
	case word == "(":
		return x.at(pos, "arguments don't stand in parentheses", "they stand side by side: {{ replace \"a\" \"b\" .text }}")
	case word == "}":
		return x.at(pos, `"}" alone does not end an action`, "write }}")
	case word == "define":
		return x.at(pos, "{{ define }} stands inside of another block", "move it to the top")
	case m[2] == "template clause" || m[2] == "define clause" || m[2] == "block clause":
		what := strings.TrimSuffix(m[2], " clause")
		return x.at(x.begin(), "{{ "+what+" }} needs a name in double quotes", `write {{ `+what+` "name" . }}`)
	}
	if help := operators[word]; help != "" {
		return x.at(pos, "there is no "+strconv.Quote(x.operator(pos, word))+" in templates", help)
	}
	return x.at(pos, strconv.Quote(word)+" can't stand here", "")
}

// operator is a sign with the signs that follow it: == or <=.
func (x *syntaxError) operator(pos int, word string) string {
	end := pos + len(word)
	for end < len(x.text) && strings.IndexByte("=<>!&", x.text[end]) >= 0 {
		end++
	}
	if !strings.HasPrefix(x.text[pos:], word) || word == ":=" {
		return word
	}
	return x.text[pos:end]
}
