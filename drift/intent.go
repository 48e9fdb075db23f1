package drift

import (
	"context"
	"fmt"
	"slices"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// The causes of a drift: a closed list.
const (
	CausePerson     = "changed-by-person"
	CauseAhead      = "git-may-be-ahead"
	CauseAutomation = "changed-by-automation"
	CauseUnknown    = "unknown-owner"
	CauseUnreadable = "unreadable"
	CauseFight      = "fight"  // a field that is changed to and fro
	CauseOrphan     = "orphan" // what was delivered once lives on, and Git does not declare it any more
	// Where the rules can tell what a person's change looks like, that is its cause: one of Intents.
)

// Causes lists all causes.
func Causes() []string {
	return []string{CausePerson, CauseAhead, CauseAutomation, CauseUnknown, CauseUnreadable, CauseReverted, CauseFight, CauseOrphan, IntentEmergency, IntentAccident, IntentExperiment, IntentRoutine}
}

// What is taken from the score of adopting a change, and from the confidence in its cause.
const (
	pointsOwnWord = 10 // a field manager's name is its own word
	pointsNoTime  = 10 // the API server kept no time, so nothing says that the change is a recent one
	pointsUnnamed = 40 // nobody we know owns the field
)

// intent is the advisor of this face: rules, and no model. One field that a person changed after Git said what it says is a
// change to adopt; whatever is less clear it leaves to people, and says why.
func intent(l *look) flow.Advisor {
	return flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return assess(l) })
}

func assess(l *look) gate.Assessment {
	a := gate.Assessment{Advisor: "drift-rules", Agreement: gate.Known(100), Cause: cause(l), Findings: findings(l)}
	if a.Silent = silence(l, a.Cause); a.Silent != "" {
		a.Score = gate.Unknown[int]("nothing was chosen")
	} else {
		a.Choice = []string{ItemAdopt}
		a.Score = gate.Known(100 - lost(l))
	}
	if (a.Cause == CausePerson || a.Cause == CauseUnknown) && !l.intention.weakens && len(l.drifts) > 0 {
		a.Open = "whether the change is an emergency fix or an accident is not for a rule to say"
	}
	switch a.Cause {
	case CauseUnknown, CauseUnreadable:
		a.Confidence = gate.Unknown[int]("the cause is not known")
	case l.intention.intent:
		a.Confidence = gate.Known(l.intention.sure)
	default:
		a.Confidence = gate.Known(100 - lost(l))
	}
	return a
}

func cause(l *look) string {
	party := func(p Party) func(Drift) bool { return func(d Drift) bool { return d.Owner.Party == p } }
	switch {
	case len(l.unread) > 0:
		return CauseUnreadable
	case l.many.reason == reasonOrphaned:
		return CauseOrphan
	case l.by.User != "", l.many.seen().User != "":
		return CausePerson
	case l.gone, l.many.reason != "":
		return CauseUnknown
	case slices.ContainsFunc(l.drifts, Drift.fought):
		return CauseFight
	case slices.ContainsFunc(l.drifts, party("")):
		return CauseUnknown
	case slices.ContainsFunc(l.drifts, func(d Drift) bool { return d.Ahead != "" }):
		return CauseAhead
	case l.intention.intent != "" && someones(l.drifts):
		return l.intention.intent
	case slices.ContainsFunc(l.drifts, party(Person)):
		return CausePerson
	}
	return CauseAutomation
}

// silence says why the rules have no opinion; it is empty where they have one.
func silence(l *look, cause string) string {
	switch {
	case cause == CauseUnreadable:
		return "what cannot be read is never a drift, and this could not be: " + l.unread[0]
	case l.many.reason == reasonOrphaned:
		return "Git does not declare it any more: whether it goes or is declared again is for people to say"
	case l.gone, l.many.reason != "":
		return "it was deleted: whether it comes back or goes from Git too is for people to say"
	case cause == CauseFight:
		i := slices.IndexFunc(l.drifts, Drift.fought)
		return fmt.Sprintf("%s began to differ %d times within an hour: two write to it in turns, and to adopt either's value ends nothing", line(l.drifts[i].Path.String()), l.drifts[i].Turns)
	case cause == CauseUnknown:
		return "it is not known who made the change"
	case cause == CauseAhead:
		i := slices.IndexFunc(l.drifts, func(d Drift) bool { return d.Ahead != "" })
		return l.drifts[i].Ahead
	case cause == CauseAutomation:
		return "automation owns the field: Git may be ahead of what was delivered, or something else sets it"
	case l.intention.weakens:
		return "it weakens what keeps the workload apart from others, which is reported and never adopted"
	case cause == IntentAccident, cause == IntentExperiment:
		return "it should not stay: to go back to Git, deliver it again"
	case cause == IntentRoutine:
		return "it belongs to running the workload, and Git need not say it"
	case cause == IntentEmergency && slices.ContainsFunc(l.drifts, func(d Drift) bool { return d.Owner.Party != Person }):
		return "not all of the fields that differ are a person's"
	case slices.ContainsFunc(l.drifts, func(d Drift) bool { return d.Missing }):
		return "a field was removed, and whether Git should lose it too is for a person to say"
	case len(l.drifts) > mostEdits:
		return fmt.Sprintf("%d fields differ, and at most %d are adopted together", len(l.drifts), mostEdits)
	case len(l.drifts) > 1 && cause != IntentEmergency:
		return fmt.Sprintf("%d fields differ, and only one changed by a person is clear", len(l.drifts))
	}
	for _, p := range l.proposals {
		if p.why != "" {
			return "no edit is proposed: " + p.why
		}
	}
	return ""
}

func findings(l *look) []gate.Finding {
	if len(l.unread) > 0 {
		return nil
	}
	if l.gone {
		return []gate.Finding{l.deletion()}
	}
	if l.many.reason != "" {
		return []gate.Finding{l.many.finding()}
	}
	found := make([]gate.Finding, len(l.drifts))
	for i, d := range l.drifts {
		found[i] = gate.Finding{ID: "field-drift", Text: l.detail(i), Points: points(d.Owner),
			Evidence: []string{evidenceGit, evidenceLive, evidenceDryRun}}
	}
	return append(found, l.intention.findings()...)
}

func points(o Owner) int {
	n := 0
	if !o.vouched() {
		n += pointsOwnWord
	}
	if o.Time.IsZero() {
		n += pointsNoTime
	}
	if o.Party == "" {
		n += pointsUnnamed
	}
	return n
}

func lost(l *look) int {
	n := 0
	for _, d := range l.drifts {
		n += points(d.Owner)
	}
	return min(n, 100)
}
