package remediate

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// still is the world as it stood when a Scan began: the pods, the ReplicaSets and the Cases of a namespace are listed once, however
// many happenings are looked into. What is read one at a time is read from the API server.
type still struct {
	client.Reader
	all  bool // pods holds those of every namespace
	pods map[string][]corev1.Pod
	sets map[string]*appsv1.ReplicaSetList
	// cases are those of the whole cluster; nil: nobody asked yet.
	cases    *v1alpha1.CaseList
	casesErr error
}

// take lists the pods of a namespace, a page at a time, and keeps them without what is of no use.
func (s *still) take(ctx context.Context, namespace string) ([]corev1.Pod, error) {
	var pods []corev1.Pod
	for next := ""; ; {
		var page corev1.PodList
		if err := s.Reader.List(ctx, &page, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(next)); err != nil {
			return nil, fmt.Errorf("list a page of pods: %w", err)
		}
		for i := range page.Items {
			page.Items[i].ManagedFields = nil
			pods = append(pods, page.Items[i])
		}
		if next = page.Continue; next == "" {
			break
		}
	}
	s.all = namespace == ""
	s.pods = map[string][]corev1.Pod{namespace: nil}
	for _, pod := range pods {
		s.pods[pod.Namespace] = append(s.pods[pod.Namespace], pod)
	}
	return pods, nil
}

// List answers from what was listed before, where it can. Nobody may change what it lists.
func (s *still) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	asked := (&client.ListOptions{}).ApplyOptions(opts)
	plain := asked.LabelSelector == nil && asked.FieldSelector == nil
	switch l := list.(type) {
	case *corev1.PodList:
		if pods, known := s.pods[asked.Namespace]; plain && asked.Namespace != "" && (known || s.all) {
			l.Items = append(l.Items[:0], pods...)
			return nil
		}
	case *appsv1.ReplicaSetList:
		if plain {
			return s.setsOf(ctx, asked.Namespace, l)
		}
	case *v1alpha1.CaseList:
		if plain && asked.Namespace == "" {
			return s.casesOf(ctx, l)
		}
	}
	return s.Reader.List(ctx, list, opts...)
}

func (s *still) setsOf(ctx context.Context, namespace string, l *appsv1.ReplicaSetList) error {
	if known, ok := s.sets[namespace]; ok {
		l.Items = append(l.Items[:0], known.Items...)
		return nil
	}
	if err := s.Reader.List(ctx, l, client.InNamespace(namespace)); err != nil {
		return err //nolint:wrapcheck // a reader in place of another
	}
	if s.sets == nil {
		s.sets = map[string]*appsv1.ReplicaSetList{}
	}
	s.sets[namespace] = l.DeepCopy()
	return nil
}

func (s *still) casesOf(ctx context.Context, l *v1alpha1.CaseList) error {
	if s.cases == nil {
		s.cases = &v1alpha1.CaseList{}
		s.casesErr = s.Reader.List(ctx, s.cases)
	}
	l.Items = append(l.Items[:0], s.cases.Items...)
	return s.casesErr
}
