package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/policies/times"
)

// Rail is what a Guardrail says to the guardrail's rules at a time, with its freeze windows worked out around it. It is as
// strict as the schema: what is missing, out of bounds or no sense at all is an error, because nobody can say what it was
// meant to forbid.
func Rail(g v1alpha1.Guardrail, at time.Time) (gate.Rail, error) {
	r := gate.Rail{Name: g.Name}
	for _, part := range []func(*gate.Rail, v1alpha1.GuardrailSpec) error{readModes, readThresholds, readModel, readActions, readDrift, readBudgets, readRestraint, readApproval, readSilences} {
		if err := part(&r, g.Spec); err != nil {
			return gate.Rail{Name: g.Name}, err
		}
	}
	for i, w := range g.Spec.Freeze {
		open, err := times.Intervals(w, at)
		if err != nil {
			return gate.Rail{Name: g.Name}, fmt.Errorf("freeze[%d]: %w", i, err)
		}
		r.Freezes = append(r.Freezes, open...)
	}
	for _, p := range g.Spec.Pause {
		r.Paused = append(r.Paused, p.Reason)
	}
	return r, nil
}

// readModes reads the switches. One that is not set is off.
func readModes(r *gate.Rail, s v1alpha1.GuardrailSpec) error {
	if err := r.Mode.UnmarshalText([]byte(s.Mode)); err != nil || (s.Mode != "" && r.Mode.String() != s.Mode) {
		return fmt.Errorf("mode %q is not one of Observe, Propose, Approve, Automatic", s.Mode)
	}
	mode := s.Admission.Mode
	if err := r.Admission.UnmarshalText([]byte(mode)); err != nil || (mode != "" && r.Admission.String() != mode) {
		return fmt.Errorf("admission.mode %q is not one of Observe, Warn, Enforce", mode)
	}
	switch s.Admission.OnMissing {
	case "", "Warn":
	case "Deny":
		r.DenyPending = true
	default:
		return fmt.Errorf("admission.onMissing %q is not one of Warn, Deny", s.Admission.OnMissing)
	}
	switch s.Admission.OnAdvice {
	case "", "Warn":
	case "Deny":
		r.DenyAdvised = true
	default:
		return fmt.Errorf("admission.onAdvice %q is not one of Warn, Deny", s.Admission.OnAdvice)
	}
	switch s.Admission.OnFreeze {
	case "", "Warn":
	case "Deny":
		r.DenyFrozen = true
	default:
		return fmt.Errorf("admission.onFreeze %q is not one of Warn, Deny", s.Admission.OnFreeze)
	}
	return readPending(r, s.Admission)
}

// readPending reads what a rollout gets while a model is asked. What is not set, as by a schema from before it could be, waits
// for none.
func readPending(r *gate.Rail, a v1alpha1.Admission) (err error) {
	if err := r.OnPending.UnmarshalText([]byte(a.OnPending)); err != nil || (a.OnPending != "" && r.OnPending.String() != a.OnPending) {
		return fmt.Errorf("admission.onPending %q is not one of Warn, Retry, Deny", a.OnPending)
	}
	r.PendingFor, err = duration(cmp.Or(a.PendingFor, "30s"), 5*time.Second, 2*time.Minute, "admission.pendingFor")
	return err
}

// readModel reads when a model is asked. What is not set, as by a schema from before there was one, asks none: that is careful
// enough, and makes nothing else of the Guardrail unreadable.
func readModel(r *gate.Rail, s v1alpha1.GuardrailSpec) error {
	m, a := s.Model, &r.Asking
	if err := a.Ask.UnmarshalText([]byte(m.Ask)); err != nil || (m.Ask != "" && a.Ask.String() != m.Ask) {
		return fmt.Errorf("model.ask %q is not one of Never, Unsettled, Always", m.Ask)
	}
	if err := a.Expert.UnmarshalText([]byte(m.Expert)); err != nil || (m.Expert != "" && a.Expert.String() != m.Expert) {
		return fmt.Errorf("model.expert %q is not one of Never, Unsure, Always", m.Expert)
	}
	none := new(int32)
	var err1, err2 error
	a.CaseTokens, err1 = within(cmp.Or(m.TokensPerCase, none), 10_000_000, "model.tokensPerCase")
	a.NamespaceTokens, err2 = within(cmp.Or(m.TokensPerNamespaceDay, none), 1_000_000_000, "model.tokensPerNamespaceDay")
	return errors.Join(err1, err2)
}

