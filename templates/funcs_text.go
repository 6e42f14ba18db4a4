package templates

import (
	"slices"
	"strings"
	"unicode/utf8"
)

func textFunctions(sprigs map[string]any) []entry {
	words := func(name string) impl { // a text to a text; case changes may grow letters, case styles add a separator each
		return onText(4, from[func(string) string](sprigs, name))
	}
	find := func(name string) impl { return onTexts(from[func(string, string) bool](sprigs, name)) }
	return []entry{
		{"TEXT -> text", "upper", "the text in upper case", `upper "Hello"`, "HELLO", words("upper")},
		{"TEXT -> text", "lower", "the text in lower case", `lower "Hello"`, "hello", words("lower")},
		{"TEXT -> text", "title", "the text with every word's first letter in upper case", `title "hello world"`, "Hello World", words("title")},
		{"TEXT -> text", "untitle", "the text with every word's first letter in lower case", `untitle "Hello World"`, "hello world", words("untitle")},
		{"TEXT -> text", "swapcase", "the text with upper and lower case changed over", `swapcase "Hello"`, "hELLO", words("swapcase")},
		{"TEXT -> text", "snakecase", "the words joined by underscores", `snakecase "FirstName"`, "first_name", words("snakecase")},
		{"TEXT -> text", "camelcase", "the words joined, each with a capital", `camelcase "first_name"`, "FirstName", words("camelcase")},
		{"TEXT -> text", "kebabcase", "the words joined by hyphens", `kebabcase "FirstName"`, "first-name", words("kebabcase")},
		{"TEXT -> text", "initials", "the first letter of every word", `initials "First Try"`, "FT", words("initials")},
		{"TEXT -> text", "trim", "the text without space at both ends", `trim "  hello "`, "hello", words("trim")},
		{"TEXT -> text", "nospace", "the text without any space", `nospace "h e l l o"`, "hello", words("nospace")},
		{"LETTERS TEXT -> text", "trimAll", "the text without any of these letters at both ends", `trimAll "$." "$5.00."`, "5.00", trimAll},
		{"START TEXT -> text", "trimPrefix", "the text without this start", `trimPrefix "-" "-hello"`, "hello", onTexts(from[func(string, string) string](sprigs, "trimPrefix"))},
		{"END TEXT -> text", "trimSuffix", "the text without this end", `trimSuffix "-" "hello-"`, "hello", onTexts(from[func(string, string) string](sprigs, "trimSuffix"))},
		{"PART TEXT -> bool", "contains", "whether the text has this part", `contains "cat" "concatenate"`, "true", find("contains")},
		{"START TEXT -> bool", "hasPrefix", "whether the text begins so", `hasPrefix "cat" "catch"`, "true", find("hasPrefix")},
		{"END TEXT -> bool", "hasSuffix", "whether the text ends so", `hasSuffix "cat" "catch"`, "false", find("hasSuffix")},
		{"LENGTH TEXT -> text", "trunc", "the first characters; the last ones where the length is negative", `trunc 5 "hello world"`, "hello", trunc},
		{"FROM TO TEXT -> text", "substr", "the characters from one place, counted from 0, up to another; -1 is the end", `substr 0 5 "hello world"`, "hello", substr},
		{"WIDTH TEXT -> text", "abbrev", "the text cut to a width, with ... in place of the rest", `abbrev 5 "hello world"`, "he...", abbrev},
		{"FROM WIDTH TEXT -> text", "abbrevboth", "the text cut to a width at both ends", `abbrevboth 5 10 "1234 5678 9123"`, "...5678...", abbrevboth},
		{"COUNT TEXT -> text", "repeat", "the text several times over", `repeat 3 "ha"`, "hahaha", repeat},
		{"OLD NEW TEXT -> text", "replace", "the text with each OLD replaced", `replace " " "-" "I am here"`, "I-am-here", replace},
		{"SPACES TEXT -> text", "indent", "the text with every line indented", `indent 4 "a line"`, "    a line", indent("")},
		{"SPACES TEXT -> text", "nindent", "a new line, then the text with every line indented", `nindent 2 "a line"`, "\n  a line", indent("\n")},
		{"WIDTH TEXT -> text", "wrap", "the text in lines of a width, broken at spaces", `wrap 6 "hello big world"`, "hello\nbig\nworld", wrap},
		{"WIDTH BREAK TEXT -> text", "wrapWith", "as wrap, with another line break, and long words broken too", `wrapWith 5 "/" "hello world"`, "hello/world", wrapWith},
		{"ONE MANY COUNT -> text", "plural", "ONE where the count is 1, else MANY", `plural "one row" "many rows" 2`, "many rows", plural(from[func(string, string, int) string](sprigs, "plural"))},
	}
}

