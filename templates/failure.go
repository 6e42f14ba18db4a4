package templates

import (
	"regexp"
	"strconv"
	"strings"
	"text/template/parse"
	"unicode"
)

// The messages of text/template/exec.go for what only a scope can show. Whatever
// else it could say, check refuses before or our own functions say instead.
var (
	execPlace   = pattern(`^template: \x00:(\d+):(\d+): `)
	noEntry     = pattern(`: map has no entry for key (".*")$`)
	nilData     = pattern(`: nil data; no entry for key (".*")$`)
	nilReceiver = pattern(`: nil pointer evaluating .*\.([^.]+)$`)
	noField     = pattern(`: can't evaluate field (\S+) in type (.*)$`)
)

// explain says in our own words what stopped a rendering, with its place.
func (t *Template) explain(err error, scope map[string]any) *Error {
	text := err.Error()
	pos := t.execOffset(text)
	if f, ok := isFailure(err); ok {
		return t.explainFailure(f, pos, scope)
	}
	for _, pattern := range []*regexp.Regexp{noEntry(), nilData(), nilReceiver(), noField()} {
		if m := pattern.FindStringSubmatch(text); m != nil {
			return t.explainField(pos, unquoted(m[1]), pattern, m[len(m)-1], scope)
		}
	}
	return errorAt(t.text, pos, "this can't be rendered", "")
}

func unquoted(s string) string {
	if u, err := strconv.Unquote(s); err == nil {
		return u
	}
	return s
}

// execOffset is the byte that text/template's message points to; it counts lines
// from 1 and bytes of a line from 0.
func (t *Template) execOffset(message string) int {
	m := execPlace().FindStringSubmatch(message)
	if m == nil {
		return 0
	}
	line, _ := strconv.Atoi(m[1])
	col, _ := strconv.Atoi(m[2])
	pos := 0
	for ; line > 1; line-- {
		pos += strings.IndexByte(t.text[pos:], '\n') + 1
	}
	return pos + col
}

func (t *Template) explainFailure(f *failure, pos int, scope map[string]any) *Error {
	if f.null {
		return t.explainNull(pos)
	}
	e := errorAt(t.text, pos, f.message, f.help)
	if f.missing == nil {
		return e
	}
	for _, r := range t.refs {
		if missing := missingIn(scope, r.Path); r.at == parse.Pos(pos) && missing != nil {
			return t.missing(r, missing)
		}
	}
	return e
}

// missing is the mistake of a path that the scope lacks.
func (t *Template) missing(r reading, path []string) *Error {
	return &Error{
		Line: r.Line, Col: r.Col, Missing: path, Message: "the template uses " + shown(path) + ", which this row does not have",
		Help: mayBeMissing(t.objectOf(r, path), path[len(path)-1]),
	}
}

// mayBeMissing is how a field is read of an object that may lack it.
func mayBeMissing(object, name string) string {
	return "if it may be missing: {{ get " + object + " " + strconv.Quote(name) + ` | default "none" }}`
}

// objectOf is the object that lacks the last name of a path, as it is written where it is
// read: "." is another one inside of with, and $x a name of the template's own.
func (t *Template) objectOf(r reading, path []string) string {
	source := t.text[r.start:]
	if end := strings.IndexFunc(source, func(c rune) bool {
		return c != '.' && c != '$' && c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c)
	}); end >= 0 {
		source = source[:end]
	}
	names := strings.Split(source, ".")
	at := len(names) - 1 - (len(r.Path) - len(path))
	if at < 1 || names[at] != path[len(path)-1] {
		return dotted(path[:len(path)-1])
	}
	if object := strings.Join(names[:at], "."); object != "" {
		return object
	}
	return "."
}

// missingIn is the start of the path up to the first name that the scope lacks,
// nil where it lacks none.
func missingIn(scope map[string]any, path []string) []string {
	var v any = scope
	for i, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		if v, ok = object[name]; !ok {
			return path[:i+1]
		}
	}
	return nil
}

// explainNull names what was printed.
func (t *Template) explainNull(pos int) *Error {
	source := "this value"
	if pipe := t.pipeAt(pos); pipe != nil {
		source = abbreviated(strings.TrimSuffix(pipe.String(), " | "+textFunc))
	}
	help := "give it a default: {{ " + source + ` | default "none" }}`
	return errorAt(t.text, pos, source+" is null in this row", help)
}

// pipeAt finds the pipeline of the action at a place.
func (t *Template) pipeAt(pos int) *parse.PipeNode {
	for _, tree := range t.trees {
		if pipe := pipeIn(tree.Root, parse.Pos(pos)); pipe != nil {
			return pipe
		}
	}
	return nil
}

func pipeIn(list *parse.ListNode, pos parse.Pos) *parse.PipeNode {
	if list == nil {
		return nil
	}
	branch := func(n *parse.BranchNode) *parse.PipeNode {
		if pipe := pipeIn(n.List, pos); pipe != nil {
			return pipe
		}
		return pipeIn(n.ElseList, pos)
	}
	for _, n := range list.Nodes {
		var found *parse.PipeNode
		switch n := n.(type) {
		case *parse.ActionNode:
			if n.Pipe.Pos == pos {
				found = n.Pipe
			}
		case *parse.IfNode:
			found = branch(&n.BranchNode)
		case *parse.WithNode:
			found = branch(&n.BranchNode)
		case *parse.RangeNode:
			found = branch(&n.BranchNode)
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// explainField says why a field can't be read: where its path from the scope is
// known, by following it.
func (t *Template) explainField(pos int, name string, pattern *regexp.Regexp, typ string, scope map[string]any) *Error {
	for _, r := range t.refs {
		if r.at != parse.Pos(pos) || len(r.Path) == 0 {
			continue
		}
		if missing := missingIn(scope, r.Path); missing != nil {
			return t.missing(r, missing)
		}
		if e := t.notAnObject(r, scope); e != nil {
			return e
		}
	}
	where := errorAt(t.text, pos, "", "")
	switch pattern {
	case noEntry():
		where.Message = "the template uses ." + name + ", which the value here does not have"
		where.Help = mayBeMissing(".", name)
	case nilData():
		where.Message = "there is no value here that could have ." + name
		where.Help = `hand one on where the template is called: {{ template "name" . }}`
	case nilReceiver():
		where.Message = "." + name + " can't be read of null"
	default:
		where.Message = "." + name + " can't be read of " + kindOfType(typ)
	}
	return where
}

// notAnObject is the mistake of a path that goes on behind a text, number, list or null.
func (t *Template) notAnObject(r reading, scope map[string]any) *Error {
	for i := 1; i < len(r.Path); i++ {
		v, ok := find(scope, r.Path[:i])
		if !ok || kindOf(v) == objectKind {
			continue
		}
		message := shown(r.Path[:i]) + " is " + kindOf(v).String() + " in this row, so " + shown(r.Path[:i+1]) + " can't be read"
		return &Error{Line: r.Line, Col: r.Col, Message: message}
	}
	return nil
}

// kindOfType is what a Go type in a message of text/template is to an author.
func kindOfType(typ string) string {
	switch typ {
	case "string":
		return textKind.String()
	case "bool":
		return boolKind.String()
	case "json.Number", "int", "int64", "float64":
		return numberKind.String()
	}
	return "a value that is no object"
}
