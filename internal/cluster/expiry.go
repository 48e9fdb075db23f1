package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// How long Cases are kept, and how many of one workload and face: a workload that happens all the time must not fill the
// API server. The audit log keeps what the Cases said.
const (
	keepFor  = 7 * 24 * time.Hour
	keepEach = 20
	keepAll  = 1000 // in one namespace: refused rollouts under ever new names cost their author nothing

	expireEvery = 10 * time.Minute
)

// Expiry deletes old Cases.
type Expiry struct {
	Client client.Client
	Now    func() time.Time
	Logger *slog.Logger
}

// Start deletes what has expired, now and then, until ctx ends.
func (e Expiry) Start(ctx context.Context) error {
	ticker := time.NewTicker(expireEvery)
	defer ticker.Stop()
	for {
		if n, err := e.Expire(ctx); err != nil {
			e.Logger.WarnContext(ctx, "old Cases could not be deleted; they will be tried again", "error", err)
		} else if n > 0 {
			e.Logger.InfoContext(ctx, "deleted old Cases", "count", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Expire deletes what has expired by now and returns how many Cases that were.
func (e Expiry) Expire(ctx context.Context) (int, error) {
	var list v1alpha1.CaseList
	if err := e.Client.List(ctx, &list); err != nil {
		return 0, fmt.Errorf("list Cases: %w", err)
	}
	n := 0
	var errs []error
	for _, c := range expired(list.Items, e.Now()) {
		err := e.Client.Delete(ctx, &c, client.Preconditions{UID: &c.UID})
		if client.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("delete case %s/%s: %w", c.Namespace, c.Name, err))
			continue
		}
		n++
	}
	return n, errors.Join(errs...)
}

// expired are the Cases that are too old, and those that are too many for one workload and face or for one namespace, oldest
// first.
func expired(cases []v1alpha1.Case, now time.Time) []v1alpha1.Case {
	newest := slices.SortedFunc(slices.Values(cases), func(a, b v1alpha1.Case) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	kept := map[string]int{}
	var gone []v1alpha1.Case
	for _, c := range newest {
		// What people were seen to do is counted apart: who edits much must not push a drift out that is still there.
		each := c.Namespace + "/" + c.Labels[v1alpha1.LabelFace] + "/" + c.Labels[v1alpha1.LabelWorkload] + "/" + c.Labels[v1alpha1.LabelWitnessed]
		kept[c.Namespace]++
		if kept[each]++; kept[each] > keepEach || kept[c.Namespace] > keepAll || now.Sub(c.CreationTimestamp.Time) > keepFor {
			gone = append(gone, c)
		}
	}
	slices.Reverse(gone)
	return gone
}