func trimAll(b *budget, args []any) (any, error) {
	texts, err := b.textArgs(args)
	if err != nil {
		return nil, err
	}
	letters, s := texts[0], texts[1]
	// Letters beyond ASCII are searched one by one for each character of the text.
	if err := b.spend(int64(len(letters)) * int64(len(s)) / 4); err != nil {
		return nil, err
	}
	return strings.Trim(s, letters), nil
}

func trunc(b *budget, args []any) (any, error) {
	length, err := lengthArg(args[0])
	if err != nil {
		return nil, err
	}
	s, err := b.textArg(args[1])
	if err != nil {
		return nil, err
	}
	if length < 0 {
		return s[offset(s, max(0, utf8.RuneCountInString(s)+length)):], nil
	}
	return s[:offset(s, length)], nil
}

// offset is the byte at which the character number n begins, len(s) beyond the last.
func offset(s string, n int) int {
	if n >= len(s) {
		return len(s)
	}
	for i := range s {
		if n <= 0 {
			return i
		}
		n--
	}
	return len(s)
}

func substr(b *budget, args []any) (any, error) {
	from, err := lengthArg(args[0])
	if err != nil {
		return nil, err
	}
	to, err := lengthArg(args[1])
	if err != nil {
		return nil, err
	}
	s, err := b.textArg(args[2])
	if err != nil {
		return nil, err
	}
	start, end := offset(s, max(0, from)), len(s)
	if to >= 0 {
		end = offset(s, to)
	}
	if start > end {
		return nil, failed("can't begin at %d and end at %d", from, to)
	}
	return s[start:end], nil
}

// letters is a text as characters, counted against the budget.
func (b *budget) letters(v any) ([]rune, error) {
	s, err := b.textArg(v)
	if err != nil {
		return nil, err
	}
	return []rune(s), b.takeEach(int64(len(s)), 4)
}

// The marker and the least widths of abbrev and abbrevboth are sprig's, which
// counts bytes and so cuts letters in two.
const (
	dots      = "..."
	leastCut  = len(dots) + 1
	leastBoth = 2*len(dots) + 1
)

func abbrev(b *budget, args []any) (any, error) {
	width, err := lengthArg(args[0])
	if err != nil {
		return nil, err
	}
	s, err := b.textArg(args[1])
	if err != nil || width < leastCut || utf8.RuneCountInString(s) <= width {
		return s, err
	}
	start := s[:offset(s, width-len(dots))]
	return start + dots, b.take(int64(len(start) + len(dots)))
}

func abbrevboth(b *budget, args []any) (any, error) {
	from, err := lengthArg(args[0])
	if err != nil {
		return nil, err
	}
	width, err := lengthArg(args[1])
	if err != nil {
		return nil, err
	}
	s, err := b.letters(args[2])
	if err != nil || width < leastCut || from > 0 && width < leastBoth || len(s) <= width {
		return string(s), err
	}
	room := width - len(dots)
	from = min(from, len(s))
	if len(s)-from <= room {
		from = len(s) - room
	}
	switch {
	case from <= leastCut:
		return string(s[:room]) + dots, nil
	case from+room < len(s):
		return dots + string(s[from:from+room-len(dots)]) + dots, nil
	}
	return dots + string(s[len(s)-room:]), nil
}

func repeat(b *budget, args []any) (any, error) {
	count, err := lengthArg(args[0])
	if err != nil {
		return nil, err
	}
	if count < 0 {
		return nil, failed("can't repeat a text %d times", count)
	}
	s, err := b.textArg(args[1])
	if err != nil {
		return nil, err
	}
	if err := b.takeEach(int64(count), int64(len(s))); err != nil {
		return nil, err
	}
	if s == "" {
		return "", nil
	}
	return strings.Repeat(s, count), nil
}

