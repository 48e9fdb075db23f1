package app

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	"moorgate.dev/webhook"
)

// What a Case waits for is read off what others have written on it; nothing is decided here. Where it cannot be told, a human should
// look: that costs them a glance, and the other mistake costs a night.

// waiting is what a Case waits for, and from whom.
type waiting struct {
	For  string `json:"for"` // human, model, moorgate or nobody
	What string `json:"what,omitempty"`
	rank int    // what needs a human most comes first
}

const (
	forHuman, forModel, forMoorgate, forNobody = "human", "model", "moorgate", "nobody"

	rankUrgent, rankApproval, rankReview, rankLook, rankModel, rankMoorgate, rankNobody = 0, 1, 2, 3, 4, 5, 6
)

func waitLook(what string) waiting     { return waiting{forHuman, what, rankLook} }
func waitMoorgate(what string) waiting { return waiting{forMoorgate, what, rankMoorgate} }
func waitNobody(what string) waiting   { return waiting{forNobody, what, rankNobody} }

// passes are the rules that hold only for a while: nobody has to do anything.
var passes = []string{"budget", "cool-down", "freeze", "fresh", "storm", "wait"}

func waitsFor(c *v1alpha1.Case) waiting {
	s, signal := &c.Status, c.Spec.Signal
	drifted := meta.FindStatusCondition(s.Conditions, drift.CaseDrifted)
	switch {
	case signal.Reason == v1alpha1.ReasonWitnessed || signal.Reason == v1alpha1.ReasonReverted:
		return waitNobody("for the record")
	case drifted != nil && drifted.Status == metav1.ConditionFalse:
		return waitNobody("the drift is gone")
	case remediate.Over(c) && !(s.Acting != nil && slices.Contains(unfinished, s.Acting.Phase)):
		return waitNobody(overText(c))
	case s.InhibitedBy != "" && (s.Acting == nil || s.Acting.Phase == v1alpha1.PhaseHeld):
		return waitNobody("a part of " + s.InhibitedBy)
	case s.Acting != nil:
		return actingWaits(c)
	case signal.Face == string(gate.FaceWebhook):
		return rolloutWaits(c)
	case s.Decision == "":
		return waitMoorgate("a verdict")
	case s.Decision != gate.Allow.String():
		return heldWaits(s.Reasons, verbOn(c))
	case slices.Contains([]string{gate.ReachLive.String(), gate.ReachGit.String()}, reachOn(c)):
		return waitMoorgate(verbOn(c))
	}
	return waitLook(cmp.Or(verbOn(c), "nothing was chosen"))
}

// unfinished are the phases of an action that say more than that the workload is well: something is still to be found out, or it healed.
var unfinished = []string{v1alpha1.PhaseActing, v1alpha1.PhaseActed, v1alpha1.PhaseHealed, v1alpha1.PhaseUnclear}

// overText says how what a Case of a workload tells of ended.
func overText(c *v1alpha1.Case) string {
	if meta.IsStatusConditionTrue(c.Status.Conditions, remediate.ConditionRecovered) {
		return "it recovered"
	}
	return "it was deleted"
}

// actingWaits is what is waited for once it was looked at whether to act.
func actingWaits(c *v1alpha1.Case) waiting {
	a := c.Status.Acting
	switch a.Phase {
	case v1alpha1.PhaseUnclear:
		return waiting{forHuman, "nobody knows how " + a.Verb + " ended", rankUrgent}
	case v1alpha1.PhaseWorsened:
		return waiting{forHuman, "it got worse after " + a.Verb, rankUrgent}
	case v1alpha1.PhaseIneffective:
		if a.Verb == pullRequestVerb {
			return waitLook("its pull request did not settle it")
		}
		return waitLook(a.Verb + " did not help")
	case v1alpha1.PhaseRefused:
		return waitLook(a.Verb + " was refused")
	case v1alpha1.PhaseHeld:
		return heldWaits(a.Reasons, cmp.Or(a.Verb, verbOn(c)))
	case v1alpha1.PhaseActing:
		return waitMoorgate("how " + a.Verb + " ends")
	case v1alpha1.PhaseActed:
		if a.Verb == pullRequestVerb {
			return waiting{forHuman, "review the pull request", rankReview}
		}
		return waitMoorgate("whether " + a.Verb + " helped")
	case v1alpha1.PhaseHealed:
		return waitNobody("healed")
	}
	return waitLook(a.Phase)
}

const pullRequestVerb = "pull-request"

// heldWaits is what is waited for where rules hold something back.
func heldWaits(reasons []v1alpha1.Reason, verb string) waiting {
	var rules []string
	approval := false
	for _, r := range reasons {
		refused := r.Decision == gate.Deny.String()
		switch {
		case r.Rule == "rejected" || r.Rule == "approval" && refused:
			return waitNobody("people said no")
		case r.Rule == "silenced":
			return waitNobody("silenced")
		case r.Rule == "approval":
			approval = true
		case r.Decision != gate.Allow.String() && !slices.Contains(rules, r.Rule):
			rules = append(rules, r.Rule)
		}
	}
	stay := slices.DeleteFunc(slices.Clone(rules), func(rule string) bool { return slices.Contains(passes, rule) })
	switch {
	case approval && len(stay) == 0:
		return waiting{forHuman, "approve " + verb, rankApproval}
	case len(stay) > 0:
		return waitLook("held by " + strings.Join(stay, ", "))
	case len(rules) > 0:
		return waitMoorgate("held by " + strings.Join(rules, ", "))
	}
	return waitLook(cmp.Or(verb, "no reason is given"))
}

// rolloutWaits is what a rollout waits for.
func rolloutWaits(c *v1alpha1.Case) waiting {
	s := &c.Status
	said := s.Answer
	if said == "" && c.Spec.Answer != nil {
		said = c.Spec.Answer.Said
	}
	became := meta.FindStatusCondition(s.Conditions, v1alpha1.CaseRollout)
	switch {
	case became != nil && became.Status == metav1.ConditionTrue && gate.RolloutFailed(became.Reason):
		return waitLook("it failed: " + became.Reason)
	case became != nil && became.Status == metav1.ConditionTrue:
		return waitNobody(became.Reason)
	case became != nil && became.Status == metav1.ConditionUnknown:
		return waitLook("it fails: " + became.Reason)
	case said == webhook.Retried || said == webhook.AskedAhead && !meta.IsStatusConditionTrue(s.Conditions, v1alpha1.CaseJudged):
		return waiting{forModel, "its opinion", rankModel}
	case said == webhook.AskedAhead:
		return waitNobody("not applied yet")
	case said == webhook.Denied:
		return waitNobody("it was refused")
	case s.Decision == "":
		return waitMoorgate("a verdict")
	case s.Decision != gate.Allow.String():
		return waitLook("it came in with a warning")
	case became != nil:
		return waitMoorgate("whether it stays up")
	}
	return waitNobody("")
}

// chosenOn is the action that was picked first from the menu of a Case, if any was.
func chosenOn(c *v1alpha1.Case) v1alpha1.Choice {
	if len(c.Status.Chosen) > 0 {
		for _, x := range c.Status.Menu {
			if x.ID == c.Status.Chosen[0] {
				return x
			}
		}
	}
	return v1alpha1.Choice{}
}

func verbOn(c *v1alpha1.Case) string  { return chosenOn(c).Verb }
func reachOn(c *v1alpha1.Case) string { return chosenOn(c).Reach }
