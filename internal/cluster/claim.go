package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// Claim puts an intent onto its Case, by compare-and-swap: of all who would act on a Case at the same time one succeeds, and
// whoever takes over from it finds what it set out to do. well is how many pods of the workload are well now.
//
// It is refused where another intent has no outcome yet, is not verified yet, or nobody knows how it ended, and where somebody has
// braked by now: a brake is on the same object, so it came before the claim or after it, and never beside it. Where the API
// server's reply was lost the Case is read again until it is clear whether the claim is there; an error means that it never
// became clear, and nothing may be done.
func (c Cases) Claim(ctx context.Context, i flow.Intent, well int) (refused *gate.Reason, err error) {
	key, err := CaseKey(i.Case)
	if err != nil {
		return nil, err
	}
	now := metav1.NewTime(c.Now())
	err = c.act(ctx, key, func(a *v1alpha1.Acting, brakes []v1alpha1.Brake) {
		if a.Intent != nil && a.Intent.Reservation == i.Reservation {
			return // a reply was lost, and this is what it said
		}
		if refused = claimed(*a); refused == nil {
			refused = braked(brakes, i.Action.PlanDigest(), now.Time)
		}
		if refused != nil {
			return
		}
		a.Phase, a.Plan, a.Verb, a.Reasons, a.At = v1alpha1.PhaseActing, i.Action.PlanDigest(), gate.OneLine(i.Action.Verb, 64), nil, now
		a.Text = gate.OneLine(fmt.Sprintf("about to %s %s", i.Action.Verb, i.Action.Target), 512)
		a.Attempts++
		a.Intent = &v1alpha1.Intent{Reservation: i.Reservation, Attempt: a.Attempts, Plan: a.Plan, Action: i.Action.Digest(), At: now, Well: int32(well),
			Target: v1alpha1.Subject{Group: i.Action.Target.Group, Version: i.Action.Target.Version, Kind: i.Action.Target.Kind, Name: i.Action.Target.Name, UID: i.Action.Target.UID},
			Audit:  v1alpha1.AuditPosition{Log: i.Position.Log, Sequence: int64(i.Position.Sequence)}, Undo: gate.OneLine(i.Action.Undo, maxText)}
		a.Intent.Mark, a.Intent.Was, a.Intent.Is = Mark(i.Action)
	})
	if apierrors.IsNotFound(err) {
		return &gate.Reason{Rule: claimRule, Decision: gate.Hold, Text: "its Case is gone"}, nil
	}
	return refused, err
}

// claimRule names the reason for which a Case cannot be claimed.
const claimRule = "claim"

// claimed says why nobody else may claim a Case; nil if anybody may.
func claimed(a v1alpha1.Acting) *gate.Reason {
	why := ""
	switch {
	case a.Intent == nil:
	case a.Phase == v1alpha1.PhaseActing:
		why = "somebody set out to act on it at %s, and how that ended is not known yet"
	case a.Phase == v1alpha1.PhaseActed:
		why = "what was done about it at %s is not verified yet"
	}
	if why == "" {
		return nil
	}
	return &gate.Reason{Rule: claimRule, Decision: gate.Hold, Text: fmt.Sprintf(why, a.Intent.At.UTC().Format(time.RFC3339))}
}

// Settled writes onto a Case what came of an intent. It changes nothing where the Case is gone or tells of another intent.
func (c Cases) Settled(ctx context.Context, key client.ObjectKey, reservation, phase, text string) error {
	now := metav1.NewTime(c.Now())
	err := c.act(ctx, key, func(a *v1alpha1.Acting, _ []v1alpha1.Brake) {
		text := gate.OneLine(text, 512)
		if a.Intent == nil || a.Intent.Reservation != reservation || a.Phase == phase && a.Text == text {
			return
		}
		a.Phase, a.Text, a.Reasons, a.At = phase, text, nil, now
	})
	return client.IgnoreNotFound(err)
}

// CaseKey is the Case that a correlation names.
func CaseKey(correlation string) (client.ObjectKey, error) {
	namespace, name, ok := strings.Cut(correlation, "/")
	if !ok || namespace == "" || name == "" {
		return client.ObjectKey{}, fmt.Errorf("%q is not the namespace and name of a Case", correlation)
	}
	return client.ObjectKey{Namespace: namespace, Name: name}, nil
}
