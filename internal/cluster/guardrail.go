package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/api/v1alpha1"
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

// matcher is what a selector of namespaces means.
func matcher(s v1alpha1.Selector) (labels.Selector, error) {
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
		return nil, fmt.Errorf("namespaceSelector: %w", err)
	}
	return selector, nil
}
