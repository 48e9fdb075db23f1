package cluster

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/internal/gate"
)

// ComposeUnlabelled is the policy that these Guardrails make for a namespace of which only the name is known, at a time. It reports false
// where that cannot be said: some Guardrail asks for other labels, or its selector cannot be read.
func ComposeUnlabelled(guardrails []unstructured.Unstructured, namespace string, at time.Time) (gate.Policy, bool) {
	for i := range guardrails {
		if selector, err := selectorOf(&guardrails[i]); err != nil || !byNameOnly(selector) {
			return gate.Policy{}, false
		}
	}
	return Compose(guardrails, labels.Set{corev1.LabelMetadataName: namespace}, at), true
}
