package webhook

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/webhook/checks"
)

// Readiness is what the newest Case says of a workload as it stands.
type Readiness struct {
	// Score and Confidence, 0 to 100, are nil where they could not be said.
	Score      *int32 `json:"score"`
	Confidence *int32 `json:"confidence"`
	// Verdict is Allow, Hold or Deny, and Answer what the webhook said.
	Verdict string `json:"verdict"`
	Answer  string `json:"answer"`
	Case    string `json:"case"`
	// Template is the hash of the pod template that this is about: the one that the workload has now.
	Template string             `json:"template"`
	At       metav1.Time        `json:"at"` // when the rollout was seen
	Findings []v1alpha1.Finding `json:"findings"`
}

// Readiness is what is known of a workload. Nil: it is not there, or no Case speaks for its template.
func (k *Keeper) Readiness(ctx context.Context, kind schema.GroupVersionKind, key client.ObjectKey) (*Readiness, error) {
	obj, err := k.Kinds.get(ctx, k.Client, kind, key)
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind.Kind, key, err)
	}
	if obj == nil {
		return nil, nil
	}
	w, err := checks.FromObject(obj)
	if err != nil {
		return nil, err
	}
	hash := checks.TemplateHash(&w)
	c, err := k.caseOf(ctx, w)
	if err != nil || c == nil {
		return nil, err
	}
	if c.Spec.Subject.UID != "" && c.Spec.Subject.UID != string(obj.GetUID()) {
		return nil, nil // it speaks of one of the same name that is gone
	}
	o := latest(c)
	findings := o.Findings
	if findings == nil {
		findings = []v1alpha1.Finding{}
	}
	return &Readiness{Score: o.Score, Confidence: o.Confidence, Verdict: o.Decision, Answer: saidOn(c), Case: c.Name, Template: hash,
		At: c.Spec.Signal.FirstSeen, Findings: findings}, nil
}
