package app

import (
	"fmt"
	"io"
	"strings"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// casesEdits is how many edits of an action a Case holds.
const casesEdits = 5

// print shows what would be done and what is known about it.
func (h *hearing) print(w io.Writer) error {
	c, paint := &h.about, painter(w)
	var b strings.Builder
	line := func(what, format string, more ...any) {
		fmt.Fprintf(&b, "  %-9s %s\n", what, fmt.Sprintf(format, more...))
	}
	fmt.Fprintf(&b, "%s  %s: %s\n", paint("1", c.Namespace+"/"+c.Name), shown(c.Spec.Signal.Reason), shown(c.Spec.Signal.Text))
	line("plan", "%s: %s", shown(h.plan.Verb), shown(h.plan.Text))
	line("target", "%s/%s in namespace %s, %s", shown(c.Spec.Subject.Kind), shown(c.Spec.Subject.Name), c.Namespace, reaches(h.plan.Reach))
	for _, e := range h.plan.Edits {
		line("change", "%s: %s -> %s", shown(e.Path), value(e.Old), value(e.New))
	}
	if len(h.plan.Edits) == casesEdits {
		line("", "(a Case holds the first %d changes; there may be more)", casesEdits)
	}
	line("digest", "%s", shown(h.plan.Digest))
	if others := len(c.Status.Chosen); others > 1 {
		line("note", "the Case has %d actions in a row; this is one of them", others)
	}
	if acting := c.Status.Acting; acting != nil {
		line("so far", "%s: %s", shown(acting.Phase), shown(acting.Text))
	}
	for _, r := range h.reasons() {
		line("held by", "%s (rule %s%s)", shown(r.Text), shown(r.Rule), railOf(r.Guardrail))
	}
	for _, a := range h.given {
		line("said", "%s", wordOf(a, h.now))
	}
	need, by := h.needed()
	switch {
	case by != "":
		line("needs", "%s by different people (Guardrail %s); %d stand", count(need, "approval"), shown(by), len(h.standing()))
	case len(h.policy.Rails) > 0:
		line("needs", "nobody's approval under the Guardrails that apply")
	}
	if h.standing()[h.user] {
		line("note", "you have approved it already; to do it again counts once")
	}
	for _, n := range h.notes {
		line("note", "%s", shown(n))
	}
	line("you are", "%s", shown(h.user))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print what would be done: %w", err)
	}
	return nil
}

func reaches(reach string) string {
	if reach == gate.ReachGit.String() {
		return "by a pull request"
	}
	return "live"
}

func value(s string) string {
	if s == "" {
		return "(absent)"
	}
	return shown(s)
}

func railOf(guardrail string) string {
	if guardrail == "" {
		return ""
	}
	return ", Guardrail " + shown(guardrail)
}

// reasons are why it is not done yet: of whoever acts, where they looked at this very plan, else of the verdict.
func (h *hearing) reasons() []v1alpha1.Reason {
	if a := h.about.Status.Acting; a != nil && a.Plan == h.plan.Digest && len(a.Reasons) > 0 {
		return a.Reasons
	}
	return h.about.Status.Reasons
}

// wordOf is one line about what somebody said.
func wordOf(a v1alpha1.Approval, now time.Time) string {
	s := "approved"
	if a.Spec.Decision == v1alpha1.DecisionReject {
		s = "REJECTED"
	}
	s = fmt.Sprintf("%s %s at %s", shown(a.Spec.Approver), s, stamp(a.CreationTimestamp.Time))
	if a.Spec.Reason != "" {
		s += ": " + shown(a.Spec.Reason)
	}
	switch {
	case a.Spec.Decision == v1alpha1.DecisionReject:
	case a.Status.Used != nil:
		s += " (used)"
	case !now.Before(expires(a)):
		s += " (has expired)"
	default:
		s += " (until " + stamp(expires(a)) + ")"
	}
	return s
}

func expires(a v1alpha1.Approval) time.Time {
	ttl := time.Hour
	if a.Spec.TTLSeconds != nil {
		ttl = time.Duration(*a.Spec.TTLSeconds) * time.Second
	}
	return a.CreationTimestamp.Add(ttl)
}

// standing are the different people whose approval stands now, as far as can be seen from here: whether the API server vouched
// for them is looked at by whoever acts.
func (h *hearing) standing() map[string]bool {
	people := map[string]bool{}
	for _, a := range h.given {
		if a.Spec.Decision != v1alpha1.DecisionReject && a.Status.Used == nil && h.now.Before(expires(a)) {
			people[a.Spec.Approver] = true
		}
	}
	return people
}

// needed is how many people must approve what is done live, and which Guardrail asks for the most.
func (h *hearing) needed() (int, string) {
	most, by := 0, ""
	if h.plan.Reach != gate.ReachLive.String() {
		return most, by
	}
	for _, r := range h.policy.Rails {
		n, _ := r.Approvers.Get()
		if r.Mode == gate.Approve {
			n = max(n, 1)
		}
		if n > most {
			most, by = n, r.Name
		}
	}
	return most, by
}

// said is one line about what was just said, and what is still missing.
func (h *hearing) said(a *v1alpha1.Approval) string {
	of := fmt.Sprintf("%.19s of case %s/%s", h.plan.Digest, h.about.Namespace, h.about.Name)
	if a.Spec.Decision == v1alpha1.DecisionReject {
		return fmt.Sprintf("rejected plan %s, until kubectl delete approval %s -n %s takes it back", of, a.Name, a.Namespace)
	}
	s := fmt.Sprintf("approved plan %s, until %s, by Approval %s", of, stamp(expires(*a)), a.Name)
	people := h.standing()
	people[a.Spec.Approver] = true
	if need, _ := h.needed(); len(people) < need {
		s += fmt.Sprintf("; %d of %d have approved", len(people), need)
	}
	return s
}
