package templates

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

func regexFunctions() []entry {
	entries := []entry{
		{"PATTERN TEXT -> bool", "regexMatch", "whether the pattern (RE2) matches in the text", "regexMatch `^\\d+$` \"42\"", "true", regexMatch},
		{"PATTERN TEXT -> text", "regexFind", "the first match, \"\" where there is none", "regexFind `\\d+` \"a 42 b 7\"", "42", regexFind},
		{"PATTERN TEXT COUNT -> list", "regexFindAll", "the first matches; -1 for all", "regexFindAll `\\d+` \"1 2 3\" 2", `["1","2"]`, regexFindAll},
		{"PATTERN TEXT NEW -> text", "regexReplaceAll", "the text with every match replaced; $1 or ${1} is the first group", "regexReplaceAll `(\\d)` \"a1\" \"<$1>\"", "a<1>", regexReplace(withGroups)},
		{"PATTERN TEXT NEW -> text", "regexReplaceAllLiteral", "the text with every match replaced by this very text", "regexReplaceAllLiteral `\\d` \"a1\" \"$1\"", "a$1", regexReplace(literally)},
		{"PATTERN TEXT COUNT -> list", "regexSplit", "at most COUNT parts between matches; -1 for all", "regexSplit `,\\s*` \"a, b\" -1", `["a","b"]`, regexSplit},
		{"TEXT -> text", "regexQuoteMeta", "the pattern that matches this very text", `regexQuoteMeta "1.5"`, `1\.5`, onText(2, regexp.QuoteMeta)},
	}
	return withMust(entries, "regexMatch regexFind regexFindAll regexReplaceAll regexReplaceAllLiteral regexSplit")
}

// What $1 is in a replacement.
const (
	withGroups = false
	literally  = true
)

// The limits of patterns. Matching takes time in proportion to the pattern's
// states times the text, and nothing can interrupt it.
const (
	maxPattern   = 1000 // bytes
	maxStates    = 5000
	maxCompiled  = 32 // patterns kept by a rendering
	workPerState = 15 // nanoseconds for each state and byte, measured, at worst
)

// How often a text is gone through: to find all matches it is once to count them.
const (
	once  = 1
	twice = 2
)

// match compiles a pattern and counts the work of matching it with a text.
func (b *budget) match(pattern, text any, times int64) (*regexp.Regexp, string, error) {
	p, err := b.textArg(pattern)
	if err != nil {
		return nil, "", err
	}
	s, err := b.textArg(text)
	if err != nil {
		return nil, "", err
	}
	states, err := statesOf(p)
	if err != nil {
		return nil, "", err
	}
	if err := b.spend(times * states * int64(len(s)+1) * workPerState); err != nil {
		return nil, "", err
	}
	re, ok := b.regexps[p]
	if !ok {
		if err := b.takeEach(states, 200); err != nil {
			return nil, "", err
		}
		if re, err = regexp.Compile(p); err != nil {
			return nil, "", failed("can't read the pattern %s", described(p))
		}
		b.remember(p, re)
	}
	return re, s, nil
}

func (b *budget) remember(pattern string, re *regexp.Regexp) {
	if b.regexps == nil {
		b.regexps = map[string]*regexp.Regexp{}
	}
	if len(b.regexps) < maxCompiled {
		b.regexps[pattern] = re
	}
}

// statesOf estimates the size of a compiled pattern without compiling it: {1000}
// makes a small pattern large.
func statesOf(pattern string) (int64, error) {
	if len(pattern) > maxPattern {
		return 0, failed("takes a pattern of at most %d bytes, not %d", maxPattern, len(pattern))
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		reason := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		return 0, failed("can't read the pattern %s: %s", described(pattern), abbreviated(reason))
	}
	n := countStates(tree)
	if n > maxStates {
		return 0, failed("takes a pattern of at most %d states, and this one has about %d", maxStates, n)
	}
	return n, nil
}

func countStates(re *syntax.Regexp) int64 {
	n := int64(1 + len(re.Rune)/8)
	if re.Op == syntax.OpLiteral {
		n = int64(len(re.Rune))
	}
	for _, sub := range re.Sub {
		n += countStates(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= int64(max(re.Min, re.Max, 1))
	}
	return n
}

func regexMatch(b *budget, args []any) (any, error) {
	re, s, err := b.match(args[0], args[1], once)
	if err != nil {
		return nil, err
	}
	return re.MatchString(s), nil
}

func regexFind(b *budget, args []any) (any, error) {
	re, s, err := b.match(args[0], args[1], once)
	if err != nil {
		return nil, err
	}
	return re.FindString(s), nil
}

func regexFindAll(b *budget, args []any) (any, error) {
	re, s, n, err := b.matchAll(args)
	if err != nil {
		return nil, err
	}
	return listOf(re.FindAllString(s, n)), nil
}

func regexSplit(b *budget, args []any) (any, error) {
	re, s, n, err := b.matchAll(args)
	if err != nil {
		return nil, err
	}
	return listOf(re.Split(s, n)), nil
}

// matchAll prepares for as many values as there are matches, n of them at most.
func (b *budget) matchAll(args []any) (re *regexp.Regexp, s string, n int, err error) {
	if re, s, err = b.match(args[0], args[1], twice); err != nil {
		return nil, "", 0, err
	}
	if n, err = lengthArg(args[2]); err != nil {
		return nil, "", 0, err
	}
	count := 1
	err = b.eachMatch(re, s, func(string) error { count++; return nil })
	if err == nil && n >= 0 {
		count = min(count, n)
	}
	if err == nil {
		err = b.takeEach(int64(count), partSize)
	}
	return re, s, n, err
}

// eachMatch calls f with every match; it needs no memory for each, as the
// package's own ways to find all matches do.
func (b *budget) eachMatch(re *regexp.Regexp, s string, f func(match string) error) error {
	err := b.take(int64(len(s)))
	if err != nil {
		return err
	}
	re.ReplaceAllStringFunc(s, func(match string) string {
		if err == nil {
			err = f(match)
		}
		return ""
	})
	return err
}

func regexReplace(literal bool) impl {
	return func(b *budget, args []any) (any, error) {
		re, s, err := b.match(args[0], args[1], twice)
		if err != nil {
			return nil, err
		}
		with, err := b.textArg(args[2])
		if err != nil {
			return nil, err
		}
		if err := b.countReplaced(re, s, with, literal); err != nil {
			return nil, err
		}
		if literal {
			return re.ReplaceAllLiteralString(s, with), nil
		}
		return re.ReplaceAllString(s, with), nil
	}
}

// countReplaced counts the result of a replacement before it is made: each match
// becomes the new text, and each $ in it no more than the match.
func (b *budget) countReplaced(re *regexp.Regexp, s, with string, literal bool) error {
	groups := int64(strings.Count(with, "$"))
	if literal {
		groups = 0
	}
	return b.eachMatch(re, s, func(match string) error {
		if err := b.take(int64(len(with))); err != nil {
			return err
		}
		return b.takeEach(groups, int64(len(match)))
	})
}
