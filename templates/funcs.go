package templates

import (
	"slices"
	"strings"
	"sync"

	"github.com/Masterminds/sprig/v3"
)

// A Function is a function that templates may call, for documentation.
type Function struct {
	Name      string
	Signature string // "trunc LENGTH TEXT -> text": [X] may be left out, X... is one or more
	Text      string // what it gives, in one line
	Example   string // a template that calls it
	Output    string // what the example renders to
}

// A function is a line of the tables with what its signature says of the number of
// arguments and of the result, which check and rewrite go by.
type function struct {
	entry
	min, max int  // arguments; max is -1 for any number
	result   kind // what it surely gives, or anyKind
}

// An impl carries a function out. The number of arguments is right, their kinds
// are its own business, and it changes none of them. What it makes is counted
// against the budget first. Its error is a *failure whose message goes after the
// function's name.
type impl func(b *budget, args []any) (any, error)

// A library is the allow-list.
type library struct {
	byName map[string]*function
	names  []string       // sorted
	known  map[string]any // for the parser, which asks only whether a name is there
}

// functions makes the library when it is first needed: a program that never
// parses a template does not pay for it.
var functions = sync.OnceValue(newLibrary)

func newLibrary() *library {
	sprigs := sprig.HermeticTxtFuncMap()
	lib := &library{byName: map[string]*function{}, known: map[string]any{}}
	for _, entries := range [][]entry{
		textFunctions(sprigs), printFunctions(), encodingFunctions(sprigs), numberFunctions(sprigs), logicFunctions(),
		listFunctions(), objectFunctions(), jsonFunctions(), regexFunctions(), pathFunctions(sprigs),
	} {
		for _, e := range entries {
			f := e.function()
			lib.byName[f.name] = f
			lib.known[f.name] = true
			lib.names = append(lib.names, f.name)
		}
	}
	slices.Sort(lib.names)
	return lib
}

// Functions returns the names that templates may call, sorted.
func Functions() []string { return slices.Clone(functions().names) }

// Describe returns every function that templates may call, sorted by name.
func Describe() []Function {
	lib := functions()
	list := make([]Function, len(lib.names))
	for i, name := range lib.names {
		list[i] = lib.byName[name].describe()
	}
	return list
}

// An entry is a line of the tables of functions.
type entry struct {
	signature string // without the name: "LENGTH TEXT -> text"
	name      string
	text      string
	example   string // the action without its braces
	output    string
	call      impl // nil: and, or, which only text/template can do
}

func (e entry) describe() Function {
	return Function{Name: e.name, Signature: e.form(), Text: e.text, Example: "{{ " + e.example + " }}", Output: e.output}
}

// form is how the function is called.
func (e entry) form() string { return strings.TrimSpace(e.name + " " + e.signature) }

// function reads the signature: each word before the arrow is an argument.
func (e entry) function() *function {
	f := &function{entry: e, result: anyKind}
	args, result, _ := strings.Cut(e.signature, "->")
	for arg := range strings.FieldsSeq(args) {
		if !strings.HasPrefix(arg, "[") {
			f.min++
		}
		if f.max >= 0 {
			f.max++
		}
		if strings.Contains(arg, "...") {
			f.max = -1
		}
	}
	switch strings.TrimSpace(result) {
	case "text":
		f.result = textKind
	case "bool":
		f.result = boolKind
	}
	return f
}

// bind gives the function the form that text/template calls, with a budget. Fixed
// forms for few arguments save the calls a slice made by reflection.
func (f *function) bind(b *budget) any {
	switch {
	case f.min == 1 && f.max == 1:
		return func(x any) (any, error) { return b.call(f, []any{x}) }
	case f.min == 2 && f.max == 2:
		return func(x, y any) (any, error) { return b.call(f, []any{x, y}) }
	case f.min == 3 && f.max == 3:
		return func(x, y, z any) (any, error) { return b.call(f, []any{x, y, z}) }
	}
	return func(args ...any) (any, error) { return b.call(f, args) }
}

// call carries out a function within the budget, and puts its name into failures.
func (b *budget) call(f *function, args []any) (any, error) {
	const cost = 100 // units of work, about what a call takes
	work := int64(cost)
	for _, arg := range args {
		if s, ok := arg.(string); ok {
			work += int64(len(s))
		}
	}
	err := b.spend(work)
	if err == nil {
		var v any
		if v, err = f.call(b, args); err == nil {
			return v, nil
		}
	}
	return nil, f.named(err)
}

func (f *function) named(err error) error {
	if failure, ok := isFailure(err); ok {
		return failure.of(f.name)
	}
	return failed("%s can't be computed: %s", f.name, err)
}

// similar finds the name that a misspelt one was meant to be, or "".
func (lib *library) similar(name string) string {
	best, least := "", 1+len(name)/3
	for _, candidate := range lib.names {
		if d := distance(name, candidate); d < least || d == least && best == "" {
			best, least = candidate, d
		}
	}
	return best
}
