package drift_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// overlayOf is a folder with a base, an overlay and a variable. Rendered, and with TIER=gold, it is web with three replicas.
func overlayOf() map[string]string {
	return map[string]string{
		"base/kustomization.yaml":      "resources: [web.yaml]\n",
		"base/web.yaml":                strings.Replace(web, "  name: web\n", "  name: web\n  labels: {tier: \"${TIER}\"}\n", 1),
		"apps/shop/kustomization.yaml": "resources: [../../base]\nreplicas: [{name: web, count: 3}]\n"}
}

var overlay = strings.Replace(strings.Replace(web, "  name: web\n", "  name: web\n  labels: {tier: gold}\n", 1), "replicas: 2", "replicas: 3", 1)

// TestWhatFluxDeliversIsComparedWithTheCommitThatItAppliedLast has Git's head go on to another commit that is not delivered yet, and
// a person change what runs.
func TestWhatFluxDeliversIsComparedWithTheCommitThatItAppliedLast(t *testing.T) {
	s := newDelivery(t)
	first := s.commit(overlayOf())
	head := s.commit(map[string]string{"apps/shop/kustomization.yaml": "resources: [../../base]\nreplicas: [{name: web, count: 7}]\n"})
	s.gitRepository(map[string]any{}, head)
	s.kustomization("apps", map[string]any{"path": "./apps/shop", "targetNamespace": s.ns, "postBuild": map[string]any{"substitute": map[string]any{"TIER": "gold"}}}, first, "web")
	s.applied(overlay)
	if names := s.rounds(); len(names) != 1 || names[0] != "kustomization/"+s.ns+"/apps" {
		t.Fatalf("compared: %q", names)
	}
	if cases := s.cases(); len(cases) != 0 {
		t.Fatalf("what is not delivered yet is no drift: %s", asJSON(cases))
	}
	fetches := s.fetches.Load()

	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.rounds()
	k := s.onlyCase()
	text := asJSON(k)
	if !strings.HasPrefix(k.Status.Summary, "containers[name=app].image is web:1.5, Git says web:1.4") || k.Status.Cause != "changed-by-person" {
		t.Errorf("summary %q, cause %q", k.Status.Summary, k.Status.Cause)
	}
	for _, want := range []string{first, "applied last by Kustomization " + s.ns + "/apps", "commit " + head[:12] + " is not delivered yet"} {
		if !strings.Contains(text, want) && !strings.Contains(asJSON(s.log.records), want) {
			t.Errorf("nothing says %q: %s\n%s", want, text, asJSON(s.log.records))
		}
	}
	if again := s.fetches.Load(); again != fetches {
		t.Errorf("a commit that is known is fetched again: %d, then %d", fetches, again)
	}
	if reports := s.look(); len(reports) != 1 || len(reports[0].Sights) != 1 || reports[0].Sights[0].Case == nil || reports[0].Commit != first {
		t.Errorf("who asks sees %s", asJSON(reports))
	}
	s.applied(overlay)
	s.rounds()
	if c := drifted(s.onlyCase()); c.Status != metav1.ConditionFalse {
		t.Errorf("it is as it was delivered, and the Case says %+v", c)
	}
}
