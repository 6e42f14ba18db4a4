package templates

import (
	"slices"
	"strconv"
	"text/template/parse"
)

// A reading is a Ref with what is known of it besides.
type reading struct {
	Ref
	start parse.Pos
	at    parse.Pos // where text/template says that it stands, when it fails
	// tentative is the reading of what only gets a name: with .a, $x := .a. It is
	// dropped when what is read of it is known better.
	tentative, known bool
}

// A target is what an expression is known to be: a place in the scope.
type target struct {
	known    bool
	optional bool
	path     []string
	source   int // the number, from 1, of the tentative reading it came by
	start    parse.Pos
	at       parse.Pos
}

// A variable of the template: $x.
type variable struct {
	name   string
	target target
}

// A reader walks through the trees as rendering would, through all branches.
type reader struct {
	text     string
	trees    map[string]*parse.Tree
	assigned map[string]bool // variables that = changes: what they hold can't be told
	readings []reading
	vars     []variable
	guards   [][]string // paths that a hasKey around says may be missing
	active   []string   // defined templates that are being walked through
	visits   int
}

// maxVisits bounds the walk: templates that call each other twice are walked 2^n times.
const maxVisits = 200_000

func findRefs(text string, trees map[string]*parse.Tree) []reading {
	r := &reader{text: text, trees: trees, assigned: map[string]bool{}}
	for _, tree := range trees {
		r.findAssigned(tree.Root)
	}
	root := target{known: true}
	r.vars = []variable{{"$", root}}
	r.list(trees[mainName].Root, root)
	if r.visits > maxVisits {
		r.readings = append(r.readings, reading{}) // it may read anything
	}
	readings := slices.DeleteFunc(r.readings, func(x reading) bool { return x.tentative && x.known })
	findPlaces(text, readings)
	return readings
}

// findPlaces sets the lines and columns of readings in one pass over the text: a
// pass for each would take minutes for a hostile template.
func findPlaces(text string, readings []reading) {
	order := make([]*reading, len(readings))
	for i := range readings {
		order[i] = &readings[i]
	}
	slices.SortFunc(order, func(a, b *reading) int { return int(a.start) - int(b.start) })
	line, col, pos := 1, 1, 0
	for _, x := range order {
		l, c := place(text[pos:], int(x.start)-pos)
		if l > 1 {
			line, col = line+l-1, 1
		}
		col, pos = col+c-1, int(x.start)
		x.Line, x.Col = line, col
	}
}

func (r *reader) findAssigned(list *parse.ListNode) {
	if list == nil {
		return
	}
	mark := func(pipe *parse.PipeNode) {
		if pipe != nil && pipe.IsAssign {
			for _, v := range pipe.Decl {
				r.assigned[v.Ident[0]] = true
			}
		}
	}
	branch := func(n *parse.BranchNode) {
		mark(n.Pipe)
		r.findAssigned(n.List)
		r.findAssigned(n.ElseList)
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			mark(n.Pipe)
		case *parse.TemplateNode:
			mark(n.Pipe)
		case *parse.IfNode:
			branch(&n.BranchNode)
		case *parse.WithNode:
			branch(&n.BranchNode)
		case *parse.RangeNode:
			branch(&n.BranchNode)
		}
	}
}

func (r *reader) list(list *parse.ListNode, dot target) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		if r.visits++; r.visits > maxVisits {
			return
		}
		switch n := n.(type) {
		case *parse.ActionNode:
			r.action(n.Pipe, dot)
		case *parse.IfNode:
			r.condition(n, dot)
		case *parse.WithNode:
			r.with(n, dot)
		case *parse.RangeNode:
			r.loop(n, dot)
		case *parse.TemplateNode:
			r.template(n, dot)
		}
	}
}

// action reads what is printed; what is only given a name is read tentatively.
func (r *reader) action(pipe *parse.PipeNode, dot target) {
	if len(pipe.Decl) == 0 {
		r.read(r.pipe(pipe, dot))
		return
	}
	r.named(pipe, dot)
}

