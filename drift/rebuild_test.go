package drift

import (
	"bytes"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

const baseOfWeb = `# the shop's front
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2 # two are enough
  template:
    spec:
      containers:
      - name: app
        image: registry.example/shop/web:1.4
        env:
        - name: TOKEN
          value: planted-in-git
        resources:
          requests:
            cpu: 100m
`

// overlaid is a repository with a base and an overlay, which has an image of its own.
func overlaid() map[string]string {
	return map[string]string{
		"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": baseOfWeb,
		"deploy/kustomization.yaml": "resources:\n- ../base\nimages:\n- name: registry.example/shop/web\n  newTag: \"1.5\"\npatches:\n- path: patch.yaml\n",
		"deploy/patch.yaml":         "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n      - name: app\n        resources:\n          requests:\n            cpu: 200m # more\n"}
}

func treeOf(files map[string]string) Tree {
	t := Tree{Commit: "c0ffee", Files: map[string][]byte{}}
	for name, content := range files {
		t.Files[name] = []byte(content)
	}
	return t
}

// liveWeb is the Deployment as the cluster has it, where a person owns what the paths of managedFields say.
func liveWeb(t *testing.T, content string, fields string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	asJSON, err := yaml.YAMLToJSON([]byte(content))
	if err == nil {
		err = u.UnmarshalJSON(asJSON)
	}
	if err != nil {
		t.Fatal(err)
	}
	u.SetNamespace("shop")
	u.SetUID("1")
	if fields != "" {
		u.Object["metadata"].(map[string]any)["managedFields"] = []any{map[string]any{"manager": "kubectl-edit", "operation": "Update", "apiVersion": "apps/v1",
			"time": "2026-11-23T15:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{}}}
		entries := u.GetManagedFields()
		entries[0].FieldsV1.SetRawString(fields)
		u.SetManagedFields(entries)
	}
	return u
}

var shopWeb = gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "1"}

// menuOf is the menu that the judge makes of drifts.
func menuOf(t *testing.T, files map[string]string, drifts ...Drift) (*look, gate.Action, bool) {
	t.Helper()
	parsed := parse(treeOf(files), tree{}, "shop", render.Own("deploy"))
	if parsed.unsound != nil {
		t.Fatal(parsed.unsound)
	}
	k, found := parsed.find(source.Name{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"})
	if !found {
		t.Fatal("it is not declared")
	}
	o := k.unfold()
	l := newLook(o, "c0ffee")
	l.subject.UID, l.drifts = "1", drifts
	l.proposals, _ = propose(parsed.ground, o, drifts, nil)
	a, offered := adoption(l)
	return l, a, offered
}

var container = source.Path{{Field: "spec"}, {Field: "template"}, {Field: "spec"}, {Field: "containers"}, {Keys: []source.Key{{Name: "name", Value: "app"}}}}

func inContainer(fields ...string) source.Path {
	return append(container[:len(container):len(container)], fieldsOf(fields...)...)
}

// TestWhatTheJudgeOffersIsRebuiltAlike has two edits in two files, of which one holds the other's object no longer.
func TestWhatTheJudgeOffersIsRebuiltAlike(t *testing.T) {
	files := overlaid()
	drifts := []Drift{
		{Path: inContainer("image"), Git: "registry.example/shop/web:1.5", Live: "registry.example/shop/web:1.6"},
		{Path: inContainer("resources", "requests", "cpu"), Git: "200m", Live: "300m"}}
	_, offered, ok := menuOf(t, files, drifts...)
	if !ok {
		t.Fatal("nothing is offered")
	}
	live := liveWeb(t, strings.NewReplacer("web:1.4", "web:1.6", "100m", "300m").Replace(baseOfWeb), "")
	var paths []string
	for _, e := range offered.Edits {
		paths = append(paths, e.Path)
	}
	a, err := rebuiltOf(treeOf(files), "deploy", shopWeb, live, paths)
	if err != nil {
		t.Fatal(err)
	}
	if a.Action.PlanDigest() != offered.PlanDigest() || a.Action.Text != offered.Text {
		t.Errorf("offered %+v, rebuilt %+v", offered, a.Action)
	}
	if got := strings.Join(a.Places, " "); got != "deploy/kustomization.yaml:5 deploy/patch.yaml:12" {
		t.Errorf("places %s", got)
	}
	want := map[string]string{"deploy/kustomization.yaml": strings.Replace(files["deploy/kustomization.yaml"], `"1.5"`, `"1.6"`, 1),
		"deploy/patch.yaml": strings.Replace(files["deploy/patch.yaml"], "200m # more", "300m # more", 1)}
	for file, content := range want {
		if !bytes.Equal(a.Files[file], []byte(content)) || len(a.Files) != len(want) {
			t.Errorf("%s: %s", file, a.Files[file])
		}
	}
}

func TestAWordOfTheOverlaysOwnIsRebuiltAlike(t *testing.T) {
	files := overlaid()
	files["staging/kustomization.yaml"] = "resources: [../base]\n"
	_, offered, ok := menuOf(t, files, Drift{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: int64(5)})
	if !ok {
		t.Fatal("nothing is offered")
	}
	a, err := rebuiltOf(treeOf(files), "deploy", shopWeb, liveWeb(t, strings.Replace(baseOfWeb, "replicas: 2", "replicas: 5", 1), ""), []string{"spec.replicas"})
	if err != nil || a.Action.PlanDigest() != offered.PlanDigest() || a.Action.Edits[0] != (gate.Edit{Path: "spec.replicas", Old: "2", New: "5"}) {
		t.Errorf("offered %+v, rebuilt %+v, %v", offered, a.Action, err)
	}
	if want := files["deploy/kustomization.yaml"] + "replicas:\n- name: web\n  count: 5\n"; len(a.Files) != 1 || string(a.Files["deploy/kustomization.yaml"]) != want {
		t.Errorf("got %q", a.Files)
	}
	if _, err := rebuiltOf(Tree{Commit: "c0ffee", Files: treeOf(overlaid()).Files, Partly: "there are too many"}, "deploy", shopWeb,
		liveWeb(t, strings.Replace(baseOfWeb, "replicas: 2", "replicas: 5", 1), ""), []string{"spec.replicas"}); err == nil || !strings.Contains(err.Error(), "there are too many") {
		t.Errorf("who else reads the base is not known: %v", err)
	}
}

func TestWhatIsEncryptedIsNotRebuilt(t *testing.T) {
	files := overlaid()
	files["base/web.yaml"] += "sops:\n  mac: x\n"
	a, err := rebuiltOf(treeOf(files), "deploy", shopWeb, liveWeb(t, strings.Replace(baseOfWeb, "replicas: 2", "replicas: 5", 1), ""), []string{"spec.replicas"})
	if err == nil || !strings.Contains(err.Error(), "SOPS") {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestTwoEditsOfOneFileAreOneFile(t *testing.T) {
	files := map[string]string{"deploy/web.yaml": baseOfWeb}
	live := liveWeb(t, strings.NewReplacer("web:1.4", "web:1.6", "replicas: 2", "replicas: 5").Replace(baseOfWeb), "")
	a, err := rebuiltOf(treeOf(files), "deploy", shopWeb, live, []string{"spec.replicas", inContainer("image").String()})
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.NewReplacer("web:1.4", "web:1.6", "replicas: 2", "replicas: 5").Replace(baseOfWeb); len(a.Files) != 1 || string(a.Files["deploy/web.yaml"]) != want {
		t.Errorf("got %s", a.Files["deploy/web.yaml"])
	}
}

func TestWhatAPersonAddedIsRebuiltAsFarAsItIsTheirs(t *testing.T) {
	live := liveWeb(t, strings.Replace(baseOfWeb, "            cpu: 100m\n", "            cpu: 100m\n          limits:\n            memory: 1Gi\n            cpu: \"2\"\n", 1),
		`{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{"f:resources":{"f:limits":{"f:memory":{}}}}}}}}}`)
	a, err := rebuiltOf(treeOf(map[string]string{"deploy/web.yaml": baseOfWeb}), "deploy", shopWeb, live, []string{inContainer("resources", "limits").String()})
	if err != nil {
		t.Fatal(err)
	}
	if want := (gate.Edit{Path: inContainer("resources", "limits").String(), New: `{"memory":"1Gi"}`}); a.Action.Edits[0] != want {
		t.Errorf("got %+v", a.Action.Edits)
	}
	if got := string(a.Files["deploy/web.yaml"]); !strings.HasSuffix(got, "          limits:\n            memory: \"1Gi\"\n") {
		t.Errorf("got %s", got)
	}
}

func TestWhatMayNotBeAdoptedIsNotRebuilt(t *testing.T) {
	other := liveWeb(t, baseOfWeb, "")
	other.SetUID("2")
	changed := strings.NewReplacer("replicas: 2", "replicas: 5", "planted-in-git", "planted-live").Replace(baseOfWeb)
	env := inContainer("env").String() + "[name=TOKEN].value"
	for _, test := range []struct {
		name, git string
		live      *unstructured.Unstructured
		paths     []string
		why       string
	}{
		{"another object of that name", baseOfWeb, other, []string{"spec.replicas"}, "another one"},
		{"a plan of no field", baseOfWeb, liveWeb(t, changed, ""), nil, "no field"},
		{"a field that is nowhere", baseOfWeb, liveWeb(t, changed, ""), []string{"spec.nothing"}, "0 fields"},
		{"a value that moved back", baseOfWeb, liveWeb(t, baseOfWeb, ""), []string{"spec.replicas"}, "says what Git says"},
		{"a value that may be secret", baseOfWeb, liveWeb(t, changed, ""), []string{env}, "may be secret"},
		{"a placeholder", strings.Replace(baseOfWeb, "replicas: 2", "replicas: ${COUNT}", 1), liveWeb(t, changed, ""), []string{"spec.replicas"}, "placeholder"},
		{"what Git no longer declares", strings.Replace(baseOfWeb, "name: web\n", "name: api\n", 1), liveWeb(t, changed, ""), []string{"spec.replicas"}, "does not declare"},
		{"what Git says is left alone", strings.Replace(baseOfWeb, "  name: web\n", "  name: web\n  annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}\n", 1), liveWeb(t, changed, ""), []string{"spec.replicas"}, "left as it is"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := rebuiltOf(treeOf(map[string]string{"deploy/web.yaml": test.git}), "deploy", shopWeb, test.live, test.paths)
			if err == nil || !strings.Contains(err.Error(), test.why) || len(a.Files) > 0 {
				t.Errorf("got %+v, %v", a, err)
			}
			if err != nil && strings.Contains(err.Error(), "planted") {
				t.Errorf("a value is shown: %v", err)
			}
		})
	}
}

// rebuiltOf reads a repository and rebuilds an Adoption on it.
func rebuiltOf(read Tree, folder string, subject gate.Ref, live *unstructured.Unstructured, paths []string) (Adoption, error) {
	t := parse(read, tree{}, subject.Namespace, render.Own(folder))
	if t.unsound != nil {
		return Adoption{}, t.unsound
	}
	a, _, err := rebuild(t, subject, live, paths)
	return a, err
}
