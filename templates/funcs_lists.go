package templates

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	wordSize = 16 // a value in a list
	partSize = 48 // a part of a text, as a value of its own
)

func listFunctions() []entry {
	entries := []entry{
		{"[VALUE...] -> list", "list", "a list of the values", `list 1 "a"`, `[1,"a"]`, list},
		{"[VALUE...] -> list", "tuple", "a list of the values, as list", `tuple 1 2`, `[1,2]`, list},
		{"LIST VALUE -> list", "append", "the list with one more value at its end", `append (list 1) 2`, `[1,2]`, appendTo},
		{"LIST VALUE -> list", "push", "the list with one more value at its end, as append", `push (list 1) 2`, `[1,2]`, appendTo},
		{"LIST VALUE -> list", "prepend", "the list with one more value at its start", `prepend (list 1) 2`, `[2,1]`, prependTo},
		{"LIST... -> list", "concat", "the lists as one", `concat (list 1) (list 2 3)`, `[1,2,3]`, concat},
		{"LIST -> any", "first", "the first value, null of an empty list", `first (list 1 2 3)`, `1`, first},
		{"LIST -> any", "last", "the last value, null of an empty list", `last (list 1 2 3)`, `3`, last},
		{"LIST -> list", "rest", "all but the first value", `rest (list 1 2 3)`, `[2,3]`, rest},
		{"LIST -> list", "initial", "all but the last value", `initial (list 1 2 3)`, `[1,2]`, initial},
		{"LIST -> list", "reverse", "the list from its end", `reverse (list 1 2 3)`, `[3,2,1]`, reverse},
		{"LIST -> list", "uniq", "the list without repetitions", `uniq (list 1 2 1)`, `[1,2]`, uniq},
		{"LIST [VALUE...] -> list", "without", "the list without these values", `without (list 1 2 3) 2`, `[1,3]`, without},
		{"LIST -> list", "compact", "the list without empty values", `compact (list 1 "" 0 2)`, `[1,2]`, compact},
		{"VALUE LIST -> bool", "has", "whether the value is in the list", `has 2 (list 1 2)`, `true`, has},
		{"LIST-OR-TEXT [FROM] [TO] -> any", "slice", "the values or characters from one place, counted from 0, up to another", `slice (list 1 2 3) 1 3`, `[2,3]`, slice},
		{"SIZE LIST -> list", "chunk", "the list in lists of a size", `chunk 2 (list 1 2 3)`, `[[1,2],[3]]`, chunk},
		{"LIST -> list", "sortAlpha", "the values as text, sorted", `sortAlpha (list "b" "a" "c")`, `["a","b","c"]`, sortAlpha},
		{"LIST-OR-VALUE -> list", "toStrings", "the values as text", `toStrings (list 1 "a")`, `["1","a"]`, toStrings},
		{"BETWEEN LIST -> text", "join", "the values as one text", `join ", " (list "a" "b")`, `a, b`, join},
		{"BETWEEN TEXT -> list", "splitList", "the parts of a text", `splitList "," "a,b"`, `["a","b"]`, splitList},
		{"BETWEEN TEXT -> object", "split", "the parts of a text by name: _0, _1", `(split "," "a,b")._1`, `b`, split},
		{"BETWEEN COUNT TEXT -> object", "splitn", "at most COUNT parts of a text by name: _0, _1", `(splitn "," 2 "a,b,c")._1`, `b,c`, splitn},
		{"VALUE -> number", "len", "the characters of a text, the values of a list, the fields of an object", `len "straße"`, `6`, length},
	}
	return withMust(entries, "append push prepend first last rest initial reverse uniq without compact has slice chunk")
}

// withMust adds sprig's second name of functions: they fail either way here.
func withMust(entries []entry, names string) []entry {
	for _, name := range strings.Fields(names) {
		i := slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
		e := entries[i]
		e.name = "must" + strings.ToUpper(name[:1]) + name[1:]
		e.text += ", as " + name
		e.example = strings.Replace(e.example, name, e.name, 1)
		entries = append(entries, e)
	}
	return entries
}