// named walks a pipeline that a variable or the dot stands for from there on.
func (r *reader) named(pipe *parse.PipeNode, dot target) target {
	t := r.pipe(pipe, dot)
	if t.known && len(t.path) > 0 {
		r.add(t, true)
		t.source = len(r.readings)
	}
	for _, v := range pipe.Decl {
		if !pipe.IsAssign {
			r.vars = append(r.vars, variable{v.Ident[0], t})
		}
	}
	return t
}

func (r *reader) condition(n *parse.IfNode, dot target) {
	vars, guards := len(r.vars), len(r.guards)
	if len(n.Pipe.Decl) == 0 {
		r.read(r.pipe(n.Pipe, dot))
	} else {
		r.named(n.Pipe, dot)
	}
	r.guard(n.Pipe, dot)
	r.list(n.List, dot)
	r.guards = r.guards[:guards]
	r.list(n.ElseList, dot)
	r.vars = r.vars[:vars]
}

// guard notes the fields whose presence a condition asks for.
func (r *reader) guard(pipe *parse.PipeNode, dot target) {
	for _, cmd := range pipe.Cmds {
		word, ok := cmd.Args[0].(*parse.IdentifierNode)
		if !ok {
			continue
		}
		if word.Ident == "hasKey" && len(cmd.Args) == 3 {
			t := r.operand(cmd.Args[1], dot)
			if name, ok := cmd.Args[2].(*parse.StringNode); ok && t.known {
				r.guards = append(r.guards, extend(t.path, name.Text))
			}
		}
		for _, arg := range cmd.Args[1:] {
			if inner := innerPipe(arg); inner != nil {
				r.guard(inner, dot)
			}
		}
	}
}

func (r *reader) with(n *parse.WithNode, dot target) {
	vars := len(r.vars)
	inner := r.named(n.Pipe, dot)
	r.list(n.List, inner)
	r.list(n.ElseList, dot)
	r.vars = r.vars[:vars]
}

// loop knows nothing of the values that range goes through.
func (r *reader) loop(n *parse.RangeNode, dot target) {
	vars := len(r.vars)
	r.read(r.pipe(n.Pipe, dot))
	for _, v := range n.Pipe.Decl {
		r.vars = append(r.vars, variable{v.Ident[0], target{}})
	}
	r.list(n.List, target{})
	r.list(n.ElseList, dot)
	r.vars = r.vars[:vars]
}

// template walks through a defined template with what it is given as its dot.
func (r *reader) template(n *parse.TemplateNode, dot target) {
	given := target{}
	if n.Pipe != nil {
		given = r.named(n.Pipe, dot)
	}
	tree := r.trees[n.Name]
	if tree == nil || slices.Contains(r.active, n.Name) {
		r.read(given)
		return
	}
	vars := r.vars
	r.vars = []variable{{"$", given}}
	r.active = append(r.active, n.Name)
	r.list(tree.Root, given)
	r.active = r.active[:len(r.active)-1]
	r.vars = vars
}

// pipe gives what a pipeline is, and reads all that it only passes through.
func (r *reader) pipe(pipe *parse.PipeNode, dot target) target {
	r.visits++
	var t target
	var before parse.Node // what comes through the pipe, where a lookup follows and it is a single word
	for i, cmd := range pipe.Cmds {
		args := cmd.Args
		if i > 0 {
			args = append(slices.Clip(args), before)
		}
		t = r.command(args, t, dot)
		before = nil
		switch {
		case i == len(pipe.Cmds)-1:
			return t
		case !isLookup(pipe.Cmds[i+1]):
			r.read(t)
			t = target{}
		case i == 0 && len(cmd.Args) == 1:
			before = cmd.Args[0]
		}
	}
	return t
}

// isLookup says whether a command follows a path: index, get and hasKey.
func isLookup(cmd *parse.CommandNode) bool {
	word, ok := cmd.Args[0].(*parse.IdentifierNode)
	return ok && (word.Ident == "index" || word.Ident == "get" || word.Ident == "hasKey")
}

