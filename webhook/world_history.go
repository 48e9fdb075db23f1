package webhook

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// history reads what became of the workload and of the namespace: revisions, own pods, and how the other pods fare.
func (w World) history(ctx context.Context, old *checks.Workload, ns string, world *checks.World) []gate.Evidence {
	var seen []gate.Evidence
	owners := map[types.UID]bool{}
	if old != nil && !keepsRevisions(groupKind(old.Ref)) {
		world.Revisions = gate.Unknown[[]checks.Revision]("those of a " + old.Ref.Kind + " are not looked at")
	} else if old != nil {
		world.Revisions = w.revisions(ctx, old, ns, owners, &world.OlderRevisions)
		seen = append(seen, evidenceOf(checks.EvidenceRevisions, "earlier revisions", world.Revisions)...)
	}
	pods, err := w.podsOf(ctx, ns)
	if err != nil {
		why := because(err)
		world.Pods, world.Failures = gate.Unknown[[]corev1.Pod](why), gate.Unknown[checks.Failures](why)
		world.Neighbours = gate.Unknown[checks.Neighbours](why)
		return append(seen, gate.Evidence{ID: checks.EvidencePods, Source: "Pods", Unread: why})
	}
	var mine []*corev1.Pod
	others := make([]*corev1.Pod, 0, len(pods))
	belongs := membership(old, owners)
	for _, pod := range pods {
		if belongs(pod) {
			mine = append(mine, pod)
		} else {
			others = append(others, pod)
		}
	}
	own := make([]corev1.Pod, len(mine)) // they are large, so that room is made for them once
	for i, pod := range mine {
		own[i] = *pod
	}
	failures := checks.CountFailures(others, world.At)
	neighbours := checks.NeighboursOf(others)
	world.Pods, world.Failures, world.Neighbours = gate.Known(own), gate.Known(failures), gate.Known(neighbours)
	if old != nil && old.Selector == nil && !old.Once {
		world.Pods = gate.Unknown[[]corev1.Pod]("nothing says which pods are those of a " + old.Ref.Kind + ": its shape names no selector")
	}
	seen = append(seen, evidenceOf(checks.EvidencePods, "Pods", world.Pods)...)
	seen = append(seen, gate.Evidence{ID: checks.EvidenceNeighbours, Source: "other Pods that run", Text: strconv.Itoa(len(neighbours))})
	return append(seen, gate.Evidence{ID: checks.EvidenceFailures,
		Source: "other Pods of the namespace", Text: fmt.Sprintf("%d of %d fail", failures.Failing, failures.Pods)})
}

// membership returns whether a pod is the workload's: picked by its selector and, where owners are known, owned by it.
func membership(old *checks.Workload, owners map[types.UID]bool) func(*corev1.Pod) bool {
	if old == nil {
		return func(*corev1.Pod) bool { return false }
	}
	selector, err := metav1.LabelSelectorAsSelector(old.Selector)
	if err != nil {
		selector = labels.Nothing()
	}
	if numbered(groupKind(old.Ref)) == "" && old.Ref.UID != "" {
		owners[types.UID(old.Ref.UID)] = true
	}
	return func(p *corev1.Pod) bool {
		if len(owners) > 0 { // it is asked about every pod of the namespace, and this is the cheaper half
			if owner := metav1.GetControllerOfNoCopy(p); owner == nil || !owners[owner.UID] {
				return false
			}
		}
		return selector.Matches(labels.Set(p.Labels))
	}
}

// revisions reads the templates that the workload has had, and notes the UIDs of its ReplicaSets as owners. Only
// the newest are hashed; how many there are beyond them is noted.
func (w World) revisions(ctx context.Context, old *checks.Workload, ns string, owners map[types.UID]bool, older *int) gate.Fact[[]checks.Revision] {
	past, err := pastOf(ctx, w.Reader, groupKind(old.Ref), ns, func(o metav1.Object) bool { return ownedBy(o, old) }, client.UnsafeDisableDeepCopy)
	if err != nil {
		return gate.Unknown[[]checks.Revision](because(err))
	}
	if numbered(groupKind(old.Ref)) != "" {
		for _, p := range past {
			owners[p.object.GetUID()] = true
		}
	}
	*older = max(0, len(past)-revisionsMax)
	all := []checks.Revision{}
	for _, p := range past[:min(len(past), revisionsMax)] {
		hash, err := w.Hashes.of(p)
		if err != nil {
			return gate.Unknown[[]checks.Revision](because(err))
		}
		all = append(all, checks.Revision{Name: p.object.GetName(), Number: p.number, Hash: hash})
	}
	return gate.Known(all)
}

func ownedBy(object metav1.Object, w *checks.Workload) bool {
	owner := metav1.GetControllerOfNoCopy(object)
	return owner != nil && owner.Kind == w.Ref.Kind && owner.Name == w.Ref.Name && (w.Ref.UID == "" || string(owner.UID) == w.Ref.UID)
}
