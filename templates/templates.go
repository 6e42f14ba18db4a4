// Package templates parses, inspects and renders the templates of a job: Go's
// text/template with an allow-list of functions, bounded in steps, time and bytes.
//
// It knows nothing of job files. Places in a template are counted in the
// template's own text, lines and columns from 1, columns in characters; package
// specs translates them into places in the job file.
//
// The language is Go's (pkg.go.dev/text/template) with these differences:
//   - A name that the scope lacks is an error, and so is a printed null.
//   - Numbers print as they are spelled. eq, ne, lt, le, gt and ge compare two
//     numbers by value, and so they do where one or both are text that spells a
//     number as JSON does: "10" is more than "9", and "1.10" equals "1.1". Text
//     with leading zeros ("007") is text. Other text is compared letter by letter.
//   - The number 0 counts as empty in if, with, and, or, not and default.
//   - Lists and objects print as JSON.
//   - len, trunc, substr, slice, abbrev and wrap count characters, not bytes.
//   - No function changes its argument: set, unset and merge give changed copies.
//   - Functions that can't do their work say so; none gives 0 or "" instead.
package templates

import (
	"encoding/json"
	"strings"
	"sync"
	"text/template/parse"
)

// A Template is a parsed template. It is safe for concurrent use.
//
// Its scope is a map whose values are what data files hold: nil, bool, string,
// json.Number (a number with its spelling), []any and map[string]any. Rendering
// never changes it.
type Template struct {
	text   string
	trees  map[string]*parse.Tree // the template itself as mainName, and what it defines
	used   []*function            // the functions it calls
	refs   []reading
	parts  []part // not nil: text and paths only, see quick
	single bool
	limits limits
	pool   sync.Pool // of *rendering
}

// A Ref is a variable that a template reads, found in its parse tree.
type Ref struct {
	// Path is the chain of names from the scope: {{ .sentence.text }} has
	// ["sentence", "text"], as have {{ index .sentence "text" }} and
	// {{ with .sentence }}{{ .text }}{{ end }}. It ends where the tree can't
	// tell any more: {{ range .steps }}...{{ end }} has ["steps"], and a template
	// that hands the whole scope on, as in {{ toJson . }}, has a Ref with no names.
	Path []string
	// Optional says that the last name may be missing: {{ get .p "note" }}.
	Optional bool
	// Line and Col are where the reference stands in the template's text.
	Line, Col int
}

// An Error is a mistake in a template, or what stopped its rendering.
type Error struct {
	Line, Col int      // in the template's text, from 1
	Message   string   // what is wrong, in the words of the template's author
	Help      string   // what to do about it, or empty
	Missing   []string // the path that the scope lacks, where that is the mistake
}

// mainName is the name of the template itself among its trees. No {{ template }}
// can call it: names are checked against what the text defines.
const mainName = "\x00"

// Parse reads a template. All that can be told without a scope is checked: syntax,
// names and argument counts of functions, names of templates. Its error is an *Error.
func Parse(text string) (*Template, error) {
	if e := checkSize(text); e != nil {
		return nil, e
	}
	trees, err := parse.Parse(mainName, text, "", "", functions().known)
	if err != nil {
		return nil, explainSyntax(text, err)
	}
	used, e := check(text, trees)
	if e != nil {
		return nil, e
	}
	t := &Template{text: text, trees: trees, used: used, limits: standard}
	t.refs = findRefs(text, trees)
	t.parts = findParts(trees[mainName].Root)
	t.single = isSingle(trees[mainName].Root)
	rewrite(trees)
	return t, nil
}

// Text returns the template as it was written.
func (t *Template) Text() string { return t.text }

// Refs returns the variables that the template reads, in the order in which its
// text is carried out. The caller must not change the paths.
func (t *Template) Refs() []Ref {
	refs := make([]Ref, len(t.refs))
	for i, r := range t.refs {
		refs[i] = r.Ref
	}
	return refs
}

// Constant says whether the template is text only, without any action.
func (t *Template) Constant() bool {
	for _, p := range t.parts {
		if p.path != nil {
			return false
		}
	}
	return t.parts != nil
}

