package templates

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

func numberFunctions(sprigs map[string]any) []entry {
	type decimals = func(...any) float64
	type decimalsOf = func(any, ...any) float64
	addf := from[decimals](sprigs, "addf")
	subf := from[decimalsOf](sprigs, "subf")
	mulf := from[decimalsOf](sprigs, "mulf")
	divf := from[decimalsOf](sprigs, "divf")
	plus := func(x, y float64) float64 { return addf(x, y) }
	minus := func(x, y float64) float64 { return subf(x, y) }
	times := func(x, y float64) float64 { return mulf(x, y) }
	over := func(x, y float64) float64 { return divf(x, y) }
	return []entry{
		{"NUMBER... -> number", "add", "the sum; whole numbers stay whole", `add 1 2 3`, "6", arithmetic(addWhole, plus)},
		{"NUMBER -> number", "add1", "one more", `add1 5`, "6", addOne(arithmetic(addWhole, plus))},
		{"NUMBER NUMBER -> number", "sub", "the first less the second", `sub 5 2.5`, "2.5", arithmetic(subWhole, minus)},
		{"NUMBER... -> number", "mul", "the product; whole numbers stay whole", `mul 2 3 4`, "24", arithmetic(mulWhole, times)},
		{"NUMBER NUMBER -> number", "div", "the first by the second; of two whole numbers the whole part", `div 7 2`, "3", divide(arithmetic(divWhole, over))},
		{"NUMBER NUMBER -> number", "mod", "what is left of dividing two whole numbers", `mod 7 2`, "1", mod},
		{"NUMBER... -> number", "addf", "the sum, with decimals", `addf 0.1 0.2`, "0.3", arithmetic(nil, plus)},
		{"NUMBER -> number", "add1f", "one more, with decimals", `add1f 1.5`, "2.5", addOne(arithmetic(nil, plus))},
		{"NUMBER NUMBER... -> number", "subf", "the first less the others, with decimals", `subf 7.5 2 3`, "2.5", arithmetic(nil, minus)},
		{"NUMBER... -> number", "mulf", "the product, with decimals", `mulf 1.1 1.1`, "1.21", arithmetic(nil, times)},
		{"NUMBER NUMBER... -> number", "divf", "the first by the others, with decimals", `divf 7 2`, "3.5", divide(arithmetic(nil, over))},
		{"NUMBER... -> number", "max", "the largest", `max 1 2.50 2`, "2.5", extreme(1)},
		{"NUMBER... -> number", "min", "the smallest", `min 3 "1.10" 2`, "1.10", extreme(-1)},
		{"NUMBER... -> number", "biggest", "the largest, as max", `biggest 1 3 2`, "3", extreme(1)},
		{"NUMBER... -> number", "maxf", "the largest, as max", `maxf 1 2.5`, "2.5", extreme(1)},
		{"NUMBER... -> number", "minf", "the smallest, as min", `minf 1 2.5`, "1", extreme(-1)},
		{"NUMBER -> number", "floor", "the whole number below", `floor 2.9`, "2", rounded(math.Floor)},
		{"NUMBER -> number", "ceil", "the whole number above", `ceil 2.1`, "3", rounded(math.Ceil)},
		{"NUMBER PLACES -> number", "round", "the nearest number with so many decimals, halves away from 0", `round 2.345 2`, "2.35", round},
		{"TEXT -> number", "atoi", "the whole number that the text spells", `atoi "007"`, "7", atoi},
		{"VALUE -> number", "int", "the whole part of a number", `int "3.7"`, "3", toInt},
		{"VALUE -> number", "int64", "the whole part of a number, as int", `int64 3.7`, "3", toInt},
		{"VALUE -> number", "float64", "the number with its decimals", `float64 "2.50"`, "2.5", toFloat},
		{"TEXT -> number", "toDecimal", "the number that octal digits spell", `toDecimal "777"`, "511", toDecimal},
		{"COUNT -> list", "until", "the numbers from 0 up to but not with COUNT", `until 3`, "[0,1,2]", until},
		{"FROM TO STEP -> list", "untilStep", "the numbers from FROM towards but not with TO", `untilStep 3 9 2`, "[3,5,7]", untilStep},
		{"[FROM] [STEP] [TO] -> text", "seq", "numbers with spaces between, as the shell's seq", `seq 1 2 5`, "1 3 5", seq},
	}
}

