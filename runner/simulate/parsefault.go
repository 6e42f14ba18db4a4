package simulate

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/agext/levenshtein"
)

// faultKeys are what can be said of a fault.
var faultKeys = []string{"after", "for", "match", "model", "on", "share", "times"}

// ParseFault reads a fault as people write it: its kind, then any of
//
//	match='REGEXP'  the newest message of the user, or the model's name, fits it
//	model='REGEXP'  the model's name fits it
//	times=N         only the first N attempts at one thing go wrong
//	share=30%       only this part of the things asked (or share=0.3)
//	after=N         pieces of the answer that come before; 1 if not given
//	for=2s          how long it lasts
//	on=load         requests other than prompts; see Fault.On
//
// Values with spaces stand in quotes. In single quotes a quote is written twice;
// double quotes are as in Go. Fault.String gives the text back.
func ParseFault(text string) (Fault, error) {
	words, err := splitFault(text)
	if err != nil {
		return Fault{}, err
	}
	if len(words) == 0 {
		return Fault{}, errors.New("a fault begins with its kind, such as reset")
	}
	f := Fault{Kind: words[0].text}
	if words[0].key != "" {
		return Fault{}, fmt.Errorf("a fault begins with its kind, such as reset, not with %s=", words[0].key)
	}
	seen := map[string]bool{}
	for _, w := range words[1:] {
		if seen[w.key] {
			return Fault{}, fmt.Errorf("%s is given twice", w.key)
		}
		seen[w.key] = true
		if err := f.set(w.key, w.text); err != nil {
			return Fault{}, err
		}
	}
	if err := f.check(); err != nil {
		return Fault{}, err
	}
	return f, nil
}

// A setting is one word of a fault: key=text, or a text alone.
type setting struct{ key, text string }

// splitFault cuts a text into its words.
func splitFault(text string) ([]setting, error) {
	var words []setting
	for {
		text = strings.TrimLeft(text, " \t\r\n")
		if text == "" {
			return words, nil
		}
		var w setting
		if end := strings.IndexAny(text, "= \t\r\n'\""); end >= 0 && text[end] == '=' {
			w.key, text = text[:end], text[end+1:]
			if w.key == "" {
				return nil, errors.New("= without a name before it")
			}
		}
		value, rest, err := cutValue(text)
		if err != nil {
			return nil, err
		}
		w.text, text = value, rest
		words = append(words, w)
	}
}

// cutValue cuts a value, quoted or not, off the front of a text.
func cutValue(text string) (value, rest string, err error) {
	switch {
	case strings.HasPrefix(text, "'"):
		return cutSingle(text[1:])
	case strings.HasPrefix(text, `"`):
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return "", "", fmt.Errorf("the quote in %s is not closed, or its text is not as Go writes it", text)
		}
		value, err = strconv.Unquote(quoted)
		return value, text[len(quoted):], err
	}
	if end := strings.IndexAny(text, " \t\r\n"); end >= 0 {
		return text[:end], text[end:], nil
	}
	return text, "", nil
}

func cutSingle(text string) (value, rest string, err error) {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(text, "'")
		if !ok {
			return "", "", fmt.Errorf("the quote in '%s is not closed", text)
		}
		b.WriteString(before)
		if !strings.HasPrefix(after, "'") {
			return b.String(), after, nil
		}
		b.WriteByte('\'')
		text = after[1:]
	}
}

func (f *Fault) set(key, value string) (err error) {
	switch key {
	case "match":
		f.Match, err = compile(key, value)
	case "model":
		f.Model, err = compile(key, value)
	case "times":
		f.Times, err = whole(key, value)
	case "after":
		f.After, err = whole(key, value)
		if f.After == 0 {
			f.After = -1
		}
	case "share":
		f.Share, err = share(value)
	case "for":
		f.For, err = time.ParseDuration(value)
		if err != nil {
			err = fmt.Errorf("for=%q is no duration; write it like 500ms or 2s", value)
		}
	case "on":
		f.On = value
	case "":
		err = fmt.Errorf("%q has no name before it; write it like times=1", value)
	default:
		err = fmt.Errorf("unknown key %q of a fault%s; there are %s", key, didYouMean(key, faultKeys), strings.Join(faultKeys, ", "))
	}
	return err
}

func compile(key, value string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(value)
	if err != nil {
		return nil, fmt.Errorf("%s=%q is no regular expression: %s", key, value, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

func whole(key, value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 1e9 {
		return 0, fmt.Errorf("%s=%q must be a whole number from 0 to 1000000000", key, value)
	}
	return n, nil
}

func share(value string) (float64, error) {
	number, percent := strings.CutSuffix(value, "%")
	f, err := strconv.ParseFloat(number, 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f > 0 && f <= 1) {
		return 0, fmt.Errorf("share=%q must be more than 0 and at most 1, or 100%%", value)
	}
	return f, nil
}

// didYouMean proposes the word that was most likely meant.
func didYouMean(word string, words []string) string {
	best, bestScore := "", 0.5 // below that it's another word
	for _, w := range words {
		if score := levenshtein.Similarity(strings.ToLower(word), w, nil); score > bestScore {
			best, bestScore = w, score
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
