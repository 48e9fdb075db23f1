package drift_test

import (
	"strings"
	"testing"

	"moorgate.dev/api/v1alpha1"
)

// TestADriftBecomesAPullRequest shows the whole way: a person changes the cluster, and Git is asked to say so, in just those bytes.
func TestADriftBecomesAPullRequest(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	h.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	h.round()
	a := h.act(h.standing())
	pulls := h.pulls()
	if len(pulls) != 1 || pulls[0].State != "open" || a.Phase != v1alpha1.PhaseActed || !strings.Contains(a.Text, "/acme/shop/pull/1 is opened") {
		t.Fatalf("acting %s; pull requests %+v", asJSON(a), pulls)
	}
	want := strings.Replace(web, "web:1.4", "web:1.5", 1)
	if got := h.repo.Files(pulls[0].Head)["deploy/web.yaml"]; got != want {
		t.Errorf("it proposes\n%s\nwant\n%s", got, want)
	}
	for _, text := range []string{"Deployment " + h.ns + "/web", "web:1.4", "web:1.5", "kubectl-set", "deploy/web.yaml:", h.standing().Name, "kubectl apply -n " + h.ns} {
		if !strings.Contains(pulls[0].Body, text) {
			t.Errorf("it does not say %q:\n%s", text, pulls[0].Body)
		}
	}

	t.Run("people merge it", func(t *testing.T) {
		h.repo.Merge(1)
		h.round()
		k := h.cases()[0]
		if a := h.act(k); a.Phase != v1alpha1.PhaseHealed || !strings.Contains(a.Text, "merged") {
			t.Errorf("acting %s", asJSON(a))
		}
	})
}
