package templates

import (
	"maps"
	"strconv"
)

const fieldSize = 96 // a field of an object, without its value

func objectFunctions() []entry {
	entries := []entry{
		{"LIST-OR-OBJECT KEY... -> any", "index", "the value at a place, counted from 0, or of a field; it must be there", `index (dict "unit-price" 5) "unit-price"`, "5", index},
		{"OBJECT NAME -> any", "get", "the field's value, null where there is none", `get (dict "a" 1) "b" | default "none"`, "none", get},
		{"OBJECT NAME -> bool", "hasKey", "whether the object has the field", `hasKey (dict "a" 1) "a"`, "true", hasKey},
		{"NAME... DEFAULT OBJECT -> any", "dig", "the value at the end of a chain of fields, or the default", `dig "a" "b" "none" (dict "a" (dict "b" 1))`, "1", dig},
		{"[NAME-VALUE...] -> object", "dict", "an object of names and values in turn", `dict "a" 1 "b" "x"`, `{"a":1,"b":"x"}`, dict},
		{"OBJECT NAME VALUE -> object", "set", "a copy of the object with the field set", `set (dict "a" 1) "b" 2`, `{"a":1,"b":2}`, set},
		{"OBJECT NAME -> object", "unset", "a copy of the object without the field", `unset (dict "a" 1 "b" 2) "a"`, `{"b":2}`, unset},
		{"OBJECT... -> list", "keys", "the names of the fields, sorted", `keys (dict "b" 1 "a" 2)`, `["a","b"]`, keys},
		{"OBJECT -> list", "values", "the values of the fields, sorted by name", `values (dict "b" 1 "a" 2)`, `[2,1]`, values},
		{"OBJECT NAME... -> object", "pick", "only these fields", `pick (dict "a" 1 "b" 2) "a"`, `{"a":1}`, pick},
		{"OBJECT NAME... -> object", "omit", "all but these fields", `omit (dict "a" 1 "b" 2) "a"`, `{"b":2}`, omit},
		{"NAME OBJECT... -> list", "pluck", "the field's values in the objects that have it", `pluck "a" (dict "a" 1) (dict "a" 2)`, `[1,2]`, pluck},
		{"OBJECT... -> object", "merge", "the objects as one; of equal fields the first that is not empty, objects in them merged too", `merge (dict "a" 1) (dict "a" 2 "b" 3)`, `{"a":1,"b":3}`, merge(firstWins)},
		{"OBJECT... -> object", "mergeOverwrite", "as merge, but of equal fields the last that is not empty", `mergeOverwrite (dict "a" 1) (dict "a" 2 "b" 3)`, `{"a":2,"b":3}`, merge(lastWins)},
		{"VALUE -> any", "deepCopy", "the value itself, since nothing ever changes it", `deepCopy (list 1)`, `[1]`, deepCopy},
	}
	return withMust(entries, "merge mergeOverwrite deepCopy")
}

func index(b *budget, args []any) (any, error) {
	v := args[0]
	var followed []string
	for _, key := range args[1:] {
		name, err := b.textArg(key)
		if err != nil {
			return nil, err
		}
		followed = append(followed, name)
		switch kindOf(v) {
		case objectKind:
			value, ok := v.(map[string]any)[name]
			if !ok {
				return nil, &failure{message: "finds no field " + strconv.Quote(abbreviated(name)), missing: followed,
					help: "if it may be missing: {{ get ... " + strconv.Quote(abbreviated(name)) + ` | default "none" }}`}
			}
			v = value
		case listKind:
			if v, err = element(listOf(v), key); err != nil {
				return nil, err
			}
		default:
			return nil, failed("needs a list or an object, but gets %s", described(v))
		}
	}
	return v, nil
}

func element(values []any, key any) (any, error) {
	i, err := wholeArg(key)
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(values)) {
		return nil, failed("finds no value number %d (counted from 0) in a list of %d", i, len(values))
	}
	return values[i], nil
}

// get of null is null, as of an object without the field: what may be missing may
// be missing altogether.
func get(b *budget, args []any) (any, error) {
	name, err := b.textArg(args[1])
	if err != nil || args[0] == nil {
		return nil, err
	}
	object, err := objectArg(args[0])
	return object[name], err
}

func hasKey(b *budget, args []any) (any, error) {
	name, err := b.textArg(args[1])
	if err != nil || args[0] == nil {
		return false, err
	}
	object, err := objectArg(args[0])
	_, ok := object[name]
	return ok, err
}

func dig(b *budget, args []any) (any, error) {
	names, err := b.textArgs(args[:len(args)-2])
	if err != nil {
		return nil, err
	}
	fallback, v := args[len(args)-2], args[len(args)-1]
	for _, name := range names {
		if v == nil {
			return fallback, nil
		}
		object, err := objectArg(v)
		if err != nil {
			return nil, err
		}
		value, ok := object[name]
		if !ok {
			return fallback, nil
		}
		v = value
	}
	return v, nil
}

