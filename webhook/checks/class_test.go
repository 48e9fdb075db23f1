package checks

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"
)

func TestWhatANodesClassDependsOn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*corev1.Node)
		same   bool
	}{
		{"another name", func(n *corev1.Node) { n.Name, n.Labels[corev1.LabelHostname] = "n2", "n2" }, true},
		{"another size", func(n *corev1.Node) { n.Status.Allocatable = list("cpu", "3999m") }, true},
		{"another label", func(n *corev1.Node) { n.Labels["disk"] = "ssd" }, false},
		{"a label whose name and value flow into each other", func(n *corev1.Node) { delete(n.Labels, "disk"); n.Labels["diskh"] = "dd" }, false},
		{"a taint", func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}
		}, false},
		{"a cordon", func(n *corev1.Node) { n.Spec.Unschedulable = true }, false},
		{"short of memory", func(n *corev1.Node) {
			n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionTrue})
		}, false},
		{"not ready", func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionFalse }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := node("n1", "4").Object, node("n1", "4").Object
			tt.change(b)
			if same := ClassOf(a) == ClassOf(b); same != tt.same {
				t.Errorf("same class: %v, want %v", same, tt.same)
			}
		})
	}
}

// Whatever nodes and pods are like, asking once a class says what asking every node says.
func TestClassesNeverChangeAnAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := corev1.PodSpec{NodeName: rapid.SampledFrom([]string{"", "", "", "n1"}).Draw(t, "node")}
		key := rapid.SampledFrom([]string{"disk", corev1.LabelHostname, "zone"}).Draw(t, "key")
		if rapid.Bool().Draw(t, "selector") {
			spec.NodeSelector = map[string]string{key: rapid.SampledFrom([]string{"hdd", "n1", "a"}).Draw(t, "value")}
		}
		if rapid.Bool().Draw(t, "affinity") {
			term := corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: corev1.NodeSelectorOpNotIn, Values: []string{"hdd", "n2"}}}}
			if rapid.Bool().Draw(t, "field") {
				term = corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{"n2"}}}}
			}
			spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{term}}}}
		}
		pod := &corev1.Pod{Spec: spec}
		daemon := rapid.Bool().Draw(t, "daemon")
		byClass := newFinder(pod, daemon)
		for i := range 8 {
			n := node(fmt.Sprintf("n%d", i), "4")
			if rapid.Bool().Draw(t, "zone") {
				n.Object.Labels["zone"] = "a"
			}
			n.Object.Spec.Unschedulable = rapid.Bool().Draw(t, "cordon")
			if rapid.Bool().Draw(t, "taint") {
				n.Object.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}}
			}
			if pressure := rapid.SampledFrom([]corev1.NodeConditionType{"", corev1.NodeMemoryPressure, corev1.NodePIDPressure}).Draw(t, "pressure"); pressure != "" {
				n.Object.Status.Conditions = append(n.Object.Status.Conditions, corev1.NodeCondition{Type: pressure, Status: corev1.ConditionTrue})
			}
			n.Class = ClassOf(n.Object)
			alone := n
			alone.Class = Class{}
			if got, want := byClass.of(&n), newFinder(pod, daemon).of(&alone); got != want {
				t.Fatalf("%+v by class, %+v by itself", got, want)
			}
		}
	})
}