func replace(b *budget, args []any) (any, error) {
	texts, err := b.textArgs(args)
	if err != nil {
		return nil, err
	}
	old, with, s := texts[0], texts[1], texts[2]
	found := strings.Count(s, old)
	if found == 0 {
		return s, nil
	}
	if err := b.takeEach(int64(found), int64(len(with))); err != nil {
		return nil, err
	}
	if err := b.take(int64(len(s) - found*len(old))); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(s, old, with), nil
}

// indent begins the result with a text, "" or a new line.
func indent(begin string) impl {
	return func(b *budget, args []any) (any, error) {
		spaces, err := lengthArg(args[0])
		if err != nil {
			return nil, err
		}
		if spaces < 0 {
			return nil, failed("can't indent by %d", spaces)
		}
		s, err := b.textArg(args[1])
		if err != nil {
			return nil, err
		}
		lines := 1 + strings.Count(s, "\n")
		if err := b.takeEach(int64(lines), int64(spaces)); err != nil {
			return nil, err
		}
		if err := b.take(int64(len(s) + len(begin))); err != nil {
			return nil, err
		}
		pad := strings.Repeat(" ", spaces)
		return begin + pad + strings.ReplaceAll(s, "\n", "\n"+pad), nil
	}
}

func wrap(b *budget, args []any) (any, error) {
	width, err := lengthArg(args[0])
	if err != nil {
		return nil, err
	}
	return b.wrapped(width, "\n", args[1], wholeWords)
}

func wrapWith(b *budget, args []any) (any, error) {
	width, err := lengthArg(args[0])
	if err != nil {
		return nil, err
	}
	end, err := b.textArg(args[1])
	if err != nil {
		return nil, err
	}
	return b.wrapped(width, end, args[2], brokenWords)
}

// What becomes of words longer than a line.
const (
	wholeWords  = false
	brokenWords = true
)

// wrapped breaks lines as sprig does, but counts characters.
func (b *budget) wrapped(width int, end string, v any, breakWords bool) (any, error) {
	s, err := b.letters(v)
	if err != nil {
		return nil, err
	}
	size := 0
	rest := eachLine(s, width, breakWords, func(line []rune) { size += 4*len(line) + len(end) })
	if err := b.take(int64(size + 4*len(rest))); err != nil {
		return nil, err
	}
	var text strings.Builder
	text.Grow(size/4 + len(rest))
	eachLine(s, width, breakWords, func(line []rune) {
		text.WriteString(string(line))
		text.WriteString(end)
	})
	text.WriteString(string(rest))
	return text.String(), nil
}

// eachLine gives the lines of a text that a break follows, and returns the rest.
func eachLine(s []rune, width int, breakWords bool, f func(line []rune)) (rest []rune) {
	width = max(1, width)
	for len(s) > width {
		var line []rune
		line, s = cutLine(s, width, breakWords)
		switch {
		case s == nil:
			return line
		case line != nil:
			f(line)
		}
	}
	return s
}

// cutLine takes the next line off a text that is longer than a line. There is none
// (nil) where it takes a space at the front, and no rest (nil) behind a last long word.
func cutLine(s []rune, width int, breakWords bool) (line, rest []rune) {
	if s[0] == ' ' {
		return nil, s[1:]
	}
	for i := width; i >= 0; i-- {
		if s[i] == ' ' {
			return s[:i], s[i+1:]
		}
	}
	if breakWords {
		return s[:width], s[width:]
	}
	if i := slices.Index(s[width:], ' '); i >= 0 {
		return s[:width+i], s[width+i+1:]
	}
	return s, nil
}

func plural(f func(one, many string, count int) string) impl {
	return func(b *budget, args []any) (any, error) {
		texts, err := b.textArgs(args[:2])
		if err != nil {
			return nil, err
		}
		count, err := lengthArg(args[2])
		if err != nil {
			return nil, err
		}
		return f(texts[0], texts[1], count), nil
	}
}
