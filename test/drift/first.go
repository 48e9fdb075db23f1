package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/fluxcd/pkg/ssa"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/drift"
	testcluster "moorgate.dev/test/cluster"
)

// cost is what one look at all objects took.
type cost struct {
	took, server, self time.Duration
	calls              map[string]int
	found              int
}

// first has both detectors look at objects of which some were changed by hand.
func first(ctx context.Context, c *testcluster.Cluster, o options, out io.Writer) error {
	s, err := newScene("first", o.objects)
	if err != nil {
		return err
	}
	config, counter := counting(c.Config())
	k, err := clientOf(config)
	if err != nil {
		return err
	}
	if err := s.deliver(ctx, k); err != nil {
		return err
	}
	if err := s.change(ctx, k, o.drifted); err != nil {
		return err
	}
	if err := k.Create(ctx, gitSource(s.namespace)); err != nil {
		return err
	}
	defer func() { _ = k.Delete(context.WithoutCancel(ctx), gitSource(s.namespace)) }() // the cluster goes with it, if not
	kube, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		return err
	}
	ways := []struct {
		name string
		look func() (int, error)
	}{
		{"fluxcd/pkg/ssa: Diff of each", func() (int, error) { return s.diffEach(ctx, k) }},
		{"Moorgate: a first round, with Cases", func() (int, error) { return s.round(ctx, k) }},
		{"Moorgate: moorgate diff, all by dry run, 8 at a time", func() (int, error) {
			report, err := detector(k, s.tree).Look(ctx, drift.Asked{Namespace: s.namespace})
			return len(report.Sights), err
		}},
	}
	_, _ = fmt.Fprintf(out, "## A first look at %d objects, %d of them changed by hand\n\n| who | turn | found | took | requests | of which dry runs and writes | processor of the API server | own processor |\n|---|---|---|---|---|---|---|---|\n", o.objects, o.drifted)
	for turn := range o.turns {
		for _, way := range ways {
			one, err := costOf(ctx, kube, counter, way.look)
			if err != nil {
				return fmt.Errorf("%s: %w", way.name, err)
			}
			writes := sum(one.calls) - one.calls["GET"]
			_, _ = fmt.Fprintf(out, "| %s | %d | %d | %s | %d | %d | %s | %s |\n", way.name, turn+1, one.found, one.took.Round(10*time.Millisecond), sum(one.calls), writes,
				one.server.Round(10*time.Millisecond), one.self.Round(10*time.Millisecond))
		}
	}
	return nil
}

func costOf(ctx context.Context, kube kubernetes.Interface, counter *calls, look func() (int, error)) (cost, error) {
	counter.take()
	server, err := serverUsed(ctx, kube)
	if err != nil {
		return cost{}, err
	}
	self, _, err := selfUsed()
	if err != nil {
		return cost{}, err
	}
	began := time.Now()
	found, err := look()
	if err != nil {
		return cost{}, err
	}
	c := cost{took: time.Since(began), found: found, calls: counter.take()}
	after, _, err := selfUsed()
	if err != nil {
		return cost{}, err
	}
	c.self = after - self
	then, err := serverUsed(ctx, kube)
	c.server = then - server
	return c, err
}

// diffEach is what Flux's library has for it: a read and a dry run for each object.
func (s scene) diffEach(ctx context.Context, k client.Client) (int, error) {
	manager := ssa.NewResourceManager(k, nil, ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"})
	found := 0
	for _, u := range s.objects {
		entry, _, _, err := manager.Diff(ctx, u.DeepCopy(), ssa.DefaultDiffOptions())
		if err != nil {
			return found, err
		}
		if entry.Action != ssa.UnchangedAction {
			found++
		}
	}
	return found, nil
}

// round is the first round of a Detector that has seen nothing before.
func (s scene) round(ctx context.Context, k client.Client) (int, error) {
	d := detector(k, s.tree)
	if _, err := d.Reconcile(ctx, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: s.namespace, Name: "shop"}}); err != nil {
		return 0, err
	}
	return len(d.Standing()), nil
}
