package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "moorgate.dev"

// floors says how high each package lives: a package imports only what lives lower. Packages on floor 2 never import each
// other, nor do the faces on floor 3.
var floors = map[string]int{
	"api/v1alpha1": 0, "internal/gate": 0, "charts": 0,
	"internal/flow": 1, "internal/redact": 1, "policies/times": 1,
	"internal/advise": 2, "internal/audit": 2, "internal/cluster": 2, "internal/forge": 2, "internal/source": 2, "internal/notify": 2,
	"certs": 2, "policies": 3,
	"webhook": 3, "drift": 3, "remediate": 3,
	"internal/app": 4,
	"":             5,
}

// faceMayImport is all that a face may import of this module, besides its own subpackages.
var faceMayImport = map[string][]string{
	"webhook":   {"internal/flow", "internal/gate", "internal/redact", "internal/cluster", "internal/source", "api/v1alpha1", "certs"},
	"drift":     {"internal/flow", "internal/gate", "internal/redact", "internal/cluster", "internal/source", "api/v1alpha1", "internal/forge"},
	"remediate": {"internal/flow", "internal/gate", "internal/redact", "internal/cluster", "internal/source", "api/v1alpha1", "certs"},
}

// homes says where an SDK may be imported, and nowhere else.
var homes = map[string][]string{
	"github.com/openai/openai-go":             {"internal/advise"},
	"github.com/go-git/go-git":                {"internal/forge"},
	"github.com/google/go-github":             {"internal/forge"},
	"github.com/cert-manager/cert-manager":    {"certs"},
	"github.com/slack-go/slack":               {"internal/notify"},
	"github.com/gorilla/websocket":            {"internal/notify"},
	"github.com/fluxcd/pkg/apis":              {"internal/cluster", "internal/notify"},
	"sigs.k8s.io/controller-runtime/pkg/log":  nil,
	"github.com/Masterminds/sprig":            {"internal/source"},
	"k8s.io/kubernetes":                       nil,
	"sigs.k8s.io/controller-runtime/pkg/fake": nil,
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("list the packages: %v", err)
	}
	var all []pkg
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// home is the floor's entry that a package belongs to: its own path or a parent's.
func home(path string) (string, bool) {
	rel := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	for at := rel; ; {
		if _, ok := floors[at]; ok && (at != "" || rel == "") {
			return at, true
		}
		i := strings.LastIndex(at, "/")
		if i < 0 {
			return rel, false
		}
		at = at[:i]
	}
}

func TestFloors(t *testing.T) {
	for _, p := range packages(t) {
		from, known := home(p.ImportPath)
		if strings.HasPrefix(from, "test/") {
			continue
		}
		if !known {
			t.Errorf("%s lives on no floor", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			checkImport(t, from, p.ImportPath, imp)
		}
	}
}

func checkImport(t *testing.T, from, path, imp string) {
	t.Helper()
	for sdk, allowed := range homes {
		if (imp == sdk || strings.HasPrefix(imp, sdk+"/")) && !slices.Contains(allowed, from) {
			t.Errorf("%s imports %s, which lives in %v", path, imp, allowed)
		}
	}
	if imp != module && !strings.HasPrefix(imp, module+"/") {
		return
	}
	to, known := home(imp)
	switch allowed, face := faceMayImport[from]; {
	case strings.HasPrefix(to, "test/"):
		t.Errorf("%s imports %s, which is for tests", path, imp)
	case !known || from == to:
	case face && !slices.Contains(allowed, to):
		t.Errorf("the face %s imports %s", path, imp)
	case floors[to] >= floors[from]:
		t.Errorf("%s on floor %d imports %s on floor %d", path, floors[from], imp, floors[to])
	}
}

// TestTheGateIsPure shows that the guardrail sees the standard library only, takes no context and reads no clock.
func TestTheGateIsPure(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./internal/gate").Output()
	if err != nil {
		t.Fatalf("list what internal/gate depends on: %v", err)
	}
	if deps := strings.Fields(string(out)); !slices.Equal(deps, []string{module + "/internal/gate"}) {
		t.Errorf("internal/gate depends on %v", deps)
	}
	for _, p := range packages(t) {
		if p.ImportPath == module+"/internal/gate" && (slices.Contains(p.Imports, "context") || slices.Contains(p.Imports, "os")) {
			t.Errorf("internal/gate imports %v", p.Imports)
		}
	}
}

// TestTheClockIsReadInOnePlace shows that only internal/app asks what time it is; everything else is told.
func TestTheClockIsReadInOnePlace(t *testing.T) {
	forEachFile(t, func(path string, f *ast.File, at func(token.Pos) token.Position) {
		if strings.HasPrefix(path, "internal/app/") || strings.HasPrefix(path, "test/") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && (s.Sel.Name == "Now" || s.Sel.Name == "Since" || s.Sel.Name == "Until") {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
					t.Errorf("%s reads the clock", at(s.Pos()))
				}
			}
			return true
		})
	})
}

