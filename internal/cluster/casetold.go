package cluster

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// Told is what was told about Cases, which stands on themselves. Cached lists them all, and should be an informer cache; Live writes
// them.
type Told struct {
	Cached client.Reader
	Live   client.Client
}

// All are the Cases of the whole cluster, to be read only.
func (t Told) All(ctx context.Context) ([]v1alpha1.Case, error) {
	var list v1alpha1.CaseList
	if err := t.Cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the Cases to tell about: %w", err)
	}
	return list.Items, nil
}

// Note changes what a Case says that one receiver was told, by compare-and-swap, and nothing else of it. change is given the Case as
// the API server has it and what it says by now, anew for every try; it answers false where that is not what it was made for, and then
// nothing is written. So it is where the Case is gone, or is another of that name.
func (t Told) Note(ctx context.Context, key client.ObjectKey, uid types.UID, receiver string, change func(*v1alpha1.Case, *v1alpha1.Told) bool) (done bool, err error) {
	err = again(ctx, func() (bool, error) {
		var k v1alpha1.Case
		if err := t.Live.Get(ctx, key, &k); err != nil {
			return !final(err), fmt.Errorf("read case %s: %w", key, err)
		}
		if k.UID != uid {
			return false, nil
		}
		before := k.DeepCopy()
		told := v1alpha1.Told{Receiver: receiver}
		at := slices.IndexFunc(k.Status.Told, func(x v1alpha1.Told) bool { return x.Receiver == receiver })
		if at >= 0 {
			told = k.Status.Told[at]
		}
		if done = change(&k, &told); !done {
			return false, nil
		}
		if at >= 0 {
			k.Status.Told[at] = told
		} else {
			k.Status.Told = append(spare(k.Status.Told), told)
		}
		if equality.Semantic.DeepEqual(before.Status.Told, k.Status.Told) {
			return false, nil
		}
		if err := t.Live.Status().Patch(ctx, &k, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
			done = false
			return !final(err), fmt.Errorf("write what %s was told about case %s: %w", receiver, key, err)
		}
		return false, nil
	})
	return done, client.IgnoreNotFound(err)
}

// maxTold is how many receivers a Case speaks of: twice as many as there may be.
const maxTold = 32

// spare makes room for one more, where there were so many others over time.
func spare(told []v1alpha1.Told) []v1alpha1.Told {
	if len(told) < maxTold {
		return told
	}
	oldest := slices.MinFunc(told, func(a, b v1alpha1.Told) int { return a.At.Compare(b.At.Time) })
	return slices.DeleteFunc(told, func(t v1alpha1.Told) bool { return t.Receiver == oldest.Receiver })
}
