package webhook

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// Warm starts every informer that an answer is made from and waits until each has seen what there is. The webhook is
// registered after that: an informer that first starts in a request would make the request wait for a whole list.
func Warm(ctx context.Context, informers cache.Informers) error {
	guardrails := &unstructured.Unstructured{}
	guardrails.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
	read := []client.Object{guardrails, &corev1.Namespace{}, &corev1.Pod{}, &corev1.Node{}, &corev1.LimitRange{}, &corev1.ResourceQuota{},
		&policyv1.PodDisruptionBudget{}, &appsv1.ReplicaSet{}, &appsv1.ControllerRevision{}}
	for _, kind := range []schema.GroupVersionKind{configMapKind, serviceAccountKind, claimKind, storageClassKind} {
		metadata := &metav1.PartialObjectMetadata{}
		metadata.SetGroupVersionKind(kind)
		read = append(read, metadata)
	}
	for _, obj := range read {
		if _, err := informers.GetInformer(ctx, obj, cache.BlockUntilSynced(true)); err != nil {
			return fmt.Errorf("watch %T %s: %w", obj, obj.GetObjectKind().GroupVersionKind().Kind, err)
		}
	}
	return nil
}
