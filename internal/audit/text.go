package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"moorgate.dev/internal/gate"
)

const (
	textBytes   = 240 // of any one text that people wrote, in a line
	digestShort = 12  // hexadecimal digits of a digest
)

// Line writes an entry as one line for people, without a line end: sequence, time, face, subject, what happened. It is safe
// for a terminal: control and formatting characters are taken out, and long texts are cut. It has no colours.
func Line(e Entry) string {
	r := e.Record
	face, subject := "-", "-"
	if r.Signal != nil {
		face, subject = string(r.Signal.Face), r.Signal.Subject.String()
	}
	return fmt.Sprintf("%6d  %s  %-9s  %s  %s", e.Position.Sequence, r.At.UTC().Format(time.RFC3339),
		gate.OneLine(face, textBytes), gate.OneLine(subject, textBytes), gate.OneLine(happened(r), 3*textBytes))
}

func happened(r gate.Record) string {
	switch {
	case r.Kind == gate.RecordVerdict && r.Verdict != nil:
		return "verdict " + r.Verdict.Decision.String() + score(r.Assessment) + reasons(*r.Verdict) + found(r.Assessment)
	case r.Kind == gate.RecordIntent && r.Action != nil:
		return "intent to " + plan(r)
	case r.Kind == gate.RecordOutcome && r.Outcome != nil:
		return "outcome " + r.Outcome.String() + " of " + plan(r) + text(": ", r.Text)
	}
	return happenedSince(r)
}

// happenedSince is for the kinds that say how a happening went on.
func happenedSince(r gate.Record) string {
	switch {
	case r.Kind == gate.RecordModel && r.Model != nil:
		if m := r.Model; m.ID != "" && m.Answered == "" && m.Failed == "" {
			return fmt.Sprintf("model %s is going to be asked with %s: at most %d tokens%s", text("", m.Model), text("", m.Prompt), m.Reserved, text(": ", m.Escalated))
		}
		if r.Model.Failed != "" {
			return fmt.Sprintf("model %s asked with %s: no answer: %s", text("", r.Model.Model), text("", r.Model.Prompt), text("", r.Model.Failed))
		}
		return fmt.Sprintf("model %s asked with %s: %d tokens in, %d out%s", text("", r.Model.Model), text("", r.Model.Prompt),
			r.Model.TokensIn, r.Model.TokensOut, text(": ", r.Text))
	case r.Kind == gate.RecordApproval && r.Approval != nil:
		word := "approval"
		if r.Approval.Reject {
			word = "rejection"
		}
		return word + " by " + text("", r.Approval.Approver) + " of plan " + short(r.Approval.Plan) + text(": ", r.Approval.Reason)
	case r.Kind == gate.RecordVerification && r.Rollout != nil:
		return "rollout " + text("", r.Rollout.Said) + " became " + text("", r.Rollout.Outcome) + text(": ", r.Text)
	case r.Kind == gate.RecordVerification && r.Result != "":
		return "verification " + text("", string(r.Result)) + text(": ", r.Text)
	case r.Kind == gate.RecordPullRequest || r.Kind == gate.RecordNotification:
		return string(r.Kind) + text(" ", r.URL) + text(": ", r.Text)
	}
	return string(r.Kind) + text(": ", r.Text)
}

func score(a *gate.Assessment) string {
	if a == nil {
		return ""
	}
	if n, known := a.Score.Get(); known {
		return fmt.Sprintf(", score %d", n)
	}
	return ", no score"
}

// found is the weightiest finding.
func found(a *gate.Assessment) string {
	if a == nil || len(a.Findings) == 0 {
		return ""
	}
	return text("; found: ", gate.Weightiest(a.Findings)[0].Text)
}

// reasons is the first reason that brought the decision down to what it is, and how many others there are.
func reasons(v gate.Verdict) string {
	i := slices.IndexFunc(v.Reasons, func(r gate.Reason) bool { return r.Decision == v.Decision })
	if i < 0 {
		return ""
	}
	s := ": " + text("", v.Reasons[i].Text) + " (rule " + text("", v.Reasons[i].Rule) + ")"
	if n := len(v.Reasons) - 1; n > 0 {
		s += fmt.Sprintf(", and %d more", n)
	}
	return s
}

func plan(r gate.Record) string {
	s := "an unnamed action"
	if r.Action != nil {
		s = text("", r.Action.Verb) + " " + text("", r.Action.Target.String())
	}
	if r.Digest != "" {
		s += ", plan " + short(r.Digest)
	}
	return s
}

// short is the beginning of a digest: enough for people to tell it from another.
func short(digest string) string {
	digest = text("", strings.TrimPrefix(digest, digestPrefix))
	if len(digest) > digestShort {
		return strings.ToValidUTF8(digest[:digestShort], "")
	}
	return digest
}

func text(before, s string) string {
	if s == "" {
		return ""
	}
	return before + gate.OneLine(s, textBytes)
}