// copied is a list's values in a new list with room for more.
func (b *budget) copied(v any, more int) ([]any, error) {
	values, err := listArg(v)
	if err != nil {
		return nil, err
	}
	if err := b.takeEach(int64(len(values)+more), wordSize); err != nil {
		return nil, err
	}
	return append(make([]any, 0, len(values)+more), values...), nil
}

func list(b *budget, args []any) (any, error) { return b.copied(args, 0) }

func appendTo(b *budget, args []any) (any, error) {
	values, err := b.copied(args[0], 1)
	return append(values, args[1]), err
}

func prependTo(b *budget, args []any) (any, error) {
	values, err := b.copied(args[0], 1)
	return slices.Insert(values, 0, args[1]), err
}

func concat(b *budget, args []any) (any, error) {
	total := 0
	for _, arg := range args {
		values, err := listArg(arg)
		if err != nil {
			return nil, err
		}
		total += len(values)
	}
	if err := b.takeEach(int64(total), wordSize); err != nil {
		return nil, err
	}
	all := make([]any, 0, total)
	for _, arg := range args {
		all = append(all, listOf(arg)...)
	}
	return all, nil
}

func first(_ *budget, args []any) (any, error) {
	values, err := listArg(args[0])
	if err != nil || len(values) == 0 {
		return nil, err
	}
	return values[0], nil
}

func last(_ *budget, args []any) (any, error) {
	values, err := listArg(args[0])
	if err != nil || len(values) == 0 {
		return nil, err
	}
	return values[len(values)-1], nil
}

// rest and initial share their argument's memory: nothing ever writes to a list.
func rest(_ *budget, args []any) (any, error) {
	values, err := listArg(args[0])
	return values[min(1, len(values)):], err
}

func initial(_ *budget, args []any) (any, error) {
	values, err := listArg(args[0])
	return values[:max(0, len(values)-1)], err
}

func reverse(b *budget, args []any) (any, error) {
	values, err := b.copied(args[0], 0)
	slices.Reverse(values)
	return values, err
}

// filtered keeps the values for which keep holds; keep sees what is kept so far.
func (b *budget) filtered(v any, keep func(v any, kept []any) (bool, error)) (any, error) {
	values, err := listArg(v)
	if err != nil {
		return nil, err
	}
	if err := b.takeEach(int64(len(values)), wordSize); err != nil {
		return nil, err
	}
	kept := make([]any, 0, len(values))
	for _, v := range values {
		ok, err := keep(v, kept)
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, v)
		}
	}
	return kept, nil
}

