package audit

import (
	"fmt"
	"strings"
	"time"

	"moorgate.dev/internal/gate"
)

// evidence tells what was read, and what could not be.
func (s *sentences) evidence(all []gate.Evidence) {
	var read, unread []string
	for _, e := range all {
		if e.Unread != "" {
			unread = append(unread, text("", e.Source)+text(" (", e.Unread)+")")
			continue
		}
		read = append(read, text("", e.Source)+text(" says ", e.Text))
	}
	if len(read) > 0 {
		s.say("Read: %s", list(read))
	}
	if len(unread) > 0 {
		s.say("Could not read: %s", list(unread))
	}
}

// offered is the menu.
func offered(f *gate.Facts) string {
	if f == nil {
		return ""
	}
	var items []string
	for _, a := range f.Menu {
		items = append(items, fmt.Sprintf("%s (%s %s)", text("", a.ID), text("", a.Verb), text("", a.Target.String())))
	}
	return list(items)
}

// opinionOf is what the advisor said, but for the findings.
func opinionOf(a *gate.Assessment) string {
	if a == nil {
		return ""
	}
	who := "The advisor " + text("", a.Advisor)
	if a.Silent != "" {
		return who + " has no opinion: " + text("", a.Silent)
	}
	said := []string{"score " + outOf100(a.Score), "confidence " + outOf100(a.Confidence)}
	if !a.Agreement.IsZero() {
		said = append(said, "agreement "+outOf100(a.Agreement))
	}
	var thinks []string
	if a.Cause != "" {
		thinks = append(thinks, "thinks the cause is "+text("", a.Cause))
	}
	if len(a.Choice) > 0 {
		var ids []string
		for _, id := range a.Choice {
			ids = append(ids, text("", id))
		}
		thinks = append(thinks, "picks "+list(ids))
	}
	if len(thinks) == 0 {
		thinks = []string{"picks nothing"}
	}
	return who + " " + strings.Join(thinks, " and ") + ": " + strings.Join(said, ", ")
}

func outOf100(f gate.Fact[int]) string {
	if n, known := f.Get(); known {
		return fmt.Sprintf("%d of 100", n)
	}
	return "unknown (" + text("", f.Why()) + ")"
}

func (s *sentences) findings(all []gate.Finding) {
	var items []string
	for _, f := range gate.Weightiest(all) {
		weight := fmt.Sprintf("%d points", f.Points)
		if f.Hard {
			weight = "refuses by itself"
		}
		items = append(items, fmt.Sprintf("%s (%s, %s)", strings.TrimSuffix(text("", f.Text), "."), text("", f.ID), weight))
	}
	if len(items) > 0 {
		s.say("It found: %s", list(items))
	}
}

// decision tells what the guardrail said, by which rule, and what that meant at the gate. The reasons that decided come first.
func (s *sentences) decision(r gate.Record) {
	v := *r.Verdict
	under := guardrails(r)
	if len(v.Reasons) == 0 {
		s.say("Decided %s under %s: no rule objected", v.Decision, under)
	} else {
		s.say("Decided %s under %s", v.Decision, under)
	}
	for _, decided := range []bool{true, false} {
		for _, why := range v.Reasons {
			if (why.Decision == v.Decision) != decided {
				continue
			}
			by := "Rule " + text("", why.Rule)
			if why.Guardrail != "" {
				by += " of Guardrail " + text("", why.Guardrail)
			}
			s.say("  %s says %s: %s", by, why.Decision, text("", why.Text))
		}
	}
	if r.Signal == nil || r.Signal.Face != gate.FaceWebhook || r.Policy == nil {
		return
	}
	switch {
	case r.Policy.Refuses(v):
		s.say("So the rollout was refused")
	case v.Decision < gate.Allow && r.Policy.Admission() >= gate.AdmissionWarn:
		s.say("So the rollout was let in with a warning")
	default:
		s.say("So the rollout was let in")
	}
}

// guardrails names the Guardrails that applied.
func guardrails(r gate.Record) string {
	if r.Policy == nil {
		if r.PolicyDigest != "" {
			return "the policy " + short(r.PolicyDigest)
		}
		return "a policy that is not written down"
	}
	var names []string
	for _, rail := range r.Policy.Rails {
		mode := "mode " + rail.Mode.String()
		if r.Signal != nil && r.Signal.Face == gate.FaceWebhook {
			mode = "admission " + rail.Admission.String()
		}
		names = append(names, fmt.Sprintf("%s (%s)", text("", rail.Name), mode))
	}
	if len(names) == 0 {
		return "no Guardrail"
	}
	return "Guardrail " + list(names)
}

