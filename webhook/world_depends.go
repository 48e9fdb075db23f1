package webhook

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
	"moorgate.dev/webhook/probe"
)

// Outside says how hosts outside of the cluster fare, from memory: it never asks one and never waits. It also knows which
// namespaces an admin lets ask about another.
type Outside interface {
	State(namespace, name string) gate.Fact[probe.State]
	Across(from, to string) bool
}

// dependencies looks at each thing that the rollout depends on. Endpoints are listed once for each namespace.
func (w World) dependencies(ctx context.Context, ns string, needs checks.Needs, world *checks.World) []gate.Evidence {
	if len(needs.List) == 0 {
		return nil
	}
	d := dependencies{World: w, ctx: ctx, ready: map[string]gate.Fact[map[string]bool]{}}
	found := make(map[checks.Dependency]gate.Fact[checks.Health], len(needs.List))
	for _, n := range needs.List {
		found[n.Dependency] = d.health(ns, n.Dependency)
	}
	world.Dependencies = found
	return dependencyEvidence(needs, found)
}

// dependencies is one look at them.
type dependencies struct {
	World
	ctx   context.Context
	ready map[string]gate.Fact[map[string]bool] // by namespace: the Services with a ready endpoint
}

func (d dependencies) health(from string, dep checks.Dependency) gate.Fact[checks.Health] {
	if dep.Kind != checks.DependExternal && dep.Namespace != from && (d.Outside == nil || !d.Outside.Across(from, dep.Namespace)) {
		return gate.Unknown[checks.Health]("no admin lets this namespace ask about another one")
	}
	switch dep.Kind {
	case checks.DependExternal:
		return d.outside(from, dep.Name)
	case checks.DependService:
		return d.service(dep)
	case checks.DependDeployment:
		var o appsv1.Deployment
		err := d.get(dep, &o)
		return running(err, o.Spec.Replicas, o.Status.ReadyReplicas)
	}
	var o appsv1.StatefulSet
	err := d.get(dep, &o)
	return running(err, o.Spec.Replicas, o.Status.ReadyReplicas)
}

func (d dependencies) get(dep checks.Dependency, into client.Object) error {
	return d.Reader.Get(d.ctx, client.ObjectKey{Namespace: dep.Namespace, Name: dep.Name}, into, client.UnsafeDisableDeepCopy)
}

func (d dependencies) outside(from, name string) gate.Fact[checks.Health] {
	if d.Outside == nil {
		return gate.Unknown[checks.Health]("no host outside of the cluster is probed")
	}
	fact := d.Outside.State(from, name)
	state, known := fact.Get()
	if !known {
		return gate.Unknown[checks.Health](fact.Why())
	}
	return gate.Known(checks.Health{Down: state.Failed, At: state.At})
}

// service is well with a ready endpoint, and where it selects no pods: who keeps its endpoints then is not for us to say.
func (d dependencies) service(dep checks.Dependency) gate.Fact[checks.Health] {
	var s corev1.Service
	if err := d.get(dep, &s); err != nil {
		return absent(err)
	}
	if len(s.Spec.Selector) == 0 || s.Spec.Type == corev1.ServiceTypeExternalName {
		return gate.Known(checks.Health{})
	}
	fact, listed := d.ready[dep.Namespace]
	if !listed {
		fact = d.endpoints(dep.Namespace)
		d.ready[dep.Namespace] = fact
	}
	ready, known := fact.Get()
	if !known {
		return gate.Unknown[checks.Health]("its endpoints: " + fact.Why())
	}
	h := checks.Health{Selector: s.Spec.Selector}
	if !ready[dep.Name] {
		h.Down = "has no ready endpoint"
	}
	return gate.Known(h)
}

func (d dependencies) endpoints(ns string) gate.Fact[map[string]bool] {
	var all discoveryv1.EndpointSliceList
	if err := d.list(d.ctx, &all, ns); err != nil {
		return gate.Unknown[map[string]bool](because(err))
	}
	ready := map[string]bool{}
	for i := range all.Items {
		if s := &all.Items[i]; hasReady(s) {
			ready[s.Labels[discoveryv1.LabelServiceName]] = true
		}
	}
	return gate.Known(ready)
}

// hasReady is whether one of the endpoints is ready; unknown is to be read as ready.
func hasReady(s *discoveryv1.EndpointSlice) bool {
	return slices.ContainsFunc(s.Endpoints, func(e discoveryv1.Endpoint) bool { return e.Conditions.Ready == nil || *e.Conditions.Ready })
}

// running is how a workload fares as its controller counted last.
func running(err error, wanted *int32, ready int32) gate.Fact[checks.Health] {
	switch {
	case err != nil:
		return absent(err)
	case ready > 0:
		return gate.Known(checks.Health{})
	case wanted != nil && *wanted == 0:
		return gate.Known(checks.Health{Down: "is scaled to no pods"})
	}
	return gate.Known(checks.Health{Down: "has no ready pod"})
}

func absent(err error) gate.Fact[checks.Health] {
	if apierrors.IsNotFound(err) {
		return gate.Known(checks.Health{Missing: true})
	}
	return gate.Unknown[checks.Health](because(err))
}

// dependencyEvidence is one piece of evidence for all that were looked at, and one for each of the first few that were not.
func dependencyEvidence(needs checks.Needs, found map[checks.Dependency]gate.Fact[checks.Health]) []gate.Evidence {
	well, ill, more := 0, 0, 0
	var unread []gate.Evidence
	for _, n := range needs.List {
		fact := found[n.Dependency]
		h, known := fact.Get()
		switch {
		case known && h.Missing && n.Guess: // it meant something else
		case known && !h.Missing && h.Down == "":
			well++
		case known:
			ill++
		case len(unread) == unreadMax:
			more++
		default:
			unread = append(unread, gate.Evidence{ID: fmt.Sprintf("%s/%d", checks.EvidenceDependencies, len(unread)),
				Source: gate.OneLine(n.Told(), sourceMax), Unread: fact.Why()})
		}
	}
	if more > 0 {
		unread = append(unread, gate.Evidence{ID: checks.EvidenceDependencies + "/more", Source: fmt.Sprintf("%d more dependencies", more), Unread: "not looked up either"})
	}
	if well+ill == 0 {
		return unread
	}
	all := gate.Evidence{ID: checks.EvidenceDependencies, Source: "what it depends on", Text: fmt.Sprintf("%d well, %d not", well, ill)}
	return append([]gate.Evidence{all}, unread...)
}

// completeDependencies takes what is applied together with the rollout for being there: a reviewer knows that it comes.
func (f *Files) completeDependencies(r *checks.Rollout) {
	kinds := map[string]schema.GroupVersionKind{checks.DependService: corev1.SchemeGroupVersion.WithKind("Service"),
		checks.DependDeployment: appsv1.SchemeGroupVersion.WithKind("Deployment"), checks.DependStatefulSet: appsv1.SchemeGroupVersion.WithKind("StatefulSet")}
	for dep, fact := range r.World.Dependencies {
		if h, known := fact.Get(); !known || !h.Missing {
			continue
		}
		for _, o := range f.byKind[kinds[dep.Kind]] {
			if o.GetName() == dep.Name && o.GetNamespace() == dep.Namespace {
				r.World.Dependencies[dep] = gate.Known(checks.Health{})
			}
		}
	}
}
