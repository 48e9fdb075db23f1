package webhook

import (
	"fmt"
	"slices"
	"strings"

	"moorgate.dev/internal/gate"
)

const (
	prefix      = "moorgate: "
	warningMax  = 120 // bytes of one warning; the API server may cut longer ones
	warningsMax = 6
	lineMax     = 240 // bytes of one line of a refusal
	linesMax    = 10

	ruleFrozen = "frozen" // the rule that refuses a rollout for its time, and not for what it is
	thawed     = "Apply it again then. What cannot wait takes a person who may edit the Guardrail or break the glass: kubectl apply --field-manager=" + BreakGlass

	noCase = "no Case will be opened for this: too many are waiting, or Moorgate stops"
)

// warnings are the answer's warnings: the score and the Case first, then what counted, heaviest first. There are none from
// Guardrails that only observe, and none where nothing needs a human's eye.
func warnings(r Reply) []string {
	if r.mode() < gate.AdmissionWarn {
		return nil
	}
	if r.aloud() == gate.Allow {
		switch {
		case r.Unrecorded:
			return []string{plain(prefix+"unrecorded: the audit log could not be written; see Moorgate's log", warningMax)}
		case r.Note != "":
			return []string{plain(prefix+r.Note, warningMax)}
		}
		return nil
	}
	lines := []string{headline(r)}
	if r.Note != "" {
		lines = append(lines, r.Note)
	}
	if r.Unqueued {
		lines = append(lines, noCase)
	}
	lines = append(lines, particulars(r)...)
	if more := len(lines) - warningsMax; more > 0 {
		lines = append(lines[:warningsMax-1], fmt.Sprintf("and %d more", more+1))
	}
	for i := range lines {
		lines[i] = plain(prefix+lines[i], warningMax)
	}
	return lines
}

func headline(r Reply) string {
	said := "needs a human's eye"
	if r.aloud() == gate.Deny {
		said = "would be denied"
	}
	s := said + ": score " + percentage(r.Judgement.Assessment.Score)
	if r.Unrecorded {
		s = "unrecorded, " + s
	}
	if !r.DryRun && !r.Unqueued {
		s += ", case " + r.Judgement.Question.Signal.CaseName()
	}
	return s
}

// particulars are what the decision was made from: the reasons of other rules than the score's, then the findings, then what
// nobody knows.
func particulars(r Reply) []string {
	var lines []string
	for _, reason := range r.Judgement.Verdict.Reasons {
		if r.Judgement.Policy.Tells(reason) && reason.Rule != "score" && !slices.Contains(lines, reason.Text) {
			lines = append(lines, reason.Text)
		}
	}
	for _, f := range gate.Weightiest(r.Judgement.Assessment.Findings) {
		lines = append(lines, f.Text)
	}
	for _, unread := range r.Judgement.Question.Facts.Unread {
		lines = append(lines, "not known: "+unread)
	}
	return lines
}

// refusal is the message of a denial, for whoever is on call at three in the morning.
func refusal(r Reply) string {
	j := r.Judgement
	ref, name := j.Question.Signal.Subject, j.Question.Signal.CaseName()
	lines := []string{prefix + "this rollout of " + ref.String() + " is refused"}
	frozen, unsound := false, false
	for _, reason := range j.Verdict.Reasons {
		if r.refuses(reason) {
			lines = append(lines, "  Guardrail "+reason.Guardrail+": "+reason.Text)
			frozen, unsound = frozen || reason.Rule == ruleFrozen, unsound || reason.Rule != ruleFrozen
		}
	}
	if frozen {
		lines = append(lines, thawed)
	}
	lines = append(lines, toMend(j.Assessment.Findings, unsound)...)
	see := "kubectl -n " + ref.Namespace + " get case " + name + " -o yaml"
	if forbidden.MatchString(see) {
		see = "kubectl get cases -A" // the name cannot be said here
	}
	if r.Unqueued {
		see = noCase
	}
	lines = append(lines, "More: "+see)
	for i := range lines {
		indent := lines[i][:len(lines[i])-len(strings.TrimLeft(lines[i], " "))]
		lines[i] = indent + plain(lines[i], lineMax)
	}
	return strings.Join(lines, "\n")
}

// toMend lists what was found, for somebody who is refused for it or for another reason.
func toMend(findings []gate.Finding, forIt bool) []string {
	found := gate.Weightiest(findings)
	lines := []string{"Mend this and apply again:"}
	if !forIt {
		lines[0] = "Found besides:"
	}
	if !forIt && len(found) == 0 {
		return nil
	}
	for i, f := range found {
		if i == linesMax {
			return append(lines, fmt.Sprintf("  and %d more", len(found)-linesMax))
		}
		lines = append(lines, fmt.Sprintf("  - %s (%s, %d points)", f.Text, f.ID, f.Points))
	}
	return lines
}

// waiting is the message of a wish to wait, which people see only when their client does not wait by itself.
func waiting(r Reply) string {
	name := r.Judgement.Question.Signal.CaseName()
	switch r.Pending {
	case gate.PendingRetry:
		return plain(fmt.Sprintf("%sa model is being asked about this rollout, ask again in %d s: case %s", prefix, r.RetryAfter, name), lineMax)
	case gate.PendingDeny:
		return plain(fmt.Sprintf("%sa model is being asked about this rollout, and the Guardrail keeps it out until then: apply it again in %d s; case %s", prefix, r.RetryAfter, name), lineMax)
	}
	s := "something that it refers to is not there yet"
	for _, f := range r.Judgement.Assessment.Findings {
		if f.Nature == gate.Pending {
			s = f.Text
			break
		}
	}
	return plain(fmt.Sprintf("%sit may merely be late, ask again in %d s: %s", prefix, r.RetryAfter, s), lineMax)
}
