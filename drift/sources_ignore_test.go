package drift

import (
	"strings"
	"testing"

	"moorgate.dev/internal/source"
)

// TestWhatAKustomizationIgnoresIsNoDrift has rules for all, for some by patterns of the whole word, and by what is not read here.
func TestWhatAKustomizationIgnoresIsNoDrift(t *testing.T) {
	web := source.Name{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}
	replicas := Drift{Path: fieldsOf("spec", "replicas")}
	for name, test := range map[string]struct {
		rule   fluxIgnore
		passed bool
		left   bool
	}{
		"for all":                {fluxIgnore{Paths: []string{"/spec/replicas"}}, true, false},
		"another field":          {fluxIgnore{Paths: []string{"/spec/paused"}}, false, false},
		"for its kind":           {fluxIgnore{Paths: []string{"/spec/replicas"}, Target: &fluxTarget{Kind: "Deployment"}}, true, false},
		"for another kind":       {fluxIgnore{Paths: []string{"/spec/replicas"}, Target: &fluxTarget{Kind: "StatefulSet"}}, false, false},
		"by a pattern":           {fluxIgnore{Paths: []string{"/spec/replicas"}, Target: &fluxTarget{Group: "apps", Kind: "Deploy.*", Namespace: "shop", Name: "w.b|api"}}, true, false},
		"a pattern of a part":    {fluxIgnore{Paths: []string{"/spec/replicas"}, Target: &fluxTarget{Name: "we"}}, false, false},
		"by labels":              {fluxIgnore{Paths: []string{"/spec/replicas"}, Target: &fluxTarget{LabelSelector: "a=b"}}, false, true},
		"by labels of others":    {fluxIgnore{Paths: []string{"/spec/replicas"}, Target: &fluxTarget{Kind: "Service", LabelSelector: "a=b"}}, false, false},
		"everything, which none": {fluxIgnore{Paths: []string{"/", ""}}, false, false},
	} {
		y := &Delivered{Namespace: "shop", Name: "kustomization/flux-system/apps", rules: []fluxIgnore{test.rule}}
		passed := false
		for _, r := range y.rows(web) {
			passed = passed || r.fits("Deployment", replicas)
		}
		if left := y.leaves(web); passed != test.passed || strings.Contains(left, "ignore of Kustomization flux-system/apps") != test.left {
			t.Errorf("%s: passed over %t, left %q", name, passed, left)
		}
	}
}