func readThresholds(r *gate.Rail, s v1alpha1.GuardrailSpec) error {
	t := s.Thresholds
	for _, x := range []struct {
		into *gate.Fact[int]
		from *int32
		name string
	}{{&r.WarnBelow, t.WarnBelow, "warnBelow"}, {&r.DenyBelow, t.DenyBelow, "denyBelow"}, {&r.ConfidenceBelow, t.ConfidenceBelow, "confidenceBelow"},
		{&r.AgreementBelow, t.AgreementBelow, "agreementBelow"}, {&r.HistoryBelow, t.HistoryBelow, "historyBelow"}} {
		n, err := within(x.from, 100, "thresholds."+x.name)
		if err != nil {
			return err
		}
		*x.into = gate.Known(n)
	}
	return nil
}

func readBudgets(r *gate.Rail, s v1alpha1.GuardrailSpec) error {
	b := s.Budgets
	for _, x := range []struct {
		into *gate.Budget
		from v1alpha1.Budget
		name string
	}{{&r.Budgets.Total, b.Total, "total"}, {&r.Budgets.Namespace, b.PerNamespace, "perNamespace"}, {&r.Budgets.Workload, b.PerWorkload, "perWorkload"}} {
		window, err := duration(x.from.Window, time.Minute, gate.LedgerKeeps, "budgets."+x.name+".window")
		if err != nil {
			return err
		}
		actions, err := within(&x.from.Actions, 1000, "budgets."+x.name+".actions")
		if err != nil {
			return err
		}
		*x.into = gate.Budget{Actions: actions, Window: window}
	}
	return nil
}

func readRestraint(r *gate.Rail, s v1alpha1.GuardrailSpec) error {
	from, into := s.Restraint, &r.Restraint
	for _, x := range []struct {
		into        *time.Duration
		from, name  string
		least, most time.Duration
	}{{&into.Wait, from.Wait, "wait", gate.WaitLeast, 24 * time.Hour}, {&into.Fresh, from.Fresh, "fresh", 5 * time.Second, time.Hour},
		{&into.CoolDown, from.CoolDown, "coolDown", gate.CoolDownLeast, 24 * time.Hour}} {
		d, err := duration(x.from, x.least, x.most, "restraint."+x.name)
		if err != nil {
			return err
		}
		*x.into = d
	}
	healthy, err1 := within(from.MinHealthyPercent, 100, "restraint.minHealthyPercent")
	storm, err2 := within(from.StormCases, 10000, "restraint.stormCases")
	attempts, err3 := within(from.Attempts, 100, "restraint.attempts")
	into.MinHealthy, into.Storm, into.Attempts = gate.Known(healthy), gate.Known(storm), attempts
	return errors.Join(err1, err2, err3)
}

func readApproval(r *gate.Rail, s v1alpha1.GuardrailSpec) error {
	n, err := within(s.Approval.Approvers, 5, "approval.approvers")
	r.Approvers = gate.Known(n)
	return err // serviceAccounts is for the fence of Approvals, in the API server
}

func within(n *int32, most int, name string) (int, error) {
	switch {
	case n == nil:
		return 0, fmt.Errorf("%s is not set", name)
	case *n < 0 || int(*n) > most:
		return 0, fmt.Errorf("%s is %d, which is not between 0 and %d", name, *n, most)
	}
	return int(*n), nil
}

func duration(text string, least, most time.Duration, name string) (time.Duration, error) {
	if text == "" {
		return 0, fmt.Errorf("%s is not set", name)
	}
	d, err := times.Duration(text, least, most)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}
