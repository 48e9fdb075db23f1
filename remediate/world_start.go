package remediate

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/remediate/causes"
)

// starts reads what pods need that have a node and do not begin, and how others fare on these nodes.
func (e eye) starts(ctx context.Context, w *causes.World) error {
	var list corev1.PodList
	if err := e.reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list the pods of all nodes: %w", err)
	}
	failing, since := map[string]*corev1.Pod{}, w.At
	for _, p := range w.Failing() {
		failing[p.Ref.UID] = nil
	}
	for i := range list.Items {
		p := &list.Items[i]
		if _, ours := failing[string(p.UID)]; ours {
			failing[string(p.UID)] = p
			if at := scheduledAt(p); at.Before(since) {
				since = at
			}
		}
	}
	attached, err := e.attachments(ctx)
	if err != nil && !refused(err) {
		return fmt.Errorf("list the attachments of volumes: %w", err)
	}
	v := volumes{eye: e, attached: attached, unread: err}
	w.Starts, w.Grounds = map[string]causes.Start{}, e.grounds(list.Items, since, w.At)
	for _, p := range w.Failing()[:min(len(w.Failing()), maxPlaced)] {
		pod := failing[p.Ref.UID]
		if pod == nil {
			continue
		}
		if w.Starts[p.Ref.UID], err = v.of(ctx, pod); err != nil {
			return err
		}
	}
	beheld(w, causes.EvidenceVolumes, "volumes of "+w.Root.Kind+"/"+w.Root.Name, fmt.Sprintf("%d pods looked at", len(w.Starts)), v.unread)
	beheld(w, causes.EvidenceGrounds, "pods of all nodes", fmt.Sprintf("how pods began on %d nodes since %s", len(w.Grounds), since.UTC().Format(time.RFC3339)), nil)
	return nil
}

func scheduledAt(p *corev1.Pod) time.Time {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled {
			return c.LastTransitionTime.Time
		}
	}
	return p.CreationTimestamp.Time
}

// grounds are how pods fare on each node, since a time, of those that need nothing but the node.
func (e eye) grounds(pods []corev1.Pod, since, at time.Time) map[string]causes.Ground {
	all, whose := map[string]causes.Ground{}, map[string]map[types.UID]bool{}
	for i := range pods {
		p := &pods[i]
		if p.Spec.NodeName == "" || p.Spec.HostNetwork || p.DeletionTimestamp != nil || !bare(p) {
			continue
		}
		g := all[p.Spec.NodeName]
		switch {
		case slices.Contains(causes.Signs(p, at, e.settle), causes.Sign{Symptom: causes.NotStarting}):
			g.Asleep++
			if whose[p.Spec.NodeName] == nil {
				whose[p.Spec.NodeName] = map[types.UID]bool{}
			}
			whose[p.Spec.NodeName][controllerOf(p)] = true
			g.Workloads = len(whose[p.Spec.NodeName])
		case scheduledAt(p).After(since) && began(p):
			g.Began++
		}
		all[p.Spec.NodeName] = g
	}
	return all
}

// controllerOf is the UID of what makes such pods, or the pod's own where nothing does.
func controllerOf(p *corev1.Pod) types.UID {
	if c := metav1.GetControllerOfNoCopy(p); c != nil {
		return c.UID
	}
	return p.UID
}

// rootCA is the ConfigMap that the volume of every ServiceAccount's token is made of. Every namespace has it.
const rootCA = "kube-root-ca.crt"

// bare is whether nothing but its node can keep a pod from beginning: no volume from outside, and none made of what may be missing.
func bare(p *corev1.Pod) bool {
	return mounts(p) == 0 && !slices.ContainsFunc(p.Spec.Volumes, func(v corev1.Volume) bool {
		return slices.ContainsFunc(needs(&v), func(n need) bool { return n.name != rootCA })
	})
}

// began is whether any container of a pod was started.
func began(p *corev1.Pod) bool {
	return slices.ContainsFunc(slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses), func(s corev1.ContainerStatus) bool {
		return s.State.Running != nil || s.State.Terminated != nil || s.LastTerminationState.Terminated != nil
	})
}

// mounts is how many volumes of a pod are mounted from outside of the API.
func mounts(p *corev1.Pod) (n int) {
	for _, v := range p.Spec.Volumes {
		if v.ConfigMap == nil && v.Secret == nil && v.Projected == nil && v.DownwardAPI == nil && v.EmptyDir == nil {
			n++
		}
	}
	return n
}
