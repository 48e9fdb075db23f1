package gate

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// Decision is the answer of the guardrail: the zero Decision denies.
type Decision int

// The decisions, most careful first.
const (
	Deny  Decision = iota // no
	Hold                  // not without a human: warned about, held for approval, or escalated
	Allow                 // yes
)

var decisionNames = [...]string{"Deny", "Hold", "Allow"}

func (d Decision) String() string { return nameOf(decisionNames[:], int(d)) }

// MarshalText writes the decision's name.
func (d Decision) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a decision's name; an unknown one reads as Deny.
func (d *Decision) UnmarshalText(b []byte) error {
	*d = Decision(indexOf(decisionNames[:], string(b)))
	return nil
}

// Reason is why a decision is not higher. Rule is for machines, Text for a tired operator.
type Reason struct {
	Rule      string   `json:"rule"`
	Guardrail string   `json:"guardrail,omitempty"`
	Decision  Decision `json:"decision"`
	Text      string   `json:"text"`
}

// Verdict is a decision with all its reasons. Only Decide makes one that carries a Permit.
type Verdict struct {
	Decision Decision `json:"decision"`
	Reasons  []Reason `json:"reasons,omitempty"`
	permit   Permit
}

// Lower is the verdict with one more reason and no Permit, for what can only be found out after deciding: that a budget was
// spent in the meantime, or that somebody else was first.
func (v Verdict) Lower(r Reason) Verdict {
	return Verdict{Decision: min(v.Decision, r.Decision), Reasons: append(slices.Clone(v.Reasons), r)}
}

// Permit is the right to do one exact thing once: to send the bytes of one Request. It exists only inside a Verdict of Allow
// made by Decide: a Permit that was declared, copied out of JSON or already spent is worth nothing.
type Permit struct {
	digest string
	unused *atomic.Bool
}

// Permit returns the verdict's Permit and whether there is one.
func (v Verdict) Permit() (Permit, bool) { return v.permit, v.permit.unused != nil }

// Spend uses the Permit up for the given action. It answers true once, and only for the plan and the bytes permitted.
func (p Permit) Spend(a Action) bool {
	return p.unused != nil && a.Digest() == p.digest && p.unused.CompareAndSwap(true, false)
}

// Covers reports whether the Permit is good for the given action, and leaves it as it is: for trying in a dry run what it permits.
func (p Permit) Covers(a Action) bool {
	return p.unused != nil && a.Digest() == p.digest && p.unused.Load()
}

// Doc documents a rule. It is data so that the catalogue that people read cannot drift from the code.
type Doc struct {
	ID       string // stable: the Rule of its Reasons
	Title    string
	Text     string   // the law, in prose
	Since    string   // the version that brought it
	Severity Decision // the most careful answer that the rule gives
}

// rule is one law of the guardrail. weigh returns the highest decision that the rule lets stand, and why if below Allow.
type rule struct {
	doc   Doc
	weigh func(r *Rail, m *matter) (Decision, string)
}

// The rules, in the order in which they are weighed. Those of acting have nothing to say where nothing that was chosen reaches
// further than an answer.
var (
	rulesOfJudging = []rule{readableRule, menuRule, silenceRule, silencedRule, scoreRule, confidenceRule, frozenRule, unheardRule}
	rulesOfActing  = []rule{modeRule, pauseRule, neverRule, scopeRule, requestRule, actionRule, directionRule, ownerRule, approvalRule, agreementRule,
		historyRule, reversibleRule, freezeRule, waitRule, freshRule, healthRule, stormRule, attemptsRule, coolDownRule, breakerRule, budgetRule}
)

// Rules lists the documentation of every rule, in the order in which they are weighed.
func Rules() []Doc {
	var docs []Doc
	for _, r := range slices.Concat(rulesOfJudging, rulesOfActing) {
		docs = append(docs, r.doc)
	}
	return docs
}

// Decide is the guardrail: total, deterministic, and the only source of Permits. Every rule is weighed under every
// Guardrail, the most careful answer wins, and every reason is kept. A policy without Guardrails permits nothing.
func Decide(p Policy, a Assessment, f Facts) Verdict {
	if len(p.Rails) == 0 {
		return Verdict{Reasons: []Reason{{Rule: "policy", Text: "no Guardrail applies, so nothing is permitted"}}}
	}
	m := newMatter(a, f)
	v := Verdict{Decision: Allow}
	for i := range p.Rails {
		rail := &p.Rails[i]
		v.weigh(rulesOfJudging, rail, m)
		if m.acts(ReachMark) {
			v.weigh(rulesOfActing, rail, m)
		}
	}
	if v.Decision == Allow {
		v.permit = seal(m)
	}
	return v
}

// weigh lowers the verdict to what rules let stand under a Guardrail.
func (v *Verdict) weigh(rules []rule, rail *Rail, m *matter) {
	for i := range rules {
		r := &rules[i]
		d, why := r.weigh(rail, m)
		if d >= Allow {
			continue
		}
		v.Decision = min(v.Decision, d)
		v.Reasons = append(v.Reasons, Reason{Rule: r.doc.ID, Guardrail: rail.Name, Decision: d, Text: why})
	}
}

// seal makes the Permit for the one action chosen. An Allow with several steps or none carries no Permit, nor does one of a
// plan with no Request: whoever only weighs a plan cannot carry it out, and each step gets its own verdict when it runs.
func seal(m *matter) Permit {
	if len(m.chosen) != 1 {
		return Permit{}
	}
	only := m.chosen[0]
	if only.Request == nil {
		return Permit{}
	}
	unused := new(atomic.Bool)
	unused.Store(true)
	return Permit{digest: only.Digest(), unused: unused}
}

func percent(n int) (int, error) {
	if n < 0 || n > 100 {
		return 0, fmt.Errorf("%d is not between 0 and 100", n)
	}
	return n, nil
}
