package webhook

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

const sourceGroup = "source.toolkit.fluxcd.io"

var (
	kustomizationKind  = schema.GroupVersionKind{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Kind: checks.OriginKustomization}
	helmReleaseKind    = schema.GroupVersionKind{Group: "helm.toolkit.fluxcd.io", Version: "v2", Kind: checks.OriginHelmRelease}
	applicationKind    = schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: checks.OriginApplication}
	gitRepositoryKind  = schema.GroupVersionKind{Group: sourceGroup, Version: "v1", Kind: "GitRepository"}
	ociRepositoryKind  = schema.GroupVersionKind{Group: sourceGroup, Version: "v1", Kind: "OCIRepository"}
	bucketKind         = schema.GroupVersionKind{Group: sourceGroup, Version: "v1", Kind: "Bucket"}
	helmRepositoryKind = schema.GroupVersionKind{Group: sourceGroup, Version: "v1", Kind: "HelmRepository"}
	helmChartKind      = schema.GroupVersionKind{Group: sourceGroup, Version: "v1", Kind: "HelmChart"}
)

// upstreams are the kinds that Flux reads from, by name.
var upstreams = map[string]schema.GroupVersionKind{"GitRepository": gitRepositoryKind, "OCIRepository": ociRepositoryKind, "Bucket": bucketKind,
	"HelmRepository": helmRepositoryKind, "HelmChart": helmChartKind}

// delivery looks at what applies the workload.
func (w World) delivery(ctx context.Context, of checks.Workload, world *checks.World) []gate.Evidence {
	o := of.Origin
	if o.Kind == checks.OriginApplication {
		world.Delivery = w.application(ctx, of)
	} else {
		world.Delivery = w.fluxed(ctx, of)
	}
	seen := gate.Evidence{ID: checks.EvidenceDelivery, Source: gate.OneLine(o.String(), sourceMax)}
	d, known := world.Delivery.Get()
	switch {
	case !known && o.Guess, known && !d.Here && o.Guess:
		return nil // the mark meant something else
	case !known:
		seen.Unread = world.Delivery.Why()
		return []gate.Evidence{seen}
	case !d.Here:
		seen.Text = "none in this cluster that knows the workload"
		return []gate.Evidence{seen}
	}
	seen.Text = fmt.Sprintf("suspended %t, puts back what others change %t, not ready %q", d.Suspended, d.Undoes, d.Trouble)
	all := []gate.Evidence{seen}
	for i, u := range d.Sources {
		e := gate.Evidence{ID: fmt.Sprintf("%s/%d", checks.EvidenceDelivery, i), Source: gate.OneLine(u.Kind+" "+u.Namespace+"/"+u.Name, sourceMax)}
		if state, known := u.State.Get(); known {
			e.Text = fmt.Sprintf("suspended %t, not ready %q", state.Suspended, state.Trouble)
		} else {
			e.Unread = u.State.Why()
		}
		all = append(all, e)
	}
	return all
}

// fluxed looks at a Kustomization or a HelmRelease, and at what it reads from.
func (w World) fluxed(ctx context.Context, of checks.Workload) gate.Fact[checks.Delivery] {
	kind := kustomizationKind
	if of.Origin.Kind == checks.OriginHelmRelease {
		kind = helmReleaseKind
	}
	fact := w.one(ctx, kind, client.ObjectKey{Namespace: of.Origin.Namespace, Name: of.Origin.Name})
	u, known := fact.Get()
	switch {
	case !known:
		return gate.Unknown[checks.Delivery](fact.Why())
	case u == nil || !knows(u, of.Ref):
		return gate.Known(checks.Delivery{})
	}
	d := checks.Delivery{Here: true}
	d.Suspended, d.Trouble = cluster.Reconciled(u)
	if kind == kustomizationKind {
		d.Undoes = !of.Origin.Spared && (len(inventory(u)) == 0 || inventoried(u, of.Ref))
	} else {
		mode, _, _ := unstructured.NestedString(u.Object, "spec", "driftDetection", "mode")
		d.Undoes = mode == "enabled"
	}
	for _, s := range sourcesOf(u) {
		s.State = w.upstream(ctx, s)
		d.Sources = append(d.Sources, s)
	}
	return gate.Known(d)
}

