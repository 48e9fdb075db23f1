package cluster

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// maxHeld is how many reasons a Case holds for not acting.
const maxHeld = 24

// Held writes onto a Case why nothing is done about it, unless an intent is under way. The newest intent stays, with what it was.
func (c Cases) Held(ctx context.Context, key client.ObjectKey, next v1alpha1.Acting) error {
	now := metav1.NewTime(c.Now())
	err := c.act(ctx, key, func(a *v1alpha1.Acting, _ []v1alpha1.Brake) {
		if claimed(*a) != nil {
			return
		}
		next.At, next.Attempts, next.Intent = now, a.Attempts, a.Intent
		if a.Phase == v1alpha1.PhaseHeld && a.Plan == next.Plan {
			next.At = a.At // it is held since then, whatever for
		}
		*a = next
	})
	return client.IgnoreNotFound(err)
}

// HeldFor is what a Case says of a plan, by its digest, that is held for these reasons. Its text is the most careful one.
func HeldFor(plan, verb string, reasons []gate.Reason) v1alpha1.Acting {
	a := v1alpha1.Acting{Phase: v1alpha1.PhaseHeld, Plan: gate.OneLine(plan, 71), Verb: gate.OneLine(verb, 64)}
	for _, r := range first(reasons, maxHeld) {
		a.Reasons = append(a.Reasons, v1alpha1.Reason{Rule: gate.OneLine(r.Rule, 64), Guardrail: gate.OneLine(r.Guardrail, 253),
			Decision: r.Decision.String(), Text: gate.OneLine(r.Text, maxText)})
	}
	worst, asks := gate.Allow, false
	for _, r := range reasons {
		// Of reasons that weigh the same the one that a human can do something about comes first.
		ask := r.Rule == "approval" && !asks
		if r.Decision < worst || r.Decision == worst && ask {
			worst, asks, a.Text = r.Decision, r.Rule == "approval", gate.OneLine(r.Text, 512)
		}
	}
	return a
}

// moving are the rules whose texts tell of numbers that change by themselves all the time.
var moving = []string{"wait", "fresh", "cool-down", "health", "storm"}

// SameReasons is whether two lists of reasons say the same, but for numbers that move by themselves: what lasts is written once.
func SameReasons(a, b []v1alpha1.Reason) bool {
	return slices.EqualFunc(a, b, func(x, y v1alpha1.Reason) bool {
		if slices.Contains(moving, x.Rule) {
			x.Text, y.Text = "", ""
		}
		return x == y
	})
}
