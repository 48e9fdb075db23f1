package app

import (
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"moorgate.dev/webhook"
)

// slim takes field managers out of what the caches hold, where nobody asks for them: they are half of most objects. Of a
// rollout they tell when its template was last written. Then it takes out the values that nobody may know (webhook.Slim), and
// what the part does without.
func (p part) slim(obj any) (any, error) {
	var err error
	switch obj.(type) {
	case *appsv1.Deployment, *appsv1.StatefulSet, *appsv1.DaemonSet:
	default:
		if obj, err = cache.TransformStripManagedFields()(obj); err == nil {
			obj, err = webhook.Slim(obj)
		}
	}
	if err != nil || p.trim == nil {
		return obj, err
	}
	return p.trim(obj)
}