// knows is whether an object of Flux vouches for the workload: by its namespace, by where it applies things to, or by what it has
// applied. Whoever writes a mark chooses what is looked up, and must not learn of other namespaces that way.
func knows(u *unstructured.Unstructured, ref gate.Ref) bool {
	into, _, _ := unstructured.NestedString(u.Object, "spec", "targetNamespace")
	return u.GetNamespace() == ref.Namespace || into == ref.Namespace || inventoried(u, ref)
}

// inventory is what an object of Flux has applied; empty where it does not say.
func inventory(u *unstructured.Unstructured) []any {
	raw, _, _ := unstructured.NestedFieldNoCopy(u.Object, "status", "inventory", "entries")
	entries, _ := raw.([]any)
	return entries
}

func inventoried(u *unstructured.Unstructured, ref gate.Ref) bool {
	id := strings.Join([]string{ref.Namespace, ref.Name, ref.Group, ref.Kind}, "_")
	return slices.ContainsFunc(inventory(u), func(e any) bool { one, _ := e.(map[string]any); return one["id"] == id })
}

// sourcesOf are the sources that an object of Flux names.
func sourcesOf(u *unstructured.Unstructured) []checks.Upstream {
	var all []checks.Upstream
	for _, at := range [][]string{{"spec", "sourceRef"}, {"spec", "chartRef"}, {"spec", "chart", "spec", "sourceRef"}} {
		raw, ok, _ := unstructured.NestedFieldNoCopy(u.Object, at...)
		ref, isMap := raw.(map[string]any)
		if !ok || !isMap {
			continue
		}
		text := func(field string) string { s, _ := ref[field].(string); return s }
		s := checks.Upstream{Kind: text("kind"), Namespace: text("namespace"), Name: text("name")}
		if s.Namespace == "" {
			s.Namespace = u.GetNamespace()
		}
		all = append(all, s)
	}
	made, _, _ := unstructured.NestedString(u.Object, "status", "helmChart")
	if ns, n, ok := strings.Cut(made, "/"); ok {
		all = append(all, checks.Upstream{Kind: helmChartKind.Kind, Namespace: ns, Name: n})
	}
	return all
}

func (w World) upstream(ctx context.Context, s checks.Upstream) gate.Fact[checks.Readiness] {
	kind, ok := upstreams[s.Kind]
	if !ok {
		return gate.Unknown[checks.Readiness]("not a kind that is looked at")
	}
	fact := w.one(ctx, kind, client.ObjectKey{Namespace: s.Namespace, Name: s.Name})
	u, known := fact.Get()
	switch {
	case !known:
		return gate.Unknown[checks.Readiness](fact.Why())
	case u == nil:
		return gate.Unknown[checks.Readiness]("there is none in version " + kind.Version)
	}
	var r checks.Readiness
	r.Suspended, r.Trouble = cluster.Reconciled(u)
	return gate.Known(r)
}

// application looks at an Application of Argo CD. One that waits for somebody to sync it is neither suspended nor undoes
// anything.
func (w World) application(ctx context.Context, of checks.Workload) gate.Fact[checks.Delivery] {
	fact := w.optional(ctx, applicationKind, of.Origin.Namespace)
	all, known := fact.Get()
	if !known {
		return gate.Unknown[checks.Delivery](fact.Why())
	}
	for i := range all {
		u := &all[i]
		home := u.GetNamespace() == of.Ref.Namespace && !of.Origin.Guess
		if u.GetName() != of.Origin.Name || !home && !applies(u, of.Ref) {
			continue
		}
		d := checks.Delivery{Here: true, Trouble: cluster.SyncTrouble(u)}
		raw, automated, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "syncPolicy", "automated")
		if policy, ok := raw.(map[string]any); ok && automated {
			d.Undoes = policy["selfHeal"] == true && policy["enabled"] != false
		}
		return gate.Known(d)
	}
	return gate.Known(checks.Delivery{})
}

// applies is whether an Application names the workload among what it applies.
func applies(u *unstructured.Unstructured, ref gate.Ref) bool {
	raw, _, _ := unstructured.NestedFieldNoCopy(u.Object, "status", "resources")
	resources, _ := raw.([]any)
	return slices.ContainsFunc(resources, func(r any) bool {
		one, _ := r.(map[string]any)
		return one["kind"] == ref.Kind && one["name"] == ref.Name && one["namespace"] == ref.Namespace && one["group"] == ref.Group
	})
}