// command gives what a command is. Its last argument is nil where it comes
// through the pipe and is no literal; piped is then what is known of it.
func (r *reader) command(args []parse.Node, piped, dot target) target {
	word, ok := args[0].(*parse.IdentifierNode)
	if !ok {
		return r.operand(args[0], dot)
	}
	switch word.Ident {
	case "index", "get", "hasKey":
		return r.lookup(word, args[1:], piped, dot)
	}
	for _, arg := range args[1:] {
		if arg != nil {
			r.read(r.operand(arg, dot))
		}
	}
	return target{}
}

// lookup follows the literal names of index, get and hasKey.
func (r *reader) lookup(word *parse.IdentifierNode, args []parse.Node, piped, dot target) target {
	if len(args) == 0 {
		return target{}
	}
	for _, arg := range args[1:] {
		if arg == nil {
			r.read(piped)
		} else {
			r.read(r.operand(arg, dot))
		}
	}
	t := piped
	if args[0] != nil {
		t = r.operand(args[0], dot)
	}
	t.at = word.Pos
	for _, arg := range args[1:] {
		name, ok := arg.(*parse.StringNode)
		if !ok || t.optional {
			r.read(t)
			return target{}
		}
		t.path = extend(t.path, name.Text)
		t.optional = word.Ident != "index"
	}
	if word.Ident == "hasKey" {
		r.read(t)
		return target{}
	}
	return t
}

// operand gives what an operand is, without reading it.
func (r *reader) operand(n parse.Node, dot target) target {
	var t target
	var names []string
	switch n := n.(type) {
	case *parse.DotNode:
		t = dot
	case *parse.FieldNode:
		t, names = dot, n.Ident
	case *parse.VariableNode:
		t, names = r.variable(n.Ident[0]), n.Ident[1:]
	case *parse.ChainNode:
		t, names = r.operand(n.Node, dot), n.Field
		return r.fields(t, names, t.start, n.Pos)
	case *parse.PipeNode:
		return r.pipe(n, dot)
	case *parse.IdentifierNode:
		return target{}
	}
	return r.fields(t, names, start(n), n.Position())
}

func (r *reader) fields(t target, names []string, start, at parse.Pos) target {
	if !t.known || t.optional && len(names) > 0 {
		r.read(t)
		return target{}
	}
	t.path = extend(t.path, names...)
	t.start, t.at = start, at
	return t
}

// variable finds a variable. One that = changes somewhere may hold anything.
func (r *reader) variable(name string) target {
	for _, v := range slices.Backward(r.vars) {
		if v.name == name {
			if r.assigned[name] {
				r.read(v.target)
				return target{}
			}
			return v.target
		}
	}
	return target{}
}

func extend(path []string, names ...string) []string {
	return append(slices.Clip(path), names...)
}

// read notes that a target's value is used.
func (r *reader) read(t target) {
	if t.known {
		r.add(t, false)
	}
}

func (r *reader) add(t target, tentative bool) {
	if t.source > 0 {
		r.readings[t.source-1].known = true
	}
	for _, guard := range r.guards {
		t.optional = t.optional || slices.Equal(guard, t.path)
	}
	r.readings = append(r.readings, reading{
		Ref: Ref{Path: t.path, Optional: t.optional}, start: t.start, at: t.at, tentative: tentative,
	})
}

// shown is a path as templates write it: .p.note, or index .p "unit-price".
func shown(path []string) string {
	text := ""
	for i, name := range path {
		if nameLength(name) < len(name) || name == "" || isDigit(name[0]) {
			return "index " + dotted(path[:i]) + quotedAll(path[i:])
		}
		text += "." + name
	}
	return text
}

func dotted(path []string) string {
	if len(path) == 0 {
		return "."
	}
	return shown(path)
}

func quotedAll(names []string) string {
	text := ""
	for _, name := range names {
		text += " " + strconv.Quote(name)
	}
	return text
}
