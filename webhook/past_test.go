package webhook

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/webhook/checks"
)

// setOf is a ReplicaSet with a template that costs something to hash.
func setOf(owner string, number, containers int) *appsv1.ReplicaSet {
	s := &appsv1.ReplicaSet{ObjectMeta: ownedMeta(inShop(fmt.Sprintf("%s-%d", owner, number)), "Deployment", owner, owner+"-uid")}
	s.Annotations = map[string]string{"deployment.kubernetes.io/revision": fmt.Sprint(number)}
	s.CreationTimestamp = metav1.NewTime(noon.Add(time.Duration(number) * time.Minute))
	s.Spec.Template.Spec.Containers = make([]corev1.Container, containers)
	s.Spec.Template.Spec.Containers[0].Image = fmt.Sprint(owner, ":", number)
	return s
}

func TestOnlyTheNewestRevisionsAreLookedInto(t *testing.T) {
	var objects []client.Object
	for i := range revisionsMax + 30 {
		objects = append(objects, setOf("web", i+1, 1))
	}
	old, is := webDeployment("web:x"), webDeployment("web:y")
	look := func(number int) checks.Rollout {
		is.Spec.Template = setOf("web", number, 1).Spec.Template
		r, _, _, err := clusterOf(t, objects...).world().Look(context.Background(), old, is)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := look(31)
	if back, known := first(checks.Facts(r)).Get(); !back || !known || r.World.OlderRevisions != 30 {
		t.Errorf("a return to the oldest of the newest is %v (known %v), with %d older", back, known, r.World.OlderRevisions)
	}
	if _, known := first(checks.Facts(look(30))).Get(); known {
		t.Error("a return to an older one is known, though nobody looked")
	}
}

func first[A, B any](a A, _ B) A { return a }

func TestRevisionsOfOthersCostNothing(t *testing.T) {
	hashed := 0
	owned := func(o metav1.Object) bool { return o.GetName() == "web-1" }
	s := &shelf{scheme: testScheme(t)}
	for i := range 100 {
		s.objects = append(s.objects, setOf("web", i+1, 1))
	}
	all, err := pastOf(t.Context(), s, schema.GroupKind{Group: "apps", Kind: "Deployment"}, "shop", owned)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d revisions, %v", len(all), err)
	}
	h := &Hashes{}
	for range 3 {
		p := all[0]
		p.hash = func() (string, error) { hashed++; return all[0].hash() }
		if got, err := h.of(p); err != nil || got != checks.Hash(setOf("web", 1, 1).Spec.Template) {
			t.Errorf("%s, %v", got, err)
		}
	}
	if hashed != 1 {
		t.Errorf("one revision was hashed %d times", hashed)
	}
	all[0].object.SetGeneration(2)
	all[0].hash = func() (string, error) { return "changed", nil }
	if got, _ := h.of(all[0]); got != "changed" {
		t.Errorf("a changed revision is remembered as %s", got)
	}
	for i := range hashesMax + 10 {
		_, _ = h.of(past{object: &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{UID: "x", Generation: int64(i)}}, hash: func() (string, error) { return "x", nil }})
	}
	if len(h.kept) > hashesMax {
		t.Errorf("%d are remembered", len(h.kept))
	}
}
