package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/source"
	"moorgate.dev/test/cluster"
)

const web = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: app
          image: shop/web:1.4
          env:
            - {name: MODE, value: plain}
`

const settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: plain}\n"

// layout is a repository: files by their paths.
type layout map[string]string

func (l layout) files() map[string][]byte {
	files := map[string][]byte{}
	for name, text := range l {
		files[name] = []byte(text)
	}
	return files
}

var base = layout{"base/kustomization.yaml": "resources: [web.yaml, settings.yaml]\n", "base/web.yaml": web, "base/settings.yaml": settings}

func with(l layout, more layout) layout {
	all := layout{}
	for _, from := range []layout{l, more} {
		for name, text := range from {
			all[name] = text
		}
	}
	return all
}

func overlay(kustomization string, more ...string) layout {
	l := layout{"prod/kustomization.yaml": "resources: [../base]\n" + kustomization}
	for i := 0; i+1 < len(more); i += 2 {
		l[more[i]] = more[i+1]
	}
	return with(base, l)
}

// layouts are what kubectl kustomize and this package must agree on.
var layouts = map[string]layout{
	"a base as it is":     overlay(""),
	"a namespace":         overlay("namespace: shop\n"),
	"a prefix, a suffix":  overlay("namePrefix: eu-\nnameSuffix: -two\n"),
	"labels":              overlay("labels:\n  - pairs: {team: shop}\n    includeSelectors: true\n"),
	"annotations":         overlay("commonAnnotations: {team: shop}\n"),
	"images":              overlay("images:\n  - name: shop/web\n    newTag: v1.5\n"),
	"a digest":            overlay("images:\n  - name: shop/web\n    newName: other/web\n    digest: sha256:" + strings.Repeat("a", 64) + "\n"),
	"replicas":            overlay("replicas:\n  - {name: web, count: 5}\n"),
	"a strategic patch":   overlay("patches:\n  - path: patch.yaml\n", "prod/patch.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 7}\n"),
	"a JSON patch":        overlay("patches:\n  - target: {kind: Deployment}\n    patch: |-\n      - {op: replace, path: /spec/replicas, value: 4}\n"),
	"old patches":         overlay("patchesStrategicMerge: [patch.yaml]\n", "prod/patch.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: grand}\n"),
	"old JSON patches":    overlay("patchesJson6902:\n  - target: {group: apps, version: v1, kind: Deployment, name: web}\n    path: p.json\n", "prod/p.json", `[{"op":"remove","path":"/spec/replicas"}]`),
	"a component":         overlay("components: [../component]\n", "component/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nreplicas:\n  - {name: web, count: 9}\n"),
	"generated settings":  overlay("configMapGenerator:\n  - name: made\n    files: [a=app.properties]\n    envs: [app.env]\n    literals: [x=y]\n", "prod/app.properties", "k = v\n", "prod/app.env", "A=1\n"),
	"a merged generator":  overlay("generatorOptions: {disableNameSuffixHash: true}\nconfigMapGenerator:\n  - {name: settings, behavior: merge, literals: [mode=grand]}\n"),
	"a replacement":       overlay("replacements:\n  - source: {kind: ConfigMap, name: settings, fieldPath: data.mode}\n    targets:\n      - select: {kind: Deployment}\n        fieldPaths: [\"spec.template.spec.containers.[name=app].env.[name=MODE].value\"]\n"),
	"a replacement apart": overlay("replacements:\n  - path: r.yaml\n", "prod/r.yaml", "source: {kind: ConfigMap, name: settings, fieldPath: data.mode}\ntargets:\n  - select: {kind: Deployment}\n    fieldPaths: [metadata.labels.app]\n"),
	"a transformer":       overlay("transformers: [t.yaml]\n", "prod/t.yaml", "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: zz-\nfieldSpecs:\n  - path: metadata/name\n"),
	"a container more":    overlay("patches:\n  - path: ./patch.yaml\n", "prod/patch.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n        - name: side\n          image: x:1\n"),
	"anchors":             with(overlay(""), layout{"base/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: &v plain, b: *v}\n"}),
}

// TestKubectlKustomizeAgrees has kubectl render every layout on disk.
func TestKubectlKustomizeAgrees(t *testing.T) {
	binaries, err := cluster.Binaries(t.Context(), io.Discard)
	kubectl := filepath.Join(binaries, "kubectl")
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range layouts {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range l {
				if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, err := exec.Command(kubectl, "kustomize", filepath.Join(dir, "prod")).Output()
			if err != nil {
				t.Fatalf("kubectl kustomize: %v", err)
			}
			r, err := Render(l.files(), Spec{Path: "prod"})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := asMap(t, r.Objects), read(t, out); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v\nkubectl says %v", got, want)
			}
		})
	}
}

func read(t *testing.T, out []byte) map[source.Name]any {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, document := range bytes.Split(out, []byte("\n---\n")) {
		b, err := yaml.YAMLToJSON(document)
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(b); err != nil {
			t.Fatal(err)
		}
		all = append(all, u)
	}
	return asMap(t, all)
}

func asMap(t *testing.T, objects []*unstructured.Unstructured) map[source.Name]any {
	t.Helper()
	all := map[source.Name]any{}
	for _, u := range objects {
		b, err := json.Marshal(u)
		if err != nil {
			t.Fatal(err)
		}
		all[source.NameOf(u)] = string(b)
	}
	return all
}

func TestWhatIsRefused(t *testing.T) {
	laughs := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		p := string(c - 1)
		laughs += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+p+",", 9), ",") + "]\n"
	}
	bomb := layout{"n0/kustomization.yaml": "resources: [c.yaml]\n", "n0/c.yaml": settings}
	for i := 1; i < 12; i++ {
		below := "n" + string(rune('a'+i-2))
		if i == 1 {
			below = "n0"
		}
		here := "n" + string(rune('a'+i-1))
		bomb[here+"/kustomization.yaml"] = "resources: [left, right]\n"
		bomb[here+"/left/kustomization.yaml"] = "namePrefix: x-\nresources: [../../" + below + "]\n"
		bomb[here+"/right/kustomization.yaml"] = "namePrefix: y-\nresources: [../../" + below + "]\n"
	}
	for name, tt := range map[string]struct {
		files layout
		path  string
		want  string
	}{
		"a base over https":                {overlay("components: ['https://github.com/x/y']\n"), "prod", "is an address"},
		"a base at GitHub":                 {layout{"kustomization.yaml": "resources: [github.com/x/y]\n"}, "", "is an address"},
		"a base over ssh":                  {layout{"kustomization.yaml": "resources: ['git@example.com:x/y']\n"}, "", "is an address"},
		"a file over http":                 {layout{"kustomization.yaml": "resources: ['HTTP://127.0.0.1/x.yaml']\n"}, "", "is an address"},
		"settings over http":               {layout{"kustomization.yaml": "configMapGenerator: [{name: x, files: ['a=http://127.0.0.1/x']}]\n"}, "", "is an address"},
		"a patch over http":                {layout{"kustomization.yaml": "patches: [{path: 'http://127.0.0.1/x'}]\n"}, "", "is an address"},
		"a transformer that fetches":       {layout{"kustomization.yaml": "transformers: [t.yaml]\n", "t.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: \"\\x68ttp://127.0.0.1/x\"\n"}, "", "configuration of a generator"},
		"a transformer in a container":     {layout{"kustomization.yaml": "transformers: [t.yaml]\n", "t.yaml": "apiVersion: x/v1\nkind: Y\nmetadata: {name: x, annotations: {config.kubernetes.io/function: 'container: {image: x}'}}\n"}, "", "configuration of a generator"},
		"a transformer that is an address": {layout{"kustomization.yaml": "transformers: [\"git@127.0.0.1:x/y\\nz\"]\n"}, "", "begins with something else"},
		"a plugin":                         {layout{"kustomization.yaml": "generators: [t.yaml]\n", "t.yaml": "apiVersion: x/v1\nkind: Y\nmetadata: {name: x}\n"}, "", "kustomize refuses it"},
		"a chart":                          {layout{"kustomization.yaml": "helmCharts: [{name: x}]\n"}, "", "inflates Helm charts"},
		"a schema":                         {layout{"kustomization.yaml": "openapi: {path: x.json}\n"}, "", "OpenAPI schema"},
		"outside the repository":           {layout{"a/kustomization.yaml": "resources: [../../b]\n"}, "a", "leads out of the repository"},
		"from the machine":                 {layout{"kustomization.yaml": "resources: [/etc/passwd]\n"}, "", "leads out of the repository"},
		"a link, which is not read":        {layout{"kustomization.yaml": "resources: [link.yaml]\n"}, "", "no such file"},
		"itself":                           {layout{"a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"}, "a", "includes itself"},
		"a billion laughs":                 {layout{"kustomization.yaml": "resources: [x.yaml]\n", "x.yaml": laughs}, "", "aliases make more than"},
		"two times two times two":          {bomb, "nk", "gone through more than"},
		"an unknown field":                 {layout{"kustomization.yaml": "resourcess: [x.yaml]\n"}, "", "no kustomization that this version knows"},
		"a panic":                          {overlay("images: [{name: 'ngin[', newTag: v2}]\n"), "prod", "kustomize"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := Render(tt.files.files(), Spec{Path: tt.path})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	if _, err := Render(bomb.files(), Spec{Path: "nc"}); err != nil {
		t.Errorf("a small tree of folders is refused: %v", err)
	}
}

func TestManyFiles(t *testing.T) {
	l := layout{}
	for i := range maxFiles + 1 {
		l["d/"+strings.Repeat("x", i%50+1)+string(rune('a'+i%26))+time.Duration(i).String()+".yaml"] = settings
	}
	if _, err := Render(l.files(), Spec{Path: "d"}); err == nil || !strings.Contains(err.Error(), "more than 10000 files") {
		t.Errorf("got %v", err)
	}
}

func TestARenderThatHangsIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	hang := func() ([]*unstructured.Unstructured, error) { <-release; return nil, nil }
	for range cap(places) {
		if _, err := inTime(20*time.Millisecond, hang); err == nil || !strings.Contains(err.Error(), "was given up") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := inTime(20*time.Millisecond, hang); err == nil || !strings.Contains(err.Error(), "earlier renders") {
		t.Errorf("got %v", err)
	}
	close(release)
	if _, err := inTime(10*time.Second, func() ([]*unstructured.Unstructured, error) { panic("x") }); !errors.Is(err, errPanic) {
		t.Errorf("got %v", err)
	}
}

func TestRendersSideBySideAnswerTheSame(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				r, err := Render(layouts["images"].files(), Spec{Path: "prod"})
				if err != nil || image(r) != "shop/web:v1.5" {
					t.Errorf("got %v, %v", image(r), err)
				}
			}
		})
	}
	wg.Wait()
}

func image(r Rendered) any {
	for _, u := range r.Objects {
		if u.GetKind() == "Deployment" {
			containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers")
			return containers[0].(map[string]any)["image"]
		}
	}
	return nil
}

func TestFlux(t *testing.T) {
	plain := layout{"app/web.yaml": web, "app/sub/kustomization.yaml": "namePrefix: sub-\nresources: [s.yaml]\n", "app/sub/s.yaml": settings, "other/x.yaml": settings}
	r, err := Render(plain.files(), Spec{Path: "app"})
	if err != nil || len(r.Objects) != 2 || names(r) != "sub-settings web" {
		t.Errorf("a folder without a kustomization: %v, %v", names(r), err)
	}
	r, err = Render(plain.files(), Spec{Path: "./app", TargetNamespace: "shop", NamePrefix: "eu-", NameSuffix: "-1", Labels: map[string]string{"team": "a"},
		Annotations: map[string]string{"x": "y"}, Images: []types.Image{{Name: "shop/web", NewTag: "2"}},
		Patches: []types.Patch{{Patch: `[{"op":"replace","path":"/spec/replicas","value":9}]`, Target: &types.Selector{}}}})
	if err == nil {
		t.Errorf("a patch that fits not all is taken: %v", names(r))
	}
	r, err = Render(plain.files(), Spec{Path: "./app", TargetNamespace: "shop", NamePrefix: "eu-", NameSuffix: "-1", Labels: map[string]string{"team": "a"},
		Annotations: map[string]string{"x": "y"}, Images: []types.Image{{Name: "shop/web", NewTag: "2"}}})
	if err != nil || names(r) != "eu-sub-settings-1 eu-web-1" || image(r) != "shop/web:2" {
		t.Fatalf("%v %v %v", names(r), image(r), err)
	}
	for _, u := range r.Objects {
		if u.GetNamespace() != "shop" || u.GetLabels()["team"] != "a" || u.GetAnnotations()["x"] != "y" {
			t.Errorf("got %v", u)
		}
	}
	own := overlay("namespace: own\nimages: [{name: shop/web, newTag: own}]\n")
	if r, err = Render(own.files(), Spec{Path: "prod", TargetNamespace: "shop", Images: []types.Image{{Name: "shop/web", NewTag: "2"}}}); err != nil || image(r) != "shop/web:2" || r.Objects[0].GetNamespace() != "shop" {
		t.Errorf("what Flux says comes before what the root says: %v %v", image(r), err)
	}
	if _, err = Render(own.files(), Spec{Path: "prod", Components: []string{"../gone"}}); err == nil {
		t.Error("a missing component is passed over")
	}
	if _, err = Render(own.files(), Spec{Path: "prod", Components: []string{"../gone"}, IgnoreMissingComponents: true}); err != nil {
		t.Error(err)
	}
}

func names(r Rendered) string {
	var all []string
	for _, u := range r.Objects {
		all = append(all, u.GetName())
	}
	if len(all) == 2 && all[0] > all[1] {
		all[0], all[1] = all[1], all[0]
	}
	return strings.Join(all, " ")
}

func TestSubstitution(t *testing.T) {
	for name, tt := range map[string]struct {
		value, want, fails, unknown string
		s                           Substitution
	}{
		"a value":                     {"v${A}w", "v1w", "", "", Substitution{Values: map[string]string{"A": "1"}}},
		"nothing is filled in at all": {"${A}", "${A}", "", "", Substitution{}},
		"a default":                   {"${B:=two}", "two", "", "", Substitution{Values: map[string]string{"A": "1"}}},
		"a default for the empty":     {"${B:-two}", "two", "", "", Substitution{Values: map[string]string{"B": ""}}},
		"the empty is set":            {"x${B-two}", "x", "", "", Substitution{Values: map[string]string{"B": ""}}},
		"an unset variable":           {"x${B}", "x", "", "", Substitution{Values: map[string]string{"A": "1"}}},
		"strictly":                    {"${B}", "", "nothing sets the variable B", "", Substitution{Strict: true, Values: map[string]string{"A": "1"}}},
		"escaped":                     {"$${A}", "${A}", "", "", Substitution{Values: map[string]string{"A": "1"}}},
		"no braces":                   {"$A", "$A", "", "", Substitution{Values: map[string]string{"A": "1"}}},
		"another form":                {"${A/x/y}", "", "form of variable", "", Substitution{Values: map[string]string{"A": "1"}}},
		"the last ConfigMap":          {"x${A}", "x2", "", "", Substitution{From: []Values{{Data: map[string]string{"A": "1"}}, {Data: map[string]string{"A": "2\n"}}}}},
		"a Secret comes after":        {"${A}", "", "", "Secret", Substitution{From: []Values{{Data: map[string]string{"A": "1"}}, {Secret: "s"}}}},
		"a Secret comes before":       {"x${A}", "x1", "", "", Substitution{From: []Values{{Secret: "s"}, {Data: map[string]string{"A": "1"}}}}},
		"its own word over a Secret":  {"x${A}", "x1", "", "", Substitution{Values: map[string]string{"A": "1"}, From: []Values{{Secret: "s"}}}},
		"no object any more":          {"${A}", "", "no object", "", Substitution{Values: map[string]string{"A": "}: {"}}},
	} {
		t.Run(name, func(t *testing.T) {
			files := layout{"kustomization.yaml": "resources: [c.yaml]\n", "c.yaml": strings.Replace(settings, "plain", "'"+tt.value+"'", 1)}.files()
			r, err := Render(files, Spec{Substitution: tt.s})
			switch {
			case tt.fails != "":
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("got %v", err)
				}
			case err != nil:
				t.Error(err)
			case tt.unknown != "":
				if why := r.Unknown[source.Name{Kind: "ConfigMap", Name: "settings"}]; len(r.Objects) != 0 || !strings.Contains(why, tt.unknown) {
					t.Errorf("got %v", r)
				}
			default:
				if got, _, _ := unstructured.NestedString(r.Objects[0].Object, "data", "mode"); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
		})
	}
}

func TestNeeds(t *testing.T) {
	l := overlay("configMapGenerator: [{name: x, files: [a=app.properties]}]\n")
	files := l.files()
	delete(files, "base/kustomization.yaml")
	want := []string{"base", "base/Kustomization", "base/kustomization.yaml", "base/kustomization.yml"}
	got := strings.Join(Needs(files, "prod"), " ")
	for _, w := range append(want, "prod/app.properties") {
		if !strings.Contains(got, w) {
			t.Errorf("%s is not asked for: %s", w, got)
		}
	}
	if got := Needs(overlay("").files(), "prod"); len(got) != 0 {
		t.Errorf("nothing is missing, and yet %v", got)
	}
}

// TestDeclaredSaysWhatNobodyCanKnow has an object that is encrypted, one with a variable out of a Secret, and one that is neither.
func TestDeclaredSaysWhatNobodyCanKnow(t *testing.T) {
	name := func(to string) string { return strings.Replace(web, "name: web", "name: "+to, 1) }
	files := layout{"apps/a.yaml": name("locked") + "sops: {mac: x}\n", "apps/b.yaml": strings.Replace(name("secret"), "plain", `"${MODE}"`, 1), "apps/c.yaml": name("open"),
		"apps/d.yaml": strings.Replace(settings, "plain", `"${MODE}"`, 1), "apps/e.yaml": strings.Replace(name("elsewhere"), "metadata:", "metadata:\n  namespace: other", 1) + "sops: {}\n"}.files()
	spec := Spec{Path: "apps", Substitution: Substitution{From: []Values{{Secret: "vars"}}}}
	objects, err := Declared(files, spec, source.Wanted{Namespace: "shop", Kinds: []schema.GroupKind{{Group: "apps", Kind: "Deployment"}}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range objects {
		if got[o.Name.Name] = o.Unknown; (o.Desired == nil) != (o.Unknown != "") || o.Namespace != "shop" || o.Root == "" {
			t.Errorf("got %+v", o)
		}
	}
	if len(got) != 3 || got["open"] != "" || !strings.Contains(got["locked"], "SOPS") || !strings.Contains(got["secret"], `Secret "vars"`) {
		t.Errorf("got %q", got)
	}
}

// TestDeclaredKeepsThePlaceOfWhatNothingIsAddedTo, because an edit is offered of such objects alone.
func TestDeclaredKeepsThePlaceOfWhatNothingIsAddedTo(t *testing.T) {
	files := layout{"apps/web.yaml": web}.files()
	for name, test := range map[string]struct {
		spec Spec
		root string
	}{
		"nothing":   {Spec{Path: "apps"}, ""},
		"a prefix":  {Spec{Path: "apps", NamePrefix: "x-"}, "apps"},
		"a label":   {Spec{Path: "apps", Labels: map[string]string{"a": "b"}}, "apps"},
		"variables": {Spec{Path: "apps", Substitution: Substitution{Values: map[string]string{"A": "b"}}}, "apps"},
	} {
		objects, err := Declared(files, test.spec, source.Wanted{Namespace: "shop", Kinds: []schema.GroupKind{{Group: "apps", Kind: "Deployment"}}})
		if err != nil || len(objects) != 1 || objects[0].Root != test.root {
			t.Errorf("%s: got %+v, %v", name, objects, err)
		}
	}
}
