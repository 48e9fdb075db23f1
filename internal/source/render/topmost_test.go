package render

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"moorgate.dev/internal/source"
)

// declaredIn are the Deployments that a folder declares.
func declaredIn(t *testing.T, l layout, folder string) []string {
	t.Helper()
	objects, err := Declared(l.files(), Own(folder), source.Wanted{Namespace: "shop", Kinds: []schema.GroupKind{{Group: "apps", Kind: "Deployment"}}})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, o := range objects {
		if o.Kind == "Deployment" {
			found = append(found, o.Name.Name)
		}
	}
	slices.Sort(found)
	return found
}

var beside = layout{"deploy/base/kustomization.yaml": "resources: [web.yaml]\n", "deploy/base/web.yaml": web,
	"deploy/prod/kustomization.yaml": "resources: [../base]\nnamePrefix: eu-\n"}

func TestABaseBesideItsOverlayDeclaresNothingByItself(t *testing.T) {
	if got := declaredIn(t, beside, "deploy"); !slices.Equal(got, []string{"eu-web"}) {
		t.Errorf("got %v", got)
	}
	if got := declaredIn(t, beside, "deploy/base"); !slices.Equal(got, []string{"web"}) {
		t.Errorf("one that is named makes its objects: %v", got)
	}
	made, err := Render(beside.files(), Spec{Path: "deploy"})
	if err != nil || len(made.Objects) != 2 {
		t.Errorf("Flux makes both: %d objects, %v", len(made.Objects), err)
	}
}

func TestAComponentBesideWhatIncludesItIsNoRoot(t *testing.T) {
	part := layout{"deploy/part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nreplicas: [{name: web, count: 3}]\n"}
	if got := declaredIn(t, with(beside, part), "deploy"); !slices.Equal(got, []string{"eu-web"}) {
		t.Errorf("one that nobody includes: %v", got)
	}
	part["deploy/prod/kustomization.yaml"] = "resources: [../base]\ncomponents: [../part]\n"
	part["deploy/plain.yaml"] = strings.ReplaceAll(web, "name: web", "name: api")
	if got := declaredIn(t, with(beside, part), "deploy"); !slices.Equal(got, []string{"api", "web"}) {
		t.Errorf("one that the overlay includes: %v", got)
	}
}

func TestRootsThatIncludeEachOtherAreRefused(t *testing.T) {
	l := layout{"deploy/a/kustomization.yaml": "resources: [../b]\n", "deploy/b/kustomization.yaml": "resources: [../a]\n"}
	_, err := Declared(l.files(), Own("deploy"), source.Wanted{Namespace: "shop", Kinds: []schema.GroupKind{{Group: "apps", Kind: "Deployment"}}})
	if err == nil || !strings.Contains(err.Error(), "includes itself") {
		t.Errorf("got %v", err)
	}
}
