package policies

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
)

// TestWhomGuardrailsHaveTold shows that those of every Guardrail that applies are told, and no others.
func TestWhomGuardrailsHaveTold(t *testing.T) {
	s := newStage(t)
	here := v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{corev1.LabelMetadataName: v1alpha1.LabelValue(s.namespace)}}
	named := func(name string, of v1alpha1.Selector, receivers ...string) *v1alpha1.Guardrail {
		g := s.guardrail(name, nil, of)
		g.Spec.Escalation.Receivers = receivers
		return g
	}
	for _, g := range []*v1alpha1.Guardrail{named("tells-two", here, "oncall", "chat"), named("tells-one", here, "chat"), named("tells-nobody", here),
		named("elsewhere", v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{"no-such": "label"}}, "others")} {
		s.put(t, g)
	}
	got, err := cluster.Guardrails{Reader: s.admin.client, Now: time.Now}.Receivers(t.Context(), s.namespace)
	if err != nil || !slices.Equal(got, []string{"chat", "oncall"}) {
		t.Errorf("%q, %v", got, err)
	}
	bad := named("badly", here, "Not A Name")
	if err := s.admin.client.Create(t.Context(), bad); err == nil {
		t.Error("a name that is none was taken")
	}
}
