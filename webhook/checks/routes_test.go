package checks

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

// ingress adds an Ingress that sends to a Service's port, with a Secret for TLS where one is named.
func ingress(called, service, portName string, port int32, secrets ...string) func(*Rollout) {
	backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: service,
		Port: networkingv1.ServiceBackendPort{Name: portName, Number: port}}}
	i := networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: called}}
	i.Spec.Rules = []networkingv1.IngressRule{{}, {IngressRuleValue: networkingv1.IngressRuleValue{
		HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Backend: backend}, {Backend: backend}}}}}}
	for _, s := range secrets {
		i.Spec.TLS = append(i.Spec.TLS, networkingv1.IngressTLS{SecretName: s})
	}
	return func(r *Rollout) {
		all, _ := r.World.Ingresses.Get()
		r.World.Ingresses = gate.Known(append(all, i))
	}
}

func httpRoute(service string, port int32) func(*Rollout) {
	return func(r *Rollout) {
		r.World.HTTPRoutes = gate.Known([]Route{{Kind: "HTTPRoute", Name: "out", Backends: []Backend{{Service: service, Port: port}}}})
	}
}

func TestRoutes(t *testing.T) {
	web := serves("web", "http", "app", "web")
	onlyDefault := func(r *Rollout) {
		all, _ := r.World.Ingresses.Get()
		all[0].Spec.DefaultBackend = &all[0].Spec.Rules[1].HTTP.Paths[0].Backend
		all[0].Spec.Rules = nil
	}
	headless := lastService(func(s *corev1.Service) { s.Spec.ClusterIP = "None" })
	unread := func(r *Rollout) {
		r.World.Ingresses, r.World.HTTPRoutes = gate.Unknown[[]networkingv1.Ingress]("forbidden"), gate.Unknown[[]Route]("forbidden")
	}
	recent := func(all ...tale) []tale {
		for i := range all {
			all[i].nature = gate.Recent
		}
		return all
	}
	routesCheck.tell(t, recent([]tale{
		{name: "no route at all", change: web},
		{name: "a number that the Service has", change: steps(web, ingress("in", "web", "", 80))},
		{name: "a number that it has not", change: steps(web, ingress("in", "web", "", 8080)), points: 10, text: "Ingress in sends to port 8080 of Service web, which has no such port"},
		{name: "a name that the Service has", change: steps(web, ingress("in", "web", "web", 0))},
		{name: "a name that it has not", change: steps(web, ingress("in", "web", "http", 0)), points: 10, text: `port "http" of Service web`},
		{name: "the default backend counts", change: steps(web, ingress("in", "web", "", 8080), onlyDefault), points: 10},
		{name: "a Service of other pods", change: steps(serves("api", "http", "app", "api"), ingress("in", "api", "", 8080))},
		{name: "a Service that does not exist", change: steps(web, ingress("in", "gone", "", 8080))},
		{name: "a headless Service", change: steps(web, headless, ingress("in", "web", "", 8080))},
		{name: "an HTTPRoute to a port that there is", change: steps(web, httpRoute("web", 80))},
		{name: "an HTTPRoute to one that there is not", change: steps(web, httpRoute("web", 81)), points: 10, text: "HTTPRoute out sends to port 81 of Service web"},
		{name: "an HTTPRoute to another Service", change: steps(web, httpRoute("api", 81))},
		{name: "unknown routes, and no Service", change: unread},
		{name: "unknown Ingresses", change: steps(web, unread), unknown: "Ingresses: forbidden"},
		{name: "unknown HTTPRoutes", change: steps(web, unread), unknown: "HTTPRoutes: forbidden"},
		{name: "unknown Services", unknown: "Services: forbidden", change: func(r *Rollout) { r.World.Services = gate.Unknown[[]corev1.Service]("forbidden") }},
	}...))
}