var errLarge = &failure{message: "gives a number beyond the largest whole one, 9223372036854775807; use addf, subf or mulf"}

// arithmetic folds numbers: whole ones exactly where all are whole and wholes is
// given, else as decimals (0.1 and 0.2 are 0.3).
func arithmetic(wholes func(x, y int64) (int64, bool), decimals func(x, y float64) float64) impl {
	return func(_ *budget, args []any) (any, error) {
		total, err := numberArg(args[0])
		if err != nil {
			return nil, err
		}
		for _, arg := range args[1:] {
			n, err := numberArg(arg)
			if err != nil {
				return nil, err
			}
			if total, err = fold(total, n, wholes, decimals); err != nil {
				return nil, err
			}
		}
		if total.whole && wholes != nil {
			return total.i, nil
		}
		if wholes != nil && total.text != "" {
			return json.Number(total.text), nil // alone: its spelling
		}
		return total.f, nil
	}
}

func fold(x, y number, wholes func(x, y int64) (int64, bool), decimals func(x, y float64) float64) (number, error) {
	if wholes != nil && x.whole && y.whole {
		i, ok := wholes(x.i, y.i)
		if !ok {
			return number{}, errLarge
		}
		return wholeNumber(i), nil
	}
	if wholes != nil && (x.isLargeWhole() || y.isLargeWhole()) {
		return number{}, errLarge
	}
	f := decimals(x.f, y.f)
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return number{}, failed("gives a number too large to write")
	}
	return number{f: f}, nil
}

// isLargeWhole says whether the number is a whole one that int64 can't hold:
// rounding it without a word would be wrong.
func (n number) isLargeWhole() bool {
	return !n.whole && n.text != "" && !strings.ContainsAny(n.text, ".eE")
}

func addWhole(x, y int64) (int64, bool) {
	sum := x + y
	return sum, (sum > x) == (y > 0)
}

func subWhole(x, y int64) (int64, bool) {
	difference := x - y
	return difference, (difference < x) == (y > 0)
}

func mulWhole(x, y int64) (int64, bool) {
	if x == 0 || y == 0 {
		return 0, true
	}
	product := x * y
	return product, product/y == x && !(x == -1 && y == math.MinInt64) && !(y == -1 && x == math.MinInt64)
}

func divWhole(x, y int64) (int64, bool) {
	return x / y, !(x == math.MinInt64 && y == -1)
}

func addOne(add impl) impl {
	return func(b *budget, args []any) (any, error) { return add(b, []any{args[0], 1}) }
}

func divide(div impl) impl {
	return func(b *budget, args []any) (any, error) {
		for _, arg := range args[1:] {
			if n, ok := numberOf(arg); ok && n.zero() {
				return nil, failed("can't divide by 0")
			}
		}
		return div(b, args)
	}
}

func mod(_ *budget, args []any) (any, error) {
	x, err := wholeArg(args[0])
	if err != nil {
		return nil, err
	}
	y, err := wholeArg(args[1])
	if err != nil {
		return nil, err
	}
	switch y {
	case 0:
		return nil, failed("can't divide by 0")
	case -1:
		return int64(0), nil
	}
	return x % y, nil
}

// extreme gives the largest (sign 1) or smallest (-1) argument as it is spelled.
func extreme(sign int) impl {
	return func(_ *budget, args []any) (any, error) {
		best, err := numberArg(args[0])
		if err != nil {
			return nil, err
		}
		result := args[0]
		for _, arg := range args[1:] {
			n, err := numberArg(arg)
			if err != nil {
				return nil, err
			}
			if n.compare(best)*sign > 0 {
				best, result = n, arg
			}
		}
		return result, nil
	}
}

func rounded(f func(float64) float64) impl {
	return func(_ *budget, args []any) (any, error) {
		n, err := numberArg(args[0])
		if err != nil {
			return nil, err
		}
		if n.whole || n.isLargeWhole() {
			return args[0], nil
		}
		return f(n.f), nil
	}
}

