package remediate

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// refused is the template of which no pod may be created, and what the API server answers, as far as a condition keeps it. A nil
// template: it may not be read, or is gone.
func (e eye) refused(ctx context.Context, ref gate.Ref) (*corev1.PodTemplateSpec, string, error) {
	key := client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}
	get := func(o client.Object) error {
		if err := e.owners.Get(ctx, key, o); err != nil {
			return fmt.Errorf("read %s: %w", ref, err)
		}
		return nil
	}
	switch ref.Kind {
	case "Deployment":
		var d appsv1.Deployment
		err := get(&d)
		i := slices.IndexFunc(d.Status.Conditions, func(c appsv1.DeploymentCondition) bool { return c.Type == appsv1.DeploymentReplicaFailure })
		if i < 0 {
			return nil, "", ignored(err)
		}
		return &d.Spec.Template, d.Status.Conditions[i].Message, nil
	case "ReplicaSet":
		var s appsv1.ReplicaSet
		err := get(&s)
		i := slices.IndexFunc(s.Status.Conditions, func(c appsv1.ReplicaSetCondition) bool { return c.Type == appsv1.ReplicaSetReplicaFailure })
		if i < 0 {
			return nil, "", ignored(err)
		}
		return &s.Spec.Template, s.Status.Conditions[i].Message, nil
	case "StatefulSet":
		var s appsv1.StatefulSet
		if err := get(&s); err != nil {
			return nil, "", ignored(err)
		}
		return &s.Spec.Template, "", nil
	case "DaemonSet":
		var s appsv1.DaemonSet
		if err := get(&s); err != nil {
			return nil, "", ignored(err)
		}
		return &s.Spec.Template, "", nil
	case "Job":
		var j batchv1.Job
		if err := get(&j); err != nil {
			return nil, "", ignored(err)
		}
		return &j.Spec.Template, "", nil
	}
	return nil, "", nil
}