var banned = []string{"Manager", "Helper", "Impl", "Info", "Data", "Util"}

// TestNames shows that no declaration has a name that says nothing.
func TestNames(t *testing.T) {
	forEachFile(t, func(_ string, f *ast.File, at func(token.Pos) token.Position) {
		check := func(name *ast.Ident) {
			for _, word := range banned {
				if i := strings.Index(name.Name, word); i >= 0 && boundary(name.Name[i+len(word):]) {
					t.Errorf("%s: the name %s holds %s", at(name.Pos()), name.Name, word)
				}
			}
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				check(d.Name)
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if ts, ok := s.(*ast.TypeSpec); ok {
						check(ts.Name)
					}
				}
			}
		}
	})
}

// boundary reports whether a word ends where rest begins: Info ends in InfoLog, not in Information.
func boundary(rest string) bool { return rest == "" || rest[0] < 'a' || rest[0] > 'z' }

func forEachFile(t *testing.T, visit func(path string, f *ast.File, at func(token.Pos) token.Position)) {
	t.Helper()
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "zz_generated") {
			return err
		}
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err == nil {
			visit(filepath.ToSlash(path), f, files.Position)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// runners are the packages by which a program runs others, or code that it did not bring.
var runners = []string{"os/exec", "plugin", "k8s.io/client-go/tools/remotecommand", "k8s.io/kubectl", "go/build", "text/template", "html/template"}

// rendering may run the templates of a chart that Helm keeps: with functions that reach nothing, and bounded by counting, as the tests of
// that package show.
const rendering = "internal/source/chart"

// TestL14NothingIsRun shows that no code of Moorgate runs a program, a shell or a template, but for those of charts in the one place
// for them: elsewhere a poisoned log line led an agent to run code on the host.
func TestL14NothingIsRun(t *testing.T) {
	for _, p := range packages(t) {
		from, _ := home(p.ImportPath)
		if strings.HasPrefix(from, "test/") {
			continue
		}
		for _, imp := range p.Imports {
			if p.ImportPath == module+"/"+rendering && (imp == "text/template" || imp == "text/template/parse") {
				continue
			}
			if slices.ContainsFunc(runners, func(r string) bool { return imp == r || strings.HasPrefix(imp, r+"/") }) {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}

// TestPromises shows that every test that the README's promises name exists.
func TestPromises(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(t `)
	tests := map[string]bool{}
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(content, -1) {
			tests[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, promises, found := strings.Cut(string(readme), "## Promises")
	named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(promises, -1)
	if !found || len(named) < 20 {
		t.Fatalf("the README's promises name %d tests", len(named))
	}
	for _, m := range named {
		if !tests[m[1]] {
			t.Errorf("the README promises by %s, which does not exist", m[1])
		}
	}
}
