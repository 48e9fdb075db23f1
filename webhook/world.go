package webhook

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// SecretNames says whether a Secret exists, from memory: it never reads one and never waits.
type SecretNames interface {
	Exists(namespace, name string) gate.Fact[bool]
}

// World looks at the cluster around a rollout. It reads, and only what the checks ask about; a Secret is never read.
// What cannot be read becomes an unknown Fact with its reason, and unread Evidence, never a failure of the whole.
type World struct {
	// Reader is an informer cache, a live client or Files. Where an informer cache has Moorgate's rights only, it needs
	// list and watch of: Pods, LimitRanges, ResourceQuotas, PodDisruptionBudgets, HorizontalPodAutoscalers, ReplicaSets, ControllerRevisions,
	// Services, Ingresses, ConfigMaps (Slim keeps their keys alone), what is optional where there is such, and of the metadata of
	// ServiceAccounts, PersistentVolumeClaims and StorageClasses.
	Reader client.Reader
	// Pods are those of a namespace, for reading only: PodsOf. Where it is nil, they are listed from Reader.
	Pods func(namespace string) ([]*corev1.Pod, error)
	// Secrets answers for Secrets; where it is nil, whether one exists is unknown.
	Secrets SecretNames
	// Nodes is fed by informers; where it is nil, Nodes and Pods of the whole cluster are listed from Reader.
	Nodes *Nodes
	// Offered says which optional kinds there are; where it is nil, Reader is asked.
	Offered *Offered
	// Outside answers for external dependencies from memory; where it is nil, nothing is known of them.
	Outside Outside
	// Hashes remembers the hashes of earlier revisions; nil: each is computed at every look.
	Hashes *Hashes
	// Memory is what failed lately; where it is nil, Cases are listed from Reader.
	Memory *Memory
	// Now tells the time that the Rollout is looked at.
	Now func() time.Time
}

// Look gathers what is known around the change from old, nil on create, to new. The error says that new or old is no
// workload; nothing that could not be read is an error. The names in unread are those of Facts.Unread. A read that hangs
// holds Look up until ctx ends and is unread then, so ctx should end some time before the answer is due.
func (w World) Look(ctx context.Context, old, new runtime.Object) (r checks.Rollout, seen []gate.Evidence, unread []string, err error) {
	if r.New, err = checks.FromObject(new); err != nil {
		return r, nil, nil, fmt.Errorf("look at the rollout: %w", err)
	}
	r.New.Hashed = checks.TemplateHash(&r.New)
	if old != nil {
		before, err := checks.FromObject(old)
		if err != nil {
			return r, nil, nil, fmt.Errorf("look at the rollout: %w", err)
		}
		before.Hashed = checks.TemplateHash(&before)
		r.Old = &before
	}
	if w.Now != nil {
		r.World.At = w.Now()
	}
	var g gathering
	ns := r.New.Ref.Namespace
	if checks.Oversize(r.New) == "" { // or nobody asks
		refs := checks.ReferencesOf(r.Old, r.New)
		g.add(func() []gate.Evidence { return w.references(ctx, ns, refs, &r.World) })
		needs := checks.DependenciesOf(r.New)
		g.add(func() []gate.Evidence { return w.dependencies(ctx, ns, needs, &r.World) })
	}
	if r.New.Origin.Kind != "" {
		g.add(func() []gate.Evidence { return w.delivery(ctx, r.New, &r.World) })
	}
	w.limits(ctx, &g, ns, &r.World)
	w.traffic(ctx, &g, ns, &r.World)
	w.autoscalers(ctx, &g, ns, &r.World)
	g.add(func() []gate.Evidence { return w.nodes(ctx, &r.World) })
	g.add(func() []gate.Evidence { return w.history(ctx, r.Old, ns, &r.World) })
	g.add(func() []gate.Evidence { return w.failedBefore(ctx, r.Old, r.New, &r.World) })
	read := g.wait() // before r is looked at as a whole
	seen = append([]gate.Evidence{workloadEvidence(r)}, read...)
	trust := gate.FromAPI
	if w.offline() {
		trust = gate.FromGit
	}
	for i := range seen {
		seen[i].At, seen[i].Trust = r.World.At, trust
		if seen[i].Unread != "" {
			unread = append(unread, seen[i].Source)
		}
	}
	return r, seen, unread, nil
}

func workloadEvidence(r checks.Rollout) gate.Evidence {
	text := fmt.Sprintf("template %s, replicas %d", checks.TemplateHash(&r.New), r.New.Replicas)
	if r.Old != nil {
		text += fmt.Sprintf("; before: template %s, replicas %d, revision %s", checks.TemplateHash(r.Old), r.Old.Replicas, r.Old.Revision)
	}
	return gate.Evidence{ID: checks.EvidenceWorkload, Source: r.New.Ref.String(), Text: text}
}

// limits adds the reads of what bounds the pods of a namespace.
func (w World) limits(ctx context.Context, g *gathering, ns string, world *checks.World) {
	g.add(func() []gate.Evidence {
		var quotas corev1.ResourceQuotaList
		err := w.list(ctx, &quotas, ns)
		world.Quotas = factOf(quotas.Items, err)
		return evidenceOf(checks.EvidenceQuotas, "ResourceQuotas", world.Quotas)
	})
	g.add(func() []gate.Evidence {
		var ranges corev1.LimitRangeList
		err := w.list(ctx, &ranges, ns)
		world.LimitRanges = factOf(ranges.Items, err)
		return evidenceOf(checks.EvidenceLimitRanges, "LimitRanges", world.LimitRanges)
	})
	g.add(func() []gate.Evidence {
		var budgets policyv1.PodDisruptionBudgetList
		err := w.list(ctx, &budgets, ns)
		world.Budgets = factOf(budgets.Items, err)
		return evidenceOf(checks.EvidenceBudgets, "PodDisruptionBudgets", world.Budgets)
	})
}

func (w World) nodes(ctx context.Context, world *checks.World) []gate.Evidence {
	if w.Nodes != nil {
		world.Nodes = w.Nodes.All()
	} else {
		nodes, err := listNodes(ctx, w.Reader)
		world.Nodes = factOf(nodes, err)
	}
	return evidenceOf(checks.EvidenceNodes, "Nodes", world.Nodes)
}

// list reads the objects of one kind in one namespace. They may be shared with the cache, so nobody may change them.
func (w World) list(ctx context.Context, into client.ObjectList, ns string) error {
	return w.Reader.List(ctx, into, client.InNamespace(ns), client.UnsafeDisableDeepCopy)
}

func factOf[T any](items []T, err error) gate.Fact[[]T] {
	if err != nil {
		return gate.Unknown[[]T](because(err))
	}
	return gate.Known(items)
}

func evidenceOf[T any](id, kind string, items gate.Fact[[]T]) []gate.Evidence {
	all, known := items.Get()
	if !known {
		return []gate.Evidence{{ID: id, Source: kind, Unread: items.Why()}}
	}
	return []gate.Evidence{{ID: id, Source: kind, Text: strconv.Itoa(len(all))}}
}

// offline reports whether the Reader holds only part of the world.
func (w World) offline() bool {
	_, ok := w.Reader.(*Files)
	return ok
}
