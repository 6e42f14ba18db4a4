package templates

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"text/template"
)

func printFunctions() []entry {
	return []entry{
		{"[VALUE...] -> text", "print", "the values as text, with a space between two that are no text", `print "a" 1 2 "b"`, "a1 2b", printValues},
		{"[VALUE...] -> text", "println", "the values as text with spaces between, then a new line", `println "a" 1`, "a 1\n", printLine},
		{"FORMAT [VALUE...] -> text", "printf", "the values in a format of Go: %s text, %d whole number, %.2f decimals, %q quoted, %v any", `printf "%05.1f|%-4s|%q" 3.14159 "ab" "c"`, `003.1|ab  |"c"`, printf},
		{"VALUE... -> text", "cat", "the values as text with spaces between", `cat "Hello" "world" 3`, "Hello world 3", cat},
		{"VALUE... -> text", "quote", "each value in double quotes, with escapes", `quote "say \"hi\"" 5`, `"say \"hi\"" "5"`, quote},
		{"VALUE... -> text", "squote", "each value in single quotes, without escapes", `squote "hi"`, `'hi'`, squote},
		{"VALUE -> text", "toString", "the value as text", `toString 1.50`, "1.5", onText(0, func(s string) string { return s })},
		{"VALUE... -> text", "html", "the values as text, escaped for HTML", `html "<b>"`, "&lt;b&gt;", escape(5, template.HTMLEscapeString)},
		{"VALUE... -> text", "js", "the values as text, escaped for JavaScript", `js "it's"`, `it\'s`, escape(6, template.JSEscapeString)},
		{"VALUE... -> text", "urlquery", "the values as text, escaped for the query of a URL", `urlquery "a b&c"`, "a+b%26c", escape(3, func(s string) string { return template.URLQueryEscaper(s) })},
	}
}

// joined puts texts together, counted first.
func (b *budget) joined(texts []string, sep string) (string, error) {
	for _, s := range texts {
		if err := b.take(int64(len(s) + len(sep))); err != nil {
			return "", err
		}
	}
	return strings.Join(texts, sep), nil
}

func (b *budget) sprint(args []any) (string, error) {
	texts, err := b.textArgs(args)
	if err != nil {
		return "", err
	}
	spaced := make([]string, 0, 2*len(texts))
	for i, s := range texts {
		if i > 0 && kindOf(args[i]) != textKind && kindOf(args[i-1]) != textKind {
			spaced = append(spaced, " ")
		}
		spaced = append(spaced, s)
	}
	return b.joined(spaced, "")
}

func printValues(b *budget, args []any) (any, error) { return b.sprint(args) }

func printLine(b *budget, args []any) (any, error) {
	texts, err := b.textArgs(args)
	if err != nil {
		return nil, err
	}
	s, err := b.joined(texts, " ")
	return s + "\n", err
}

func cat(b *budget, args []any) (any, error) {
	texts, err := b.textArgs(args)
	if err != nil {
		return nil, err
	}
	return b.joined(texts, " ")
}

func quote(b *budget, args []any) (any, error) {
	return b.quotedEach(args, strconv.Quote)
}

func squote(b *budget, args []any) (any, error) {
	return b.quotedEach(args, func(s string) string { return "'" + s + "'" })
}

// quotedEach changes every text, which may grow to four times its size, and joins them.
func (b *budget) quotedEach(args []any, f func(string) string) (any, error) {
	texts, err := b.textArgs(args)
	if err != nil {
		return nil, err
	}
	for i, s := range texts {
		if err := b.takeEach(int64(len(s)+1), 4); err != nil {
			return nil, err
		}
		texts[i] = f(s)
	}
	return b.joined(texts, " ")
}

func escape(grow int64, f func(string) string) impl {
	return func(b *budget, args []any) (any, error) {
		s, err := b.sprint(args)
		if err != nil {
			return nil, err
		}
		if err := b.takeEach(int64(len(s)), grow); err != nil {
			return nil, err
		}
		return f(s), nil
	}
}

