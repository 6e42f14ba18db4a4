package simulate

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// text makes up the answer to a question: a translation, a number or some
// sentences, as the prompt asks for, and easy to tell from a model's.
func (q *question) text() string {
	prompt := q.last()
	if language, original, ok := translation(lastOf(q.Messages, "system"), prompt); ok {
		return pseudo(original, language, hashString(q.entry.full)) + " [" + language + ", simulated]"
	}
	if low, high, ok := scaleAsked(prompt); ok {
		return strconv.Itoa(low + newRandom(q.seed, "rating").below(high-low+1))
	}
	return prose(subject(prompt), sentencesAsked(prompt), newRandom(q.seed, "prose")) + " (simulated)"
}

// The sentences of answers. A %s stands for what the prompt is about.
var (
	openings = []string{
		"Most people meet %s by accident and stay for the details.",
		"What matters about %s fits on one page.",
		"Think of %s as a workshop where every tool has its place.",
		"There is more to %s than a first look shows.",
		"A good way into %s is a small, honest question.",
		"The story of %s begins with something plain.",
		"Few things reward patience like %s.",
		"Whoever knows %s well speaks of it in simple words.",
	}
	middles = []string{
		"It works best when each part does one thing.",
		"Three ideas carry it: order, rhythm and rest.",
		"A good example says more than a long rule.",
		"The details differ from place to place, the pattern stays.",
		"Small steps make it easy to change one's mind.",
		"Nothing about it needs special equipment.",
		"What seems like an exception is often the rule at work.",
		"Half of the craft is knowing what to leave out.",
		"It is sturdy where it must be, and light where it can be.",
		"Those who try it once tend to come back.",
	}
	closings = []string{
		"Try it once and the rest follows.",
		"That is the heart of it.",
		"The rest is practice.",
		"Start small, measure, then grow.",
		"Tomorrow it will feel familiar.",
	}
)

// prose writes n sentences about a subject.
func prose(about string, n int, r *random) string {
	var b strings.Builder
	b.WriteString(strings.Replace(openings[r.below(len(openings))], "%s", about, 1))
	at := r.below(len(middles))
	for range n - 2 {
		b.WriteString(" " + middles[at%len(middles)])
		at += 3 // 3 and 10 have no common factor: no sentence twice in ten
	}
	if n > 1 {
		b.WriteString(" " + closings[r.below(len(closings))])
	}
	return b.String()
}

// sentencesAsked reads from a prompt how long the answer should be.
func sentencesAsked(prompt string) int {
	head := lowerHead(prompt)
	switch {
	case strings.Contains(head, "one sentence"), strings.Contains(head, "a sentence"), strings.Contains(head, "one line"):
		return 1
	case strings.Contains(head, "short"), strings.Contains(head, "brief"), strings.Contains(head, "two sentences"):
		return 2
	case strings.Contains(head, "paragraph"), strings.Contains(head, "detail"), strings.Contains(head, "essay"):
		return 6
	}
	return 3
}

// headBytes is how much of a prompt is searched for what it asks.
const headBytes = 300

func lowerHead(prompt string) string { return strings.ToLower(head(prompt, headBytes)) }

// head cuts a text to at most n bytes, between two characters.
func head(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// subject finds what a prompt is about: what it quotes, what follows its colon, or
// what its first words ask for.
func subject(prompt string) string {
	start := strings.TrimSpace(head(prompt, headBytes))
	if quoted, ok := quotation(start); ok {
		return quoted
	}
	if _, after, ok := cutAfter(start, ": ", ":\n"); ok && strings.TrimSpace(after) != "" {
		return phrase(after)
	}
	for _, ending := range lengthPhrases {
		start = strings.Replace(start, ending, "", 1)
	}
	for _, verb := range []string{"Explain ", "Describe ", "Define ", "Summarize ", "Summarise ", "Tell me about ", "What is ", "What are "} {
		if after, ok := cutPrefixFold(start, verb); ok {
			return phrase(strings.TrimRight(after, "? "))
		}
	}
	if !strings.HasSuffix(start, "?") {
		if _, after, ok := cutAfter(start, " about ", " for ", " of ", " on "); ok {
			return phrase(after)
		}
	}
	return phrase(start)
}

// lengthPhrases say how long an answer should be, not what it is about.
var lengthPhrases = []string{" in one sentence", " in a sentence", " in two sentences", " in one line", " in one paragraph", " in a paragraph", " in detail", " briefly"}

func cutPrefixFold(text, prefix string) (after string, ok bool) {
	if len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
		return text[len(prefix):], true
	}
	return text, false
}

func quotation(text string) (string, bool) {
	_, after, ok := strings.Cut(text, `"`)
	quoted, _, closed := strings.Cut(after, `"`)
	quoted = phrase(quoted)
	return quoted, ok && closed && quoted != "this"
}

// phrase takes the first few words of a text, as they can stand in a sentence.
func phrase(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	question := strings.HasSuffix(strings.TrimSpace(line), "?")
	words := strings.Fields(strings.Trim(line, " \t#*_`\"'.,;:!?()[]{}<>"))
	const most = 9
	cut := len(words) > most
	if cut {
		words = words[:most]
	}
	out := strings.TrimRight(strings.Join(words, " "), ".,;:!?")
	switch {
	case out == "":
		return "this"
	case cut:
		return out + "..."
	case question:
		return "the question \u201c" + out + "?\u201d"
	}
	return out
}

// scaleAsked finds a scale in a prompt that asks for a rating: "from 1 to 5".
func scaleAsked(prompt string) (low, high int, ok bool) {
	start := lowerHead(prompt)
	if !strings.Contains(start, "rate") && !strings.Contains(start, "score") && !strings.Contains(start, "grade") {
		return 0, 0, false
	}
	for _, before := range []string{"from ", "between ", "scale of "} {
		_, after, found := strings.Cut(start, before)
		if _, err := scanScale(after, &low, &high); found && err == nil && low < high {
			return low, high, true
		}
	}
	return 0, 0, false
}

func scanScale(text string, low, high *int) (rest string, err error) {
	first, rest, _ := strings.Cut(text, " ")
	if *low, err = strconv.Atoi(first); err != nil {
		return text, err
	}
	_, rest, _ = strings.Cut(rest, " ") // "to" or "and"
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	*high, err = strconv.Atoi(rest[:min(end, 6)])
	return rest, err
}
