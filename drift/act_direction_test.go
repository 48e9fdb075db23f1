package drift_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
)

// TestDriftIsSettledTheWayThatEveryGuardrailSays puts a second Guardrail beside one under which a pull request is opened: the most careful
// wins, on the Case as when acting.
func TestDriftIsSettledTheWayThatEveryGuardrailSays(t *testing.T) {
	for name, test := range map[string]struct {
		drift v1alpha1.DriftTerms
		tells bool // how to go back to Git
		pulls int
	}{
		"back to Git":                  {v1alpha1.DriftTerms{Direction: "Revert"}, true, 0},
		"reported":                     {v1alpha1.DriftTerms{Direction: "Report"}, false, 0},
		"emergency fixes, and no more": {v1alpha1.DriftTerms{Adopt: "Emergency"}, true, 0},
		"the same":                     {v1alpha1.DriftTerms{Direction: "Adopt", Adopt: "Any"}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
			h.guardrail(test.drift)
			retagged(h, "1.5")
			k := h.standing()
			a := h.act(k)
			if len(h.pulls()) != test.pulls || (a.Phase == v1alpha1.PhaseActed) != (test.pulls == 1) {
				t.Fatalf("acting %s; pull requests %+v", asJSON(a), h.pulls())
			}
			named := slices.ContainsFunc(a.Reasons, func(r v1alpha1.Reason) bool { return r.Rule == "direction" && r.Guardrail == h.ns+"-too" })
			if named == (test.pulls == 1) {
				t.Errorf("it is held for %+v", a.Reasons)
			}
			i := slices.IndexFunc(k.Status.Menu, func(m v1alpha1.Choice) bool { return m.ID == "escalate" })
			if i < 0 || strings.Contains(k.Status.Menu[i].Text, "to go back to Git") != test.tells {
				t.Errorf("the menu is %+v", k.Status.Menu)
			}
		})
	}
}

// guardrail puts a Guardrail beside the one that the harbour has.
func (h *harbour) guardrail(d v1alpha1.DriftTerms) {
	h.t.Helper()
	g := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: h.ns + "-too"}, Spec: v1alpha1.GuardrailSpec{Mode: "Propose", Drift: d,
		NamespaceSelector: v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.io/metadata.name": v1alpha1.LabelValue(h.ns)}}}}
	h.ok(h.admin.Create(h.t.Context(), g))
	h.t.Cleanup(func() { _ = h.admin.Delete(context.Background(), g) })
}