// printf is fmt.Sprintf for checked formats: every verb has its value, of its
// kind, and widths are bounded. What fmt would mark as %!d(string=x) is an error.
func printf(b *budget, args []any) (any, error) {
	format, err := b.textArg(args[0])
	if err != nil {
		return nil, err
	}
	if err := b.take(int64(len(format))); err != nil {
		return nil, err
	}
	values := args[1:]
	var used []any
	for rest := format; ; {
		var v verb
		var found bool
		if v, rest, found, err = nextVerb(rest); err != nil {
			return nil, err
		}
		if !found {
			break
		}
		if len(used) == len(values) {
			return nil, failed("has no value for %s, the format's verb number %d", v.text, len(used)+1)
		}
		value, err := b.formatted(v, values[len(used)])
		if err != nil {
			return nil, err
		}
		used = append(used, value)
	}
	if len(used) < len(values) {
		return nil, failed("has %d values, but its format takes %d", len(values), len(used))
	}
	return fmt.Sprintf(format, used...), nil
}

// A verb is a place of a format: %-5.2f.
type verb struct {
	text   string
	letter byte
	width  int64 // of width and precision the larger
}

// nextVerb finds the next verb of a format, and what follows it.
func nextVerb(format string) (v verb, rest string, found bool, err error) {
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			return verb{}, "", false, nil
		}
		if strings.HasPrefix(format[i:], "%%") {
			format = format[i+2:]
			continue
		}
		format = format[i:]
		break
	}
	end := 1 + len(format[1:]) - len(strings.TrimLeft(format[1:], "+-# 0123456789."))
	if end == len(format) {
		return v, "", false, failed(`has a lone %% at the end of its format; write %%%%`)
	}
	v = verb{text: format[:end+1], letter: format[end]}
	if !strings.ContainsRune("vsqdfFeEgGxXobcUt", rune(v.letter)) {
		return v, "", false, failed("knows no %s; text is %%s, a whole number %%d, decimals %%.2f, a percent sign %%%%", strconv.Quote(printable(format, end)))
	}
	v.width, err = widest(v.text)
	return v, format[end+1:], true, err
}

// printable is the start of a format up to and with the character at i.
func printable(format string, i int) string {
	for j, r := range format[i:] {
		if j == 0 {
			return format[:i] + string(r)
		}
	}
	return format
}

func widest(text string) (int64, error) {
	const most = 1000 // wider than any table; a longer line is made with repeat
	var widest int64
	for _, digits := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > most {
			return 0, failed("has a width of %s in %s; the widest is %d", abbreviated(digits), abbreviated(text), most)
		}
		widest = max(widest, n)
	}
	return widest, nil
}

// abbreviated keeps a message short.
func abbreviated(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return s[:offset(s, most)] + dots
}

// formatted is a value as its verb takes it, with the size of the result counted.
func (b *budget) formatted(v verb, value any) (any, error) {
	const longestFloat = 330 // digits of the largest float64, and more
	if err := b.take(v.width + longestFloat); err != nil {
		return nil, err
	}
	switch v.letter {
	case 'd', 'b', 'o', 'c', 'U':
		return wholeVerb(v, value)
	case 'x', 'X':
		if _, ok := numberOf(value); ok && kindOf(value) == numberKind {
			return wholeVerb(v, value)
		}
	case 'f', 'F', 'e', 'E', 'g', 'G':
		f, err := floatArg(value)
		return f, err
	case 't':
		return boolArg(value)
	}
	s, err := b.textArg(value)
	if err != nil {
		return nil, err
	}
	return s, b.takeEach(int64(len(s)), 4)
}

// wholeVerb is a whole number for %d, beyond int64 too.
func wholeVerb(v verb, value any) (any, error) {
	n, ok := numberOf(value)
	if ok {
		if i, ok := n.int64(); ok {
			return i, nil
		}
		if r := n.exact(); r.IsInt() && v.letter != 'c' && v.letter != 'U' {
			return new(big.Int).Set(r.Num()), nil
		}
	}
	return nil, failed("needs a whole number for %s, but gets %s", v.text, described(value))
}
