package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// The law: what people are told follows from a Case as it stands, and from nothing else. So it outlives a crash, two replicas say the
// same, and what has passed by the time that a receiver is there again is not told as if it were so.

// What people may be told: a closed list.
const (
	Escalated = "escalated"  // people have to see to it: nothing else is on the menu, or nobody knows how an action ended
	Approval  = "approval"   // a plan waits for nothing but people's word
	Acted     = "acted"      // something was done, and it is not known yet whether it helped
	Healed    = "healed"     // it is over, or what was done helped
	NotHealed = "not-healed" // what was done did not help, made it worse, or was refused
	Storm     = "storm"      // more at once than are told one by one
)

// Whats lists what people may be told.
func Whats() []string { return []string{Escalated, Approval, Acted, Healed, NotHealed, Storm} }

// asks is whether people have to do something.
func asks(what string) bool { return what == Escalated || what == Approval || what == NotHealed }

// The conditions by which faces say that what a Case tells of is over.
const (
	conditionRecovered = "Recovered" // of remediate
	conditionDrifted   = "Drifted"   // of drift
)

// view is what a Case comes to.
type view struct {
	What  string // empty: nothing to tell
	Since time.Time
	Over  bool      // what it tells of is over
	Did   bool      // something was done about it
	State string    // a hash of what a message about it says that is kept up to date
	Until time.Time // it is snoozed
}

// look is what a Case comes to. What a person was seen to do, and answers at the gate, are told by other means.
func look(k *v1alpha1.Case) view {
	if k.Spec.Witness != nil || k.Spec.Signal.Face == string(gate.FaceWebhook) {
		return view{}
	}
	var v view
	v.What, v.Since = happening(k)
	if since, is := over(k); is {
		v.What, v.Since, v.Over = Healed, since, true
	}
	text := ""
	if a := k.Status.Acting; a != nil {
		text = a.Phase + a.Plan + a.Text
		v.Did = a.Intent != nil
	}
	for _, b := range k.Status.Brakes {
		text += fmt.Sprint(b.Kind, b.Plan, b.User, b.Until)
		if b.Kind == v1alpha1.BrakeSnooze && b.Until != nil && b.Until.After(v.Until) {
			v.Until = b.Until.Time
		}
	}
	v.State = short(v.What, text, k.Status.Cause, k.Status.Summary, strings.Join(k.Status.Chosen, " "))
	return v
}

// over is whether what a Case tells of is over, as its face says, and since when.
func over(k *v1alpha1.Case) (since time.Time, is bool) {
	kind, good := conditionRecovered, metav1.ConditionTrue
	if k.Spec.Signal.Face == string(gate.FaceDrift) {
		kind, good = conditionDrifted, metav1.ConditionFalse
	}
	c := meta.FindStatusCondition(k.Status.Conditions, kind)
	if c == nil || c.Status != good && c.Reason != "Gone" {
		return time.Time{}, false
	}
	return c.LastTransitionTime.Time, true
}

// happening is what people may be told of a Case, and since when that is so.
func happening(k *v1alpha1.Case) (string, time.Time) {
	judged := meta.FindStatusCondition(k.Status.Conditions, v1alpha1.CaseJudged)
	if a := k.Status.Acting; a != nil {
		switch a.Phase {
		case v1alpha1.PhaseHealed:
			return Healed, a.At.Time
		case v1alpha1.PhaseIneffective, v1alpha1.PhaseWorsened, v1alpha1.PhaseRefused:
			return NotHealed, a.At.Time
		case v1alpha1.PhaseUnclear:
			return Escalated, a.At.Time
		case v1alpha1.PhaseActed:
			return Acted, a.At.Time
		case v1alpha1.PhaseHeld:
			if waits(a.Reasons) && k.Status.InhibitedBy == "" { // of a part nothing is told: what it is a part of is
				return Approval, a.At.Time
			}
		}
	}
	if judged != nil && judged.Status == metav1.ConditionTrue && verb(k) == "escalate" {
		return Escalated, judged.LastTransitionTime.Time
	}
	return "", time.Time{}
}

// What a human's approval lifts, and what is over by itself within moments.
var (
	lifted  = []string{"approval", "score", "confidence", "agreement", "history", "reversible"}
	passing = []string{"wait", "fresh"}
)

// waits is whether nothing holds a plan but what an approval lifts.
func waits(reasons []v1alpha1.Reason) bool {
	asked := false
	for _, r := range reasons {
		asked = asked || slices.Contains(lifted, r.Rule)
		if r.Decision != gate.Hold.String() || !slices.Contains(lifted, r.Rule) && !slices.Contains(passing, r.Rule) {
			return false
		}
	}
	return asked
}

// chosen is the one action that was chosen for a Case.
func chosen(k *v1alpha1.Case) (v1alpha1.Choice, bool) {
	if len(k.Status.Chosen) != 1 {
		return v1alpha1.Choice{}, false
	}
	i := slices.IndexFunc(k.Status.Menu, func(m v1alpha1.Choice) bool { return m.ID == k.Status.Chosen[0] })
	if i < 0 {
		return v1alpha1.Choice{}, false
	}
	return k.Status.Menu[i], true
}

func verb(k *v1alpha1.Case) string {
	c, _ := chosen(k)
	return c.Verb
}

// short is a hash of texts: 32 hexadecimal digits.
func short(texts ...string) string {
	sum := sha256.New()
	for _, t := range texts {
		_, _ = fmt.Fprintf(sum, "%d:%s", len(t), t)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
