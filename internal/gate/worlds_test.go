package gate

import (
	"slices"
	"time"

	"pgregory.net/rapid"
)

// world is all that a verdict is made from, under one Guardrail.
type world struct {
	r Rail
	a Assessment
	f Facts
}

func (w world) decide() Verdict { return Decide(Policy{Rails: []Rail{w.r}}, w.a, w.f) }

// drawWorld draws worlds in which most is well, so that a single thing often decides.
func drawWorld(t *rapid.T) world { return world{drawRail(t), drawAssessment(t), drawFacts(t)} }

// odd is true for one draw in twelve.
func odd(t *rapid.T, name string) bool { return rapid.IntRange(0, 11).Draw(t, name) == 7 }

func drawFact(t *rapid.T, name string) Fact[int] {
	if rapid.Bool().Draw(t, name+" known") {
		return Known(rapid.IntRange(-10, 110).Draw(t, name))
	}
	return Unknown[int]("not drawn")
}

func drawRail(t *rapid.T) Rail {
	r := rail()
	for _, n := range numbers(&r) {
		if odd(t, n.name) {
			*n.at = drawFact(t, n.name)
		}
	}
	if odd(t, "mode") {
		r.Mode = Mode(rapid.IntRange(-1, 4).Draw(t, "which mode"))
	}
	if odd(t, "admission") {
		r.Admission = Admission(rapid.IntRange(-1, 3).Draw(t, "which admission"))
	}
	for _, d := range durations(&r) {
		if odd(t, d.name) {
			*d.at = time.Duration(rapid.IntRange(-1, 25*60).Draw(t, d.name+" minutes")) * time.Minute
		}
	}
	for _, n := range counts(&r) {
		if odd(t, n.name) {
			*n.at = rapid.IntRange(-1, 4).Draw(t, n.name+" count")
		}
	}
	if odd(t, "actions") {
		r.Actions = rapid.SliceOfN(rapid.Custom(drawPermitted), 0, 3).Draw(t, "which actions")
	}
	if rapid.IntRange(0, 3).Draw(t, "freezes") == 3 {
		r.Freezes = []Interval{drawInterval(t)}
	}
	if odd(t, "drift") {
		r.Drift = Settling{Direction: Direction(rapid.IntRange(-1, 3).Draw(t, "direction")), Any: rapid.Bool().Draw(t, "any")}
	}
	if odd(t, "silenced") {
		r.Silences = []Silence{{Symptom: rapid.SampledFrom([]string{"", "CrashLoop"}).Draw(t, "silenced symptom"), Until: drawInterval(t).To, By: "ana", Why: "known"}}
	}
	r.DenyPending = rapid.Bool().Draw(t, "denyPending")
	r.DenyFrozen = rapid.Bool().Draw(t, "denyFrozen")
	r.DenyAdvised = rapid.Bool().Draw(t, "denyAdvised")
	r.OnPending = rapid.SampledFrom([]OnPending{PendingWarn, PendingWarn, PendingRetry, PendingDeny}).Draw(t, "onPending")
	if odd(t, "paused") {
		r.Paused = []string{"why"}
	}
	if odd(t, "unreadable") {
		r.Unreadable = "bad"
	}
	return r
}

func drawInterval(t *rapid.T) Interval {
	from := ago(time.Duration(rapid.IntRange(-3, 3).Draw(t, "from")) * time.Hour)
	return Interval{From: from, To: from.Add(time.Duration(rapid.IntRange(-1, 5).Draw(t, "hours")) * time.Hour), Reason: "sale"}
}

func drawPermitted(t *rapid.T) Permitted {
	return Permitted{Verb: rapid.SampledFrom([]string{"evict", "scale", "pull-request"}).Draw(t, "verb"),
		Kinds:        rapid.SampledFrom([][]string{nil, {"Pod"}, {"Deployment"}, {"Pod", "Deployment"}}).Draw(t, "kinds"),
		Bounds:       rapid.SliceOfN(rapid.Custom(drawBound), 0, 2).Draw(t, "bounds"),
		Irreversible: rapid.Bool().Draw(t, "irreversible")}
}

