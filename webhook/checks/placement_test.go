package checks

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

func TestPlacement(t *testing.T) {
	const zone = corev1.LabelTopologyZone
	web := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	db := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}}
	// around makes a cluster of two zones with two nodes each, and a database in zone a.
	around := func(r *Rollout) {
		var all []Node
		for i, z := range []string{"a", "a", "b", "b"} {
			n := node(fmt.Sprintf("n%d", i), "4")
			n.Object.Labels[zone] = z
			all = append(all, n)
		}
		r.World.Nodes = gate.Known(all)
		p := &corev1.Pod{Spec: corev1.PodSpec{NodeName: "n0"}}
		p.Labels = db.MatchLabels
		r.World.Around = &Surroundings{Pods: gate.Known([]*corev1.Pod{p}), Volumes: map[string]gate.Fact[*corev1.NodeSelector]{}}
	}
	spread := func(key string, change ...func(*corev1.TopologySpreadConstraint)) func(*Rollout) {
		s := corev1.TopologySpreadConstraint{MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: web}
		for _, c := range change {
			c(&s)
		}
		return func(r *Rollout) {
			r.New.Template.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{s}
		}
	}
	soft := func(s *corev1.TopologySpreadConstraint) { s.WhenUnsatisfiable = corev1.ScheduleAnyway }
	domains := func(n int32) func(*corev1.TopologySpreadConstraint) {
		return func(s *corev1.TopologySpreadConstraint) { s.MinDomains = ptr(n) }
	}
	term := func(key string, selector *metav1.LabelSelector) []corev1.PodAffinityTerm {
		return []corev1.PodAffinityTerm{{TopologyKey: key, LabelSelector: selector}}
	}
	beside := func(key string, selector *metav1.LabelSelector) func(*Rollout) {
		return func(r *Rollout) {
			r.New.Template.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: term(key, selector)}}
		}
	}
	apart := func(key string, selector *metav1.LabelSelector) func(*Rollout) {
		return func(r *Rollout) {
			r.New.Template.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: term(key, selector)}}
		}
	}
	pods := func(n int32) func(*Rollout) { return func(r *Rollout) { r.New.Replicas = n } }
	fullZone := func(z string) func(*Rollout) {
		return func(r *Rollout) {
			for i := range nodesOf(r) {
				if nodesOf(r)[i].Object.Labels[zone] == z {
					nodesOf(r)[i].Requested = list("cpu", "4")
				}
			}
		}
	}
	volume := func(claim, z string) func(*Rollout) {
		return func(r *Rollout) {
			r.World.Around.Volumes[claim] = gate.Known(&corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: zone, Operator: corev1.NodeSelectorOpIn, Values: []string{z}}}}}})
		}
	}
	mounts := func(r *Rollout) {
		r.New.Template.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "shared"}}}}
	}
	ordinals := steps(kind("StatefulSet"), func(r *Rollout) {
		c := corev1.PersistentVolumeClaim{}
		c.Name = "data"
		r.New.VolumeClaims = []corev1.PersistentVolumeClaim{c}
		for i := range r.New.Replicas {
			r.World.Around.Volumes[fmt.Sprintf("data-web-%d", i)] = gate.Known[*corev1.NodeSelector](nil)
		}
	})
	(Check{look: lookPlacement}).tell(t, []tale{
		{name: "nobody looked around", change: steps(spread("rack"))},
		{name: "no rules", change: around},
		{name: "spread over zones", change: steps(around, pods(6), spread(zone))},
		{name: "spread over zones of which one is full", change: steps(around, pods(6), spread(zone), fullZone("b")), points: 20, nature: gate.Recent,
			text: "only 1 of 6 pods find a place, 6 have room: kept off by topology spread over " + zone},
		{name: "a spread that only prefers", change: steps(around, pods(6), spread(zone, soft), fullZone("b"))},
		{name: "spread over what no node has", change: steps(around, spread("rack")), points: 20, nature: gate.Recent, text: "only 0 of 3"},
		{name: "as many domains as are wanted", change: steps(around, spread(zone, domains(2)))},
		{name: "fewer domains than are wanted", change: steps(around, spread(zone, domains(3))), points: 20, nature: gate.Recent, text: "only 2 of 3"},
		{name: "a pod a zone, and two zones", change: steps(around, pods(2), apart(zone, web))},
		{name: "a pod a zone, and a third pod", change: steps(around, apart(zone, web)), points: 20, nature: gate.Recent, text: "only 2 of 3 pods find a place, 3 have room: kept off by anti-affinity"},
		{name: "away from the database, where there is room", change: steps(around, apart(zone, db))},
		{name: "away from the database, and the other zone is full", change: steps(around, apart(zone, db), fullZone("b")), points: 20, nature: gate.Recent, text: "only 0 of 3"},
		{name: "beside the database", change: steps(around, beside(zone, db))},
		{name: "beside the database, whose zone is full", change: steps(around, beside(zone, db), fullZone("a")), points: 20, nature: gate.Recent, text: "affinity over"},
		{name: "together, and the first is free to choose", change: steps(around, beside(zone, web))},
		{name: "a volume that both zones reach", change: steps(around, mounts, volume("shared", "a"))},
		{name: "a volume in the zone that is full", change: steps(around, mounts, volume("shared", "a"), fullZone("a")), points: 20, nature: gate.Recent, text: "kept off by the zone of a volume"},
		{name: "each pod has a volume that moves with it", change: steps(around, ordinals)},
		{name: "one pod's volume is in the zone that is full", change: steps(around, ordinals, volume("data-web-1", "b"), fullZone("b")), points: 20, nature: gate.Recent, text: "only 2 of 3"},
		{name: "a volume that could not be read", change: steps(around, mounts), unknown: "the volume of shared"},
		{name: "affinity beyond the namespace", unknown: "reaches beyond", change: steps(around, beside(zone, db), func(r *Rollout) {
			r.New.Template.Spec.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0].Namespaces = []string{"data"}
		})},
		{name: "no room either way is not said twice", change: steps(around, spread(zone), fullZone("a"), fullZone("b"))},
		{name: "a DaemonSet has no choice", change: steps(around, kind("DaemonSet"), spread("rack"))},
		{name: "unknown neighbours", unknown: "other Pods: forbidden", change: steps(around, spread(zone), func(r *Rollout) {
			r.World.Around.Pods = gate.Unknown[[]*corev1.Pod]("forbidden")
		})},
	})
}

