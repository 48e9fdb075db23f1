package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"moorgate.dev/test/cluster"
)

// kustomize renders a folder in memory.
func kustomize(folder string) Renderer {
	return func(files map[string][]byte) ([]*unstructured.Unstructured, error) {
		disk := filesys.MakeFsInMemory()
		for name, b := range files {
			if err := disk.WriteFile("/"+name, b); err != nil {
				return nil, err
			}
		}
		o := krusty.MakeDefaultOptions()
		o.PluginConfig = types.DisabledPluginConfig()
		built, err := krusty.MakeKustomizer(o).Run(disk, "/"+folder)
		if err != nil {
			return nil, err
		}
		var objects []*unstructured.Unstructured
		for _, r := range built.Resources() {
			m, err := r.Map()
			if err != nil {
				return nil, err
			}
			objects = append(objects, &unstructured.Unstructured{Object: m})
		}
		return objects, nil
	}
}

// layout is one story of testdata/layouts: a repository, a rendered field and what is to come of it.
type layout struct {
	files map[string][]byte
	roots map[string]Renderer
	root  string
	ask   Ask
	gives string
}

var headLine = regexp.MustCompile(`(?m)^(root|others|object|ask|gives): ?(.*)$`)

func readLayout(t *testing.T, file string) layout {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	l := layout{files: map[string][]byte{}, roots: map[string]Renderer{}}
	for _, f := range archive.Files {
		l.files[f.Name] = f.Data
	}
	head := map[string]string{}
	for _, m := range headLine.FindAllStringSubmatch(string(archive.Comment), -1) {
		head[m[1]] = m[2]
	}
	l.root, l.gives = head["root"], head["gives"]
	for _, root := range append(strings.Fields(head["others"]), l.root) {
		l.roots[root] = kustomize(root)
	}
	o := strings.Split(head["object"], "/")
	l.ask.Object = Name{Group: o[0], Kind: o[1], Namespace: o[2], Name: o[3]}
	ask := strings.SplitN(head["ask"], " ", 3)
	l.ask.Op, l.ask.Field = Op(ask[0]), pathOf(ask[1])
	if len(ask) == 3 {
		if err := json.Unmarshal([]byte(ask[2]), &l.ask.Value); err != nil {
			t.Fatal(err)
		}
	}
	if prefix, hashed := strings.CutSuffix(l.ask.Object.Name, "HASH"); hashed {
		all, err := render(l.roots[l.root], l.files)
		if err != nil {
			t.Fatal(err)
		}
		for n := range all {
			if strings.HasPrefix(n.Name, prefix) {
				l.ask.Object.Name = n.Name
			}
		}
	}
	return l
}

var stepText = regexp.MustCompile(`\["([^"]+)"\]|\[(\w+)=([^\]]+)\]|([A-Za-z]+)`)

func pathOf(text string) Path {
	var p Path
	for _, m := range stepText.FindAllStringSubmatch(text, -1) {
		switch {
		case m[2] != "":
			p = append(p, Step{Keys: []Key{{Name: m[2], Value: m[3]}}})
		default:
			p = append(p, Step{Field: m[1] + m[4]})
		}
	}
	return p
}

// outcome is what Plan says, in the words of the stories.
func outcome(c Change, err error) string {
	var r *Refusal
	switch {
	case errors.As(err, &r):
		return "refused " + r.Rule
	case err != nil:
		return "failed " + err.Error()
	}
	first, _, _ := strings.Cut(c.Edit.NewText, "\n")
	return fmt.Sprintf("%s:%d %s", c.File, c.Edit.Line, strings.ReplaceAll(first, `"value": `, "value: "))
}

func TestEveryLayoutIsEditedInItsPlaceOrRefusedByName(t *testing.T) {
	stories, err := filepath.Glob("testdata/layouts/*.txtar")
	if err != nil || len(stories) < 30 {
		t.Fatalf("%d layouts, %v", len(stories), err)
	}
	edited, refused, most := 0, 0, 0
	for _, file := range stories {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			l := readLayout(t, file)
			if l.ask.Op == Set {
				o, _ := MapField(l.files, l.roots, l.root, l.ask.Object, l.ask.Field)
				most = max(most, o.Renders)
			}
			c, err := Plan(l.files, l.roots, l.root, l.ask, nil)
			if got := outcome(c, err); got != strings.TrimRight(l.gives, "") {
				t.Fatalf("got  %s (%v)\nwant %s", got, err, l.gives)
			}
			if err != nil {
				refused++
				return
			}
			edited++
			confirm(t, l, c)
		})
	}
	t.Logf("%d layouts: %d edited and proven, %d refused by name; at most %d renders for one", len(stories), edited, refused, most)
}

// confirm has another program render the roots before and after: exactly the tracked root's object moves, to the value.
func confirm(t *testing.T, l layout, c Change) {
	t.Helper()
	binaries, err := cluster.Binaries(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	kubectl := filepath.Join(binaries, "kubectl")
	after := map[string][]byte{c.File: c.Edit.Bytes}
	for root := range l.roots {
		was, is := kubectlKustomize(t, kubectl, root, l.files, nil), kubectlKustomize(t, kubectl, root, l.files, after)
		if root != l.root {
			if was != is {
				t.Fatalf("kubectl kustomize: %s moves too", root)
			}
			continue
		}
		before, now := documentsOf(t, was), documentsOf(t, is)
		n, _ := before.find(l.ask.Object)
		value, _ := normal(l.ask.Value)
		if len(before.others(now, n)) > 0 || !moved(before[n], now[n], l.ask.Op, l.ask.Field, value) {
			t.Fatalf("kubectl kustomize does not confirm it:\n%s\n%s", was, is)
		}
	}
}

func kubectlKustomize(t *testing.T, kubectl, root string, files, over map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for _, set := range []map[string][]byte{files, over} {
		for name, b := range set {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.CommandContext(t.Context(), kubectl, "kustomize", filepath.Join(dir, root)).Output()
	if err != nil {
		t.Fatalf("kubectl kustomize %s: %v", root, err)
	}
	return string(out)
}

func documentsOf(t *testing.T, text string) rendered {
	t.Helper()
	all, err := render(func(files map[string][]byte) ([]*unstructured.Unstructured, error) {
		var objects []*unstructured.Unstructured
		for _, c := range split(files[""]) {
			u, err := decode(files[""][c.start:c.end])
			if err != nil || u == nil {
				return nil, fmt.Errorf("kubectl's answer: %w", err)
			}
			objects = append(objects, u)
		}
		return objects, nil
	}, map[string][]byte{"": []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
