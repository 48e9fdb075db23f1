package fit

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

// ground is a Site to be.
type ground struct {
	nodes   []*corev1.Node
	pods    []*corev1.Pod
	unbound string
	volumes []*corev1.NodeSelector
}

func (g ground) site() Site {
	var nodes []corev1.Node
	var pods []corev1.Pod
	for _, n := range g.nodes {
		nodes = append(nodes, *n)
	}
	for _, p := range g.pods {
		pods = append(pods, *p)
	}
	s := NewSite(nodes, pods)
	s.Unbound, s.Volumes = g.unbound, g.volumes
	return s
}

func quantities(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

// node has 4 cpu, 8Gi and 10 slots, in the zone of the given letter.
func node(name, zone string, change ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name, corev1.LabelTopologyZone: zone}}}
	n.Status.Allocatable = quantities("4", "8Gi")
	n.Status.Allocatable[corev1.ResourcePods] = resource.MustParse("10")
	for _, f := range change {
		f(n)
	}
	return n
}

func pod(name, cpu, memory string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name), Labels: map[string]string{"app": "web"}}}
	p.Spec.Containers = []corev1.Container{{Name: "app", Resources: corev1.ResourceRequirements{Requests: quantities(cpu, memory)}}}
	for _, f := range change {
		f(p)
	}
	return p
}

func on(node string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.NodeName = node } }

func port(number int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: number, ContainerPort: number}}
	}
}

func web() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
}

func apart(p *corev1.Pod) {
	p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
		{LabelSelector: web(), TopologyKey: corev1.LabelHostname}}}}
}

func beside(app string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
			{LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}, TopologyKey: corev1.LabelTopologyZone}}}}
	}
}

func evenly(p *corev1.Pod) {
	p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone,
		WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: web()}}
}

func tainted(n *corev1.Node) {
	n.Spec.Taints = []corev1.Taint{{Key: "dedicated", Value: "batch", Effect: corev1.TaintEffectNoSchedule}}
}

func cordoned(n *corev1.Node) { n.Spec.Unschedulable = true }

func zone(letter string) *corev1.NodeSelector {
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
		{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{letter}}}}}}
}

