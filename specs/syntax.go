package specs

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/batchrunner/runner/schema"
	"gopkg.in/yaml.v3"
)

const (
	maxMends = 50      // mistakes of YAML's syntax that are reported in one file
	maxTries = 4 << 20 // bytes that are parsed to find the line of one
)

// A slip is a mistake of YAML's syntax: yaml.v3 says what it stumbled over, and
// often not in which line.
type slip struct {
	pos           Pos
	message, help string
	line          string // the line as it should be, empty where that can't be told
}

// syntax reports why the text is no YAML. Where the line can be mended it returns
// the text with that line mended, so that the rest of the file can be checked too.
func (d *draft) syntax(text string, err error) (mended string, ok bool) {
	lines := splitLines(text)
	problem := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine().FindStringIndex(problem); m != nil {
		problem = problem[m[1]:]
	}
	n := brokenLine(lines)
	s := explain(lines, n, problem)
	d.report(s.pos, "", s.message, s.help)
	at := s.pos.Line - 1
	if s.line == "" || s.line == lines[at] || d.mended[at+1] { // twice would be guessing
		return "", false
	}
	lines[at] = s.line
	d.mended[at+1] = true
	return strings.Join(lines, "\n"), true
}

// pattern is a regular expression that is compiled when it is needed: most are for
// explaining mistakes, and a command without one starts half a millisecond sooner.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

var yamlLine = pattern(`^line \d+: `)

// brokenLine finds the line, from 0, that makes the text unreadable: the one after
// the longest beginning that can be read. Of a list or a quoted text over several
// lines that is its first line.
func brokenLine(lines []string) int {
	tried := 0
	for n := len(lines) - 1; n > 0; n-- {
		text := strings.Join(lines[:n], "\n")
		if tried += len(text); tried > maxTries {
			return shortBroken(lines, n)
		}
		if reads(text) {
			return nextText(lines, n)
		}
	}
	return nextText(lines, 0)
}

// shortBroken looks from the beginning in a file that is too long to look from its
// end: the first beginning that can't be read and none of the next can.
func shortBroken(lines []string, most int) int {
	low, high := 0, most
	for low+1 < high {
		middle := (low + high) / 2
		if reads(strings.Join(lines[:middle], "\n")) {
			low = middle
		} else {
			high = middle
		}
	}
	return nextText(lines, low)
}

// nextText skips lines that say nothing.
func nextText(lines []string, n int) int {
	for i := n; i < len(lines); i++ {
		if text := strings.TrimSpace(lines[i]); text != "" && text[0] != '#' {
			return i
		}
	}
	return n
}

