package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// maxHeld is how many reasons a Case holds for not acting.
const maxHeld = 24

// claimTries is how often a write to a Case's status.acting is tried against writers of its other fields and lost replies.
const claimTries = 8

// Claim puts an intent onto its Case, by compare-and-swap: of all who would act on a Case at the same time one succeeds, and
// whoever takes over from it finds what it set out to do. well is how many pods of the workload are well now.
//
// It is refused where another intent has no outcome yet, is not verified yet, or nobody knows how it ended. Where the API
// server's reply was lost the Case is read again until it is clear whether the claim is there; an error means that it never
// became clear, and nothing may be done.
func (c Cases) Claim(ctx context.Context, i flow.Intent, well int) (refused *gate.Reason, err error) {
	key, err := CaseKey(i.Case)
	if err != nil {
		return nil, err
	}
	now := metav1.NewTime(c.Now())
	err = c.act(ctx, key, func(a *v1alpha1.Acting) {
		if a.Intent != nil && a.Intent.Reservation == i.Reservation {
			return // a reply was lost, and this is what it said
		}
		if refused = claimed(*a); refused != nil {
			return
		}
		a.Phase, a.Plan, a.Verb, a.Reasons, a.At = v1alpha1.PhaseActing, i.Action.PlanDigest(), gate.OneLine(i.Action.Verb, 64), nil, now
		a.Text = gate.OneLine(fmt.Sprintf("about to %s %s", i.Action.Verb, i.Action.Target), 512)
		a.Attempts++
		a.Intent = &v1alpha1.Intent{Reservation: i.Reservation, Attempt: a.Attempts, Plan: a.Plan, Action: i.Action.Digest(), At: now, Well: int32(well),
			Target: v1alpha1.Subject{Group: i.Action.Target.Group, Version: i.Action.Target.Version, Kind: i.Action.Target.Kind, Name: i.Action.Target.Name, UID: i.Action.Target.UID},
			Audit:  v1alpha1.AuditPosition{Log: i.Position.Log, Sequence: int64(i.Position.Sequence)}}
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
	err := c.act(ctx, key, func(a *v1alpha1.Acting) {
		text := gate.OneLine(text, 512)
		if a.Intent == nil || a.Intent.Reservation != reservation || a.Phase == phase && a.Text == text {
			return
		}
		a.Phase, a.Text, a.Reasons, a.At = phase, text, nil, now
	})
	return client.IgnoreNotFound(err)
}

// Held writes onto a Case why nothing is done about it, unless an intent is under way. The newest intent stays, with what it was.
func (c Cases) Held(ctx context.Context, key client.ObjectKey, next v1alpha1.Acting) error {
	now := metav1.NewTime(c.Now())
	err := c.act(ctx, key, func(a *v1alpha1.Acting) {
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

// HeldFor is what a Case says of a plan, by its digest, that is held for these reasons.
func HeldFor(plan, verb string, reasons []gate.Reason) v1alpha1.Acting {
	a := v1alpha1.Acting{Phase: v1alpha1.PhaseHeld, Plan: gate.OneLine(plan, 71), Verb: gate.OneLine(verb, 64)}
	for _, r := range first(reasons, maxHeld) {
		a.Reasons = append(a.Reasons, v1alpha1.Reason{Rule: gate.OneLine(r.Rule, 64), Guardrail: gate.OneLine(r.Guardrail, 253),
			Decision: r.Decision.String(), Text: gate.OneLine(r.Text, maxText)})
	}
	if len(a.Reasons) > 0 {
		a.Text = "held: " + a.Reasons[0].Text
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

// act changes status.acting of a Case and no other field, by compare-and-swap. change is given what is there, again each
// time that somebody else wrote in between or a reply was lost. That the Case is gone is an error that apierrors knows.
func (c Cases) act(ctx context.Context, key client.ObjectKey, change func(*v1alpha1.Acting)) error {
	pause := wait.Backoff{Duration: 20 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: claimTries, Cap: 2 * time.Second}
	var err error
	for range claimTries {
		var again bool
		if again, err = c.swap(ctx, key, change); !again {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(pause.Step()):
		}
	}
	return err
}

// swap tries once. It is tried again unless the API server said for good that it cannot be.
func (c Cases) swap(ctx context.Context, key client.ObjectKey, change func(*v1alpha1.Acting)) (again bool, err error) {
	var k v1alpha1.Case
	if err := c.Client.Get(ctx, key, &k); err != nil {
		return !final(err), fmt.Errorf("read case %s: %w", key, err)
	}
	before := k.DeepCopy()
	if k.Status.Acting == nil {
		k.Status.Acting = &v1alpha1.Acting{}
	}
	change(k.Status.Acting)
	if k.Status.Acting.Phase == "" || equality.Semantic.DeepEqual(before.Status.Acting, k.Status.Acting) {
		return false, nil
	}
	if err := c.Client.Status().Patch(ctx, &k, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return !final(err), fmt.Errorf("write how far acting on case %s came: %w", key, err)
	}
	return false, nil
}

// CaseKey is the Case that a correlation names.
func CaseKey(correlation string) (client.ObjectKey, error) {
	namespace, name, ok := strings.Cut(correlation, "/")
	if !ok || namespace == "" || name == "" {
		return client.ObjectKey{}, fmt.Errorf("%q is not the namespace and name of a Case", correlation)
	}
	return client.ObjectKey{Namespace: namespace, Name: name}, nil
}
