package remediate

import (
	"fmt"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestWhatObjectsShow shows of each kind what is a sign, beside what only looks like one. Each has lasted for twice the patience.
func TestWhatObjectsShow(t *testing.T) {
	patience := time.Minute
	since := func(ago time.Duration) metav1.Time { return metav1.NewTime(noon.Add(-ago)) }
	node := func(kind corev1.NodeConditionType, status corev1.ConditionStatus, ago time.Duration, change ...func(*corev1.Node)) client.Object {
		n := &corev1.Node{}
		n.Status.Conditions = []corev1.NodeCondition{{Type: kind, Status: status, LastTransitionTime: since(ago)}}
		for _, f := range change {
			f(n)
		}
		return n
	}
	scaler := func(kind autoscalingv2.HorizontalPodAutoscalerConditionType, status corev1.ConditionStatus, reason string, ago time.Duration, least int32) client.Object {
		h := &autoscalingv2.HorizontalPodAutoscaler{}
		h.Spec.MinReplicas, h.Spec.MaxReplicas = &least, 3
		h.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{{Type: kind, Status: status, Reason: reason, LastTransitionTime: since(ago)}}
		return h
	}
	object := func(spec, status map[string]any) client.Object {
		return &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"generation": int64(2)}, "spec": spec, "status": status}}
	}
	stamp := func(ago time.Duration) string { return noon.Add(-ago).Format(time.RFC3339) }
	ready := func(status, reason string, ago time.Duration, generation int64) map[string]any {
		return map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": status, "reason": reason, "lastTransitionTime": stamp(ago), "observedGeneration": generation}}}
	}
	cert := func(end, renewal time.Duration, failed bool) client.Object {
		s := map[string]any{"notAfter": stamp(-end), "renewalTime": stamp(-renewal)}
		if failed {
			s["lastFailureTime"] = stamp(time.Minute)
		}
		return object(nil, s)
	}
	awaited := func(ago time.Duration, failed bool) client.Object {
		s := ready("False", "DoesNotExist", ago, 2)
		if failed {
			s["lastFailureTime"] = stamp(ago)
		}
		return object(nil, s)
	}
	cordoned := func(n *corev1.Node) { n.Spec.Unschedulable = true }
	leaves := func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: "ToBeDeletedByClusterAutoscaler"}} }
	long, day := 2*patience, 24*time.Hour
	delivery := wardOf("Kustomization")
	for name, c := range map[string]struct {
		of   ward
		o    client.Object
		show bool
	}{
		"a node that is not ready":                    {nodeWard, node("Ready", "False", long), true},
		"a node of which nobody hears":                {nodeWard, node("Ready", "Unknown", long), true},
		"a node that is not ready just now":           {nodeWard, node("Ready", "False", time.Second), false},
		"a node that is well":                         {nodeWard, node("Ready", "True", long), false},
		"a node that is cordoned":                     {nodeWard, node("Ready", "True", long, cordoned), false},
		"a node that is taken away":                   {nodeWard, node("Ready", "False", long, leaves), false},
		"a node whose disk is full":                   {nodeWard, node("DiskPressure", "True", long), true},
		"a node whose disk has room":                  {nodeWard, node("DiskPressure", "False", long), false},
		"a node of which others say what they like":   {nodeWard, node("KernelDeadlock", "True", long), false},
		"an autoscaler that cannot measure":           {scalerWard, scaler("ScalingActive", "False", "FailedGetResourceMetric", long, 1), true},
		"an autoscaler that is disabled":              {scalerWard, scaler("ScalingActive", "False", "ScalingDisabled", long, 1), false},
		"an autoscaler without a target":              {scalerWard, scaler("AbleToScale", "False", "FailedGetScale", long, 1), true},
		"an autoscaler that backs off":                {scalerWard, scaler("AbleToScale", "False", "BackoffBoth", long, 1), false},
		"an autoscaler at its maximum":                {scalerWard, scaler("ScalingLimited", "True", "TooManyReplicas", 6*patience, 1), true},
		"an autoscaler at its maximum for a moment":   {scalerWard, scaler("ScalingLimited", "True", "TooManyReplicas", long, 1), false},
		"an autoscaler that is pinned":                {scalerWard, scaler("ScalingLimited", "True", "TooManyReplicas", 6*patience, 3), false},
		"an autoscaler at its least":                  {scalerWard, scaler("ScalingLimited", "True", "TooFewReplicas", 6*patience, 1), false},
		"a certificate that ran out":                  {certificateWard, cert(-time.Second, -day, false), true},
		"a certificate that is good":                  {certificateWard, cert(60*day, 30*day, false), false},
		"a renewal that is on time":                   {certificateWard, cert(20*day, -day, false), false},
		"a renewal that failed":                       {certificateWard, cert(20*day, -day, true), true},
		"a failure before the renewal that is due":    {certificateWard, cert(20*day, -time.Second, true), false},
		"a renewal that does not come":                {certificateWard, cert(5*day, -6*day, false), true},
		"a certificate that is being issued":          {certificateWard, awaited(long, false), false},
		"a certificate that nobody issues":            {certificateWard, awaited(6*patience, false), true},
		"a certificate whose request failed":          {certificateWard, awaited(long, true), true},
		"a certificate of which nothing is said":      {certificateWard, object(nil, nil), false},
		"a delivery that fails":                       {*delivery, object(nil, ready("False", "BuildFailed", long, 2)), true},
		"a delivery that is suspended":                {*delivery, object(map[string]any{"suspend": true}, ready("False", "BuildFailed", long, 2)), false},
		"a delivery that is under way":                {*delivery, object(nil, ready("False", "Progressing", long, 2)), false},
		"a delivery that failed before it was mended": {*delivery, object(nil, ready("False", "BuildFailed", long, 1)), false},
		"a delivery that fails just now":              {*delivery, object(nil, ready("False", "BuildFailed", time.Second, 2)), false},
		"an Application that cannot be compared":      {*wardOf("Application"), object(nil, map[string]any{"conditions": []any{map[string]any{"type": "ComparisonError", "lastTransitionTime": stamp(long)}}}), true},
		"an Application that is warned about":         {*wardOf("Application"), object(nil, map[string]any{"conditions": []any{map[string]any{"type": "OrphanedResourceWarning", "lastTransitionTime": stamp(long)}}}), false},
		"an operation that failed":                    {*wardOf("Application"), object(nil, map[string]any{"operationState": map[string]any{"phase": "Failed", "finishedAt": stamp(long)}}), true},
		"an operation that runs":                      {*wardOf("Application"), object(nil, map[string]any{"operationState": map[string]any{"phase": "Running"}}), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.of.signs(c.o, noon, patience); len(got) > 0 != c.show {
				t.Errorf("it shows %v", fmt.Sprint(got))
			}
		})
	}
}