func (s *sentences) model(r gate.Record) {
	if r.Model == nil {
		s.say("A model was asked%s", text(": ", r.Text))
		return
	}
	m := *r.Model
	why := text(" because ", m.Escalated)
	if m.ID != "" && m.Answered == "" && m.Failed == "" {
		s.say("About to ask the model %s with prompt %s%s: %d tokens are set aside, and what is asked is blob %s", text("", m.Model), text("", m.Prompt), why, m.Reserved, short(m.Asked))
		return
	}
	cached, cost := "", ""
	if m.TokensCached > 0 {
		cached = fmt.Sprintf(" (%d of them cached)", m.TokensCached)
	}
	if m.MicroUSD > 0 {
		cost = fmt.Sprintf(", $%d.%06d", m.MicroUSD/1_000_000, m.MicroUSD%1_000_000)
	}
	s.say("Asked the model %s with prompt %s: %d tokens in%s, %d out, %s%s", text("", m.Model), text("", m.Prompt), m.TokensIn, cached, m.TokensOut,
		m.Took.Round(time.Millisecond), cost)
	answer := "and no answer is kept"
	switch {
	case m.Failed != "":
		answer = "and there is no answer: " + text("", m.Failed)
	case m.Answered != "":
		answer = "the answer is blob " + short(m.Answered)
	}
	s.say("What it was asked is blob %s, %s%s", short(m.Asked), answer, text("; ", r.Text))
}

func (s *sentences) approval(r gate.Record) {
	if r.Approval == nil {
		s.say("An approval was seen%s", text(": ", r.Text))
		return
	}
	a := *r.Approval
	did, until := "approved", ", good until "+clock(a.Expires)
	if a.Reject {
		did, until = "rejected", ""
	}
	s.say("%s %s plan %s at %s%s%s", text("", a.Approver), did, short(a.Plan), clock(a.At), until, text(": ", a.Reason))
}

// intent tells what was set out to be done. That it was decided again just before is part of it.
func (s *sentences) intent(e Entry) {
	r := e.Record
	if r.Verdict != nil {
		s.say("Looked again just before acting, and decided %s under %s", r.Verdict.Decision, guardrails(r))
	}
	if r.Facts != nil {
		if given, _ := r.Facts.Approvals.Get(); len(given) > 0 && r.Action != nil {
			var by []string
			for _, a := range gate.Approving(*r.Facts, *r.Action) {
				by = append(by, text("", a.Approver))
			}
			if len(by) > 0 {
				s.say("It rests on the approval of %s", list(by))
			}
		}
	}
	details := ""
	if r.Attempt > 0 {
		details += fmt.Sprintf(", attempt %d", r.Attempt)
	}
	if r.ActionDigest != "" {
		details += ", exact request " + short(r.ActionDigest)
	}
	if r.Reservation != "" {
		details += ", reservation " + text("", r.Reservation)
	}
	s.say("Set out to %s%s: written down first, as record %d of log %s", plan(r), details, e.Position.Sequence, text("", e.Position.Log))
}

func (s *sentences) outcome(r gate.Record) {
	how := "Nobody knows how it came out; it is not tried again"
	if r.Outcome != nil {
		switch *r.Outcome {
		case gate.OutcomeDone:
			how = "Done"
		case gate.OutcomeRefused:
			how = "Refused, and nothing changed"
		case gate.OutcomeNothing:
			how = "There was nothing left to do"
		}
	}
	s.say("%s: %s%s", how, plan(r), text(": ", r.Text))
}

func (s *sentences) verification(r gate.Record) {
	if r.Rollout != nil {
		s.rollout(*r.Rollout, r.Text)
		return
	}
	how := "Looked afterwards, and cannot say how it went"
	switch r.Result {
	case gate.ResultHealed:
		how = "Looked afterwards: it healed"
	case gate.ResultIneffective:
		how = "Looked afterwards: it did not help"
	case gate.ResultWorsened:
		how = "Looked afterwards: it got worse"
	}
	s.say("%s%s", how, text(": ", r.Text))
}

// rolloutEnds are what became of a rollout, in words.
var rolloutEnds = map[string]string{
	gate.RolloutAvailable: "the rollout got through", gate.RolloutDeadlineExceeded: "the rollout never got through", gate.RolloutCrashed: "the rollout crashed",
	gate.RolloutOutOfMemory: "the rollout ran out of memory", gate.RolloutImagePull: "the image of the rollout could not be pulled",
	gate.RolloutRolledBack: "the rollout was taken back", gate.RolloutSuperseded: "a newer template took the place of the rollout",
	gate.RolloutGone: "the workload went away", gate.RolloutUnknown: "nobody can say what became of the rollout",
}

// rollout tells what became of a rollout, beside what was said of it.
func (s *sentences) rollout(r gate.Rollout, why string) {
	end, known := rolloutEnds[r.Outcome]
	if !known {
		end = "the rollout became " + text("", r.Outcome)
	}
	said := "It was let in"
	switch r.Said {
	case "Warned":
		said += " with a warning"
	case "SlippedThrough":
		said = "It came in unasked"
	}
	if n, is := r.Score.Get(); is {
		said += fmt.Sprintf(" at score %d", n)
	}
	s.say("%s, and %s%s", said, end, text(": ", why))
	if len(r.Images) > 0 {
		var images []string
		for _, i := range r.Images {
			images = append(images, text("", i))
		}
		s.say("It ran %s", list(images))
	}
}
