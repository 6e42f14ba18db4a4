package templates

func logicFunctions() []entry {
	return []entry{
		{"VALUE... -> any", "and", "the first empty value, or the last one", `and 1 0 2`, "0", nil},
		{"VALUE... -> any", "or", "the first value that is not empty, or the last one", `or "" "none"`, "none", nil},
		{"VALUE -> bool", "not", "true where the value is empty", `not 0`, "true", not},
		{"VALUE VALUE... -> bool", "eq", "whether the first is equal to one of the others; numbers by value", `eq "1.10" 1.1`, "true", eq},
		{"VALUE VALUE -> bool", "ne", "whether two values differ; numbers by value", `ne "a" "b"`, "true", ne},
		{"VALUE VALUE -> bool", "lt", "less: two numbers by value, or two texts", `lt "9" "10"`, "true", ordered(func(c int) bool { return c < 0 })},
		{"VALUE VALUE -> bool", "le", "less or equal", `le 2 2.0`, "true", ordered(func(c int) bool { return c <= 0 })},
		{"VALUE VALUE -> bool", "gt", "more", `gt 10 9`, "true", ordered(func(c int) bool { return c > 0 })},
		{"VALUE VALUE -> bool", "ge", "more or equal", `ge "b" "a"`, "true", ordered(func(c int) bool { return c >= 0 })},
		{"DEFAULT [VALUE] -> any", "default", "the value, or the default where it is empty", `"" | default "none"`, "none", dflt},
		{"VALUE -> bool", "empty", "whether the value is null, false, 0, or has no length", `empty "a"`, "false", isEmpty},
		{"VALUE... -> any", "coalesce", "the first value that is not empty", `coalesce "" 0 "c"`, "c", coalesce},
		{"VALUE... -> bool", "all", "whether no value is empty", `all 1 "a" ""`, "false", all},
		{"VALUE... -> bool", "any", "whether a value is not empty", `any 0 "a"`, "true", anyOf},
		{"THEN ELSE CONDITION -> any", "ternary", "THEN where the condition is true, else ELSE", `ternary "yes" "no" true`, "yes", ternary},
		{"MESSAGE -> any", "fail", "stops with the message", `or "fine" (fail "no name given")`, "fine", fail},
		{"VALUE -> text", "kindOf", "string, int, float64, bool, slice, map or invalid (null)", `kindOf 1.5`, "float64", func(_ *budget, args []any) (any, error) { return goKind(args[0]), nil }},
		{"KIND VALUE -> bool", "kindIs", "whether the value is of this kind", `kindIs "string" "a"`, "true", kindIs},
		{"VALUE VALUE -> bool", "deepEqual", "whether two values are equal all through", `deepEqual (list 1 2) (list 1 2)`, "true", deepEqual},
	}
}

func not(_ *budget, args []any) (any, error) { return empty(args[0]), nil }

func eq(b *budget, args []any) (any, error) {
	for _, arg := range args[1:] {
		if ok, err := b.equal(args[0], arg); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func ne(b *budget, args []any) (any, error) {
	ok, err := b.equal(args[0], args[1])
	return !ok, err
}

func ordered(holds func(int) bool) impl {
	return func(b *budget, args []any) (any, error) {
		c, err := b.order(args[0], args[1])
		return holds(c), err
	}
}

func dflt(_ *budget, args []any) (any, error) {
	if len(args) == 1 || empty(args[1]) {
		return args[0], nil
	}
	return args[1], nil
}

func isEmpty(_ *budget, args []any) (any, error) { return empty(args[0]), nil }

func coalesce(_ *budget, args []any) (any, error) {
	for _, arg := range args {
		if !empty(arg) {
			return arg, nil
		}
	}
	return nil, nil
}

func all(_ *budget, args []any) (any, error) {
	for _, arg := range args {
		if empty(arg) {
			return false, nil
		}
	}
	return true, nil
}

func anyOf(b *budget, args []any) (any, error) {
	v, _ := coalesce(b, args)
	return v != nil, nil
}

func ternary(_ *budget, args []any) (any, error) {
	yes, err := boolArg(args[2])
	if err != nil {
		return nil, err
	}
	if yes {
		return args[0], nil
	}
	return args[1], nil
}

func fail(b *budget, args []any) (any, error) {
	s, err := b.textArg(args[0])
	if err != nil {
		return nil, err
	}
	return nil, stopped("%s", s)
}

// goKind names kinds as sprig does, where every number is an int or a float64.
func goKind(v any) string {
	switch kindOf(v) {
	case nullKind:
		return "invalid"
	case boolKind:
		return "bool"
	case textKind:
		return "string"
	case listKind:
		return "slice"
	case objectKind:
		return "map"
	}
	if n, ok := numberOf(v); ok && (n.whole || n.isLargeWhole()) {
		return "int"
	}
	return "float64"
}

func kindIs(b *budget, args []any) (any, error) {
	name, err := b.textArg(args[0])
	return name == goKind(args[1]), err
}

func deepEqual(b *budget, args []any) (any, error) {
	return b.same(args[0], args[1], 0)
}