func drawBound(t *rapid.T) Bound {
	value := rapid.SampledFrom([]string{"", "1", "3", "5", "2Gi", "x"})
	return Bound{Field: rapid.SampledFrom([]string{"replicas", "image", "memory", ""}).Draw(t, "field"), Min: value.Draw(t, "min"), Max: value.Draw(t, "max"),
		Change: rapid.SampledFrom([]int{0, 10, 100}).Draw(t, "change")}
}

func drawAssessment(t *rapid.T) Assessment {
	a := opinion()
	for _, n := range []field[Fact[int]]{{"score", &a.Score}, {"confidence", &a.Confidence}, {"agreement", &a.Agreement}} {
		if odd(t, n.name) {
			*n.at = drawFact(t, n.name)
		}
	}
	ids := []string{"act", "act", "act", "scale", "propose", "mark", "admit", "none"}
	a.Choice = []string{rapid.SampledFrom(ids).Draw(t, "choice")}
	if odd(t, "choices") {
		a.Choice = rapid.SliceOfN(rapid.SampledFrom(append(ids, "other")), 0, 3).Draw(t, "which choices")
	}
	a.Silent = rapid.SampledFrom([]string{"", "", "", "", "", "mute"}).Draw(t, "silent")
	if odd(t, "findings") {
		for range rapid.IntRange(1, 3).Draw(t, "how many") {
			a.Findings = append(a.Findings, drawFinding(t))
		}
	}
	return a
}

func drawFinding(t *rapid.T) Finding {
	return Finding{ID: "f", Text: rapid.SampledFrom([]string{"bad", ""}).Draw(t, "text"), Points: rapid.IntRange(-50, 120).Draw(t, "points"), Hard: rapid.Bool().Draw(t, "hard"),
		Nature: rapid.SampledFrom([]Nature{Lasting, Pending, Recent, Standing, Advised}).Draw(t, "nature")}
}

func drawFacts(t *rapid.T) Facts {
	w := world{f: facts()}
	f := &w.f
	for _, name := range []string{"paused", "namespace", "since", "oldest", "owner", "health", "storm", "ledger", "history", "approvals", "time"} {
		if odd(t, "forget "+name) {
			forgetting[name](&w)
		}
	}
	f.Unheard = rapid.SampledFrom([]string{"", "", "", "a model is being asked"}).Draw(t, "unheard")
	f.Rollback, f.Failing = drawBool(t, "rollback"), drawBool(t, "failing")
	f.Drift = rapid.SampledFrom([]Fact[string]{Known(""), Known(""), Known(CauseEmergency), Known("accident"), {}}).Draw(t, "drift")
	f.Brings = rapid.SampledFrom([]Fact[bool]{Known(true), Known(true), Known(false), {}}).Draw(t, "brings")
	f.History = Known(Tally{Cause: rapid.SampledFrom([]string{"crash", "crash", "crash", "oom"}).Draw(t, "cause"),
		Verb: rapid.SampledFrom([]string{"evict", "evict", "scale"}).Draw(t, "verb"), Tried: 40, Healed: rapid.IntRange(30, 41).Draw(t, "healed")})
	for i := range f.Menu {
		drawPlan(t, &f.Menu[i])
	}
	if odd(t, "approvals") {
		f.Approvals = Known(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Approval { return drawApproval(t, f.Menu) }), 0, 4).Draw(t, "which approvals"))
	}
	if odd(t, "ledger") {
		l := Ledger{Entries: drawEntries(t, 6)}
		if odd(t, "open") {
			l.Open = []Breaker{{Namespace: "shop", Why: "worse"}}
		}
		f.Ledger = Known(l)
	}
	if odd(t, "owner") {
		text := rapid.SampledFrom([]string{"", "somebody"})
		f.Owner = Known(Owner{Source: text.Draw(t, "source"), Scaler: text.Draw(t, "scaler"), Sizer: text.Draw(t, "sizer")})
	}
	if odd(t, "labels") {
		f.Namespace = Known(map[string]string{"app.kubernetes.io/part-of": rapid.SampledFrom([]string{"shop", "flux"}).Draw(t, "part of")})
	}
	if odd(t, "numbers") {
		f.Health = Known(Share{Well: rapid.IntRange(-1, 10).Draw(t, "well"), Total: rapid.IntRange(0, 10).Draw(t, "total")})
		f.Storm = Known(rapid.IntRange(-1, 30).Draw(t, "cases"))
	}
	if odd(t, "times") {
		f.Since = Known(ago(time.Duration(rapid.IntRange(-1, 100).Draw(t, "since")) * time.Second))
		f.Oldest = Known(ago(time.Duration(rapid.IntRange(-1, 500).Draw(t, "oldest")) * time.Second))
	}
	return *f
}

