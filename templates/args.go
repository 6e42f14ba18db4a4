package templates

import (
	"errors"
	"fmt"
)

// textArg is an argument as text: numbers and bools as they print, lists and
// objects as JSON. Null is an error.
func (b *budget) textArg(v any) (string, error) {
	s, err := b.text(v)
	if errors.Is(err, errNull) {
		return "", failed("needs text, but gets null")
	}
	return s, err
}

func (b *budget) textArgs(args []any) ([]string, error) {
	if err := b.takeEach(int64(len(args)), 16); err != nil {
		return nil, err
	}
	texts := make([]string, len(args))
	for i, v := range args {
		var err error
		if texts[i], err = b.textArg(v); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

func numberArg(v any) (number, error) {
	if n, ok := numberOf(v); ok {
		return n, nil
	}
	return number{}, failed("needs a number, but gets %s", described(v))
}

func floatArg(v any) (float64, error) {
	n, err := numberArg(v)
	return n.f, err
}

func wholeArg(v any) (int64, error) {
	n, ok := numberOf(v)
	if ok {
		if i, ok := n.int64(); ok {
			return i, nil
		}
	}
	return 0, failed("needs a whole number, but gets %s", described(v))
}

// lengthArg is a count: a whole number that is not huge, so that sums of a few
// stay exact.
func lengthArg(v any) (int, error) {
	const huge = 1 << 40
	i, err := wholeArg(v)
	if err != nil {
		return 0, err
	}
	return int(max(-huge, min(i, huge))), nil
}

func listArg(v any) ([]any, error) {
	if kindOf(v) != listKind {
		return nil, failed("needs a list, but gets %s", described(v))
	}
	return listOf(v), nil
}

func objectArg(v any) (map[string]any, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, failed("needs an object, but gets %s", described(v))
	}
	return object, nil
}

func boolArg(v any) (bool, error) {
	switch v {
	case true, "true":
		return true, nil
	case false, "false":
		return false, nil
	}
	return false, failed("needs true or false, but gets %s", described(v))
}

// onText makes an impl of a function of one text whose result has at most grow
// bytes for each of its argument's.
func onText(grow int64, f func(string) string) impl {
	return func(b *budget, args []any) (any, error) {
		s, err := b.textArg(args[0])
		if err != nil {
			return nil, err
		}
		if err := b.takeEach(int64(len(s)), grow); err != nil {
			return nil, err
		}
		return f(s), nil
	}
}

// onTexts makes an impl of a function of two texts that allocates nothing to
// speak of.
func onTexts[T any](f func(x, y string) T) impl {
	return func(b *budget, args []any) (any, error) {
		texts, err := b.textArgs(args)
		if err != nil {
			return nil, err
		}
		return f(texts[0], texts[1]), nil
	}
}

// from takes a function of sprig with its Go type. A wrong name or type is our
// own mistake, and shows in every test.
func from[F any](sprigs map[string]any, name string) F {
	f, ok := sprigs[name].(F)
	if !ok {
		panic(fmt.Sprintf("sprig's %s is a %T", name, sprigs[name]))
	}
	return f
}
