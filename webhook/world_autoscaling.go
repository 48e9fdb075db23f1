package webhook

import (
	"context"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

var (
	horizontalKind = autoscalingv2.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler")
	verticalKind   = schema.GroupVersionKind{Group: "autoscaling.k8s.io", Version: "v1", Kind: "VerticalPodAutoscaler"}
)

// autoscalers adds the reads of what sets sizes and requests in a namespace.
func (w World) autoscalers(ctx context.Context, g *gathering, ns string, world *checks.World) {
	g.add(func() []gate.Evidence {
		var all autoscalingv2.HorizontalPodAutoscalerList
		err := w.list(ctx, &all, ns)
		world.Autoscalers = factOf(all.Items, err)
		return evidenceOf(checks.EvidenceAutoscalers, "HorizontalPodAutoscalers", world.Autoscalers)
	})
	g.add(func() []gate.Evidence {
		world.VerticalAutoscalers = verticalOf(w.optional(ctx, verticalKind, ns))
		return evidenceOf(checks.EvidenceVerticalAutoscalers, "VerticalPodAutoscalers", world.VerticalAutoscalers)
	})
}

func verticalOf(objects gate.Fact[[]unstructured.Unstructured]) gate.Fact[[]checks.VerticalAutoscaler] {
	all, known := objects.Get()
	if !known {
		return gate.Unknown[[]checks.VerticalAutoscaler](objects.Why())
	}
	out := make([]checks.VerticalAutoscaler, 0, len(all))
	for i := range all {
		out = append(out, vertical(all[i].Object, all[i].GetName()))
	}
	slices.SortFunc(out, func(a, b checks.VerticalAutoscaler) int { return strings.Compare(a.Name, b.Name) })
	return gate.Known(out)
}

// vertical reads a VerticalPodAutoscaler. What is not as its definition has it is left out: it moves nothing either.
func vertical(object map[string]any, called string) checks.VerticalAutoscaler {
	text := func(in map[string]any, at ...string) string {
		s, _, _ := unstructured.NestedString(in, at...)
		return s
	}
	v := checks.VerticalAutoscaler{Name: called, APIVersion: text(object, "spec", "targetRef", "apiVersion"), Kind: text(object, "spec", "targetRef", "kind"),
		Workload: text(object, "spec", "targetRef", "name"), Mode: text(object, "spec", "updatePolicy", "updateMode")}
	policies, _, _ := unstructured.NestedFieldNoCopy(object, "spec", "resourcePolicy", "containerPolicies")
	list, _ := policies.([]any)
	for _, p := range list {
		policy, ok := p.(map[string]any)
		if !ok {
			continue
		}
		c := checks.VerticalPolicy{Container: text(policy, "containerName"), Off: text(policy, "mode") == "Off", Least: quantities(policy["minAllowed"])}
		controlled, _, _ := unstructured.NestedStringSlice(policy, "controlledResources")
		for _, r := range controlled {
			c.Resources = append(c.Resources, corev1.ResourceName(r))
		}
		v.Containers = append(v.Containers, c)
	}
	return v
}

// quantities reads a map of resources; numbers without quotes are none in JSON's eyes, and count all the same.
func quantities(of any) corev1.ResourceList {
	raw, _ := of.(map[string]any)
	out := corev1.ResourceList{}
	for k, v := range raw {
		switch n := v.(type) {
		case string:
			if q, err := resource.ParseQuantity(n); err == nil {
				out[corev1.ResourceName(k)] = q
			}
		case int64:
			out[corev1.ResourceName(k)] = *resource.NewQuantity(n, resource.DecimalSI)
		}
	}
	return out
}

// completeAutoscalers adds those in the files to those of the cluster, in the place of the ones of the same name.
func (f *Files) completeAutoscalers(r *checks.Rollout) {
	ns := r.New.Ref.Namespace
	if live, known := r.World.Autoscalers.Get(); known {
		all := slices.Clone(live)
		for _, o := range f.byKind[horizontalKind] {
			if h, ok := o.(*autoscalingv2.HorizontalPodAutoscaler); ok && h.Namespace == ns {
				all = slices.DeleteFunc(all, func(l autoscalingv2.HorizontalPodAutoscaler) bool { return l.Name == h.Name })
				all = append(all, *h)
			}
		}
		r.World.Autoscalers = gate.Known(all)
	}
	if live, known := r.World.VerticalAutoscalers.Get(); known {
		all := slices.Clone(live)
		for _, o := range f.byKind[verticalKind] {
			if u, ok := o.(*unstructured.Unstructured); ok && u.GetNamespace() == ns {
				all = slices.DeleteFunc(all, func(l checks.VerticalAutoscaler) bool { return l.Name == u.GetName() })
				all = append(all, vertical(u.Object, u.GetName()))
			}
		}
		r.World.VerticalAutoscalers = gate.Known(all)
	}
}
