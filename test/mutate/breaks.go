package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
)

// mutant is one break.
type mutant struct {
	file string // path of the file
	line int
	what string // < becomes <=
}

// breaker puts every mutant of one file into its text, each behind a switch. Mutants are numbered from 1, over all files.
type breaker struct {
	files   *token.FileSet
	info    *types.Info
	pkg     *types.Package
	path    string
	mutants *[]mutant
	text    patch
}

// mutate notes a mutant and returns its number.
func (b *breaker) mutate(at token.Pos, what string) int {
	*b.mutants = append(*b.mutants, mutant{b.path, b.files.Position(at).Line, what})
	return len(*b.mutants)
}

// wrap puts text around a node. A node that holds another is wrapped before it.
func (b *breaker) wrap(n ast.Node, before, after string) {
	b.text.wrap(int(n.Pos()), int(n.End()), before, after)
}

// visit breaks one node of the syntax.
func (b *breaker) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		b.function(n.Type, n.Body)
	case *ast.FuncLit:
		b.function(n.Type, n.Body)
	case *ast.BlockStmt:
		b.list(n.List)
	case *ast.CaseClause:
		b.list(n.Body)
		for _, x := range n.List {
			b.condition(x)
		}
	case *ast.IfStmt:
		b.condition(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			b.condition(n.Cond)
		}
	case *ast.ReturnStmt:
		for _, x := range n.Results {
			b.condition(x)
		}
	case *ast.BinaryExpr:
		b.binary(n)
	case *ast.CallExpr:
		b.call(n)
	}
}

// function makes sure that a function still compiles when its returns may be passed by.
func (b *breaker) function(t *ast.FuncType, body *ast.BlockStmt) {
	if t.Results != nil && body != nil {
		b.text.insert(int(body.Rbrace), `; panic("a mutant came to the end of a function")`+"\n")
	}
}

// list breaks the statements of a list: it removes each one that leaves early, and counts the other way.
func (b *breaker) list(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ReturnStmt:
			b.remove(s, "return")
		case *ast.BranchStmt:
			b.remove(s, s.Tok.String())
		case *ast.IncDecStmt:
			now := token.INC + token.DEC - s.Tok
			n := b.mutate(s.TokPos, s.Tok.String()+" becomes "+now.String())
			b.text.replace(int(s.TokPos), 2, fmt.Sprintf("+= mutantSign(%d, %d)", n, map[token.Token]int{token.INC: 1, token.DEC: -1}[s.Tok]))
		}
	}
}

func (b *breaker) remove(s ast.Stmt, name string) {
	n := b.mutate(s.Pos(), name+" is removed")
	b.wrap(s, fmt.Sprintf("if !mutantIs(%d) { ", n), " }")
}

// condition negates what is true or false, but for a comparison, which is broken by its operator.
func (b *breaker) condition(x ast.Expr) {
	if compares(x) || !b.is(x, types.IsBoolean) {
		return
	}
	n := b.mutate(x.Pos(), "it is negated")
	b.wrap(x, "((", fmt.Sprintf(") != mutantIs(%d))", n))
}

// opposites are what operators become: for those that compare by order, first with the edge moved and then turned round.
var opposites = map[token.Token][]token.Token{
	token.LSS: {token.LEQ, token.GEQ}, token.LEQ: {token.LSS, token.GTR}, token.GTR: {token.GEQ, token.LEQ}, token.GEQ: {token.GTR, token.LSS},
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL}, token.LAND: {token.LOR}, token.LOR: {token.LAND},
	token.ADD: {token.SUB}, token.SUB: {token.ADD}, token.MUL: {token.QUO}, token.QUO: {token.MUL},
}

func (b *breaker) binary(x *ast.BinaryExpr) {
	become := opposites[x.Op]
	if len(become) == 0 || b.info.Types[x].Value != nil {
		return
	}
	arithmetic := x.Op == token.ADD || x.Op == token.SUB || x.Op == token.MUL || x.Op == token.QUO
	if arithmetic && !b.is(x, types.IsNumeric) {
		return
	}
	first := 0
	for i, op := range become {
		if n := b.mutate(x.OpPos, x.Op.String()+" becomes "+op.String()); i == 0 {
			first = n
		}
	}
	flip := fmt.Sprintf(" != mutantIs(%d))", first)
	switch {
	case x.Op == token.EQL || x.Op == token.NEQ:
		b.wrap(x, "((", ")"+flip)
	case x.Op == token.LAND || x.Op == token.LOR: // a || b is !(!a && !b), and so nothing is asked that was not asked before
		b.wrap(x, "((", ")"+flip)
		b.wrap(x.X, "((", ")"+flip)
		b.wrap(x.Y, "((", ")"+flip)
		b.condition(x.X)
		b.condition(x.Y)
	default:
		with := "mutantOrder"
		if arithmetic {
			with = "mutantSum"
		}
		b.wrap(x, fmt.Sprintf("%s(%d, %q, ", with, first, x.Op.String()), ")")
		b.text.replace(int(x.OpPos), len(x.Op.String()), ",")
	}
	if arithmetic {
		return
	}
	for _, side := range []ast.Expr{x.X, x.Y} {
		if lit, ok := side.(*ast.BasicLit); ok && lit.Kind == token.INT {
			b.number(lit)
		}
	}
}

// number moves a number by one.
func (b *breaker) number(lit *ast.BasicLit) {
	was, err := strconv.ParseInt(lit.Value, 0, 64)
	if err != nil {
		return
	}
	n := b.mutate(lit.Pos(), fmt.Sprintf("%d becomes %d", was, was+1))
	b.mutate(lit.Pos(), fmt.Sprintf("%d becomes %d", was, was-1))
	own := types.TypeString(types.Default(b.info.Types[lit].Type), func(p *types.Package) string {
		if p == b.pkg {
			return ""
		}
		return p.Name()
	})
	b.wrap(lit, fmt.Sprintf("%s(mutantNear(%d, ", own, n), "))")
}

func (b *breaker) call(x *ast.CallExpr) {
	f, ok := x.Fun.(*ast.Ident)
	if !ok {
		return
	}
	if _, builtin := b.info.Uses[f].(*types.Builtin); !builtin || f.Name != "min" && f.Name != "max" {
		return
	}
	n := b.mutate(x.Pos(), f.Name+" becomes "+map[string]string{"min": "max", "max": "min"}[f.Name])
	b.text.replace(int(f.Pos()), len(f.Name), "mutantExtreme")
	b.text.insert(int(x.Lparen)+1, fmt.Sprintf("%d, %t, ", n, f.Name == "min"))
}

// compares is whether an expression is a comparison.
func compares(x ast.Expr) bool {
	for {
		p, ok := x.(*ast.ParenExpr)
		if !ok {
			break
		}
		x = p.X
	}
	b, ok := x.(*ast.BinaryExpr)
	return ok && b.Op.Precedence() == token.EQL.Precedence()
}

// is whether an expression is of a kind, and not a constant.
func (b *breaker) is(x ast.Expr, kind types.BasicInfo) bool {
	t := b.info.Types[x]
	if t.Type == nil || t.Value != nil {
		return false
	}
	basic, ok := t.Type.Underlying().(*types.Basic)
	return ok && basic.Info()&kind != 0
}
