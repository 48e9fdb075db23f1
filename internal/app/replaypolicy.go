package app

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/policies/times"
)

// policy is what the Guardrails make for the namespace of a record.
func (r *replayer) policy(record gate.Record) (gate.Policy, error) {
	if record.Facts == nil {
		return gate.Policy{}, errors.New("the record lacks the facts, the opinion or the verdict")
	}
	namespace := record.Facts.Subject.Namespace
	set, known := record.Facts.Namespace.Get()
	if !known {
		var given labels.Set
		if given, known = r.namespaces[namespace]; known {
			set = given
		}
	}
	if !known {
		p, ok := cluster.ComposeUnlabelled(r.guardrails, namespace, record.Facts.At)
		if !ok {
			return p, fmt.Errorf("the labels of namespace %s are not known, and the Guardrails select by them: name a file with it (--namespaces)", shown(namespace))
		}
		return p, nil
	}
	return r.compose(set, record.Facts.At), nil
}

// composition is what the Guardrails made for some labels at a time. It holds for as long as freeze windows are worked out ahead.
type composition struct {
	at     time.Time
	policy gate.Policy
}

func (r *replayer) compose(set labels.Set, at time.Time) gate.Policy {
	key := set.String()
	c, met := r.composed[key]
	if met && !at.Before(c.at) && at.Sub(c.at) < times.Ahead {
		return c.policy
	}
	if len(r.composed) >= cachesMax {
		clear(r.composed)
	}
	c = composition{at, cluster.Compose(r.guardrails, set, at)}
	r.composed[key] = c
	return c.policy
}

func labelsByName(objects []*unstructured.Unstructured) map[string]labels.Set {
	all := map[string]labels.Set{}
	for _, u := range objects {
		if u.GetKind() == "Namespace" && u.GetAPIVersion() == "v1" {
			all[u.GetName()] = u.GetLabels()
		}
	}
	return all
}
