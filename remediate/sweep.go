package remediate

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
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
	if err := p.sweepPods(ctx); err != nil && ctx.Err() == nil {
		p.Logger.Warn("look at every pod", "error", err)
	}
	if err := p.sweepCases(ctx); err != nil && ctx.Err() == nil {
		p.Logger.Warn("look at every open Case", "error", err)
	}
	p.say(ctx)
}

func (p *patrol) sweepPods(ctx context.Context) error {
	var list corev1.PodList
	if err := p.Reader.List(ctx, &list); err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	now := p.Now()
	type group struct{ namespace, owner, revision, container string }
	seen := map[group]bool{}
	for i := range list.Items {
		pod := &list.Items[i]
		owner := pod.UID
		if controller := metav1.GetControllerOf(pod); controller != nil {
			owner = controller.UID
		}
		for _, container := range causes.Containers(pod) {
			g := group{pod.Namespace, string(owner), revisionOf(pod), container}
			if seen[g] || pod.DeletionTimestamp != nil || causes.PodOf(pod, container, now, p.Settle).State != causes.Looping {
				continue
			}
			seen[g] = true // its siblings are looked at with it
			p.intake.add(subject{namespace: pod.Namespace, name: pod.Name, uid: string(pod.UID)}, now)
		}
	}
	return nil
}

func (p *patrol) sweepCases(ctx context.Context) error {
	var list v1alpha1.CaseList
	if err := p.Reader.List(ctx, &list, client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceRemediate)}); err != nil {
		return fmt.Errorf("list Cases: %w", err)
	}
	var errs []error
	for i := range list.Items {
		k, ok := keyOf(&list.Items[i])
		if !ok || over(&list.Items[i]) {
			continue
		}
		if err := p.recovered(ctx, &list.Items[i], k); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
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
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	now := p.Now()
	w, err := p.eye.observe(ctx, k, now)
	gone := errors.Is(err, errGone)
	if err != nil && !gone {
		return fmt.Errorf("look whether %s recovered: %w", k.Root, err)
	}
	status, reason, text := ending(w, gone)
	if said := meta.FindStatusCondition(c.Status.Conditions, ConditionRecovered); reason == "" || said != nil && said.Reason == reason {
		return nil
	}
	if _, err := p.Log.Append(ctx, gate.Record{Kind: gate.RecordNote, Correlation: c.Namespace + "/" + c.Name, Text: reason + ": " + text}); err != nil {
		return fmt.Errorf("record that case %s/%s is over: %w", c.Namespace, c.Name, err)
	}
	p.memory.forget(k)
	p.Logger.Info("a crash loop is not seen any more", "case", c.Namespace+"/"+c.Name, "reason", reason)
	return p.Cases.Keep(ctx, client.ObjectKeyFromObject(c), func(s *v1alpha1.CaseStatus) { set(s, status, reason, text, now) })
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
	meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: ConditionRecovered, Status: status, Reason: reason, Message: text,
		LastTransitionTime: metav1.NewTime(now)})
}
