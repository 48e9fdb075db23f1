package checks

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/internal/gate"
)

// serves adds a Service that sends port 80 to the given target of the pods with the labels, given as names and values in turn.
func serves(called, to string, labels ...string) func(*Rollout) {
	s := corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: called}, Spec: corev1.ServiceSpec{Selector: set(labels...),
		Ports: []corev1.ServicePort{{Name: "web", Port: 80, TargetPort: intstr.Parse(to)}}}}
	return func(r *Rollout) {
		all, _ := r.World.Services.Get()
		r.World.Services = gate.Known(append(all, s))
	}
}

func set(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// lastService changes the Service that came last.
func lastService(change func(*corev1.Service)) func(*Rollout) {
	return func(r *Rollout) {
		all, _ := r.World.Services.Get()
		change(&all[len(all)-1])
	}
}

// relabelled gives the new template other labels than the old one has.
func relabelled(pairs ...string) func(*Rollout) {
	return func(r *Rollout) { update(r); r.New.Template.Labels = set(pairs...) }
}

func neighbour(pairs ...string) func(*Rollout) {
	return func(r *Rollout) { r.World.Neighbours = gate.Known(Neighbours{set("app", "db"), set(pairs...)}) }
}

func governedBy(service string) func(*Rollout) {
	return func(r *Rollout) { r.New.Ref.Kind, r.New.ServiceName = "StatefulSet", service }
}

func TestServicesThatLoseThePods(t *testing.T) {
	gone := serves("web", "http", "app", "web")
	servicesCheck.tell(t, []tale{
		{name: "no Service at all", change: update},
		{name: "the labels stay", change: steps(gone, update)},
		{name: "a label comes that nobody selects", change: steps(gone, relabelled("app", "web", "tier", "front"))},
		{name: "the label that is selected changes", change: steps(gone, relabelled("app", "shop")), points: 30, text: "Service web selected these pods, and selects nothing after this"},
		{name: "the label that is selected goes", change: steps(gone, relabelled()), points: 30, text: "Service web"},
		{name: "other pods are selected too", change: steps(gone, relabelled("app", "shop"), neighbour("app", "web", "track", "canary"))},
		{name: "other pods have half of what is selected", change: steps(serves("web", "http", "app", "web", "tier", "front"),
			func(r *Rollout) { r.New.Template.Labels = set("app", "web", "tier", "front") }, relabelled("app", "web"), neighbour("app", "web")), points: 30},
		{name: "it never selected them", change: steps(serves("api", "http", "app", "api"), relabelled("app", "shop"))},
		{name: "two Services lose them", change: steps(gone, serves("admin", "http", "app", "web"), relabelled("app", "shop")), points: 60, text: "Service admin"},
		{name: "a headless Service is left alone", change: steps(gone, lastService(func(s *corev1.Service) { s.Spec.ClusterIP = "None" }), relabelled("app", "shop"))},
		{name: "an external name is left alone", change: steps(gone, lastService(func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }), relabelled("app", "shop"))},
		{name: "a Service without a selector is left alone", change: steps(serves("web", "http"), relabelled("app", "shop"))},
		{name: "unknown pods beside it, and none is asked for", change: steps(gone, update, strangers)},
		{name: "unknown pods beside it", change: steps(gone, relabelled("app", "shop"), strangers), unknown: "other Pods of the namespace: forbidden"},
		{name: "unknown Services", unknown: "Services: forbidden", change: func(r *Rollout) { r.World.Services = gate.Unknown[[]corev1.Service]("forbidden") }},
	})
}

func strangers(r *Rollout) { r.World.Neighbours = gate.Unknown[Neighbours]("forbidden") }

func TestServicesAndTheirTargetPorts(t *testing.T) {
	udp := lastService(func(s *corev1.Service) { s.Spec.Ports[0].Protocol = corev1.ProtocolUDP })
	sidecar := func(r *Rollout) {
		spec := &r.New.Template.Spec
		spec.InitContainers = []corev1.Container{{Name: "mesh", RestartPolicy: ptr(corev1.ContainerRestartPolicyAlways),
			Ports: []corev1.ContainerPort{{Name: "proxy", ContainerPort: 15001}}}}
	}
	once := func(r *Rollout) { sidecar(r); r.New.Template.Spec.InitContainers[0].RestartPolicy = nil }
	servicesCheck.tell(t, []tale{
		{name: "a name that is declared", change: serves("web", "http", "app", "web")},
		{name: "a name that nobody declares", change: serves("web", "https", "app", "web"), points: 30, text: `Service web sends to port "https" (TCP), which no container declares`},
		{name: "the name of a sidecar's port", change: steps(sidecar, serves("web", "proxy", "app", "web"))},
		{name: "the name of an init container's port", change: steps(once, serves("web", "proxy", "app", "web")), points: 30},
		{name: "a name that is declared for another protocol", change: steps(serves("web", "http", "app", "web"), udp), points: 30, text: `"http" (UDP)`},
		{name: "a number that is declared", change: serves("web", "8080", "app", "web")},
		{name: "a number that nobody declares", change: serves("web", "9090", "app", "web"), points: 5, text: "Service web sends to port 9090, which no container declares"},
		{name: "a number, whatever the protocol", change: steps(serves("web", "8080", "app", "web"), udp)},
		{name: "no target is the port itself", change: serves("web", "0", "app", "web"), points: 5, text: "port 80,"},
		{name: "pods of others", change: serves("api", "https", "app", "api")},
		{name: "two Services with the same selector", change: steps(serves("a", "http", "app", "web"), serves("b", "8080", "app", "web"))},
		{name: "a headless Service is left alone", change: steps(serves("web", "https", "app", "web"), lastService(func(s *corev1.Service) { s.Spec.ClusterIP = "None" }))},
	})
}

func TestTheServiceOfAStatefulSet(t *testing.T) {
	missing := tale{name: "it does not exist", change: governedBy("db"), points: 10, nature: gate.Pending, text: "Service db does not exist"}
	servicesCheck.tell(t, []tale{missing,
		{name: "it exists", change: steps(governedBy("db"), serves("db", "http", "app", "web"))},
		{name: "none is named", change: governedBy("")},
		{name: "unknown Services", unknown: "Services: forbidden", change: steps(governedBy("db"), func(r *Rollout) {
			r.World.Services = gate.Unknown[[]corev1.Service]("forbidden")
		})},
	})
}

func TestManyServicesAndManyPodsCostNoMoreThanIsAllowed(t *testing.T) {
	r := sound()
	for i := range 3000 {
		serves(fmt.Sprint("s", i), "http", "app", "web")(&r)
	}
	relabelled("app", "shop")(&r)
	r.World.Neighbours = gate.Known(make(Neighbours, 5000))
	start := time.Now()
	got := lookServices(r)
	if len(got.Findings) != lostMax || len(got.Unknown) != 1 {
		t.Errorf("%d findings, unknown %v", len(got.Findings), got.Unknown)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("it took %s", d)
	}
}

func TestPodsThatEndAreNoNeighbours(t *testing.T) {
	done, going, runs := corev1.Pod{}, corev1.Pod{}, corev1.Pod{}
	done.Status.Phase, going.DeletionTimestamp = corev1.PodSucceeded, &metav1.Time{Time: noon}
	runs.Labels = set("app", "web")
	if all := NeighboursOf([]*corev1.Pod{&done, &going, &runs}); len(all) != 1 || all[0]["app"] != "web" {
		t.Errorf("%v", all)
	}
}
