package drift_test

import (
	"strings"
	"testing"
)

// TestAFolderWithAKustomizationIsRendered has a base that lies beyond the folder, and an overlay that says how many.
func TestAFolderWithAKustomizationIsRendered(t *testing.T) {
	s := newStage(t)
	s.commit(map[string]string{"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": web,
		"deploy/kustomization.yaml": "resources: [../base]\nreplicas: [{name: web, count: 3}]\n"})
	s.source(nil)
	s.kubectl(strings.Replace(web, "replicas: 2", "replicas: 3", 1), "apply", "-f", "-")
	s.round()
	if cases := s.cases(); len(cases) != 0 || !strings.Contains(s.ready().Message, ": 1") {
		t.Fatalf("what the overlay says is compared: %s, %+v", asJSON(cases), s.ready())
	}
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	k := s.onlyCase()
	if want := `base/web.yaml:16 - image: "registry.example/shop/web:1.4" + image: "registry.example/shop/web:1.5"`; k.Status.Menu[0].Text != want {
		t.Errorf("got %s", asJSON(k.Status))
	}
}
