package checks

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/internal/gate"
)

// The law: what reached the pods before reaches them afterwards. A Service that selected the old template's labels selects
// the new one's, or some other pod that runs in the namespace: else it has no endpoint left when the last old pod goes.
//
// A Service that selects the new pods finds its target port there. A name is looked up among the ports, of the same
// protocol, of all containers that run as long as the pod does; where none has it, the Service has no endpoint for that
// port. A number is used as it is, declared or not, since declaring ports is informational: one that no container declares
// only loses the lesser points, as a likely slip.
//
// A StatefulSet names the Service that its pods have their DNS names from. It may be applied after the set, so where it is
// missing, that is pending.
//
// Services without a selector, headless ones and external names have endpoints of somebody else's making, or need no port:
// they are left alone. Where no Service selects the pods, they are workers, and there is nothing to say.
var servicesCheck = Check{
	ID: "services", Title: "Services reach the pods", Points: pointsSelectsNothing, Nature: gate.Lasting,
	Law:  "Every Service that selected the old pods selects the new ones, or others of the namespace, and every Service that selects the new pods finds its target port among theirs. The Service that a StatefulSet names exists.",
	look: lookServices,
}

// lostMax is how many Services that lose the pods are compared with every other pod of the namespace.
const lostMax = 100

func lookServices(r Rollout) Result {
	services, known := r.World.Services.Get()
	if !known {
		return Result{Unknown: []string{unread("Services", r.World.Services)}}
	}
	out := unserved(r, services)
	target := targetsOf(&r.New.Template.Spec)
	cites := []string{EvidenceWorkload, EvidenceServices}
	for i := range services {
		s := &services[i]
		if !balances(s) || !picks(s, r.New.Template.Labels) {
			continue
		}
		for _, p := range s.Spec.Ports {
			switch to := targetOf(p); {
			case target[to]:
			case to.name != "":
				out.Findings = append(out.Findings, found(pointsTargetName, gate.Lasting, cites,
					"Service %s sends to port %s, which no container declares", name(s.Name), to))
			default:
				out.Findings = append(out.Findings, found(pointsTargetNumber, gate.Lasting, cites,
					"Service %s sends to %s, which no container declares", name(s.Name), to))
			}
		}
	}
	if f, missing := governing(r, services); missing {
		out.Findings = append(out.Findings, f)
	}
	return out
}

// unserved finds Services that lose their last pod by this.
func unserved(r Rollout, services []corev1.Service) (out Result) {
	if r.Old == nil || maps.Equal(r.Old.Template.Labels, r.New.Template.Labels) {
		return out
	}
	looked := 0
	for i := range services {
		s := &services[i]
		if !balances(s) || !picks(s, r.Old.Template.Labels) || picks(s, r.New.Template.Labels) {
			continue
		}
		others, known := r.World.Neighbours.Get()
		if !known {
			out.Unknown = []string{unread("other Pods of the namespace", r.World.Neighbours)}
			return out
		}
		if looked++; looked > lostMax {
			out.Unknown = []string{fmt.Sprintf("more than %d Services that select the pods no longer", lostMax)}
			return out
		}
		if !slices.ContainsFunc(others, func(set map[string]string) bool { return picks(s, set) }) {
			out.Findings = append(out.Findings, found(pointsSelectsNothing, gate.Lasting,
				[]string{EvidenceWorkload, EvidenceServices, EvidenceNeighbours},
				"Service %s selected these pods, and selects nothing after this", name(s.Name)))
		}
	}
	return out
}

// governing finds that the Service which a StatefulSet names is not there.
func governing(r Rollout, services []corev1.Service) (gate.Finding, bool) {
	wanted := r.New.ServiceName
	if wanted == "" {
		return gate.Finding{}, false
	}
	for i := range services {
		if services[i].Name == wanted {
			return gate.Finding{}, false
		}
	}
	return found(pointsGoverning, gate.Pending, []string{EvidenceWorkload, EvidenceServices},
		"Service %s does not exist, which the pods should have their DNS names from", name(wanted)), true
}

// Neighbours are the labels of the pods of a namespace that are not the workload's. The maps may belong to a cache.
type Neighbours []map[string]string

// NeighboursOf gathers the labels of the pods that still run or may.
func NeighboursOf(pods []*corev1.Pod) Neighbours {
	all := make(Neighbours, 0, len(pods))
	for _, p := range pods {
		if holds(p) && p.DeletionTimestamp == nil {
			all = append(all, p.Labels)
		}
	}
	return all
}

// balances reports whether the Service spreads connections over pods that it selects.
func balances(s *corev1.Service) bool {
	return len(s.Spec.Selector) > 0 && s.Spec.Type != corev1.ServiceTypeExternalName && s.Spec.ClusterIP != corev1.ClusterIPNone
}

// picks reports whether the Service selects pods with these labels.
func picks(s *corev1.Service, set map[string]string) bool {
	if len(s.Spec.Selector) == 0 || s.Spec.Type == corev1.ServiceTypeExternalName {
		return false
	}
	for k, v := range s.Spec.Selector {
		if has, ok := set[k]; !ok || has != v {
			return false
		}
	}
	return true
}

// target is a port of a pod, by name or by number.
type target struct {
	name     string
	number   int32
	protocol corev1.Protocol
}

func (t target) String() string {
	if t.name != "" {
		return fmt.Sprintf("%q (%s)", name(t.name), name(string(t.protocol)))
	}
	return "port " + strconv.Itoa(int(t.number))
}

// targetOf is the port of the pods that a Service's port sends to.
func targetOf(p corev1.ServicePort) target {
	switch {
	case p.TargetPort.Type == intstr.String && p.TargetPort.StrVal != "":
		return target{name: p.TargetPort.StrVal, protocol: orTCP(p.Protocol)}
	case p.TargetPort.IntVal == 0:
		return target{number: p.Port}
	}
	return target{number: p.TargetPort.IntVal}
}

// targetsOf holds every port that the containers declare: by name with its protocol, and by number with any.
func targetsOf(spec *corev1.PodSpec) map[target]bool {
	all := map[target]bool{}
	for _, c := range longRunning(spec, true) {
		for _, p := range c.Ports {
			all[target{number: p.ContainerPort}] = true
			if p.Name != "" {
				all[target{name: p.Name, protocol: orTCP(p.Protocol)}] = true
			}
		}
	}
	return all
}

func orTCP(p corev1.Protocol) corev1.Protocol {
	if p == "" {
		return corev1.ProtocolTCP
	}
	return p
}
