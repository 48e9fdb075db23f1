package remediate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// backends reads whom a Service picks. It is well where another of its slices has somebody, and where nobody is meant to be there: the
// workloads that it picks are scaled to nothing, or run only at times. Where its pods ail, or a workload has none that should have some,
// that is told of them.
func (e eye) backends(ctx context.Context, w *causes.World) error {
	if slices.ContainsFunc(w.Objects, func(o causes.Object) bool { return o.State == causes.Well }) {
		spare(w, causes.Well)
		return nil
	}
	var s corev1.Service
	if err := e.owners.Get(ctx, client.ObjectKey{Namespace: w.Root.Namespace, Name: w.Root.Name}, &s); err != nil {
		return ignored(err)
	}
	var pods corev1.PodList
	if err := e.reader.List(ctx, &pods, client.InNamespace(s.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list the pods of %s: %w", w.Root, err)
	}
	var picked []*corev1.Pod
	selector := labels.SelectorFromSet(s.Spec.Selector)
	for i := range pods.Items {
		if p := &pods.Items[i]; !causes.Ended(p) && selector.Matches(labels.Set(p.Labels)) {
			picked = append(picked, p)
		}
	}
	if len(picked) == 0 {
		meant, there, err := e.meant(ctx, s.Namespace, selector)
		if err != nil {
			return err
		}
		if meant {
			spare(w, causes.Unwell)
		} else if there {
			spare(w, causes.Well)
		}
	}
	if e.ail(picked, w) {
		spare(w, causes.Unwell)
	}
	if !w.Shows() {
		return nil
	}
	b := causes.Backends{Selector: gate.OneLine(selector.String(), maxField), Picked: len(picked), Missing: missing(s.Spec.Selector, pods.Items)}
	for _, p := range picked {
		if podReady(p) && p.DeletionTimestamp == nil {
			b.Ready++
		}
	}
	b.Port = undeclared(&s, picked)
	w.Backends = &b
	beheld(w, causes.EvidenceBackends, "pods that Service/"+s.Name+" picks", fmt.Sprintf("%d pods have %s, %d of them are ready", b.Picked, b.Selector, b.Ready), nil)
	return nil
}

// missing is the first label of a selector that no pod has; where each is on some pod, the selector as a whole.
func missing(selector map[string]string, pods []corev1.Pod) string {
	for _, k := range slices.Sorted(maps.Keys(selector)) {
		if !slices.ContainsFunc(pods, func(p corev1.Pod) bool { return p.Labels[k] == selector[k] }) {
			return gate.OneLine(k+"="+selector[k], maxField)
		}
	}
	return gate.OneLine(strings.ReplaceAll(labels.FormatLabels(selector), ",", " and "), maxField)
}

// undeclared is a target port by name that no ready pod declares; empty for none.
func undeclared(s *corev1.Service, pods []*corev1.Pod) string {
	for _, port := range s.Spec.Ports {
		name := port.TargetPort
		declares := func(c corev1.Container) bool {
			return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == name.StrVal })
		}
		if name.Type == intstr.String && !slices.ContainsFunc(pods, func(p *corev1.Pod) bool {
			return podReady(p) && (slices.ContainsFunc(p.Spec.Containers, declares) || slices.ContainsFunc(p.Spec.InitContainers, declares))
		}) {
			return gate.OneLine(name.StrVal, maxField)
		}
	}
	return ""
}
