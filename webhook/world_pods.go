package webhook

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"
)

var errPodsUnseen = errors.New("not all pods have been seen yet")

// PodsOf returns what World.Pods is: the pods of a namespace as the informer has them. A list through the cache copies each of them,
// for every rollout anew, which costs more than all that is then asked about them.
func PodsOf(ctx context.Context, informers ctrlcache.Informers) (func(namespace string) ([]*corev1.Pod, error), error) {
	informer, err := informers.GetInformer(ctx, &corev1.Pod{}, ctrlcache.BlockUntilSynced(false))
	if err != nil {
		return nil, fmt.Errorf("watch Pods: %w", err)
	}
	indexed, ok := informer.(cache.SharedIndexInformer)
	if !ok || indexed.GetIndexer().GetIndexers()[cache.NamespaceIndex] == nil {
		return nil, fmt.Errorf("watch Pods: the informer %T does not know them by namespace", informer)
	}
	return func(namespace string) ([]*corev1.Pod, error) {
		if !indexed.HasSynced() {
			return nil, errPodsUnseen
		}
		found, err := indexed.GetIndexer().ByIndex(cache.NamespaceIndex, namespace)
		if err != nil {
			return nil, fmt.Errorf("list pods: %w", err)
		}
		pods := make([]*corev1.Pod, 0, len(found))
		for _, obj := range found {
			if pod, ok := obj.(*corev1.Pod); ok {
				pods = append(pods, pod)
			}
		}
		return pods, nil
	}, nil
}

// podsOf are the pods of a namespace, for reading only.
func (w World) podsOf(ctx context.Context, ns string) ([]*corev1.Pod, error) {
	if w.Pods != nil {
		return w.Pods(ns)
	}
	var list corev1.PodList
	if err := w.list(ctx, &list, ns); err != nil {
		return nil, err
	}
	pods := make([]*corev1.Pod, len(list.Items))
	for i := range list.Items {
		pods[i] = &list.Items[i]
	}
	return pods, nil
}
