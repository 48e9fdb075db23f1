package drift_test

import (
	"strings"
	"testing"

	"moorgate.dev/api/v1alpha1"
)

// TestTheWayBackOfARenderedFolderCanBeRun shows that kubectl is told of a folder: it takes no kustomization file. Nothing is said about
// holding what nobody is known to deliver.
func TestTheWayBackOfARenderedFolderCanBeRun(t *testing.T) {
	h := harbourOf(newStage(t), map[string]string{"deploy/kustomization.yaml": "resources: [web.yaml]\n", "deploy/web.yaml": web})
	h.source(func(g *v1alpha1.GitSource) { g.Spec.URL = h.repo.Clone() })
	h.kubectl(web, "apply", "-f", "-")
	h.round()
	retagged(h, "1.5")
	if a := h.act(h.standing()); a.Phase != v1alpha1.PhaseActed {
		t.Fatalf("acting %s", asJSON(a))
	}
	body := h.pulls()[0].Body
	if want := "`kubectl apply -n " + h.ns + " -k deploy`"; !strings.Contains(body, want) || strings.Contains(body, "Until this is decided") {
		t.Errorf("it does not say %s:\n%s", want, body)
	}
}
