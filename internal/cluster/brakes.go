package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// The law: a brake only holds things up. A rejection counts as a rejecting Approval of its plan, a snooze as a pause of the Case. One
// that cannot be read holds, and one that still holds is never taken away by this program.

// maxBrakes is how many a Case holds: rejections of as many plans, and the longest snooze.
const maxBrakes = 8

// Brakes reads what people said about a Case from a chat. It reads from the API server itself: a cache would show what was said a
// moment ago. A Case that is not there has none.
func (c Cases) Brakes(ctx context.Context, namespace, name string) gate.Fact[[]v1alpha1.Brake] {
	var k v1alpha1.Case
	err := c.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &k)
	if client.IgnoreNotFound(err) != nil {
		return gate.Unknown[[]v1alpha1.Brake](unread("what was said about the Case from a chat", err))
	}
	return gate.Known(k.Status.Brakes)
}

// brake adds brakes to what is known of the words of humans, and of pauses.
func brake(f *gate.Facts, said gate.Fact[[]v1alpha1.Brake]) {
	brakes, known := said.Get()
	if !known {
		f.Approvals, f.Paused = gate.Unknown[[]gate.Approval](said.Why()), gate.Unknown[[]string](said.Why())
		return
	}
	given, heard := f.Approvals.Get()
	paused, told := f.Paused.Get()
	given, paused = slices.Clone(given), slices.Clone(paused)
	for _, b := range brakes {
		switch {
		case b.Kind == v1alpha1.BrakeReject:
			given = append(given, gate.Approval{Name: "status.brakes", Approver: gate.OneLine(b.User, 320), Plan: b.Plan, Reject: true, Reason: gate.OneLine(b.Via, 128), At: b.At.UTC()})
		case !snoozed(b, f.At):
		default:
			paused = append(paused, snoozedText(b))
		}
	}
	if heard {
		f.Approvals = gate.Known(given)
	}
	if told {
		f.Paused = gate.Known(paused)
	}
}

// braked is why a plan may not be begun: somebody rejected it, or put its Case off.
func braked(brakes []v1alpha1.Brake, plan string, now time.Time) *gate.Reason {
	for _, b := range brakes {
		switch {
		case b.Kind == v1alpha1.BrakeReject && b.Plan == plan:
			return &gate.Reason{Rule: "approval", Decision: gate.Deny, Text: gate.OneLine(fmt.Sprintf("%s rejected it at %s", b.User, b.At.UTC().Format(time.RFC3339)), maxText)}
		case b.Kind != v1alpha1.BrakeReject && snoozed(b, now):
			return &gate.Reason{Rule: "pause", Decision: gate.Hold, Text: gate.OneLine("the Case is "+snoozedText(b), maxText)}
		}
	}
	return nil
}

// snoozed is whether a brake that rejects no plan still holds. One that does not say until when, or at a time that nobody knows, does.
func snoozed(b v1alpha1.Brake, now time.Time) bool {
	return b.Until == nil || now.Before(b.Until.Time)
}

func snoozedText(b v1alpha1.Brake) string {
	until := "for good"
	if b.Until != nil {
		until = "until " + b.Until.UTC().Format(time.RFC3339)
	}
	return gate.OneLine("snoozed by "+b.User+" "+until, 256)
}

// covers is whether a brake holds up all that another does.
func covers(x, other v1alpha1.Brake) bool {
	if x.Kind != other.Kind || x.Kind == v1alpha1.BrakeReject {
		return x.Kind == other.Kind && x.Plan == other.Plan
	}
	return x.Until == nil || other.Until != nil && !x.Until.Before(other.Until)
}

// ErrBraked says that a Case holds as many brakes as it can.
var ErrBraked = errors.New("the Case holds as many rejections and snoozes as it can: reject the plan with moorgate reject")

// Brake puts a brake onto a Case, by compare-and-swap. late is whether an action has begun that it cannot hold up any more.
func (c Cases) Brake(ctx context.Context, key client.ObjectKey, b v1alpha1.Brake) (late bool, err error) {
	err = again(ctx, func() (bool, error) {
		var k v1alpha1.Case
		if err := c.Client.Get(ctx, key, &k); err != nil {
			return !final(err), fmt.Errorf("read case %s: %w", key, err)
		}
		late = k.Status.Acting != nil && k.Status.Acting.Phase == v1alpha1.PhaseActing
		before := k.DeepCopy()
		if slices.ContainsFunc(k.Status.Brakes, func(x v1alpha1.Brake) bool { return covers(x, b) }) {
			return false, nil
		}
		k.Status.Brakes = slices.DeleteFunc(k.Status.Brakes, func(x v1alpha1.Brake) bool { return covers(b, x) })
		if len(k.Status.Brakes) >= maxBrakes {
			return false, ErrBraked
		}
		k.Status.Brakes = append(k.Status.Brakes, b)
		if err := c.Client.Status().Patch(ctx, &k, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
			return !final(err), fmt.Errorf("write what was said onto case %s: %w", key, err)
		}
		return false, nil
	})
	if apierrors.IsNotFound(err) {
		return false, fmt.Errorf("case %s is gone: %w", key, err)
	}
	return late, err
}
