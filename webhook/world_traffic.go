package webhook

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

var (
	httpRouteKind   = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}
	certificateKind = schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"}
)

// traffic adds the reads of what leads to the pods of a namespace.
func (w World) traffic(ctx context.Context, g *gathering, ns string, world *checks.World) {
	g.add(func() []gate.Evidence {
		var services corev1.ServiceList
		err := w.list(ctx, &services, ns)
		world.Services = factOf(services.Items, err)
		return evidenceOf(checks.EvidenceServices, "Services", world.Services)
	})
	g.add(func() []gate.Evidence {
		var ingresses networkingv1.IngressList
		err := w.list(ctx, &ingresses, ns)
		world.Ingresses = factOf(ingresses.Items, err)
		return evidenceOf(checks.EvidenceIngresses, "Ingresses", world.Ingresses)
	})
	g.add(func() []gate.Evidence {
		world.HTTPRoutes = eachOf(w.optional(ctx, httpRouteKind, ns), routeOf)
		return evidenceOf(checks.EvidenceHTTPRoutes, "HTTPRoutes", world.HTTPRoutes)
	})
	g.add(func() []gate.Evidence {
		world.Certificates = eachOf(w.optional(ctx, certificateKind, ns), certs.Issued)
		return evidenceOf(checks.EvidenceCertificates, "Certificates", world.Certificates)
	})
}

// eachOf reads objects of an optional kind. One that cannot be read makes all unknown: it might be the one that matters.
func eachOf[T any](objects gate.Fact[[]unstructured.Unstructured], read func(*unstructured.Unstructured) (T, error)) gate.Fact[[]T] {
	live, known := objects.Get()
	if !known {
		return gate.Unknown[[]T](objects.Why())
	}
	all := make([]T, 0, len(live))
	for i := range live {
		one, err := read(&live[i])
		if err != nil {
			return gate.Unknown[[]T](because(err))
		}
		all = append(all, one)
	}
	return gate.Known(all)
}

// httpRoute is the part of an HTTPRoute that says where it leads.
type httpRoute struct {
	Spec struct {
		Rules []struct {
			BackendRefs []struct {
				Group     string `json:"group"`
				Kind      string `json:"kind"`
				Name      string `json:"name"`
				Namespace string `json:"namespace"`
				Port      int32  `json:"port"`
			} `json:"backendRefs"`
		} `json:"rules"`
	} `json:"spec"`
}

// routeOf reads where an HTTPRoute leads within its namespace.
func routeOf(u *unstructured.Unstructured) (checks.Route, error) {
	var from httpRoute
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &from); err != nil {
		return checks.Route{}, fmt.Errorf("read HTTPRoute %s: %w", u.GetName(), err)
	}
	route := checks.Route{Kind: u.GetKind(), Name: u.GetName()}
	for _, rule := range from.Spec.Rules {
		for _, b := range rule.BackendRefs {
			here := b.Namespace == "" || b.Namespace == u.GetNamespace()
			if here && b.Group == "" && (b.Kind == "" || b.Kind == "Service") {
				route.Backends = append(route.Backends, checks.Backend{Service: b.Name, Port: b.Port})
			}
		}
	}
	return route, nil
}
