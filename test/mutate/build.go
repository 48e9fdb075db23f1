package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// switches is what the mutants are made with. It is laid into the package beside its own files.
const switches = `
import (
	"cmp"
	"os"
	"strconv"
)

var mutantNow, _ = strconv.Atoi(os.Getenv("MUTANT"))

func mutantIs(n int) bool { return mutantNow == n }

func mutantSign(n, sign int) int {
	if mutantIs(n) {
		return -sign
	}
	return sign
}

func mutantNear(n int, was int64) int64 {
	switch mutantNow {
	case n:
		return was + 1
	case n + 1:
		return was - 1
	}
	return was
}

func mutantExtreme[T cmp.Ordered](n int, least bool, all ...T) T {
	x := all[0]
	for _, y := range all[1:] {
		if y < x && least != mutantIs(n) || y > x && least == mutantIs(n) {
			x = y
		}
	}
	return x
}

func mutantOrder[T cmp.Ordered](n int, op string, a, b T) bool {
	edge, turned := a == b, mutantIs(n+1)
	switch op {
	case "<", ">":
		edge = edge && mutantIs(n)
	case "<=", ">=":
		edge = edge && !mutantIs(n)
	}
	if op[0] == '<' {
		if turned {
			return a > b || a == b && op == "<"
		}
		return a < b || edge
	}
	if turned {
		return a < b || a == b && op == ">"
	}
	return a > b || edge
}

func mutantSum[T ~int | ~int64 | ~float64](n int, op string, a, b T) T {
	if mutantIs(n) {
		op = map[string]string{"+": "-", "-": "+", "*": "/", "/": "*"}[op]
	}
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	}
	return a / b
}
`

// built is a package's tests with all its mutants.
type built struct {
	dir     string // of the package
	binary  string
	mutants []mutant
}

// build breaks every file of a package in every way and builds its tests.
func build(dir, work string) (built, error) {
	out := built{dir: dir, binary: filepath.Join(work, "mutants.test")}
	paths, err := sources(dir)
	if err != nil {
		return out, err
	}
	files := token.NewFileSet()
	var parsed []*ast.File
	for _, p := range paths {
		f, err := parser.ParseFile(files, p, nil, parser.SkipObjectResolution)
		if err != nil {
			return out, err
		}
		parsed = append(parsed, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	checker := types.Config{Importer: importer.Default()}
	pkg, err := checker.Check(dir, files, parsed, info)
	if err != nil {
		return out, fmt.Errorf("understand %s: %w", dir, err)
	}
	over := overlay{work: work, replace: map[string]string{}}
	for i, f := range parsed {
		b := breaker{files: files, info: info, pkg: pkg, path: paths[i], mutants: &out.mutants}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.GenDecl); ok && d.Tok != token.VAR {
				continue // what is constant is no condition
			}
			ast.Inspect(d, func(n ast.Node) bool { b.visit(n); return true })
		}
		text, err := os.ReadFile(paths[i])
		if err != nil {
			return out, err
		}
		if err := over.lay(paths[i], b.text.apply(text, files.File(f.Pos()).Base())); err != nil {
			return out, err
		}
	}
	if err := over.lay(filepath.Join(dir, "mutants_switches.go"), []byte("package "+pkg.Name()+"\n"+switches)); err != nil {
		return out, err
	}
	args, err := over.args()
	if err != nil {
		return out, err
	}
	args = append([]string{"test", "-c", "-vet=off", "-o", out.binary}, append(args, "./"+dir)...)
	if said, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return out, fmt.Errorf("build the mutants: %w\n%s", err, said)
	}
	return out, nil
}

// sources are the files of a package, without its tests.
func sources(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	return slices.DeleteFunc(paths, func(p string) bool { return strings.HasSuffix(p, "_test.go") }), err
}

// overlay is what is built in place of files.
type overlay struct {
	work    string
	replace map[string]string
}

func (o overlay) lay(path string, text []byte) error {
	place, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	o.replace[place] = filepath.Join(o.work, filepath.Base(path))
	return os.WriteFile(o.replace[place], text, 0o600)
}

func (o overlay) args() ([]string, error) {
	content, err := json.Marshal(map[string]any{"Replace": o.replace})
	if err != nil {
		return nil, err
	}
	path := filepath.Join(o.work, "overlay.json")
	return []string{"-overlay", path}, os.WriteFile(path, content, 0o600)
}
