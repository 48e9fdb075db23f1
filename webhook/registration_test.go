package webhook

import (
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func TestRegistration(t *testing.T) {
	narrower := &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}
	config := Registration(RegistrationOptions{URL: "https://127.0.0.1:1" + Path, Own: []string{"system:serviceaccount:m:it's"}, Namespaces: narrower})
	w := config.Webhooks[0]
	if *w.FailurePolicy != admissionregistrationv1.Ignore || *w.TimeoutSeconds > 3 || *w.SideEffects != admissionregistrationv1.SideEffectClassNoneOnDryRun ||
		*w.MatchPolicy != admissionregistrationv1.Equivalent {
		t.Errorf("%+v", w)
	}
	if len(narrower.MatchExpressions) != 0 {
		t.Error("the caller's selector was changed")
	}
	selector, err := metav1.LabelSelectorAsSelector(w.NamespaceSelector)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"shop": true, "kube-system": false, "moorgate-system": false, "kube-public": false, "kube-node-lease": false} {
		if got := selector.Matches(labels.Set{"kubernetes.io/metadata.name": name, "team": "a"}); got != want {
			t.Errorf("%s is judged: %v", name, got)
		}
	}
	if selector.Matches(labels.Set{"kubernetes.io/metadata.name": "shop"}) {
		t.Error("the narrower selector does not count")
	}
	for _, c := range w.MatchConditions {
		if strings.Contains(c.Expression, "it's") {
			t.Errorf("an unescaped quote in %s", c.Expression)
		}
	}
}
