package app

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A rollout's field managers tell the judge when its template was last written. The gate reads that in what it is asked, and keeps none.
func TestWhoseCacheKeepsFieldManagers(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: "shop", Name: "web", ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}}
	for name, tt := range map[string]struct {
		part   part
		object client.Object
		kept   int
	}{
		"the judge, of a rollout": {judgePart(options{}, ""), &appsv1.Deployment{ObjectMeta: meta}, 1},
		"the judge, of a pod":     {judgePart(options{}, ""), &corev1.Pod{ObjectMeta: meta}, 0},
		"the gate, of a rollout":  {webhookPart(options{}), &appsv1.Deployment{ObjectMeta: meta}, 0},
		"the gate, of a pod":      {webhookPart(options{}), &corev1.Pod{ObjectMeta: meta}, 0},
	} {
		slim, err := tt.part.slim(tt.object)
		if err != nil || len(slim.(client.Object).GetManagedFields()) != tt.kept || slim.(client.Object).GetName() != "web" {
			t.Errorf("%s: %v, %v", name, slim, err)
		}
	}
}