// round works on the number as it is spelled: 1.005 is 1.01, though the float64
// nearest to it is less. sprig's rounds -2.4 to -3.
func round(_ *budget, args []any) (any, error) {
	const most = 15 // decimals that a float64 holds
	n, err := numberArg(args[0])
	if err != nil {
		return nil, err
	}
	places, err := wholeArg(args[1])
	if err != nil {
		return nil, err
	}
	if places < 0 || places > most {
		return nil, failed("takes 0 to %d places, not %d", most, places)
	}
	if n.whole || n.isLargeWhole() {
		return args[0], nil
	}
	f, err := strconv.ParseFloat(n.exact().FloatString(int(places)), 64)
	return f, err
}

func atoi(_ *budget, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		s, _ = wordsOf(args[0])
	}
	i, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil, failed("needs a whole number, but gets %s", described(args[0]))
	}
	return i, nil
}

func toInt(b *budget, args []any) (any, error) {
	n, ok := numberOf(args[0])
	if !ok {
		return atoi(b, args)
	}
	if i, ok := n.int64(); ok {
		return i, nil
	}
	if math.Abs(n.f) >= math.MaxInt64 {
		return nil, errLarge
	}
	return int64(n.f), nil
}

func toFloat(_ *budget, args []any) (any, error) {
	f, err := floatArg(args[0])
	return f, err
}

func toDecimal(b *budget, args []any) (any, error) {
	s, err := b.textArg(args[0])
	if err != nil {
		return nil, err
	}
	i, err := strconv.ParseInt(s, 8, 64)
	if err != nil {
		return nil, failed("needs octal digits, but gets %s", described(args[0]))
	}
	return i, nil
}

func until(b *budget, args []any) (any, error) {
	count, err := wholeArg(args[0])
	if err != nil {
		return nil, err
	}
	step := int64(1)
	if count < 0 {
		step = -1
	}
	return b.numbers(0, count, step)
}

func untilStep(b *budget, args []any) (any, error) {
	var n [3]int64
	for i, arg := range args {
		var err error
		if n[i], err = wholeArg(arg); err != nil {
			return nil, err
		}
	}
	return b.numbers(n[0], n[1], n[2])
}

// numbers are those from start towards but not with stop; none where the step
// leads away from it.
func (b *budget) numbers(start, stop, step int64) ([]any, error) {
	switch {
	case step > 0 && start < stop:
		return b.numbersTo(start, stop-1, step)
	case step < 0 && start > stop:
		return b.numbersTo(start, stop+1, step)
	}
	return []any{}, nil
}

// numbersTo are those from start to end, with end.
func (b *budget) numbersTo(start, end, step int64) ([]any, error) {
	const each = 24 // a value and the number it points to
	if step == 0 || step > 0 && start > end || step < 0 && start < end {
		return []any{}, nil
	}
	// Unsigned differences can't overflow: they are at most 2^64 - 1.
	distance, stride := uint64(end)-uint64(start), uint64(step)
	if step < 0 {
		distance, stride = uint64(start)-uint64(end), -uint64(step)
	}
	count := min(distance/stride, math.MaxInt64-1) + 1
	if err := b.takeEach(int64(count), each); err != nil {
		return nil, err
	}
	list := make([]any, count)
	for i := range list {
		list[i] = start + int64(i)*step
	}
	return list, nil
}

// seq follows sprig's: one number is the end, two are both ends, three have the
// step in the middle, and the ends are part of it.
func seq(b *budget, args []any) (any, error) {
	n := make([]int64, len(args))
	for i, arg := range args {
		var err error
		if n[i], err = wholeArg(arg); err != nil {
			return nil, err
		}
	}
	var start, step, end int64 = 1, 1, 0
	switch len(n) {
	case 0:
		return "", nil
	case 1:
		end = n[0]
	case 2:
		start, end = n[0], n[1]
	case 3:
		start, step, end = n[0], n[1], n[2]
	}
	if len(n) < 3 && end < start {
		step = -1
	}
	list, err := b.numbersTo(start, end, step)
	if err != nil {
		return nil, err
	}
	texts, err := b.textArgs(list)
	if err != nil {
		return nil, err
	}
	return b.joined(texts, " ")
}
