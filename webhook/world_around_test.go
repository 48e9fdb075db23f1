package webhook

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

func TestWhatIsNotedOfTheSurroundings(t *testing.T) {
	zone := &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "zone", Operator: corev1.NodeSelectorOpIn, Values: []string{"a"}}}}}}
	bound := &corev1.PersistentVolumeClaim{ObjectMeta: inShop("bound")}
	bound.Spec.VolumeName = "pv"
	pv := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv"}}
	pv.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: zone}
	s := &shelf{scheme: testScheme(t), objects: []client.Object{bound, pv, &corev1.PersistentVolumeClaim{ObjectMeta: inShop("pending")}}}
	d := deployment("shop", "web")
	for _, claim := range []string{"bound", "pending", "missing"} {
		d.Spec.Template.Spec.Volumes = append(d.Spec.Template.Spec.Volumes, corev1.Volume{Name: claim, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}})
	}
	w, err := checks.FromObject(d)
	if err != nil {
		t.Fatal(err)
	}
	other, own, waiting := boundPod(inShop("other"), "n1", "1"), boundPod(inShop("own"), "n1", "1"), boundPod(inShop("waiting"), "", "1")
	other.UID, own.UID, waiting.UID = "1", "2", "3"
	s.objects = append(s.objects, other, own, waiting)
	r := checks.Rollout{New: w}
	r.World.Pods = gate.Known([]corev1.Pod{*own})
	seen := Around{Pods: s, Volumes: s}.Look(t.Context(), &r)
	if len(seen) != 1 || seen[0].Unread != "" || seen[0].Text != "1 other pods with a node, 3 claims" {
		t.Errorf("%+v", seen)
	}
	for claim, there := range map[string]bool{"bound": true, "pending": false, "missing": false} {
		selector, known := r.World.Around.Volumes[claim].Get()
		if !known || (selector != nil) != there {
			t.Errorf("claim %s: %v, known %v", claim, selector, known)
		}
	}
	r.World.Pods = gate.Unknown[[]corev1.Pod]("forbidden")
	if seen := (Around{Pods: s, Volumes: s}.Look(t.Context(), &r)); seen[0].Unread != "forbidden" {
		t.Errorf("%+v of unknown own pods", seen)
	}
}
