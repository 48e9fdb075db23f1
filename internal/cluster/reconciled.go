package cluster

import (
	"cmp"
	"strings"

	fluxmeta "github.com/fluxcd/pkg/apis/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Reconciled is what an object of Flux says of itself: whether it is suspended, and in a word why it is not ready, empty where it
// is ready or has not said. What it said of an earlier generation does not count. Its messages are not read: they hold addresses
// and what servers answered.
func Reconciled(u *unstructured.Unstructured) (suspended bool, trouble string) {
	suspended, _, _ = unstructured.NestedBool(u.Object, "spec", "suspend")
	for _, c := range conditionsOf(u) {
		if c.ObservedGeneration != 0 && c.ObservedGeneration < u.GetGeneration() {
			continue
		}
		unready := c.Type == fluxmeta.ReadyCondition && c.Status == metav1.ConditionFalse
		stalled := c.Type == fluxmeta.StalledCondition && c.Status == metav1.ConditionTrue
		if unready || stalled && trouble == "" {
			trouble = cmp.Or(c.Reason, c.Type)
		}
	}
	return suspended, trouble
}

// conditionsOf are the conditions in an object's status, without their messages. What is none is left out.
func conditionsOf(u *unstructured.Unstructured) []metav1.Condition {
	raw, _, _ := unstructured.NestedFieldNoCopy(u.Object, "status", "conditions")
	list, _ := raw.([]any)
	var all []metav1.Condition
	for _, one := range list {
		of, ok := one.(map[string]any)
		if !ok {
			continue
		}
		text := func(field string) string { s, _ := of[field].(string); return s }
		generation, _ := of["observedGeneration"].(int64)
		all = append(all, metav1.Condition{Type: text("type"), Status: metav1.ConditionStatus(text("status")), Reason: text("reason"), ObservedGeneration: generation})
	}
	return all
}

// SyncTrouble says in a word what keeps an Application of Argo CD from being compared with Git or synced, empty where nothing does.
func SyncTrouble(u *unstructured.Unstructured) string {
	for _, c := range conditionsOf(u) {
		if strings.HasSuffix(c.Type, "Error") {
			return c.Type
		}
	}
	return ""
}
