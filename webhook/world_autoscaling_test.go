package webhook

import (
	"context"
	"slices"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

func verticalObject(ns, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"targetRef":    map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
		"updatePolicy": map[string]any{"updateMode": "Recreate"},
		"resourcePolicy": map[string]any{"containerPolicies": []any{"nonsense", map[string]any{"containerName": "app", "mode": "Auto",
			"controlledResources": []any{"memory"}, "minAllowed": map[string]any{"memory": "2Gi", "cpu": int64(1), "x": true}}}}}}}
	u.SetGroupVersionKind(verticalKind)
	u.SetNamespace(ns)
	u.SetName(name)
	return u
}

func TestLookReadsAutoscalers(t *testing.T) {
	r, seen, unread, err := clusterOf(t, append(shopObjects(), &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: inShop("web")},
		&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: boundPod(inShop("x"), "", "1").ObjectMeta}, verticalObject("shop", "up"), verticalObject("other", "up"))...).
		world().Look(context.Background(), nil, webDeployment("web:1"))
	if err != nil || len(unread) > 0 {
		t.Fatalf("unread %v, %v", unread, err)
	}
	horizontal, _ := r.World.Autoscalers.Get()
	vertical, _ := r.World.VerticalAutoscalers.Get()
	if len(horizontal) != 2 || len(vertical) != 1 {
		t.Fatalf("%d horizontal and %d vertical ones, want 2 and 1", len(horizontal), len(vertical))
	}
	v := vertical[0]
	if v.Name != "up" || v.Kind != "Deployment" || v.Workload != "web" || v.APIVersion != "apps/v1" || v.Mode != "Recreate" || len(v.Containers) != 1 {
		t.Fatalf("%+v", v)
	}
	p := v.Containers[0]
	if p.Container != "app" || p.Off || len(p.Resources) != 1 || p.Least.Memory().String() != "2Gi" || p.Least.Cpu().String() != "1" || len(p.Least) != 2 {
		t.Errorf("%+v", p)
	}
	for _, id := range []string{checks.EvidenceAutoscalers, checks.EvidenceVerticalAutoscalers} {
		if !slices.ContainsFunc(seen, func(e gate.Evidence) bool { return e.ID == id }) {
			t.Errorf("no evidence %s", id)
		}
	}
}

func TestWhatIsNoAutoscalerIsReadAsNothing(t *testing.T) {
	for _, spec := range []any{nil, "text", map[string]any{"targetRef": "x", "updatePolicy": int64(1), "resourcePolicy": []any{"x"}},
		map[string]any{"resourcePolicy": map[string]any{"containerPolicies": []any{map[string]any{"containerName": int64(1), "controlledResources": "x", "minAllowed": map[string]any{"cpu": "many"}}}}}} {
		if v := vertical(map[string]any{"spec": spec}, "up"); v.Workload != "" || len(v.Containers) > 1 {
			t.Errorf("%v was read as %+v", spec, v)
		}
	}
}

func TestAutoscalersInFilesCountBesideTheClusters(t *testing.T) {
	mine := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: inShop("web")}
	mine.Spec.MaxReplicas = 9
	files, err := NewFiles("shop", mine, verticalObject("shop", "up"), verticalObject("other", "away"))
	if err != nil {
		t.Fatal(err)
	}
	r := checks.Rollout{}
	r.New.Ref.Namespace = "shop"
	r.World.Autoscalers = gate.Known([]autoscalingv2.HorizontalPodAutoscaler{{ObjectMeta: inShop("web")}, {ObjectMeta: inShop("api")}})
	r.World.VerticalAutoscalers = gate.Known([]checks.VerticalAutoscaler{{Name: "up"}})
	files.Complete(&r)
	horizontal, _ := r.World.Autoscalers.Get()
	vertical, _ := r.World.VerticalAutoscalers.Get()
	if len(horizontal) != 2 || horizontal[1].Spec.MaxReplicas != 9 || len(vertical) != 1 || vertical[0].Workload != "web" {
		t.Errorf("%+v\n%+v", horizontal, vertical)
	}
}

func TestOfflineAutoscalersAreReadFromFiles(t *testing.T) {
	var objects []client.Object
	objects = append(objects, &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: inShop("web")}, verticalObject("shop", "up"))
	r, _, _, err := offlineWorld(t, objects...).Look(context.Background(), nil, webDeployment("web:1"))
	if err != nil {
		t.Fatal(err)
	}
	horizontal, _ := r.World.Autoscalers.Get()
	vertical, _ := r.World.VerticalAutoscalers.Get()
	if len(horizontal) != 1 || len(vertical) != 1 {
		t.Errorf("%v %v", horizontal, vertical)
	}
}
