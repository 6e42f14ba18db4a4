package templates

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
	"sync"
	"text/template/parse"
)

// Error gives the place, what is wrong and what to do about it.
func (e *Error) Error() string {
	text := fmt.Sprintf("%d:%d: %s", e.Line, e.Col, e.Message)
	if e.Help != "" {
		text += "; " + e.Help
	}
	return text
}

// explainSyntax says in our own words, and with its place, what text/template/parse
// found wrong. It gives only a line; the place is found by cutting the text.
func explainSyntax(text string, err error) *Error {
	message := syntaxMessage(err)
	x := &syntaxError{text: text, message: message}
	x.tokens = x.lastAction(err)
	for _, c := range syntaxCases {
		if m := c.pattern().FindStringSubmatch(message); m != nil {
			return c.explain(x, m)
		}
	}
	return x.at(x.begin(), "this can't be read: "+message, "")
}

// pattern is a regular expression that is compiled when it is needed, which is hardly
// ever: all of them together were a tenth of a millisecond at each start.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

var syntaxPrefix = pattern(`^template: \x00:\d+: `)
var syntaxSuffix = pattern(` (in action )?started at \x00:\d+$`)

func syntaxMessage(err error) string {
	message := syntaxPrefix().ReplaceAllString(err.Error(), "")
	return syntaxSuffix().ReplaceAllString(strings.TrimPrefix(message, "template: "), "")
}

// A syntaxError is a mistake that the parser found, and the tokens of the action
// in which it found it.
type syntaxError struct {
	text    string
	message string
	tokens  []token
}

// lastAction finds the tokens of the action at which the parser stopped: the text
// cut behind that action, and not before, has the same mistake.
func (x *syntaxError) lastAction(err error) []token {
	var ends []int // where each action ends
	for t := range tokens(x.text) {
		if t.kind == closeToken {
			ends = append(ends, t.end)
		}
	}
	stopped := sort.Search(len(ends), func(i int) bool {
		_, cut := parse.Parse(mainName, x.text[:ends[i]], "", "", functions().known)
		return cut != nil && cut.Error() == err.Error()
	})
	begin := 0
	if stopped > 0 {
		begin = ends[stopped-1]
	}
	return actionFrom(x.text, begin)
}

// actionFrom gives the tokens of the first action that begins at a place or after it.
func actionFrom(text string, begin int) []token {
	const most = 1000 // an action that goes on is hostile
	var action []token
	for t := range tokens(text[begin:]) {
		action = append(action, token{t.kind, t.start + begin, t.end + begin})
		if t.kind == closeToken || len(action) == most {
			break
		}
	}
	return action
}

// begin is where the action begins.
func (x *syntaxError) begin() int {
	if len(x.tokens) == 0 {
		return len(x.text)
	}
	return x.tokens[0].start
}

func (x *syntaxError) at(pos int, message, help string) *Error {
	return errorAt(x.text, pos, message, help)
}

func (x *syntaxError) word(t token) string { return x.text[t.start:t.end] }

// find gives the first token of the action with this text, else where the action begins.
func (x *syntaxError) find(word string) int {
	for _, t := range x.tokens {
		if x.word(t) == word {
			return t.start
		}
	}
	return x.begin()
}

// bad is where the action can't be read any further.
func (x *syntaxError) bad() (pos int, before token) {
	for i, t := range x.tokens {
		if t.kind == badToken {
			return t.start, x.tokens[max(0, i-1)]
		}
	}
	return x.begin(), token{}
}

// A syntaxCase is one message of text/template/parse.
type syntaxCase struct {
	pattern func() *regexp.Regexp
	explain func(x *syntaxError, m []string) *Error
}

func messageIs(text string, explain func(x *syntaxError, m []string) *Error) syntaxCase {
	return syntaxCase{pattern(text), explain}
}

// here says something about the action's begin.
func here(message, help string) func(*syntaxError, []string) *Error {
	return func(x *syntaxError, _ []string) *Error { return x.at(x.begin(), message, help) }
}

var syntaxCases = []syntaxCase{
	messageIs(`^function "(.*)" not defined$`, unknownFunction),
	messageIs(`^unclosed action$`, unclosedAction),
	messageIs(`^unclosed left paren$`, func(x *syntaxError, _ []string) *Error {
		return x.at(x.openParen(), "this parenthesis is never closed", "")
	}),
	messageIs(`^unexpected right paren`, func(x *syntaxError, _ []string) *Error {
		return x.at(x.extraParen(), "this parenthesis closes nothing", "")
	}),
	messageIs(`^bad character (U\+[0-9A-F]+)`, badCharacter),
	messageIs(`^unrecognized character in action: (U\+[0-9A-F]+)`, oddCharacter),
	messageIs(`^bad number syntax: |^illegal number syntax: |^integer overflow: `, badNumber),
	messageIs(`^unterminated (raw )?quoted string`, func(x *syntaxError, _ []string) *Error {
		pos, _ := x.bad()
		return x.at(pos, "this text has no closing quote", "")
	}),
	messageIs(`^unterminated character constant|^malformed character constant`, singleQuotes),
	messageIs(`^unclosed comment|^comment ends before closing delimiter`, func(x *syntaxError, _ []string) *Error {
		pos, _ := x.bad()
		return x.at(pos, "this comment is never closed", "a comment is {{/* ... */}}")
	}),
	messageIs(`^unexpected EOF$`, unclosedBlock),
	messageIs(`^unexpected \{\{end\}\}$`, here("{{ end }} closes nothing: no if, with, range or define is open here", "")),
	messageIs(`^unexpected \{\{else\}\}|^expected end; found \{\{else\}\}`, here("{{ else }} belongs to no if, with or range", "")),
	messageIs(`^\{\{(break|continue)\}\} outside`, func(x *syntaxError, m []string) *Error {
		return x.at(x.begin(), "{{ "+m[1]+" }} stands outside of range", "")
	}),
	messageIs(`^undefined variable "(.*)"$`, undefinedVariable),
	messageIs(`^missing value for (.*)$`, missingValue),
	messageIs(`^empty command$|^unexpected "\|" in `, emptyCommand),
	messageIs(`^non executable command in pipeline`, notAFunction),
	messageIs(`^range can only initialize|^too many declarations`, here("only range takes several variables: {{ range $i, $x := .list }}", "")),
	messageIs(`^multiple definition of template (".*")$`, definedTwice),
	messageIs(`^invalid syntax$`, badEscape),
	messageIs(`^unexpected \. after term (".*")`, func(x *syntaxError, m []string) *Error {
		return x.at(x.begin(), unquoted(m[1])+" has no fields", "")
	}),
	messageIs(`^expected :=`, func(x *syntaxError, _ []string) *Error {
		return x.at(x.find(":"), `":" alone means nothing here`, "a variable is set with {{ $x := .a }}")
	}),
	messageIs(`^unexpected "?(.*?)"?(?:\.\.\.)? in (.*)$`, unexpected),
}
