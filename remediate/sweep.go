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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// ConditionRecovered on a Case says whether what it tells of is over. True: every pod of the workload is ready again, with
// the same revision (Ready) or another (Replaced). Unknown: nothing is left that could be looked at (NoPods, Gone). False:
// it crash-loops, or did when somebody looked last.
const ConditionRecovered = "Recovered"

// sweep looks at every pod and at every Case that is not over, whatever events said. It goes the same way as an event: a
// pod that crash-loops is added to the intake.
func (p *patrol) sweep(ctx context.Context) {
	p.turns.anew()
	for _, do := range []func(context.Context) error{p.sweepPods, p.sweepCases} {
		err := shielded(p.Logger, "sweep", func() error { return do(ctx) })
		if err != nil && ctx.Err() == nil && !errors.Is(err, errPanicked) {
			p.Logger.Warn("sweep", "error", err)
		}
	}
	p.say(ctx)
}

// crashing is what the pods of one revision have in common: where one container of them crash-loops, one look is for all.
type crashing struct{ namespace, owner, revision, container string }

func (p *patrol) sweepPods(ctx context.Context) error {
	var list corev1.PodList
	if err := p.Reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil { // nothing below changes a pod
		return fmt.Errorf("list pods: %w", err)
	}
	now := p.Now()
	seen := map[crashing]bool{}
	for i := range list.Items {
		// What a pod wakes is logged there, and the others are looked at all the same.
		_ = shielded(p.Logger, "look at a pod in passing", func() error {
			p.pass(&list.Items[i], seen, now)
			return nil
		})
	}
	return nil
}

// pass adds a pod to the intake if it crash-loops and is the first of its revision.
func (p *patrol) pass(pod *corev1.Pod, seen map[crashing]bool, now time.Time) {
	owner := pod.UID
	if controller := metav1.GetControllerOfNoCopy(pod); controller != nil {
		owner = controller.UID
	}
	for _, container := range causes.Containers(pod) {
		g := crashing{pod.Namespace, string(owner), revisionOf(pod), container}
		if seen[g] || pod.DeletionTimestamp != nil || causes.PodOf(pod, container, now, p.Settle).State != causes.Looping {
			continue
		}
		seen[g] = true
		p.intake.add(subject{namespace: pod.Namespace, name: pod.Name, uid: string(pod.UID)}, now)
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
	for i := range list.Items {
		if c := &list.Items[i]; !over(c) {
			open[c.Namespace] = append(open[c.Namespace], c)
		}
	}
	for _, namespace := range slices.Sorted(maps.Keys(open)) {
		for _, c := range inTurn(open[namespace], p.turns.next[namespace]) {
			k, ok := keyOf(c)
			if ok && !p.visit(ctx, namespace, "look whether a crash loop is over", func(ctx context.Context) error { return p.recovered(ctx, c, k) }) {
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

// over is whether a Case was said to be over. One that was, and crash-loops again, is found by its pods.
func over(c *v1alpha1.Case) bool {
	condition := meta.FindStatusCondition(c.Status.Conditions, ConditionRecovered)
	return condition != nil && (condition.Status == metav1.ConditionTrue || condition.Reason == "Gone")
}

// recovered says on a Case that it is over, if it is.
func (p *patrol) recovered(ctx context.Context, c *v1alpha1.Case, k Key) error {
	now := p.Now()
	w, err := p.eye.observe(ctx, k, now)
	gone := errors.Is(err, errGone)
	if err != nil && !gone {
		return fmt.Errorf("look whether %s recovered: %w", k.Root, err)
	}
	status, reason, text := ending(w, gone)
	if reason == "" || says(c, reason) {
		return nil
	}
	return p.end(ctx, c, k, func(s *v1alpha1.CaseStatus) { set(s, status, reason, text, now) }, reason, text)
}

// end records that a Case is over and says so on it. The Case may have come from a cache, which does not know yet what was
// said a moment ago, so it is read again: what is recorded is recorded once, also where the Case cannot be written.
func (p *patrol) end(ctx context.Context, c *v1alpha1.Case, k Key, change func(*v1alpha1.CaseStatus), reason, text string) error {
	key := client.ObjectKeyFromObject(c)
	var live v1alpha1.Case
	err := p.Cases.Client.Get(ctx, key, &live)
	if apierrors.IsNotFound(err) || err == nil && (live.UID != c.UID || over(&live) || says(&live, reason)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read case %s: %w", key, err)
	}
	if p.told[live.UID] != reason {
		if _, err := p.Log.Append(ctx, gate.Record{Kind: gate.RecordNote, Correlation: key.String(), Text: causes.Clean(reason+": "+text, 1024)}); err != nil {
			return fmt.Errorf("record that case %s is over: %w", key, err)
		}
		if len(p.told) >= maxKnown {
			clear(p.told)
		}
		p.told[live.UID] = reason
	}
	if err := p.keep(ctx, key, change); err != nil {
		return err
	}
	delete(p.told, live.UID)
	p.memory.forget(k)
	p.Logger.Info("a crash loop is not seen any more", "case", key.String(), "reason", reason)
	return nil
}

// says is whether a Case tells of a recovery, or its lack, for this reason.
func says(c *v1alpha1.Case, reason string) bool {
	condition := meta.FindStatusCondition(c.Status.Conditions, ConditionRecovered)
	return condition != nil && condition.Reason == reason
}

// ending says how a happening ended. An empty reason means that it did not, or that nobody can say.
func ending(w causes.World, gone bool) (status metav1.ConditionStatus, reason, text string) {
	complete, _ := w.Complete.Get()
	name := w.Root.Kind + "/" + w.Root.Name
	switch {
	case gone:
		return metav1.ConditionUnknown, "Gone", name + " was deleted"
	case !complete:
		return "", "", ""
	case len(w.Pods)+len(w.Others) == 0:
		return metav1.ConditionUnknown, "NoPods", name + " has no pods any more"
	case !healthy(w.Pods) || !healthy(w.Others):
		return "", "", ""
	case len(w.Pods) == 0:
		return metav1.ConditionTrue, "Replaced", fmt.Sprintf("no pod of this revision is left, and all %d pods of %s are well", len(w.Others), name)
	}
	return metav1.ConditionTrue, "Ready", fmt.Sprintf("all %d pods of %s are well", len(w.Pods)+len(w.Others), name)
}

func healthy(pods []causes.Pod) bool {
	for _, p := range pods {
		if !p.Healthy {
			return false
		}
	}
	return true
}

func set(s *v1alpha1.CaseStatus, status metav1.ConditionStatus, reason, text string, now time.Time) {
	meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: ConditionRecovered, Status: status, Reason: reason, Message: causes.Clean(text, 1024),
		LastTransitionTime: metav1.NewTime(now)})
}
