package checks

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"moorgate.dev/internal/gate"
)

// The law: an Ingress or an HTTPRoute that sends to a Service of these pods sends to a port which the Service has. Where it
// does not, the proxy has no endpoint to send to, however well the pods fare.
//
// No rollout brings that, and none mends it: route and Service are as they were before. So every finding is recent, for it
// must never keep out a rollback or a cure, and takes so little that it refuses nothing by itself. It is not called standing: that
// is for stand to say, which excuses what was let in, and anybody can make a route. A Service that does not exist, or one of
// other pods, is somebody else's business, and a headless Service is left alone. Routes of other namespaces are not looked at.
var routesCheck = Check{
	ID: "routes", Title: "Routes find the Service's port", Points: pointsRoutePort, Nature: gate.Recent,
	Law:  "Every Ingress and HTTPRoute of the namespace that sends to a Service which selects the pods names a port that the Service has. It was so before the change, so it counts against no rollback and no cure.",
	look: lookRoutes,
}

func lookRoutes(r Rollout) Result {
	services, known := r.World.Services.Get()
	if !known {
		return Result{Unknown: []string{unread("Services", r.World.Services)}}
	}
	reached := reaching(services, r.New.Template.Labels)
	if len(reached) == 0 {
		return Result{}
	}
	var out Result
	ingresses, known := r.World.Ingresses.Get()
	if !known {
		out.Unknown = append(out.Unknown, unread("Ingresses", r.World.Ingresses))
	}
	for i := range ingresses {
		out.Findings = append(out.Findings, astray(ingressRoute(&ingresses[i]), reached, EvidenceIngresses)...)
	}
	routes, known := r.World.HTTPRoutes.Get()
	if !known {
		out.Unknown = append(out.Unknown, unread("HTTPRoutes", r.World.HTTPRoutes))
	}
	for _, route := range routes {
		out.Findings = append(out.Findings, astray(route, reached, EvidenceHTTPRoutes)...)
	}
	return out
}

// astray finds where a route sends to a port that the Service does not have, once for each Service.
func astray(route Route, reached map[string]*corev1.Service, evidence string) []gate.Finding {
	var all []gate.Finding
	told := map[string]bool{}
	for _, b := range route.Backends {
		s := reached[b.Service]
		if s == nil || told[b.Service] || !balances(s) || hasPort(s, b) {
			continue
		}
		told[b.Service] = true
		all = append(all, found(pointsRoutePort, gate.Recent, []string{EvidenceWorkload, EvidenceServices, evidence},
			"%s %s sends to port %s of Service %s, which has no such port", route.Kind, name(route.Name), b, name(s.Name)))
	}
	return all
}

// reaching are the Services that select pods with these labels, by name.
func reaching(services []corev1.Service, set map[string]string) map[string]*corev1.Service {
	all := map[string]*corev1.Service{}
	for i := range services {
		if picks(&services[i], set) {
			all[services[i].Name] = &services[i]
		}
	}
	return all
}

func hasPort(s *corev1.Service, b Backend) bool {
	for i := range s.Spec.Ports {
		if p := &s.Spec.Ports[i]; b.PortName != "" && p.Name == b.PortName || b.PortName == "" && p.Port == b.Port {
			return true
		}
	}
	return b.PortName == "" && b.Port == 0 // no port is asked for
}

// Route leads from outside to Services of its namespace.
type Route struct {
	Kind, Name string
	Backends   []Backend
	TLS        []string // the Secrets whose certificates it serves with
}

// Backend is a Service that a route sends to, and its port by name or by number.
type Backend struct {
	Service, PortName string
	Port              int32
}

func (b Backend) String() string {
	if b.PortName != "" {
		return fmt.Sprintf("%q", name(b.PortName))
	}
	return strconv.Itoa(int(b.Port))
}

// ingressRoute reads where an Ingress leads.
func ingressRoute(i *networkingv1.Ingress) Route {
	route := Route{Kind: "Ingress", Name: i.Name}
	add := func(b *networkingv1.IngressBackend) {
		if b != nil && b.Service != nil {
			route.Backends = append(route.Backends, Backend{b.Service.Name, b.Service.Port.Name, b.Service.Port.Number})
		}
	}
	add(i.Spec.DefaultBackend)
	for _, rule := range i.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for k := range rule.HTTP.Paths {
			add(&rule.HTTP.Paths[k].Backend)
		}
	}
	for _, t := range i.Spec.TLS {
		if t.SecretName != "" {
			route.TLS = append(route.TLS, t.SecretName)
		}
	}
	return route
}
