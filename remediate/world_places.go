package remediate

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// maxPlaced is for how many pods of one happening it is worked out why no node takes them. Pods of one revision are alike: where
// these agree, it holds for the others.
const maxPlaced = 8

// places reads the nodes and all that is on them, and works out what keeps the pods off.
func (e eye) places(ctx context.Context, w *causes.World) error {
	evidence := gate.Evidence{ID: causes.EvidencePlaces, Source: "nodes and what is on them", At: w.At, Trust: gate.FromAPI}
	var nodes corev1.NodeList
	var pods corev1.PodList
	if err := e.reader.List(ctx, &pods, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list the pods of all nodes: %w", err)
	}
	err := e.reader.List(ctx, &nodes, client.UnsafeDisableDeepCopy)
	if err != nil && !refused(err) {
		return fmt.Errorf("list the nodes: %w", err)
	}
	if err != nil {
		evidence.Unread = refusal(err)
		w.Evidence = append(w.Evidence, evidence)
		return nil
	}
	site := fit.NewSite(nodes.Items, pods.Items)
	waiting := map[string]*corev1.Pod{}
	for i := range pods.Items {
		if p := &pods.Items[i]; p.Spec.NodeName == "" {
			waiting[string(p.UID)] = p
		}
	}
	if site.Namespaces, err = e.namespaces(ctx); err != nil {
		return err
	}
	w.Places = map[string]causes.Place{}
	failing := w.Failing()
	for _, p := range failing[:min(len(failing), maxPlaced)] {
		if pod := waiting[p.Ref.UID]; pod != nil {
			if err := e.place(ctx, w, pod, site, &evidence); err != nil {
				return err
			}
		}
	}
	alike(w, failing)
	many, on := site.Size()
	evidence.Text = fmt.Sprintf("%d nodes with %d pods", many, on)
	w.Evidence = append(w.Evidence, evidence)
	return nil
}

// place works it out for one pod.
func (e eye) place(ctx context.Context, w *causes.World, pod *corev1.Pod, site fit.Site, evidence *gate.Evidence) error {
	var unread string
	var err error
	if site.Unbound, site.Volumes, unread, err = e.volumesOf(ctx, pod); err != nil {
		return err
	}
	if unread != "" {
		evidence.Unread = unread
	}
	answer := fit.Place(pod, site)
	w.Places[string(pod.UID)] = causes.Place{Answer: answer, Witness: witness(schedulerSays(pod), answer.Barrier)}
	return nil
}

// alike says of the pods beyond those that were looked at what holds of all that were.
func alike(w *causes.World, failing []causes.Pod) {
	if len(failing) <= maxPlaced {
		return
	}
	first, known := w.Places[failing[0].Ref.UID]
	for _, p := range failing[:maxPlaced] {
		if other, has := w.Places[p.Ref.UID]; !known || !has || other.Barrier != first.Barrier || other.Witness != first.Witness {
			return
		}
	}
	for _, p := range failing[maxPlaced:] {
		w.Places[p.Ref.UID] = first
	}
}

// schedulerSays is what the scheduler says of a pod.
func schedulerSays(pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled {
			return c.Message
		}
	}
	return ""
}

// namespaces are the labels of each. Where they may not be read, a rule that chooses by them picks nobody.
func (e eye) namespaces(ctx context.Context) (map[string]map[string]string, error) {
	list := metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	if err := e.owners.List(ctx, &list); err != nil && !refused(err) {
		return nil, fmt.Errorf("list the namespaces: %w", err)
	}
	all := map[string]map[string]string{}
	for i := range list.Items {
		all[list.Items[i].Name] = list.Items[i].Labels
	}
	return all, nil
}
