package specs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/batchrunner/runner/specs/say"
)

// Nearest returns the name that was probably meant, empty where none is near.
func Nearest(name string, names []string) string {
	length := len([]rune(name))
	best, distance := "", min((length+2)/3, length-1) // so many slips in a word of that length
	for _, n := range names {
		if fold(n) == fold(name) {
			return n
		}
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(n), nil); d <= distance && d < len([]rune(n)) && (best == "" || d < distance) {
			best, distance = n, d
		}
	}
	if best == "" && len(name) > 1 {
		best = sameStart(name, names)
	}
	return best
}

// sameStart returns the only name that goes on where this one ends, or ends where
// this one goes on.
func sameStart(name string, names []string) string {
	found := ""
	for _, n := range names {
		if len(n) > 2 && (strings.HasPrefix(n, name) || strings.HasPrefix(name, n)) {
			if found != "" {
				return ""
			}
			found = n
		}
	}
	return found
}

// fold makes names equal that differ only in how their words are joined.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_. ", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// didYouMean suggests a name, or lists what there is: `the steps are "a" and "b"`.
func didYouMean(name, many string, names []string, show func(string) string) string {
	if n := Nearest(name, names); n != "" && n != name {
		return "did you mean " + show(n) + "?"
	}
	const most = 12 // more than a person reads
	if len(names) == 0 || len(names) > most {
		return ""
	}
	if len(names) == 1 {
		return "there is only " + show(names[0])
	}
	return many + " " + list(names, show)
}

// list joins names: `are "a", "b" and "c"`.
func list(names []string, show func(string) string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = show(name)
	}
	if len(shown) == 1 {
		return "is " + shown[0]
	}
	return "are " + say.And(shown)
}

func quote(name string) string { return fmt.Sprintf("%q", name) }

func plainName(name string) string { return name }

func dotted(name string) string { return "." + name }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
