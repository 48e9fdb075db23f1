package remediate

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/remediate/causes"
)

// The law: whether a Service has anybody to send to is in its EndpointSlices, which belong to it; whatever owns the Service has others. A slice that the control plane
// keeps has no ready endpoint, or endpoints without a port, for a while: since nothing of it changed. A headless Service is asked for
// names and not sent to; one without a selector, or that is the name of another host, has no such slices. That others of its
// slices do have somebody, or that nobody is meant to be there, the reading of it finds out.
var sliceWard = ward{kind: discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice"), shows: []causes.Symptom{causes.NoEndpoints}, near: true,
	one: func() client.Object { return &discoveryv1.EndpointSlice{} }, list: func() client.ObjectList { return &discoveryv1.EndpointSliceList{} },
	signs: func(o client.Object, now time.Time, patience time.Duration) []causes.Symptom {
		s, ok := o.(*discoveryv1.EndpointSlice)
		if !ok || s.DeletionTimestamp != nil || s.Labels[discoveryv1.LabelManagedBy] != "endpointslice-controller.k8s.io" || serves(s) {
			return nil
		}
		if _, headless := s.Labels[corev1.IsHeadlessService]; headless || now.Sub(written(s, "")) < patience {
			return nil
		}
		return []causes.Symptom{causes.NoEndpoints}
	},
	conditions: noConditions}

// serves is whether a slice has somebody to send to.
func serves(s *discoveryv1.EndpointSlice) bool {
	return len(s.Ports) > 0 && slices.ContainsFunc(s.Endpoints, func(e discoveryv1.Endpoint) bool {
		return e.Conditions.Ready == nil || *e.Conditions.Ready
	})
}