func dict(b *budget, args []any) (any, error) {
	if len(args)%2 != 0 {
		return nil, failed("needs a value for every name, but gets %d arguments", len(args))
	}
	if err := b.takeEach(int64(len(args)), fieldSize); err != nil {
		return nil, err
	}
	object := make(map[string]any, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		name, err := b.textArg(args[i])
		if err != nil {
			return nil, err
		}
		object[name] = args[i+1]
	}
	return object, nil
}

// clone copies an object's fields into a new one. Their values are shared, which
// nobody can tell: nothing ever changes a value.
func (b *budget) clone(v any) (map[string]any, error) {
	object, err := objectArg(v)
	if err != nil {
		return nil, err
	}
	if err := b.takeEach(int64(len(object)+1), fieldSize); err != nil {
		return nil, err
	}
	clone := make(map[string]any, len(object)+1)
	maps.Copy(clone, object)
	return clone, nil
}

func set(b *budget, args []any) (any, error) {
	object, err := b.clone(args[0])
	if err != nil {
		return nil, err
	}
	name, err := b.textArg(args[1])
	if err != nil {
		return nil, err
	}
	object[name] = args[2]
	return object, nil
}

func unset(b *budget, args []any) (any, error) { return omit(b, args) }

func keys(b *budget, args []any) (any, error) {
	var all []any
	for _, arg := range args {
		object, err := objectArg(arg)
		if err != nil {
			return nil, err
		}
		if err := b.takeEach(int64(len(object)), partSize); err != nil {
			return nil, err
		}
		all = append(all, listOf(sortedKeys(object))...)
	}
	if all == nil {
		all = []any{}
	}
	return all, nil
}

func values(b *budget, args []any) (any, error) {
	object, err := objectArg(args[0])
	if err != nil {
		return nil, err
	}
	if err := b.takeEach(int64(len(object)), partSize); err != nil {
		return nil, err
	}
	all := make([]any, 0, len(object))
	for _, name := range sortedKeys(object) {
		all = append(all, object[name])
	}
	return all, nil
}

func pick(b *budget, args []any) (any, error) {
	object, err := objectArg(args[0])
	if err != nil {
		return nil, err
	}
	names, err := b.textArgs(args[1:])
	if err != nil {
		return nil, err
	}
	if err := b.takeEach(int64(len(names)), fieldSize); err != nil {
		return nil, err
	}
	picked := make(map[string]any, len(names))
	for _, name := range names {
		if v, ok := object[name]; ok {
			picked[name] = v
		}
	}
	return picked, nil
}

func omit(b *budget, args []any) (any, error) {
	object, err := b.clone(args[0])
	if err != nil {
		return nil, err
	}
	names, err := b.textArgs(args[1:])
	for _, name := range names {
		delete(object, name)
	}
	return object, err
}

func pluck(b *budget, args []any) (any, error) {
	name, err := b.textArg(args[0])
	if err != nil {
		return nil, err
	}
	if err := b.takeEach(int64(len(args)), wordSize); err != nil {
		return nil, err
	}
	found := make([]any, 0, len(args)-1)
	for _, arg := range args[1:] {
		object, err := objectArg(arg)
		if err != nil {
			return nil, err
		}
		if v, ok := object[name]; ok {
			found = append(found, v)
		}
	}
	return found, nil
}

// Which of two equal fields merge keeps.
const (
	firstWins = false
	lastWins  = true
)

func merge(overwrite bool) impl {
	return func(b *budget, args []any) (any, error) {
		var merged any = map[string]any{}
		for _, arg := range args {
			object, err := objectArg(arg)
			if err != nil {
				return nil, err
			}
			if merged, err = b.merged(merged.(map[string]any), object, overwrite, 0); err != nil {
				return nil, err
			}
		}
		return merged, nil
	}
}

func (b *budget) merged(x, y map[string]any, overwrite bool, depth int) (any, error) {
	if depth > maxValueDeep {
		return nil, failed("can't merge objects nested more than %d deep", maxValueDeep)
	}
	merged, err := b.clone(x)
	if err != nil {
		return nil, err
	}
	if err := b.takeEach(int64(len(y)), fieldSize); err != nil {
		return nil, err
	}
	for name, new := range y {
		old, there := x[name]
		inner, isObject := old.(map[string]any)
		other, areObjects := new.(map[string]any)
		switch {
		case isObject && areObjects:
			if merged[name], err = b.merged(inner, other, overwrite, depth+1); err != nil {
				return nil, err
			}
		case !there, empty(old), overwrite && !empty(new):
			merged[name] = new
		}
	}
	return merged, nil
}

func deepCopy(_ *budget, args []any) (any, error) { return args[0], nil }
