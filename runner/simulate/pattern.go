package simulate

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
)

// matching gives a short string that matches a pattern of a schema. Lookarounds
// and the like, which Go's regular expressions don't have, make the schema invalid.
func (m *maker) matching(pattern string) (string, error) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", errSchema
	}
	var b strings.Builder
	m.match(&b, re.Simplify())
	compiled, err := regexp.Compile(pattern)
	if err != nil || !compiled.MatchString(b.String()) {
		return "", errSchema
	}
	return b.String(), nil
}

func (m *maker) match(b *strings.Builder, re *syntax.Regexp) {
	if b.Len() > maxMade {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(m.oneRune(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
		for _, sub := range re.Sub {
			m.match(b, sub)
		}
	case syntax.OpAlternate:
		m.match(b, re.Sub[m.random.below(len(re.Sub))])
	case syntax.OpQuest, syntax.OpStar:
		if m.random.below(2) == 0 {
			m.match(b, re.Sub[0])
		}
	}
}

// oneRune takes a character of a class, a letter or a digit if it has one.
func (m *maker) oneRune(pairs []rune) rune {
	at := 2 * m.random.below(len(pairs)/2)
	for i := range len(pairs) / 2 {
		low := pairs[(at+2*i)%len(pairs)]
		if unicode.IsLetter(low) || unicode.IsDigit(low) {
			at = (at + 2*i) % len(pairs)
			break
		}
	}
	low, high := pairs[at], pairs[at+1]
	return low + rune(m.random.below(int(min(high-low, 25))+1))
}