// reads says whether a text is YAML.
func reads(text string) bool {
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var n yaml.Node
		err := decodeNode(dec, &n)
		if err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// parts are a line's indentation with its dashes, its key, and the value.
type parts struct{ before, key, value string }

var lineParts = pattern(`^(\s*(?:-\s+)*)((?:"[^"]*"|'[^']*'|[^\s"'\[{#&*!|>@%` + "`" + `:][^:#]*?)\s*:(?:\s+|$))?(.*)$`)

func split(line string) parts {
	m := lineParts().FindStringSubmatch(line)
	if m == nil {
		return parts{value: line}
	}
	return parts{m[1], m[2], m[3]}
}

// name is the key without its colon.
func (p parts) name() string { return strings.TrimRight(p.key, ": \t") }

func (p parts) valueCol() int { return 1 + utf8.RuneCountInString(p.before+p.key) }

// with is the line with another value.
func (p parts) with(value string) string { return p.before + p.key + value }

// shown is the line with another value as a message shows it.
func (p parts) shown(value string) string {
	return strings.TrimLeft(p.key, " ") + value
}

// explain finds out what is wrong with a line. The problem is in yaml.v3's words.
func explain(lines []string, n int, problem string) slip {
	line := lines[n]
	p := split(line)
	for _, look := range []func(lines []string, n int, p parts, problem string) *slip{
		tabSlip, anchorSlip, bracesSlip, escapeSlip, quoteSlip, colonSlip, dashSlip, startSlip, bracketSlip, spaceSlip, indentSlip,
	} {
		if s := look(lines, n, p, problem); s != nil {
			if s.pos.Line == 0 {
				s.pos.Line = n + 1
			}
			return *s
		}
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	return slip{pos: Pos{n + 1, indent + 1}, message: "YAML can't read this line: " + problem}
}

// tabSlip: YAML wants spaces.
func tabSlip(lines []string, n int, _ parts, problem string) *slip {
	for i := n; i < len(lines); i++ {
		line := lines[i]
		blank := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if at := strings.IndexByte(blank, '\t'); at >= 0 && len(blank) < len(line) && i == n {
			return &slip{pos: Pos{i + 1, at + 1}, message: "the line is indented with a tab, and YAML wants spaces", help: "use two spaces for each level",
				line: strings.ReplaceAll(blank, "\t", "  ") + line[len(blank):]}
		}
	}
	return nil
}

var anchorProblem = pattern(`^unknown anchor '(.*)' referenced`)

// anchorSlip: *name without &name, which is mostly text in bold.
func anchorSlip(lines []string, _ int, _ parts, problem string) *slip {
	m := anchorProblem().FindStringSubmatch(problem)
	if m == nil {
		return nil
	}
	for i, line := range lines {
		at := strings.Index(line, "*"+m[1])
		if at < 0 || at > 0 && !strings.ContainsRune(" [{,:-", rune(line[at-1])) {
			continue
		}
		help := fmt.Sprintf("put &%s before the value that is meant", m[1])
		if rest := line[at:]; strings.ContainsAny(strings.TrimSpace(rest), " ") {
			help = "put text that begins with * in quotes: " + quoteYAML(withoutComment(rest))
		}
		return &slip{pos: Pos{i + 1, utf8.RuneCountInString(line[:at]) + 1}, message: fmt.Sprintf("*%s is a YAML alias, and no value has the anchor &%s", m[1], m[1]), help: help}
	}
	return nil
}

// bracesSlip: {{ .x }} without quotes, and something after it.
func bracesSlip(_ []string, n int, p parts, _ string) *slip {
	if !strings.HasPrefix(p.value, "{{") {
		return nil
	}
	mended := quoteYAML(withoutComment(p.value))
	return &slip{pos: Pos{n + 1, p.valueCol()}, message: "YAML takes a value that begins with {{ for a mapping", help: "put the text in quotes: " + p.shown(mended), line: p.with(mended)}
}

var goodEscape = pattern(`^\\(?:[0abt\tnvfre "/\\N_LP]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|$)`)

// escapeSlip: a backslash in double quotes that is no escape.
func escapeSlip(lines []string, n int, _ parts, problem string) *slip {
	if !strings.Contains(problem, "escape character") && !strings.Contains(problem, "hexdecimal") && !strings.Contains(problem, "Unicode character escape") {
		return nil
	}
	for i := n; i < len(lines); i++ {
		line := lines[i]
		for at := 0; at < len(line); at++ {
			if line[at] != '\\' {
				continue
			}
			if goodEscape().MatchString(line[at:]) {
				at++
				continue
			}
			shown := line[at:min(at+2, len(line))]
			return &slip{pos: Pos{i + 1, utf8.RuneCountInString(line[:at]) + 1}, message: fmt.Sprintf(`%s is no escape that YAML knows inside double quotes`, shown),
				help: fmt.Sprintf(`write \%s, or put the text in single quotes`, shown), line: line[:at] + `\` + line[at:]}
		}
	}
	return nil
}

// quoteSlip: a text in quotes that isn't closed, or goes on after its end.
func quoteSlip(_ []string, n int, p parts, _ string) *slip {
	if p.value == "" || p.value[0] != '"' && p.value[0] != '\'' {
		return nil
	}
	mark := p.value[:1]
	end := closing(p.value)
	at := Pos{n + 1, p.valueCol()}
	if end < 0 {
		return &slip{pos: at, message: "the text that begins here has no closing " + mark, help: "close it, or write a text of several lines after |"}
	}
	rest := strings.TrimSpace(withoutComment(p.value[end+1:]))
	if rest == "" || rest[0] == '#' {
		return nil
	}
	if gluedKey().MatchString(rest) {
		at.Col += utf8.RuneCountInString(p.value[:end])
		return &slip{pos: at, message: "the quoted text ends here, and another key follows on the line", help: "put each key on a line of its own"}
	}
	whole := withoutComment(p.value)
	if strings.HasSuffix(whole, mark) && len(whole) > 1 {
		whole = whole[1 : len(whole)-1]
	}
	mended := quoteYAML(whole)
	if strings.Contains(whole, "{{") && strings.Contains(whole, `\"`) {
		mended = ""
	}
	at.Col += utf8.RuneCountInString(p.value[:end])
	s := &slip{pos: at, message: "the quoted text ends here, and more follows on the line", help: "quotes inside a text need the other kind around it"}
	if mended != "" {
		s.help += ": " + p.shown(mended)
		s.line = p.with(mended)
	}
	return s
}

var gluedKey = pattern(`^,?\s*[A-Za-z_][A-Za-z0-9_]*:(\s|$)`)

// closing is the index of the quote that ends the quoted text, -1 where none does.
func closing(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[0] == '"' && text[i] == '\\':
			i++
		case text[i] != text[0]:
		case text[0] == '\'' && i+1 < len(text) && text[i+1] == '\'':
			i++
		default:
			return i
		}
	}
	return -1
}

var innerColon = pattern(`:(?:\s|$)`)

// colonSlip: unquoted text with a colon.
func colonSlip(_ []string, n int, p parts, problem string) *slip {
	if p.key == "" || !strings.HasPrefix(problem, "mapping values") || strings.ContainsAny(p.value[:min(1, len(p.value))], "|>[{&*!") {
		return nil
	}
	at := innerColon().FindStringIndex(p.value)
	if at == nil {
		return nil
	}
	pos := Pos{n + 1, p.valueCol() + utf8.RuneCountInString(p.value[:at[0]])}
	if takesMapping(p.name()) {
		mended := "{" + withoutComment(p.value) + "}"
		return &slip{pos: pos, message: "a mapping can't begin on the line of its key", help: "put each of its keys on a line of its own, or write " + p.shown(mended), line: p.with(mended)}
	}
	mended := quoteYAML(withoutComment(p.value))
	return &slip{pos: pos,
		message: "YAML takes the text before this colon for another key", help: "put the text in quotes: " + p.shown(mended), line: p.with(mended)}
}

// takesMapping says whether a key of the job holds a mapping, and never text.
func takesMapping(name string) bool {
	top := schema.JobShape()
	for _, shape := range []*schema.Shape{top, top.Key("steps").Items, top.Key("outputs").Items} {
		if child := shape.Key(name); child != nil {
			return child.Allows("object") && !child.Allows("string")
		}
	}
	return false
}

// dashSlip: a list that begins on the line of its key.
func dashSlip(_ []string, n int, p parts, problem string) *slip {
	if p.key == "" || !strings.HasPrefix(p.value, "- ") {
		return nil
	}
	return &slip{pos: Pos{n + 1, p.valueCol()}, message: "a list can't begin on the line of its key", help: fmt.Sprintf("write it as %s, or each - on a line of its own; put text that begins with - in quotes", p.shown("["+strings.TrimPrefix(withoutComment(p.value), "- ")+"]"))}
}

// startSlip: an unquoted text that begins with a character of YAML's own.
func startSlip(_ []string, n int, p parts, problem string) *slip {
	if p.value == "" || !strings.ContainsAny(p.value[:1], "@`%&*!?|>,]}") || p.value == "|" || p.value == ">" {
		return nil
	}
	at := Pos{n + 1, p.valueCol()}
	if p.value[0] == '|' || p.value[0] == '>' {
		if !strings.Contains(problem, "comment or line break") && !strings.Contains(problem, "indentation indicator") {
			return nil
		}
		return &slip{pos: at, message: fmt.Sprintf("after %s the text begins on the next line", p.value[:1]), help: "move the text to the next line and indent it, or put it in quotes"}
	}
	mended := quoteYAML(withoutComment(p.value))
	return &slip{pos: at, message: fmt.Sprintf("unquoted text can't begin with %s in YAML", p.value[:1]), help: "put the text in quotes: " + p.shown(mended), line: p.with(mended)}
}

// bracketSlip: a list or mapping in brackets that isn't closed, or closed twice.
func bracketSlip(_ []string, n int, p parts, problem string) *slip {
	if p.value == "" || p.value[0] != '[' && p.value[0] != '{' {
		return nil
	}
	at := Pos{n + 1, p.valueCol()}
	thing, closer := "list", "]"
	if p.value[0] == '{' {
		thing, closer = "mapping", "}"
	}
	depth, quoted := 0, byte(0)
	for i := 0; i < len(p.value); i++ {
		c := p.value[i]
		switch {
		case quoted != 0:
			if c == quoted {
				quoted = 0
			}
		case c == '"' || c == '\'':
			quoted = c
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 && strings.TrimSpace(withoutComment(p.value[i+1:])) != "" {
				at.Col += utf8.RuneCountInString(p.value[:i])
				return &slip{pos: at, message: fmt.Sprintf("the %s ends here, and more follows on the line", thing), help: "remove what follows, or put the text in quotes"}
			}
		}
	}
	if depth > 0 {
		return &slip{pos: at, message: fmt.Sprintf("the %s that begins here has no closing %s, or a comma is missing in it", thing, closer), help: ""}
	}
	if !strings.Contains(problem, "flow") && !strings.Contains(problem, "','") && !strings.Contains(problem, "node content") {
		return nil
	}
	return &slip{pos: at, message: fmt.Sprintf("YAML can't read this %s", thing), help: "put text with a colon, a comma, quotes or brackets in quotes"}
}

var gluedColon = pattern(`^(\s*(?:- +)*[A-Za-z_][A-Za-z0-9_]*):(\S.*)$`)

// spaceSlip: key:value, or a line that is no key at all.
func spaceSlip(lines []string, n int, p parts, problem string) *slip {
	line := lines[n]
	if m := gluedColon().FindStringSubmatch(line); m != nil {
		return &slip{pos: Pos{n + 1, utf8.RuneCountInString(m[1]) + 1}, message: "a space is missing after the colon", help: "write " + strings.TrimLeft(m[1], " -") + ": " + m[2], line: m[1] + ": " + m[2]}
	}
	if p.key == "" && strings.HasPrefix(problem, "could not find expected ':'") {
		return &slip{pos: Pos{n + 1, utf8.RuneCountInString(p.before) + 1}, message: "this line is no key with a colon, nor part of the text above", help: "write a text of several lines after |, each line indented"}
	}
	return nil
}

// keyless is the number of the line above, where that stands at the same indentation
// and has no colon; else 0.
func keyless(lines []string, n, indent int) int {
	if n == 0 || strings.Contains(lines[n-1], ":") || len(lines[n-1])-len(strings.TrimLeft(lines[n-1], " ")) != indent || strings.TrimSpace(lines[n-1]) == "" {
		return 0
	}
	return n
}

// indentSlip: the line stands where nothing of its kind can stand.
func indentSlip(lines []string, n int, p parts, problem string) *slip {
	line := lines[n]
	indent := len(line) - len(strings.TrimLeft(line, " "))
	at := Pos{n + 1, indent + 1}
	switch {
	case (strings.HasPrefix(problem, "mapping values") || strings.Contains(problem, "document start")) && keyless(lines, n, indent) > 0:
		return &slip{pos: Pos{keyless(lines, n, indent), indent + 1}, message: "this line is no key with a colon", help: "write it as KEY: VALUE"}
	case strings.HasPrefix(problem, "mapping values"):
		return &slip{pos: at, message: "this line is indented below a line that has its value already", help: "indent it like the line above, or, if it goes on with the text there, write that text after |"}
	case strings.HasPrefix(strings.TrimLeft(line, " "), "- "):
		return &slip{pos: at, message: "a list's element stands here where a key is expected", help: "indent it as the elements above, or as a list below its key"}
	case strings.Contains(problem, "expected '-'"):
		return &slip{pos: at, message: "a key stands here where a list goes on", help: "begin it with - as the elements above, or indent it as their keys"}
	case strings.Contains(problem, "expected key"), strings.Contains(problem, "document start"):
		return &slip{pos: at, message: "the indentation of this line fits none of the lines above", help: "indent the keys of one mapping alike"}
	}
	return nil
}
