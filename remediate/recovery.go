package remediate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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
// it lasts, or did when somebody looked last; the reason is the symptom.
const ConditionRecovered = "Recovered"

// Over is whether a Case was said to be over. One that was, and fails again, is found by its pods.
func Over(c *v1alpha1.Case) bool {
	condition := meta.FindStatusCondition(c.Status.Conditions, ConditionRecovered)
	return condition != nil && (condition.Status == metav1.ConditionTrue || condition.Reason == "Gone")
}

// recovered says on a Case that it is over, if it is.
func (p *patrol) recovered(ctx context.Context, c *v1alpha1.Case, k Key) error {
	if k.ofMany() {
		return p.sharedOver(ctx, c, k)
	}
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
	if apierrors.IsNotFound(err) || err == nil && (live.UID != c.UID || Over(&live) || says(&live, reason)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read case %s: %w", key, err)
	}
	if p.told[live.UID] != reason {
		if _, err := p.Log.Append(ctx, gate.Record{Kind: gate.RecordNote, Correlation: key.String(), Text: gate.OneLine(reason+": "+text, 1024)}); err != nil {
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
	p.Logger.Info("what a Case tells of is over", "case", key.String(), "reason", reason)
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
	case complete && !w.Symptom.OfPod():
		return endingOf(w, name)
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

// endingOf says how a happening ended that is none of pods.
func endingOf(w causes.World, name string) (status metav1.ConditionStatus, reason, text string) {
	if slices.ContainsFunc(w.Objects, func(o causes.Object) bool { return o.State != causes.Well }) {
		return "", "", ""
	}
	if len(w.Objects) == 0 {
		return metav1.ConditionUnknown, "Gone", "nothing of " + name + " is left that could show it"
	}
	return metav1.ConditionTrue, "Ready", name + " is well"
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
	meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: ConditionRecovered, Status: status, Reason: reason, Message: gate.OneLine(text, 1024),
		LastTransitionTime: metav1.NewTime(now)})
}
