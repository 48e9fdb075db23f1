package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// claimTries is how often a write to one part of a Case's status is tried against writers of its other fields and lost replies.
const claimTries = 8

// act changes status.acting of a Case and no other field, by compare-and-swap. change is given what is there, again each
// time that somebody else wrote in between or a reply was lost. That the Case is gone is an error that apierrors knows.
func (c Cases) act(ctx context.Context, key client.ObjectKey, change func(*v1alpha1.Acting, []v1alpha1.Brake)) error {
	return again(ctx, func() (bool, error) { return c.swap(ctx, key, change) })
}

// again tries a compare-and-swap until it is done, or cannot be.
func again(ctx context.Context, swap func() (again bool, err error)) error {
	pause := wait.Backoff{Duration: 20 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: claimTries, Cap: 2 * time.Second}
	var err error
	for range claimTries {
		var again bool
		if again, err = swap(); !again {
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
func (c Cases) swap(ctx context.Context, key client.ObjectKey, change func(*v1alpha1.Acting, []v1alpha1.Brake)) (again bool, err error) {
	var k v1alpha1.Case
	if err := c.Client.Get(ctx, key, &k); err != nil {
		return !final(err), fmt.Errorf("read case %s: %w", key, err)
	}
	before := k.DeepCopy()
	if k.Status.Acting == nil {
		k.Status.Acting = &v1alpha1.Acting{}
	}
	change(k.Status.Acting, k.Status.Brakes)
	if k.Status.Acting.Phase == "" || equality.Semantic.DeepEqual(before.Status.Acting, k.Status.Acting) {
		return false, nil
	}
	if err := c.Client.Status().Patch(ctx, &k, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return !final(err), fmt.Errorf("write how far acting on case %s came: %w", key, err)
	}
	return false, nil
}