// Single says whether the template is exactly one action, with nothing around it,
// so that Value keeps the type of what the action gives.
func (t *Template) Single() bool { return t.single }

// Render makes the template's text from a scope. Its error is an *Error.
func (t *Template) Render(scope map[string]any) (string, error) {
	if text, ok := t.quick(scope); ok {
		return text, nil
	}
	r := t.acquire()
	defer t.release(r)
	if err := r.run(scope); err != nil {
		return "", t.explain(err, scope)
	}
	return string(r.budget.out), nil
}

// Value gives what a Single template's action gives, with its type: nil, bool,
// string, json.Number, []any or map[string]any, possibly shared with the scope.
// Every other template gives a string, as Render does. Its error is an *Error.
func (t *Template) Value(scope map[string]any) (any, error) {
	if !t.single {
		return t.Render(scope)
	}
	if t.parts != nil {
		if v, ok := find(scope, t.parts[0].path); ok {
			if v, ok := plain(v); ok {
				return v, nil
			}
		}
	}
	r := t.acquire()
	defer t.release(r)
	r.budget.keep = true
	err := r.run(scope)
	if err != nil {
		return nil, t.explain(err, scope)
	}
	v, err := r.budget.normal(r.budget.kept, 0)
	if f, ok := isFailure(err); ok {
		return nil, t.explain(f.of("the template"), scope)
	}
	return v, nil
}

// plain passes a value that is one word, and so has its final type already.
func plain(v any) (any, bool) {
	switch v.(type) {
	case nil, bool, string, json.Number:
		return v, true
	}
	return nil, false
}

// A part of a template without functions and control: a text, or the path of a
// variable.
type part struct {
	text string
	path []string
}

// findParts gives the parts of a template that is nothing but text and paths from
// its scope, else nil. Most prompts are.
func findParts(root *parse.ListNode) []part {
	parts := make([]part, 0, len(root.Nodes))
	for _, n := range root.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			parts = append(parts, part{text: string(n.Text)})
		case *parse.ActionNode:
			path := pathOf(n.Pipe)
			if path == nil {
				return nil
			}
			parts = append(parts, part{path: path})
		default:
			return nil
		}
	}
	return parts
}

// pathOf gives the names of a pipeline that is just .a.b or $.a.b, else nil.
func pathOf(pipe *parse.PipeNode) []string {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return nil
	}
	switch n := pipe.Cmds[0].Args[0].(type) {
	case *parse.FieldNode:
		return n.Ident
	case *parse.VariableNode:
		if n.Ident[0] == "$" && len(n.Ident) > 1 {
			return n.Ident[1:]
		}
	}
	return nil
}

func isSingle(root *parse.ListNode) bool {
	if len(root.Nodes) != 1 {
		return false
	}
	action, ok := root.Nodes[0].(*parse.ActionNode)
	return ok && len(action.Pipe.Decl) == 0
}

// quick renders a template of parts without text/template, in a tenth of the
// time. It gives up on whatever is not plain: then run says what is wrong, or
// prints what is no single word.
func (t *Template) quick(scope map[string]any) (string, bool) {
	if t.parts == nil {
		return "", false
	}
	var room [16]string
	words, size := room[:0], 0
	for _, p := range t.parts {
		word := p.text
		if p.path != nil {
			v, ok := find(scope, p.path)
			if ok {
				word, ok = wordOf(v)
			}
			if !ok {
				return "", false
			}
		}
		words, size = append(words, word), size+len(word)
	}
	if size > t.limits.output {
		return "", false
	}
	if len(words) == 1 {
		return words[0], true
	}
	var text strings.Builder
	text.Grow(size)
	for _, word := range words {
		text.WriteString(word)
	}
	return text.String(), true
}

// find follows a path of names through objects.
func find(scope map[string]any, path []string) (any, bool) {
	var v any = scope
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = object[name]; !ok {
			return nil, false
		}
	}
	return v, true
}

func wordOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return string(v), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}
