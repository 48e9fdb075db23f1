package remediate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// sweep looks at every pod, at every object of the wards, and at every Case that is not over, whatever events said. It goes the
// same way as an event: what shows a symptom is added to the intake.
func (p *patrol) sweep(ctx context.Context) {
	p.turns.anew()
	for _, do := range []func(context.Context) error{p.sweepPods, p.sweepWards, p.sweepCases} {
		err := flow.Shielded(p.Logger, "sweep", func() error { return do(ctx) })
		if err != nil && ctx.Err() == nil && !errors.Is(err, flow.ErrPanicked) {
			p.Logger.Warn("sweep", "error", err)
		}
	}
	p.say(ctx)
}

// common is what the pods of one revision have in common: where several show the same, one look is for all.
type common struct {
	namespace, owner, revision string
	sign                       causes.Sign
}

func (p *patrol) sweepPods(ctx context.Context) error { return p.sweepPodsOf(ctx, "") }

// sweepPodsOf looks at the pods of a namespace; empty: at all.
func (p *patrol) sweepPodsOf(ctx context.Context, namespace string) error {
	var list corev1.PodList
	if err := p.Reader.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil { // nothing below changes a pod
		return fmt.Errorf("list pods: %w", err)
	}
	now := p.Now()
	seen := map[common]bool{}
	for i := range list.Items {
		// What a pod wakes is logged there, and the others are looked at all the same.
		_ = flow.Shielded(p.Logger, "look at a pod in passing", func() error {
			p.pass(&list.Items[i], seen, now)
			return nil
		})
	}
	return nil
}

// pass adds a pod to the intake if it shows what no other of its revision does.
func (p *patrol) pass(pod *corev1.Pod, seen map[common]bool, now time.Time) {
	owner := pod.UID
	if controller := metav1.GetControllerOfNoCopy(pod); controller != nil {
		owner = controller.UID
	}
	for _, sign := range causes.Signs(pod, now, p.Settle) {
		c := common{pod.Namespace, string(owner), revisionOf(pod), sign}
		if !seen[c] {
			seen[c] = true
			p.intake.add(subject{kind: podKind.Kind, namespace: pod.Namespace, name: pod.Name, uid: string(pod.UID)}, now)
		}
	}
}

// sweepCases looks at the open Cases, one namespace after another; in between at the pods that wait, so that a long sweep
// does not hold them up. A namespace whose time is up goes on at the next sweep where it stopped.
func (p *patrol) sweepCases(ctx context.Context) error {
	var list v1alpha1.CaseList
	if err := p.Reader.List(ctx, &list, client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceRemediate)}); err != nil {
		return fmt.Errorf("list Cases: %w", err)
	}
	open := map[string][]*v1alpha1.Case{}
	clear(p.opened)
	for i := range list.Items {
		c := &list.Items[i]
		if Over(c) {
			continue
		}
		open[c.Namespace] = append(open[c.Namespace], c)
		if k, ok := keyOf(c); ok && k.ofMany() {
			p.adopt(k, c.Namespace)
		} else {
			p.opened[c.Namespace]++
		}
	}
	for _, namespace := range slices.Sorted(maps.Keys(open)) {
		for _, c := range inTurn(open[namespace], p.turns.next[namespace]) {
			k, ok := keyOf(c)
			if ok && !p.visit(ctx, namespace, "look whether a happening is over", func(ctx context.Context) error { return p.recovered(ctx, c, k) }) {
				p.turns.next[namespace] = c.Name
				break
			}
			delete(p.turns.next, namespace)
		}
		p.lookAll(ctx)
	}
	maps.DeleteFunc(p.turns.next, func(namespace, _ string) bool { return len(open[namespace]) == 0 })
	return nil
}

// inTurn puts Cases in the order of their names, beginning with the given one.
func inTurn(cases []*v1alpha1.Case, first string) []*v1alpha1.Case {
	slices.SortFunc(cases, func(a, b *v1alpha1.Case) int { return strings.Compare(a.Name, b.Name) })
	at, _ := slices.BinarySearchFunc(cases, first, func(c *v1alpha1.Case, name string) int { return strings.Compare(c.Name, name) })
	return slices.Concat(cases[at:], cases[:at])
}

// keyOf is the happening that a Case tells of.
func keyOf(c *v1alpha1.Case) (Key, bool) {
	s := c.Spec.Subject
	root := gate.Ref{Group: s.Group, Version: s.Version, Kind: s.Kind, Namespace: c.Namespace, Name: s.Name, UID: s.UID}
	return parseKey(root, c.Spec.Signal.Key)
}
