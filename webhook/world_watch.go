package webhook

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// WatchWorld has the informers of everything that Look reads begin with the cache, so that no request is the first to ask.
func WatchWorld(ctx context.Context, informers ctrlcache.Informers) error {
	kinds := []client.Object{&corev1.Namespace{}, &corev1.Node{}, &corev1.Pod{}, &corev1.ResourceQuota{}, &corev1.LimitRange{},
		&policyv1.PodDisruptionBudget{}, &autoscalingv2.HorizontalPodAutoscaler{}, &corev1.Service{}, &corev1.ConfigMap{}, &discoveryv1.EndpointSlice{}, &networkingv1.Ingress{},
		&appsv1.Deployment{}, &appsv1.StatefulSet{}, &appsv1.ReplicaSet{}, &appsv1.ControllerRevision{}}
	for _, named := range []struct{ group, version, kind string }{{"", "v1", "ServiceAccount"},
		{"", "v1", "PersistentVolumeClaim"}, {storagev1.GroupName, "v1", "StorageClass"}} {
		m := &metav1.PartialObjectMetadata{}
		m.APIVersion, m.Kind = named.version, named.kind
		if named.group != "" {
			m.APIVersion = named.group + "/" + named.version
		}
		kinds = append(kinds, m)
	}
	for _, kind := range kinds {
		if _, err := informers.GetInformer(ctx, kind, ctrlcache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("watch %T %s: %w", kind, kind.GetObjectKind().GroupVersionKind().Kind, err)
		}
	}
	return nil
}
