package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// Guardrails reads which Guardrails apply to a namespace.
type Guardrails struct {
	// Reader reads unstructured Guardrails and typed Namespaces; an informer cache answers from memory.
	Reader client.Reader
}

// Policy is the policy that holds in a namespace. Where no Guardrail applies it is Default. A Guardrail that cannot be
// read applies as one that holds everything: it may be the one that would have said no.
func (g Guardrails) Policy(ctx context.Context, namespace string) (gate.Policy, error) {
	var ns corev1.Namespace
	if err := g.Reader.Get(ctx, client.ObjectKey{Name: namespace}, &ns); err != nil {
		return gate.Policy{}, fmt.Errorf("read namespace %s for its Guardrails: %w", namespace, err)
	}
	var list unstructured.UnstructuredList
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("GuardrailList"))
	if err := g.Reader.List(ctx, &list); err != nil {
		return gate.Policy{}, fmt.Errorf("list Guardrails: %w", err)
	}
	return Compose(list.Items, ns.Labels), nil
}

// Compose is the policy that these Guardrails make for a namespace with these labels, in the order of their names.
func Compose(guardrails []unstructured.Unstructured, namespace labels.Set) gate.Policy {
	var p gate.Policy
	for i := range guardrails {
		if rail, applies := compose(&guardrails[i], namespace); applies {
			p.Rails = append(p.Rails, rail)
		}
	}
	if len(p.Rails) == 0 {
		return Default()
	}
	slices.SortFunc(p.Rails, func(a, b gate.Rail) int { return strings.Compare(a.Name, b.Name) })
	return p
}

func compose(u *unstructured.Unstructured, namespace labels.Set) (gate.Rail, bool) {
	unreadable := func(err error) (gate.Rail, bool) {
		return gate.Rail{Name: u.GetName(), Unreadable: err.Error()}, true
	}
	g, err := ParseGuardrail(u)
	if err != nil {
		return unreadable(err)
	}
	applies, err := selects(g.Spec.NamespaceSelector, namespace)
	if err != nil {
		return unreadable(err)
	}
	if !applies {
		return gate.Rail{}, false
	}
	rail, err := Rail(g)
	if err != nil {
		return unreadable(err)
	}
	return rail, true
}

// Default is the policy where no Guardrail applies: watch, judge by the default thresholds, touch nothing.
func Default() gate.Policy {
	return gate.Policy{Rails: []gate.Rail{{Name: "(none applies: Observe)", Mode: gate.Observe, Admission: gate.AdmissionObserve,
		WarnBelow: gate.Known(80), DenyBelow: gate.Known(50), ConfidenceBelow: gate.Known(60)}}}
}
