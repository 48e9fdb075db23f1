package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// ParseGuardrail reads a Guardrail strictly: a field that this version does not know is an error that names it.
func ParseGuardrail(u *unstructured.Unstructured) (v1alpha1.Guardrail, error) {
	var g v1alpha1.Guardrail
	if err := strictly(u.Object["spec"], &g.Spec); err != nil {
		return g, fmt.Errorf("read the spec of Guardrail %s: %w", u.GetName(), err)
	}
	g.Name, g.Generation, g.UID = u.GetName(), u.GetGeneration(), u.GetUID()
	return g, nil
}

// selectorOf reads the namespaceSelector of a Guardrail and nothing else.
func selectorOf(u *unstructured.Unstructured) (v1alpha1.Selector, error) {
	var s v1alpha1.Selector
	spec, ok := u.Object["spec"].(map[string]any)
	if !ok {
		return s, fmt.Errorf("read the spec of Guardrail %s: there is none", u.GetName())
	}
	if selector, ok := spec["namespaceSelector"]; ok {
		if err := strictly(selector, &s); err != nil {
			return s, fmt.Errorf("read the namespaceSelector of Guardrail %s: %w", u.GetName(), err)
		}
	}
	return s, nil
}

func strictly(from, into any) error {
	content, err := json.Marshal(from)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// legible is the rail that a Guardrail makes at a time, or what stands in the way of reading it.
func legible(u *unstructured.Unstructured, at time.Time) (gate.Rail, error) {
	g, err := ParseGuardrail(u)
	if err != nil {
		return gate.Rail{}, err
	}
	if _, err := selects(g.Spec.NamespaceSelector, nil); err != nil {
		return gate.Rail{}, err
	}
	return Rail(g, at)
}

// selects reports whether a Guardrail applies to a namespace with these labels.
func selects(s v1alpha1.Selector, namespace labels.Set) (bool, error) {
	ls := metav1.LabelSelector{MatchLabels: make(map[string]string, len(s.MatchLabels))}
	for k, v := range s.MatchLabels {
		ls.MatchLabels[k] = string(v)
	}
	for _, r := range s.MatchExpressions {
		values := make([]string, len(r.Values))
		for i, v := range r.Values {
			values[i] = string(v)
		}
		ls.MatchExpressions = append(ls.MatchExpressions,
			metav1.LabelSelectorRequirement{Key: r.Key, Operator: metav1.LabelSelectorOperator(r.Operator), Values: values})
	}
	selector, err := metav1.LabelSelectorAsSelector(&ls)
	if err != nil {
		return false, fmt.Errorf("namespaceSelector: %w", err)
	}
	return selector.Matches(namespace), nil
}
