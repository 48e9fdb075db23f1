package remediate

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/remediate/causes"
)

// objectWards are the kinds that workloads stand on and are brought by.
var objectWards = slices.Concat([]ward{nodeWard, scalerWard, certificateWard}, deliveryWards)

// objectReadings are what their causes rest on besides.
var objectReadings = []reading{
	{of: []causes.Symptom{causes.AutoscalerBlind}, read: eye.scaler},
	{of: []causes.Symptom{causes.CertificateUnfit}, read: eye.certificate},
}

// enduring is how many times longer than a pod something may be on its way that takes its time.
const enduring = 5

// foreign is a ward of a kind that may be absent.
func foreign(kind schema.GroupVersionKind, symptom causes.Symptom, signs func(u *unstructured.Unstructured, now time.Time, patience time.Duration) bool,
	conditions func(u *unstructured.Unstructured) []causes.Condition) ward {
	return ward{kind: kind, shows: []causes.Symptom{symptom},
		one: func() client.Object {
			u := &unstructured.Unstructured{}
			u.SetGroupVersionKind(kind)
			return u
		},
		list: func() client.ObjectList {
			l := &unstructured.UnstructuredList{}
			l.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
			return l
		},
		signs: func(o client.Object, now time.Time, patience time.Duration) []causes.Symptom {
			if u, ok := o.(*unstructured.Unstructured); ok && u.GetDeletionTimestamp() == nil && signs(u, now, patience) {
				return []causes.Symptom{symptom}
			}
			return nil
		},
		conditions: func(o client.Object) []causes.Condition {
			if u, ok := o.(*unstructured.Unstructured); ok {
				return conditions(u)
			}
			return nil
		}}
}

// conditionsIn are the conditions in an object's status, but those that are of an earlier generation. told is the class of a message.
func conditionsIn(u *unstructured.Unstructured, told func(string) causes.Told) (all []causes.Condition) {
	raw, _, _ := unstructured.NestedFieldNoCopy(u.Object, "status", "conditions")
	list, _ := raw.([]any)
	for _, one := range list[:min(len(list), maxConditions)] {
		of, ok := one.(map[string]any)
		if !ok {
			continue
		}
		text := func(field string) string { s, _ := of[field].(string); return s }
		if generation, says := of["observedGeneration"].(int64); says && generation < u.GetGeneration() {
			continue
		}
		all = append(all, stated(text("type"), text("status"), text("reason"), instant(text("lastTransitionTime")), told(text("message"))))
	}
	return all
}

// instant reads a time that an object holds; what is none is the zero time, which is long ago.
func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// unclassed is for messages that nobody reads.
func unclassed(string) causes.Told { return "" }

// ownedByUID is whether an object is owned by another.
func ownedByUID(o metav1.Object, uid string) bool {
	return slices.ContainsFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return string(r.UID) == uid })
}
