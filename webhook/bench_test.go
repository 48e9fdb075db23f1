package webhook

import (
	"context"
	"fmt"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// BenchmarkHandlerNoOp is what GitOps tools cost that dry-run every object at every reconcile.
func BenchmarkHandlerNoOp(b *testing.B) {
	h := newBench(b, rail(gate.AdmissionEnforce))
	old, obj := deployment("shop", "web"), deployment("shop", "web")
	obj.Annotations = map[string]string{"reconciled": "again"}
	req := request(b, admissionv1.Update, old, obj)
	b.ReportAllocs()
	for b.Loop() {
		if resp := h.Handle(b.Context(), req); !resp.Allowed {
			b.Fatal(resp.Result)
		}
	}
}

// BenchmarkHandlerScored is a real change in a namespace of 200 pods on a cluster of 100 nodes, from a warm cache.
func BenchmarkHandlerScored(b *testing.B) {
	h := newBench(b, rail(gate.AdmissionEnforce))
	nodes := make([]checks.Node, 100)
	for i := range nodes {
		room := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("16Gi"), corev1.ResourcePods: resource.MustParse("110")}
		nodes[i] = checks.Node{Object: &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("node", i)}, Status: corev1.NodeStatus{Allocatable: room}}}
	}
	for i := range 200 {
		h.shelf.objects = append(h.shelf.objects, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprint("pod", i), Labels: map[string]string{"app": "other"}}})
	}
	h.shelf.objects = append(h.shelf.objects, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "compute"}})
	world := World{Reader: h.shelf, Nodes: NewNodes(), Now: at(noon)}
	for _, n := range nodes {
		world.Nodes.setNode(n.Object)
	}
	h.Look, h.Policy = world.Look, cluster.Guardrails{Reader: h.shelf}.Policy
	old, obj := deployment("shop", "web"), deployment("shop", "web")
	obj.Spec.Template.Spec.Containers[0].Image = "registry.example/app:2.0.0"
	req := request(b, admissionv1.Update, old, obj)
	h.Log = discard{}
	b.ReportAllocs()
	for b.Loop() {
		if resp := h.Handle(b.Context(), req); !resp.Allowed {
			b.Fatal(resp.Result)
		}
		h.queued()
	}
}

// BenchmarkHandlerLargest is a dry run of the largest manifest that is still looked at, and of one that is not.
func BenchmarkHandlerLargest(b *testing.B) {
	for _, n := range []int{500, 501, 20000} {
		b.Run(fmt.Sprint(n, " containers"), func(b *testing.B) {
			h := newBench(b, rail(gate.AdmissionEnforce))
			old, obj := deployment("shop", "web"), deployment("shop", "web")
			c := obj.Spec.Template.Spec.Containers[0]
			for i := range n - 1 {
				c.Name = fmt.Sprint("c", i)
				obj.Spec.Template.Spec.Containers = append(obj.Spec.Template.Spec.Containers, c)
			}
			req := request(b, admissionv1.Update, old, obj)
			req.DryRun = new(true)
			b.ReportAllocs()
			for b.Loop() {
				if resp := h.Handle(b.Context(), req); !resp.Allowed {
					b.Fatal(resp.Result)
				}
			}
		})
	}
}

// discard is a log that costs nothing.
type discard struct{}

func (discard) Append(context.Context, gate.Record) (gate.Position, error) {
	return gate.Position{Log: "bench", Sequence: 1}, nil
}
