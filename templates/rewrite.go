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
	lookFunc  = "_look"  // looks at the clock in a long iteration
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

// rewriteRange counts a loop's iterations before it begins, which costs nothing in
// the loop; one that may end early counts each at its head. Long bodies look at the
// clock there.
func rewriteRange(n *parse.RangeNode) {
	rewritePipe(n.Pipe)
	early, long := breaks(n.List), isLong(n.List)
	name := eachFunc
	if len(n.Pipe.Decl) > 1 {
		name = pairsFunc
	}
	pass(n.Pipe, name)
	last := n.Pipe.Cmds[len(n.Pipe.Cmds)-1]
	last.Args = append(last.Args, &parse.BoolNode{NodeType: parse.NodeBool, Pos: n.Pipe.Pos, True: !early})
	rewriteList(n.List, false)
	rewriteList(n.ElseList, false)
	if early {
		n.List.Nodes = append([]parse.Node{hidden(tickFunc, n.Pipe.Pos)}, n.List.Nodes...)
	}
	if long {
		n.List.Nodes = append([]parse.Node{hidden(lookFunc, n.Pipe.Pos)}, n.List.Nodes...)
	}
}

// breaks says whether a loop's body holds a {{ break }} of its own.
func breaks(list *parse.ListNode) bool {
	if list == nil {
		return false
	}
	for _, n := range list.Nodes {
		found := false
		switch n := n.(type) {
		case *parse.BreakNode:
			found = true
		case *parse.IfNode:
			found = breaks(n.List) || breaks(n.ElseList)
		case *parse.WithNode:
			found = breaks(n.List) || breaks(n.ElseList)
		case *parse.RangeNode:
			found = breaks(n.ElseList)
		}
		if found {
			return true
		}
	}
	return false
}

// isLong says whether rendering a list may touch so many nodes that 100,000 times
// it takes a second.
func isLong(list *parse.ListNode) bool {
	left := 50
	countNode(list, &left)
	return left < 0
}

// countNode takes a node and those in it off what is left, until nothing is.
func countNode(n parse.Node, left *int) {
	if *left--; *left < 0 {
		return
	}
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			countNodes(n.Nodes, left)
		}
	case *parse.IfNode:
		countBranch(&n.BranchNode, left)
	case *parse.WithNode:
		countBranch(&n.BranchNode, left)
	case *parse.RangeNode:
		countBranch(&n.BranchNode, left)
	case *parse.ActionNode:
		countNode(n.Pipe, left)
	case *parse.TemplateNode:
		countNode(n.Pipe, left)
	case *parse.PipeNode:
		if n != nil {
			countNodes(n.Cmds, left)
		}
	case *parse.CommandNode:
		countNodes(n.Args, left)
	case *parse.ChainNode:
		countNode(n.Node, left)
		*left -= len(n.Field)
	case *parse.FieldNode:
		*left -= len(n.Ident)
	case *parse.VariableNode:
		*left -= len(n.Ident)
	}
}

func countNodes[N parse.Node](nodes []N, left *int) {
	for _, n := range nodes {
		if countNode(n, left); *left < 0 {
			return
		}
	}
}

func countBranch(n *parse.BranchNode, left *int) {
	countNode(n.Pipe, left)
	countNode(n.List, left)
	countNode(n.ElseList, left)
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
// names), a whole number, or null, which is nothing to go over. Where count is true
// it counts the iterations.
func (b *budget) each(count bool, v any) (any, error) {
	var steps int64
	switch kindOf(v) {
	case nullKind:
		return nil, nil
	case objectKind:
		steps = int64(len(v.(map[string]any)))
	case listKind:
		v = listOf(v)
		steps = int64(len(v.([]any)))
	default:
		n, ok := numberOf(v)
		if !ok {
			return nil, stopped("range goes over lists, objects and whole numbers, not %s", described(v))
		}
		if steps, ok = n.int64(); !ok {
			return nil, stopped("range goes over whole numbers, not %s", described(v))
		}
		v, steps = steps, max(steps, 0)
	}
	if count {
		return v, b.step(steps)
	}
	return v, nil
}

func (b *budget) pairs(count bool, v any) (any, error) {
	prepared, err := b.each(count, v)
	if _, isNumber := prepared.(int64); isNumber && err == nil {
		return nil, stopped("range with two variables goes over lists and objects, not %s", described(v))
	}
	return prepared, err
}