func TestPlace(t *testing.T) {
	two := []*corev1.Node{node("one", "a"), node("two", "b")}
	for name, c := range map[string]struct {
		pod  *corev1.Pod
		site ground
		want Barrier
		says string
	}{
		"nothing keeps it":           {pod("x", "1", "1Gi"), ground{nodes: two}, Free, "2 nodes of 2"},
		"there are no nodes":         {pod("x", "1", "1Gi"), ground{}, NoNodes, "no nodes"},
		"its claim is not bound":     {pod("x", "1", "1Gi"), ground{nodes: two, unbound: "its claim disk is Pending"}, Claims, "disk is Pending"},
		"nodes are full of requests": {pod("x", "2", "1Gi"), ground{nodes: two, pods: []*corev1.Pod{pod("a", "3", "1Gi", on("one")), pod("b", "2500m", "1Gi", on("two"))}}, CPU, "asks 2 cpu; of 2 nodes that suit none has more than 1500m free"},
		"what has ended holds nothing": {pod("x", "2", "1Gi"), ground{nodes: two, pods: []*corev1.Pod{pod("a", "3", "1Gi", on("one"), func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded })}},
			Free, ""},
		"those above it have the room":                {pod("x", "2", "1Gi"), ground{nodes: two[:1], pods: []*corev1.Pod{pod("a", "3", "1Gi", on("one"), ranked(100))}}, Outranked, "on node one it would have room without 1 pod of higher priority"},
		"the cluster has the room":                    {pod("x", "2", "1Gi"), ground{nodes: two[:1], pods: []*corev1.Pod{pod("a", "3", "1Gi", on("one"), ranked(2_000_001_000))}}, CPU, ""},
		"those beside it have the room":               {pod("x", "2", "1Gi", ranked(100)), ground{nodes: two[:1], pods: []*corev1.Pod{pod("a", "3", "1Gi", on("one"), ranked(100))}}, CPU, ""},
		"memory is full":                              {pod("x", "1", "6Gi"), ground{nodes: two[:1], pods: []*corev1.Pod{pod("a", "1", "3Gi", on("one"))}}, Memory, "asks 6Gi memory; of 1 node that suit none has more than 5Gi free"},
		"an empty node is too small":                  {pod("x", "5", "1Gi"), ground{nodes: two}, TooLarge, "asks 5 cpu; the largest of 2 nodes that suit has 4"},
		"a device that no node has":                   {pod("x", "1", "1Gi", gpu), ground{nodes: two}, TooLarge, "asks 1 example.com/gpu; the largest of 2 nodes that suit has 0"},
		"no slot is left":                             {pod("x", "1", "1Gi"), ground{nodes: []*corev1.Node{node("one", "a", func(n *corev1.Node) { n.Status.Allocatable[corev1.ResourcePods] = resource.MustParse("1") })}, pods: []*corev1.Pod{pod("a", "1", "1Gi", on("one"))}}, OtherRoom, "no slot"},
		"no node has the label":                       {pod("x", "1", "1Gi", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "ssd"} }), ground{nodes: two}, Selector, "none of 2 nodes has the label disk=ssd"},
		"nodes are tainted":                           {pod("x", "1", "1Gi"), ground{nodes: []*corev1.Node{node("one", "a", tainted)}}, Taint, "dedicated=batch"},
		"it tolerates the taint":                      {pod("x", "1", "1Gi", tolerates), ground{nodes: []*corev1.Node{node("one", "a", tainted)}}, Free, ""},
		"nodes are cordoned":                          {pod("x", "1", "1Gi"), ground{nodes: []*corev1.Node{node("one", "a", cordoned)}}, Closed, "1 are cordoned"},
		"one tainted and one full":                    {pod("x", "2", "1Gi"), ground{nodes: []*corev1.Node{node("one", "a", tainted), node("two", "b")}, pods: []*corev1.Pod{pod("a", "3", "1Gi", on("two"))}}, CPU, "1 node of 2 out of the question before that"},
		"the volume is in another zone":               {pod("x", "1", "1Gi"), ground{nodes: two, volumes: []*corev1.NodeSelector{zone("c")}}, VolumeZone, "none of 2 nodes"},
		"the volume's zone is full":                   {pod("x", "2", "1Gi"), ground{nodes: two, volumes: []*corev1.NodeSelector{zone("a")}, pods: []*corev1.Pod{pod("a", "3", "1Gi", on("one"))}}, CPU, "none has more than 1 free"},
		"a port of the host is taken":                 {pod("x", "1", "1Gi", port(80)), ground{nodes: two[:1], pods: []*corev1.Pod{pod("a", "1", "1Gi", port(80), on("one"))}}, HostPort, "port 80"},
		"another port of the host":                    {pod("x", "1", "1Gi", port(80)), ground{nodes: two[:1], pods: []*corev1.Pod{pod("a", "1", "1Gi", port(81), on("one"))}}, Free, ""},
		"may not be beside its kind":                  {pod("x", "1", "1Gi", apart), ground{nodes: two, pods: []*corev1.Pod{pod("a", "1", "1Gi", on("one")), pod("b", "1", "1Gi", on("two"))}}, AntiAffinity, "hostname"},
		"its kind may not be beside it":               {pod("x", "1", "1Gi"), ground{nodes: two[:1], pods: []*corev1.Pod{pod("a", "1", "1Gi", apart, on("one"))}}, AntiAffinity, "hostname"},
		"its kind in another namespace":               {pod("x", "1", "1Gi", apart), ground{nodes: two[:1], pods: []*corev1.Pod{pod("a", "1", "1Gi", on("one"), func(p *corev1.Pod) { p.Namespace = "bank" })}}, Free, ""},
		"has to be beside who is not there":           {pod("x", "1", "1Gi", beside("cache")), ground{nodes: two, pods: []*corev1.Pod{pod("a", "1", "1Gi", on("one"))}}, Affinity, "zone"},
		"the first of its kind":                       {pod("x", "1", "1Gi", beside("web")), ground{nodes: two}, Free, ""},
		"the zone of who it has to be beside is full": {pod("x", "2", "1Gi", beside("web")), ground{nodes: two, pods: []*corev1.Pod{pod("a", "3", "1Gi", on("one"))}}, Affinity, "on none of 1 node that have room"},
		"would be spread unevenly":                    {pod("x", "2", "1Gi", evenly), ground{nodes: two, pods: []*corev1.Pod{pod("a", "1", "1Gi", on("one")), pod("c", "3", "1Gi", on("two"), other)}}, Spread, "zone=a has 1, the least is 0, and it allows for a difference of 1"},
		"is spread evenly":                            {pod("x", "2", "1Gi", evenly), ground{nodes: two, pods: []*corev1.Pod{pod("a", "1", "1Gi", on("one"))}}, Free, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if a := Place(c.pod, c.site.site()); a.Barrier != c.want || !strings.Contains(a.Why, c.says) {
				t.Errorf("it is kept off by %s: %s", a.Barrier, a.Why)
			}
		})
	}
}

func ranked(priority int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Priority = &priority }
}

func gpu(p *corev1.Pod) {
	p.Spec.Containers[0].Resources.Requests["example.com/gpu"] = resource.MustParse("1")
}

func other(p *corev1.Pod) { p.Labels = map[string]string{"app": "other"} }

func tolerates(p *corev1.Pod) {
	p.Spec.Tolerations = []corev1.Toleration{{Key: "dedicated", Operator: corev1.TolerationOpExists}}
}

// TestANodeThatWouldTakeIt shows that whatever else is in a cluster, one empty node that suits leaves the pod free, and that what is
// said is one short line.
func TestANodeThatWouldTakeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		site := ground{}
		for i := range rapid.IntRange(0, 4).Draw(t, "nodes") {
			change := rapid.SampledFrom([]func(*corev1.Node){tainted, cordoned, func(*corev1.Node) {}}).Draw(t, "node")
			n := node(fmt.Sprint("n", i), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "zone"), change)
			n.Labels[rapid.String().Draw(t, "key")] = rapid.String().Draw(t, "value")
			site.nodes = append(site.nodes, n)
			for j := range rapid.IntRange(0, 3).Draw(t, "pods") {
				site.pods = append(site.pods, pod(fmt.Sprint("p", i, j), "1", "1Gi", on(n.Name), rapid.SampledFrom([]func(*corev1.Pod){apart, evenly, port(80), func(*corev1.Pod) {}}).Draw(t, "pod")))
			}
		}
		x := pod("x", "2", "2Gi", rapid.SampledFrom([]func(*corev1.Pod){apart, port(80), func(*corev1.Pod) {}}).Draw(t, "x"))
		if a := Place(x, site.site()); len(a.Why) > maxWhy || a.Barrier == "" {
			t.Fatalf("%+v", a)
		}
		site.nodes = append(site.nodes, node("empty", "z"))
		if a := Place(x, site.site()); a.Barrier != Free {
			t.Fatalf("%+v", a)
		}
	})
}
