package simulate

import (
	"strings"
	"unicode"
)

// translation finds out whether a text is to be translated, to which language and
// which text: "Translate to Spanish (formal): Hello", "Translate the text into
// French.\n\nHello", or a system message that says so.
func translation(system, prompt string) (language, text string, ok bool) {
	if language, rest, ok := translateInto(prompt); ok {
		if _, after, found := cutAfter(rest, ":\n", ": ", ".\n", "\n"); found {
			return language, strings.TrimSpace(after), strings.TrimSpace(after) != ""
		}
		if quoted, found := quotation(head(prompt, headBytes)); found {
			return language, quoted, true
		}
	}
	if language, _, ok := translateInto(system); ok && strings.TrimSpace(prompt) != "" {
		return language, strings.TrimSpace(prompt), true
	}
	return "", "", false
}

// translateInto finds "translate ... to LANGUAGE" at the head of a text.
func translateInto(text string) (language, rest string, ok bool) {
	lower := lowerHead(text)
	at := strings.Index(lower, "translat")
	if at < 0 {
		return "", "", false
	}
	for _, word := range []string{" into ", " to "} {
		i := strings.Index(lower[at:], word)
		// ToLower may change lengths; the language must be found at the same place.
		if i < 0 || at+i+len(word) > len(text) || !strings.EqualFold(text[at+i:at+i+len(word)], word) {
			continue
		}
		rest = text[at+i+len(word):]
		end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
		if end < 0 {
			end = len(rest)
		}
		if end > 1 {
			return rest[:end], rest[end:], true
		}
	}
	return "", "", false
}

// cutAfter cuts a text at whichever of some separators comes first.
func cutAfter(text string, separators ...string) (before, after string, found bool) {
	best := -1
	for _, sep := range separators {
		if i := strings.Index(text, sep); i >= 0 && (best < 0 || i < best) {
			best, before, after, found = i, text[:i], text[i+len(sep):], true
		}
	}
	return before, after, found
}

// accents are the letters that make a text look like one of a language.
var accents = map[string]string{
	"french":     "aàeéiîoôuùcç",
	"german":     "aäoöuü",
	"spanish":    "aáeéiíoóuúnñ",
	"portuguese": "aãeêiíoõuúcç",
	"italian":    "aàeèiìoòuù",
	"dutch":      "aáeëiïoóuü",
	"swedish":    "aåeéoö",
	"polish":     "aąeęoósśzżcćlł",
	"turkish":    "cçgğoösşuüiı",
	"czech":      "aáeěiícčrřsšzžyý",
}

// pseudo makes a text look foreign and leaves it readable, as translators' tools do
// to find text that was forgotten: in each word one letter gets an accent, the
// first or the last that can, by model. What stands in backquotes, links and tags
// stay as they are.
func pseudo(text, language string, model uint64) string {
	letters := accents[strings.ToLower(language)]
	if letters == "" {
		return "\u00ab" + text + "\u00bb"
	}
	pairs := map[rune]rune{}
	runes := []rune(letters)
	for i := 0; i+1 < len(runes); i += 2 {
		pairs[runes[i]] = runes[i+1]
	}
	var b strings.Builder
	code := false
	for line := range strings.Lines(text) {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		code = code != fence
		if code || fence {
			b.WriteString(line)
			continue
		}
		pseudoLine(&b, line, pairs, model%2 == 0)
	}
	return b.String()
}

func pseudoLine(b *strings.Builder, line string, pairs map[rune]rune, first bool) {
	quoted := false
	for line != "" {
		end := strings.IndexFunc(line, unicode.IsSpace)
		if end < 0 {
			end = len(line)
		}
		word := line[:end]
		odd := strings.Count(word, "`")%2 == 1
		if quoted || odd || strings.ContainsAny(word, "`<>{}/\\=") {
			b.WriteString(word)
		} else {
			b.WriteString(accent(word, pairs, first))
		}
		quoted = quoted != odd
		line = line[end:]
		space := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsSpace(r) })
		if space < 0 {
			space = len(line)
		}
		b.WriteString(line[:space])
		line = line[space:]
	}
}

// accent changes one letter of a word.
func accent(word string, pairs map[rune]rune, first bool) string {
	runes := []rune(word)
	for k := range runes {
		i := k
		if !first {
			i = len(runes) - 1 - k
		}
		if to, ok := pairs[runes[i]]; ok {
			runes[i] = to
			break
		}
	}
	return string(runes)
}
