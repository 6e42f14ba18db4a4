package templates

import "text/template/parse"

// The functions that rewrite puts into parsed templates. Their names can't be
// written in one: the parser knows only the allow-list.
const (
	textFunc  = "_text"  // prints a value
	condFunc  = "_cond"  // makes a number 0 count as empty
	eachFunc  = "_each"  // prepares what range goes over
	pairsFunc = "_pairs" // the same where range has two variables
	tickFunc  = "_tick"  // counts an iteration
	enterFunc = "_enter" // counts a call of a defined template
	leaveFunc = "_leave"
)

// rewrite puts our own functions into the trees: at the end of what is printed,
// asked or gone over, and at the heads of loops and defined templates.
func rewrite(trees map[string]*parse.Tree) {
	for name, tree := range trees {
		root := tree.Root
		single := name == mainName && isSingle(root)
		rewriteList(root, single)
		if name != mainName {
			root.Nodes = append(append([]parse.Node{hidden(enterFunc, root.Pos)}, root.Nodes...), hidden(leaveFunc, root.Pos))
		}
	}
}

func rewriteList(list *parse.ListNode, single bool) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			rewritePipe(n.Pipe)
			if len(n.Pipe.Decl) == 0 && (single || !gives(n.Pipe, textKind, boolKind)) {
				pass(n.Pipe, textFunc)
			}
		case *parse.IfNode:
			rewriteBranch(&n.BranchNode)
		case *parse.WithNode:
			rewriteBranch(&n.BranchNode)
		case *parse.RangeNode:
			rewriteRange(n)
		case *parse.TemplateNode:
			if n.Pipe != nil {
				rewritePipe(n.Pipe)
			}
		}
	}
}

func rewriteBranch(n *parse.BranchNode) {
	rewritePipe(n.Pipe)
	if !gives(n.Pipe, boolKind) {
		pass(n.Pipe, condFunc)
	}
	rewriteList(n.List, false)
	rewriteList(n.ElseList, false)
}

func rewriteRange(n *parse.RangeNode) {
	rewritePipe(n.Pipe)
	if len(n.Pipe.Decl) > 1 {
		pass(n.Pipe, pairsFunc)
	} else {
		pass(n.Pipe, eachFunc)
	}
	rewriteList(n.List, false)
	rewriteList(n.ElseList, false)
	n.List.Nodes = append([]parse.Node{hidden(tickFunc, n.Pipe.Pos)}, n.List.Nodes...)
}

// rewritePipe gives and and or arguments whose truth text/template sees as we do.
func rewritePipe(pipe *parse.PipeNode) {
	for i, cmd := range pipe.Cmds {
		for _, arg := range cmd.Args {
			if inner := innerPipe(arg); inner != nil {
				rewritePipe(inner)
			}
		}
		word, ok := cmd.Args[0].(*parse.IdentifierNode)
		if !ok || word.Ident != "and" && word.Ident != "or" {
			continue
		}
		last := len(cmd.Args) // the last argument is not asked, only given
		if i == 0 {
			last--
		}
		for j := 1; j < last; j++ {
			cmd.Args[j] = conditional(cmd.Args[j])
		}
	}
}

func innerPipe(n parse.Node) *parse.PipeNode {
	switch n := n.(type) {
	case *parse.PipeNode:
		return n
	case *parse.ChainNode:
		return innerPipe(n.Node)
	}
	return nil
}

func conditional(arg parse.Node) parse.Node {
	switch n := arg.(type) {
	case *parse.BoolNode, *parse.NumberNode, *parse.StringNode, *parse.NilNode:
		return arg
	case *parse.PipeNode:
		pass(n, condFunc)
		return n
	}
	first := &parse.CommandNode{NodeType: parse.NodeCommand, Pos: arg.Position(), Args: []parse.Node{arg}}
	pipe := &parse.PipeNode{NodeType: parse.NodePipe, Pos: arg.Position(), Cmds: []*parse.CommandNode{first}}
	pass(pipe, condFunc)
	return pipe
}

// gives says whether a pipeline surely gives one of these kinds.
func gives(pipe *parse.PipeNode, kinds ...kind) bool {
	word, ok := pipe.Cmds[len(pipe.Cmds)-1].Args[0].(*parse.IdentifierNode)
	if !ok {
		return false
	}
	f := functions().byName[word.Ident]
	for _, k := range kinds {
		if f.result == k {
			return true
		}
	}
	return false
}

// pass sends a pipeline's value through one of our functions.
func pass(pipe *parse.PipeNode, name string) {
	pipe.Cmds = append(pipe.Cmds, command(name, pipe.Pos))
}

func command(name string, pos parse.Pos) *parse.CommandNode {
	word := parse.NewIdentifier(name).SetPos(pos)
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: []parse.Node{word}}
}

// hidden is {{ if f }}{{ end }}: a call that prints nothing.
func hidden(name string, pos parse.Pos) parse.Node {
	pipe := &parse.PipeNode{NodeType: parse.NodePipe, Pos: pos, Cmds: []*parse.CommandNode{command(name, pos)}}
	list := &parse.ListNode{NodeType: parse.NodeList, Pos: pos}
	return &parse.IfNode{BranchNode: parse.BranchNode{NodeType: parse.NodeIf, Pos: pos, Pipe: pipe, List: list}}
}

// each prepares what range goes over: a list, an object (in the order of its
// names), a whole number, or null, which is nothing to go over.
func (b *budget) each(v any) (any, error) {
	switch kindOf(v) {
	case nullKind, objectKind:
		return v, nil
	case listKind:
		return listOf(v), nil
	}
	n, ok := numberOf(v)
	if !ok {
		return nil, stopped("range goes over lists, objects and whole numbers, not %s", described(v))
	}
	i, ok := n.int64()
	if !ok {
		return nil, stopped("range goes over whole numbers, not %s", described(v))
	}
	if i > int64(b.limits.steps-b.steps) {
		return nil, b.tooManySteps()
	}
	return i, nil
}

func (b *budget) pairs(v any) (any, error) {
	if k := kindOf(v); k == numberKind || k == textKind {
		if _, err := b.each(v); err != nil {
			return nil, err
		}
		return nil, stopped("range with two variables goes over lists and objects, not %s", described(v))
	}
	return b.each(v)
}
