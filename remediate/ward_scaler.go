package remediate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// The law: an autoscaler is blind where its controller says for a while that it cannot measure (ScalingActive is False) or cannot find
// or change what it scales (AbleToScale is False). One whose target is scaled to nothing is disabled, and says so in its reason: that
// is no fault. One that would have more pods than it may make is told after a long while, unless its least is its most.
var scalerWard = ward{kind: autoscalingv2.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler"), shows: []causes.Symptom{causes.AutoscalerBlind},
	one: func() client.Object { return &autoscalingv2.HorizontalPodAutoscaler{} }, list: func() client.ObjectList { return &autoscalingv2.HorizontalPodAutoscalerList{} },
	signs: scalerSigns, conditions: scalerConditions}

// lost are the reasons for which an autoscaler cannot scale for good. The others pass: it backs off, or holds still on purpose.
var lost = []string{"FailedGetScale", "FailedUpdateScale"}

func scalerSigns(o client.Object, now time.Time, patience time.Duration) []causes.Symptom {
	h, ok := o.(*autoscalingv2.HorizontalPodAutoscaler)
	if !ok || h.DeletionTimestamp != nil {
		return nil
	}
	least := int32(1)
	if h.Spec.MinReplicas != nil {
		least = *h.Spec.MinReplicas
	}
	for _, c := range h.Status.Conditions {
		blind, wait := false, patience
		switch c.Type {
		case autoscalingv2.ScalingActive:
			blind = c.Status == corev1.ConditionFalse && c.Reason != "ScalingDisabled"
		case autoscalingv2.AbleToScale:
			blind = c.Status == corev1.ConditionFalse && slices.Contains(lost, c.Reason)
		case autoscalingv2.ScalingLimited:
			blind = c.Status == corev1.ConditionTrue && c.Reason == "TooManyReplicas" && least < h.Spec.MaxReplicas
			wait = enduring * patience
		}
		if blind && now.Sub(c.LastTransitionTime.Time) >= wait {
			return []causes.Symptom{causes.AutoscalerBlind}
		}
	}
	return nil
}

func scalerConditions(o client.Object) (all []causes.Condition) {
	h, ok := o.(*autoscalingv2.HorizontalPodAutoscaler)
	if !ok {
		return nil
	}
	for _, c := range h.Status.Conditions {
		all = append(all, stated(string(c.Type), string(c.Status), c.Reason, c.LastTransitionTime.Time, causes.ToldOfScaler(c.Message)))
	}
	return all
}

// scaler reads what an autoscaler is to scale, and whether anybody serves the metrics of pods.
func (e eye) scaler(ctx context.Context, w *causes.World) error {
	if len(w.Stuck()) == 0 {
		return nil
	}
	var h autoscalingv2.HorizontalPodAutoscaler
	ref := w.Stuck()[0].Ref
	if err := e.owners.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, &h); err != nil {
		if refused(err) {
			return nil // it says what it says, and nothing besides is known
		}
		return fmt.Errorf("read %s: %w", ref, err)
	}
	target := h.Spec.ScaleTargetRef
	s := &causes.Scaler{Target: gate.OneLine(target.Kind+"/"+target.Name, maxField), Most: h.Spec.MaxReplicas, Resource: measured(&h)}
	evidence := gate.Evidence{ID: causes.EvidenceScaler, Source: "target of " + ref.Kind + "/" + ref.Name, At: w.At, Trust: gate.FromAPI}
	template, err := e.target(ctx, h.Namespace, target)
	switch {
	case err == nil:
		s.There, s.Bare = gate.Known(true), bareOf(template, s.Resource)
	case apierrors.IsNotFound(err):
		s.There = gate.Known(false)
	case refused(err):
		evidence.Unread = refusal(err)
	default:
		return fmt.Errorf("read %s, which %s scales: %w", s.Target, ref, err)
	}
	served := metav1.PartialObjectMetadataList{}
	served.SetGroupVersionKind(podMetrics.GroupVersion().WithKind(podMetrics.Kind + "List"))
	switch err := e.owners.List(ctx, &served, client.InNamespace(h.Namespace), client.Limit(1)); {
	case err == nil:
		s.Metrics = gate.Known(true)
	case meta.IsNoMatchError(err) || apierrors.IsNotFound(err) || apierrors.IsServiceUnavailable(err):
		s.Metrics = gate.Known(false)
	default:
		s.Metrics = gate.Unknown[bool]("whether anybody serves metrics cannot be read")
	}
	evidence.Text = fmt.Sprintf("%s; it measures %s of what pods ask for; containers without such a request: %s", s.Target, orNone(s.Resource), orNone(s.Bare))
	w.Scaler, w.Evidence = s, append(w.Evidence, evidence)
	return nil
}

// target is the pod template of what is scaled, as far as it has one. Nothing of it is kept but names.
func (e eye) target(ctx context.Context, namespace string, ref autoscalingv2.CrossVersionObjectReference) (corev1.PodTemplateSpec, error) {
	var template corev1.PodTemplateSpec
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil || impossible(ref.Name) {
		return template, apierrors.NewNotFound(schema.GroupResource{Resource: ref.Kind}, ref.Name)
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gv.WithKind(ref.Kind))
	if err := e.owners.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, u); err != nil {
		return template, err
	}
	if raw, found, _ := unstructured.NestedMap(u.Object, "spec", "template"); found {
		_ = runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &template) // what is no template has no containers
	}
	return template, nil
}

// measured is what an autoscaler measures as a share of what pods ask for.
func measured(h *autoscalingv2.HorizontalPodAutoscaler) (all []string) {
	for _, m := range h.Spec.Metrics {
		if m.Resource != nil && m.Resource.Target.Type == autoscalingv2.UtilizationMetricType {
			all = append(all, gate.OneLine(string(m.Resource.Name), maxField))
		}
		if m.ContainerResource != nil && m.ContainerResource.Target.Type == autoscalingv2.UtilizationMetricType {
			all = append(all, gate.OneLine(string(m.ContainerResource.Name), maxField))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// bareOf are the containers that ask for none of one of the resources. A limit alone is a request too.
func bareOf(t corev1.PodTemplateSpec, resources []string) (all []string) {
	for _, c := range t.Spec.Containers {
		for _, r := range resources {
			_, asks := c.Resources.Requests[corev1.ResourceName(r)]
			_, limited := c.Resources.Limits[corev1.ResourceName(r)]
			if !asks && !limited && !slices.Contains(all, c.Name) {
				all = append(all, c.Name)
			}
		}
	}
	return all
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