// drawPlan now and then makes another plan of an item on the menu, or aims it elsewhere.
func drawPlan(t *rapid.T, x *Action) {
	if odd(t, x.ID+" plan") {
		x.Undo = ""
		x.Edits = []Edit{{Path: rapid.SampledFrom([]string{"spec.replicas", "spec.template", "a.resources.memory", "spec"}).Draw(t, "path"), Old: "3",
			New: rapid.SampledFrom([]string{"", "1", "4", "9", `"x"`, `{"replicas":1}`}).Draw(t, "new")}}
	}
	if odd(t, x.ID+" target") {
		x.Target.Namespace = rapid.SampledFrom([]string{"shop", "till", "kube-system", ""}).Draw(t, "target")
		x.Target.Kind = rapid.SampledFrom([]string{x.Target.Kind, "Secret"}).Draw(t, "kind")
		if odd(t, "core") {
			x.Target.Group = ""
		}
	}
	if odd(t, x.ID+" request") {
		x.Request = nil
	}
}

func drawApproval(t *rapid.T, menu []Action) Approval {
	x := word(rapid.SampledFrom([]string{"ana", "ben", ""}).Draw(t, "approver"), menu[rapid.IntRange(0, 2).Draw(t, "of")])
	x.Reject, x.Used = odd(t, "reject"), odd(t, "used")
	x.At = ago(time.Duration(rapid.IntRange(-1, 9).Draw(t, "at")))
	x.Expires = now.Add(time.Duration(rapid.IntRange(-1, 9).Draw(t, "expires")))
	return x
}

func drawBool(t *rapid.T, name string) Fact[bool] {
	return rapid.SampledFrom([]Fact[bool]{Known(false), Known(false), Known(true), {}}).Draw(t, name)
}

// field is one field of a Guardrail, by name.
type field[T any] struct {
	name string
	at   *T
}

// numbers, durations and counts are the fields of a Guardrail that hold one.
func numbers(r *Rail) []field[Fact[int]] {
	return []field[Fact[int]]{{"warnBelow", &r.WarnBelow}, {"denyBelow", &r.DenyBelow}, {"confidenceBelow", &r.ConfidenceBelow},
		{"agreementBelow", &r.AgreementBelow}, {"historyBelow", &r.HistoryBelow}, {"approvers", &r.Approvers},
		{"minHealthy", &r.Restraint.MinHealthy}, {"stormCases", &r.Restraint.Storm}}
}

func durations(r *Rail) []field[time.Duration] {
	return []field[time.Duration]{{"wait", &r.Restraint.Wait}, {"fresh", &r.Restraint.Fresh}, {"coolDown", &r.Restraint.CoolDown},
		{"total window", &r.Budgets.Total.Window}, {"namespace window", &r.Budgets.Namespace.Window}, {"workload window", &r.Budgets.Workload.Window}}
}

func counts(r *Rail) []field[int] {
	return []field[int]{{"attempts", &r.Restraint.Attempts}, {"total", &r.Budgets.Total.Actions}, {"namespace", &r.Budgets.Namespace.Actions},
		{"workload", &r.Budgets.Workload.Actions}}
}

// copied is a Guardrail that shares nothing with the one that it was copied from.
func copied(r Rail) Rail {
	r.Actions, r.Freezes, r.Paused = slices.Clone(r.Actions), slices.Clone(r.Freezes), slices.Clone(r.Paused)
	for i := range r.Actions {
		r.Actions[i].Kinds, r.Actions[i].Bounds = slices.Clone(r.Actions[i].Kinds), slices.Clone(r.Actions[i].Bounds)
	}
	return r
}