func TestPlacementCountsOnlyWhereSomebodyLooked(t *testing.T) {
	r := sound()
	r.New.Template.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "rack", WhenUnsatisfiable: corev1.DoNotSchedule}}
	if score(r) != 100 || confidence(r) != 100 {
		t.Errorf("score %d, confidence %d though nobody looked around", score(r), confidence(r))
	}
	r.World.Around = &Surroundings{Pods: gate.Known([]*corev1.Pod{})}
	a := Assess(r, menu)
	if score(r) != 80 || confidence(r) != 100 || len(a.Findings) != 1 || a.Findings[0].ID != Placement || !strings.Contains(a.Findings[0].Text, "rack") {
		t.Errorf("score %d, confidence %d: %+v", score(r), confidence(r), a.Findings)
	}
	r.World.Around = &Surroundings{}
	if score(r) != 100 || confidence(r) == 100 {
		t.Errorf("score %d, confidence %d of what could not be read", score(r), confidence(r))
	}
}

// BenchmarkPlacement is 50 pods among 500 nodes and 5,000 pods, with a spread over hosts and zones.
func BenchmarkPlacement(b *testing.B) {
	r := sound()
	r.New.Replicas = 50
	var nodes []Node
	for i := range 500 {
		n := node(fmt.Sprintf("n%d", i), "16")
		n.Object.Labels[corev1.LabelTopologyZone] = fmt.Sprint("z", i%3)
		n.Class = ClassOf(n.Object)
		nodes = append(nodes, n)
	}
	r.World.Nodes = gate.Known(nodes)
	var others []*corev1.Pod
	for i := range 5000 {
		p := &corev1.Pod{Spec: corev1.PodSpec{NodeName: fmt.Sprintf("n%d", i%500)}}
		p.Labels = map[string]string{"app": "other"}
		others = append(others, p)
	}
	r.World.Around = &Surroundings{Pods: gate.Known(others)}
	for _, key := range []string{corev1.LabelHostname, corev1.LabelTopologyZone} {
		r.New.Template.Spec.TopologySpreadConstraints = append(r.New.Template.Spec.TopologySpreadConstraints, corev1.TopologySpreadConstraint{
			MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: r.New.Selector})
	}
	b.ReportAllocs()
	for b.Loop() {
		lookPlacement(r)
	}
}