func (b *budget) in(v any, values []any) (bool, error) {
	for _, w := range values {
		if ok, err := b.same(v, w, 0); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func uniq(b *budget, args []any) (any, error) {
	return b.filtered(args[0], func(v any, kept []any) (bool, error) {
		found, err := b.in(v, kept)
		return !found, err
	})
}

func without(b *budget, args []any) (any, error) {
	return b.filtered(args[0], func(v any, _ []any) (bool, error) {
		found, err := b.in(v, args[1:])
		return !found, err
	})
}

func compact(b *budget, args []any) (any, error) {
	return b.filtered(args[0], func(v any, _ []any) (bool, error) { return !empty(v), nil })
}

func has(b *budget, args []any) (any, error) {
	if args[1] == nil {
		return false, nil
	}
	values, err := listArg(args[1])
	if err != nil {
		return nil, err
	}
	return b.in(args[0], values)
}

func slice(b *budget, args []any) (any, error) {
	text, isText := args[0].(string)
	var values []any
	var err error
	size := 0
	if isText {
		size = utf8.RuneCountInString(text)
	} else if values, err = listArg(args[0]); err != nil {
		return nil, err
	} else {
		size = len(values)
	}
	bounds := [2]int{0, size}
	for i, arg := range args[1:] {
		if bounds[i], err = lengthArg(arg); err != nil {
			return nil, err
		}
	}
	start, end := bounds[0], bounds[1]
	if start < 0 || end > size || start > end {
		return nil, failed("can't take %d to %d of %d", start, end, size)
	}
	if isText {
		return text[offset(text, start):offset(text, end)], nil
	}
	return values[start:end:end], nil
}

func chunk(b *budget, args []any) (any, error) {
	size, err := lengthArg(args[0])
	if err != nil {
		return nil, err
	}
	if size < 1 {
		return nil, failed("needs a size of at least 1, but gets %d", size)
	}
	values, err := listArg(args[1])
	if err != nil {
		return nil, err
	}
	if err := b.takeEach(int64(len(values)/size+1), partSize); err != nil {
		return nil, err
	}
	chunks := make([]any, 0, len(values)/size+1)
	for part := range slices.Chunk(values, size) {
		chunks = append(chunks, part)
	}
	return chunks, nil
}

// sortAlpha counts each comparison: a list may hold long texts that differ only
// at their ends.
func sortAlpha(b *budget, args []any) (any, error) {
	texts, err := b.texts(args[0])
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(texts, func(x, y any) int {
		if err != nil {
			return 0
		}
		s, t := x.(string), y.(string)
		err = b.spend(int64(20 + min(len(s), len(t))/16))
		return cmp.Compare(s, t)
	})
	return texts, err
}

// texts is a list's values as texts; another value is a list of one.
func (b *budget) texts(v any) ([]any, error) {
	values := []any{v}
	if kindOf(v) == listKind {
		values = listOf(v)
	}
	if err := b.takeEach(int64(len(values)), partSize); err != nil {
		return nil, err
	}
	texts := make([]any, len(values))
	for i, v := range values {
		if v == nil {
			return nil, nullIn(i)
		}
		s, err := b.text(v)
		if err != nil {
			return nil, err
		}
		texts[i] = s
	}
	return texts, nil
}

func nullIn(i int) error {
	return failed("gets a list whose value number %d is null; drop it with compact", i+1)
}

func toStrings(b *budget, args []any) (any, error) { return b.texts(args[0]) }

func join(b *budget, args []any) (any, error) {
	between, err := b.textArg(args[0])
	if err != nil {
		return nil, err
	}
	if args[1] == nil {
		return nil, failed("needs a list, but gets null")
	}
	values, err := b.texts(args[1])
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.(string)
	}
	return b.joined(texts, between)
}

// parts splits a text into at most n parts, counted first; -1 is all.
func (b *budget) parts(between, v any, n, each int) ([]string, error) {
	sep, err := b.textArg(between)
	if err != nil {
		return nil, err
	}
	s, err := b.textArg(v)
	if err != nil {
		return nil, err
	}
	count := strings.Count(s, sep) + 1
	if n >= 0 {
		count = min(count, n)
	}
	if err := b.takeEach(int64(count), int64(each)); err != nil {
		return nil, err
	}
	return strings.SplitN(s, sep, n), nil
}

func splitList(b *budget, args []any) (any, error) {
	parts, err := b.parts(args[0], args[1], -1, partSize)
	return listOf(parts), err
}

func split(b *budget, args []any) (any, error) {
	return b.named(args[0], args[1], -1)
}

func splitn(b *budget, args []any) (any, error) {
	n, err := lengthArg(args[1])
	if err != nil {
		return nil, err
	}
	return b.named(args[0], args[2], n)
}

// named gives parts the names _0, _1 and so on.
func (b *budget) named(between, v any, n int) (any, error) {
	const each = 160 // a field of an object, with its name
	parts, err := b.parts(between, v, n, each)
	if err != nil {
		return nil, err
	}
	object := make(map[string]any, len(parts))
	for i, part := range parts {
		object["_"+strconv.Itoa(i)] = part
	}
	return object, nil
}

func length(_ *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), nil
	case map[string]any:
		return int64(len(v)), nil
	}
	if kindOf(args[0]) == listKind {
		return int64(len(listOf(args[0]))), nil
	}
	return nil, failed("needs text, a list or an object, but gets %s", described(args[0]))
}
