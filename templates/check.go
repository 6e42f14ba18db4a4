package templates

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// A checker finds what text/template would find only while rendering, and then
// only in the branches that a row takes.
type checker struct {
	text  string
	trees map[string]*parse.Tree
	used  map[string]*function
	err   *Error // the first mistake
}

// check returns the functions that the trees call.
func check(text string, trees map[string]*parse.Tree) ([]*function, *Error) {
	c := &checker{text: text, trees: trees, used: map[string]*function{}}
	names := make([]string, 0, len(trees))
	for name := range trees {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(trees[a].Root.Pos) - int(trees[b].Root.Pos) })
	for _, name := range names {
		c.list(trees[name].Root)
	}
	used := make([]*function, 0, len(c.used))
	for _, f := range c.used {
		used = append(used, f)
	}
	return used, c.err
}

// fail keeps the mistake that stands first in the text.
func (c *checker) fail(pos parse.Pos, help, format string, args ...any) {
	e := errorAt(c.text, int(pos), fmt.Sprintf(format, args...), help)
	if c.err == nil || e.Line < c.err.Line || e.Line == c.err.Line && e.Col < c.err.Col {
		c.err = e
	}
}

func (c *checker) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			c.discarded(n.Pipe)
			c.pipe(n.Pipe)
		case *parse.IfNode:
			c.branch(&n.BranchNode)
		case *parse.WithNode:
			c.branch(&n.BranchNode)
		case *parse.RangeNode:
			c.branch(&n.BranchNode)
		case *parse.TemplateNode:
			c.template(n)
		}
	}
}

func (c *checker) branch(n *parse.BranchNode) {
	c.pipe(n.Pipe)
	c.list(n.List)
	c.list(n.ElseList)
}

func (c *checker) template(n *parse.TemplateNode) {
	if _, ok := c.trees[n.Name]; !ok || n.Name == mainName {
		c.fail(n.Pos, c.otherTemplate(n.Name), "no template %s is defined", strconv.Quote(n.Name))
	}
	if n.Pipe != nil {
		c.pipe(n.Pipe)
	}
}

func (c *checker) otherTemplate(name string) string {
	best, least := "", 1+len(name)/3
	for other := range c.trees {
		d := distance(name, other)
		if other != mainName && (d < least || d == least && (best == "" || other < best)) {
			best, least = other, d
		}
	}
	if best == "" {
		return `define it with {{ define ` + strconv.Quote(name) + ` }}...{{ end }}`
	}
	return "did you mean " + strconv.Quote(best) + "?"
}

// discarded refuses what is Helm's habit: {{ $_ := set $d "a" 1 }} changes nothing here.
func (c *checker) discarded(pipe *parse.PipeNode) {
	if len(pipe.Decl) != 1 || pipe.Decl[0].Ident[0] != "$_" {
		return
	}
	word, ok := pipe.Cmds[0].Args[0].(*parse.IdentifierNode)
	if !ok || !slices.Contains([]string{"set", "unset", "merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite"}, word.Ident) {
		return
	}
	c.fail(word.Pos, "keep the copy: {{ $d = "+word.Ident+" $d ... }}", "%s changes no object, it gives a changed copy", word.Ident)
}

func (c *checker) pipe(pipe *parse.PipeNode) {
	for i, cmd := range pipe.Cmds {
		c.command(cmd, i > 0)
	}
}

func (c *checker) command(cmd *parse.CommandNode, piped bool) {
	for _, arg := range cmd.Args[1:] {
		c.operand(arg)
	}
	if word, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		args := len(cmd.Args) - 1
		if piped {
			args++
		}
		c.call(word, args)
		return
	}
	c.operand(cmd.Args[0])
	if _, ok := cmd.Args[0].(*parse.NilNode); ok {
		c.fail(cmd.Pos, "", "nil alone is no value to work with")
	}
	first := start(cmd.Args[0])
	switch {
	case piped:
		c.fail(first, "after | stands a function, such as upper or default \"none\"", "%s is no function", cmd.Args[0])
	case len(cmd.Args) > 1:
		c.fail(first, "", "%s is no function, so nothing can follow it but | or }}", cmd.Args[0])
	}
}

// operand checks what is not the first word of a command.
func (c *checker) operand(n parse.Node) {
	switch n := n.(type) {
	case *parse.IdentifierNode:
		c.call(n, 0)
	case *parse.PipeNode:
		c.pipe(n)
	case *parse.ChainNode:
		c.operand(n.Node)
	case *parse.NumberNode:
		c.number(n)
	}
}

func (c *checker) number(n *parse.NumberNode) {
	switch {
	case n.Text[0] == '\'':
		c.fail(n.Pos, "write "+strconv.Quote(string(rune(n.Int64))), "text stands in double quotes, not in single ones")
	case strings.HasSuffix(n.Text, "i"):
		c.fail(n.Pos, "", "%s is no number to compute with", n.Text)
	case n.IsUint && !n.IsInt && (strings.HasPrefix(n.Text, "0x") || !strings.ContainsAny(n.Text, ".eE")):
		c.fail(n.Pos, "", "%s is larger than whole numbers can be, 9223372036854775807", n.Text)
	}
}

// call checks a function's number of arguments.
func (c *checker) call(word *parse.IdentifierNode, args int) {
	f := functions().byName[word.Ident]
	c.used[f.name] = f
	if args >= f.min && (f.max < 0 || args <= f.max) {
		return
	}
	help := "its form is: " + f.form()
	if args == 0 {
		help += "; as an argument, put it in parentheses"
	}
	c.fail(word.Pos, help, "%s takes %s, but gets %d", f.name, f.arity(), args)
}

// arity says how many arguments a function takes.
func (f *function) arity() string {
	switch {
	case f.max < 0 && f.min == 1:
		return "at least 1 argument"
	case f.max < 0:
		return fmt.Sprintf("at least %d arguments", f.min)
	case f.min < f.max:
		return fmt.Sprintf("%d to %d arguments", f.min, f.max)
	case f.max == 1:
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", f.max)
}

// start is where an operand begins in the text: the parser puts .a.b at its
// second dot, and $x.a at its first.
func start(n parse.Node) parse.Pos {
	switch n := n.(type) {
	case *parse.FieldNode:
		if len(n.Ident) > 1 {
			return n.Pos - parse.Pos(len(".")+len(n.Ident[0]))
		}
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			return n.Pos - parse.Pos(len(n.Ident[0]))
		}
	case *parse.ChainNode:
		return start(n.Node)
	}
	return n.Position()
}
