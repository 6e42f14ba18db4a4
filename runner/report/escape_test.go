package report

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestOneLine(t *testing.T) {
	for s, want := range map[string]string{
		" a \n\tb\u2028c\u0085d ": "a b c d",
		"::error::x":              ": :error::x",
		" \n::error::x":           ": :error::x",
		"std::vector":             "std::vector",
		"a ##[error]b ###[x]":     "a # #[error]b ## #[x]",
		"##vso[task]":             "# #vso[task]",
	} {
		if got := oneLine(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestBrief(t *testing.T) {
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{
		{"short", 5, "short"},
		{"shorter", 5, "short..."},
		{"日本語日本語", 3, "日本語..."},
		{"two words", 4, "two..."},
		{strings.Repeat("x", 1<<20), 3, "xxx..."},
		{strings.Repeat("\n", 1<<20), 3, "..."},
	} {
		if got := brief(c.s, c.n); got != c.want {
			t.Errorf("brief(%.20q, %d) is %q, want %q", c.s, c.n, got, c.want)
		}
	}
	for n := range 8 {
		if got := brief(strings.Repeat("語", 1000), n); !utf8.ValidString(got) {
			t.Errorf("%q", got)
		}
	}
}

func TestHarmless(t *testing.T) {
	for s, want := range map[string]string{"": "", "a": "a", "=1": "'=1", "\u00a0+1": "'\u00a0+1", "\u200b@x": "'\u200b@x", "1-1": "1-1", "'=1": "'=1"} {
		if got := harmless(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
