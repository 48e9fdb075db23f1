package gate

import (
	"slices"
	"time"

	"pgregory.net/rapid"
)

// tightening is one way to make a Guardrail stricter.
type tightening struct {
	name   string
	change func(t *rapid.T, r *Rail)
}

// tightenings are all ways: each number, each switch, each list.
var tightenings = slices.Concat([]tightening{
	{"mode", func(_ *rapid.T, r *Rail) {
		if r.Mode <= Automatic {
			r.Mode = max(r.Mode-1, -1)
		}
	}},
	{"admission", func(_ *rapid.T, r *Rail) {
		if r.Admission <= AdmissionEnforce {
			r.Admission = max(r.Admission-1, -1)
		}
	}},
	{"deny pending", func(_ *rapid.T, r *Rail) { r.DenyPending = true }},
	{"deny frozen", func(_ *rapid.T, r *Rail) { r.DenyFrozen = true }},
	{"deny advised", func(_ *rapid.T, r *Rail) { r.DenyAdvised = true }},
	{"on pending", func(_ *rapid.T, r *Rail) { r.OnPending = min(r.OnPending+1, PendingDeny) }},
	{"pause", func(_ *rapid.T, r *Rail) { r.Paused = append(r.Paused, "stop") }},
	{"unreadable", func(_ *rapid.T, r *Rail) { r.Unreadable = "what is this" }},
	{"direction", func(_ *rapid.T, r *Rail) {
		if r.Drift.Direction <= DirectionAdopt {
			r.Drift.Direction = max(r.Drift.Direction-1, -1)
		}
	}},
	{"emergency fixes alone", func(_ *rapid.T, r *Rail) { r.Drift.Any = false }},
	{"another silence", func(t *rapid.T, r *Rail) { r.Silences = append(r.Silences, Silence{Until: drawInterval(t).To}) }},
	{"another freeze", func(t *rapid.T, r *Rail) { r.Freezes = append(r.Freezes, drawInterval(t)) }},
	{"no actions", func(_ *rapid.T, r *Rail) { r.Actions = nil }},
	{"an action less", func(t *rapid.T, r *Rail) {
		if i := anyOf(t, len(r.Actions)); i >= 0 {
			r.Actions = slices.Delete(r.Actions, i, i+1)
		}
	}},
	{"a kind less", permitted(func(t *rapid.T, p *Permitted) {
		if len(p.Kinds) > 1 {
			p.Kinds = p.Kinds[1:]
		} else {
			p.Kinds = []string{rapid.SampledFrom(append(p.Kinds, "Job")).Draw(t, "kind")}
		}
	})},
	{"another bound", permitted(func(t *rapid.T, p *Permitted) { p.Bounds = append(p.Bounds, drawBound(t)) })},
	{"a higher least", bounded(func(b *Bound) {
		b.Min = map[string]string{"": "1", "1": "3", "3": "5", "5": "2Gi", "2Gi": "x", "x": "x"}[b.Min]
	})},
	{"a lower most", bounded(func(b *Bound) {
		b.Max = map[string]string{"": "2Gi", "2Gi": "5", "5": "3", "3": "1", "1": "x", "x": "x"}[b.Max]
	})},
	{"less change", bounded(func(b *Bound) { b.Change = map[int]int{0: 100, 100: 10, 10: 1}[b.Change] })},
	{"reversible", permitted(func(_ *rapid.T, p *Permitted) { p.Irreversible = false })},
}, tighterNumbers())

// tighterNumbers move each number of a Guardrail by a little in its careful direction, and make it unknown.
func tighterNumbers() []tightening {
	var all []tightening
	var r Rail
	for i, n := range numbers(&r) {
		step := 1
		if n.name == "stormCases" {
			step = -1
		}
		all = append(all, tightening{n.name, func(_ *rapid.T, r *Rail) {
			n := numbers(r)[i].at
			if v, ok := n.Get(); ok && (v >= 0 || step < 0) && v <= 100 { // what makes no sense permits nothing, so it cannot be tightened
				*n = Known(v + step)
			}
		}}, tightening{"no " + n.name, func(_ *rapid.T, r *Rail) { *numbers(r)[i].at = Fact[int]{} }})
	}
	for i, d := range durations(&r) {
		step := time.Minute
		if d.name == "fresh" {
			step = -step
		}
		all = append(all, tightening{d.name, func(_ *rapid.T, r *Rail) {
			if d := durations(r)[i].at; *d > 0 {
				*d = max(0, *d+step)
			}
		}})
	}
	for i, n := range counts(&r) {
		all = append(all, tightening{n.name, func(_ *rapid.T, r *Rail) { *counts(r)[i].at-- }})
	}
	return all
}

func anyOf(t *rapid.T, n int) int {
	if n == 0 {
		return -1
	}
	return rapid.IntRange(0, n-1).Draw(t, "which")
}

func permitted(change func(*rapid.T, *Permitted)) func(*rapid.T, *Rail) {
	return func(t *rapid.T, r *Rail) {
		if i := anyOf(t, len(r.Actions)); i >= 0 {
			change(t, &r.Actions[i])
		}
	}
}

func bounded(change func(*Bound)) func(*rapid.T, *Rail) {
	return permitted(func(t *rapid.T, p *Permitted) {
		if i := anyOf(t, len(p.Bounds)); i >= 0 {
			change(&p.Bounds[i])
		}
	})
}

// badNews are ways in which a world gets worse. What never was well cannot: a number that makes no sense stays as it is.
var badNews = []struct {
	name   string
	change func(t *rapid.T, w *world)
}{
	{"a lower score", func(_ *rapid.T, w *world) { w.a.Score = fall(w.a.Score) }},
	{"less confidence", func(_ *rapid.T, w *world) { w.a.Confidence = fall(w.a.Confidence) }},
	{"less agreement", func(_ *rapid.T, w *world) { w.a.Agreement = fall(w.a.Agreement) }},
	{"a choice that is not on the menu", func(_ *rapid.T, w *world) { w.a.Choice = append(slices.Clone(w.a.Choice), "drop-database") }},
	{"another choice", func(t *rapid.T, w *world) {
		if len(w.a.Choice) > 0 {
			w.a.Choice = append(slices.Clone(w.a.Choice), rapid.SampledFrom([]string{"act", "scale", "propose", "mark", "admit", "none"}).Draw(t, "more"))
		}
	}},
	{"a pause", func(_ *rapid.T, w *world) {
		reasons, _ := w.f.Paused.Get()
		w.f.Paused = Known(append(slices.Clone(reasons), "stop"))
	}},
	{"another entry", func(t *rapid.T, w *world) {
		entry := drawEntry(t)
		if entry.Result == ResultDone || entry.Result == ResultHealed {
			entry.Result = ResultPending // what went well is good news
		}
		ledger(w, func(l *Ledger) {
			l.Entries = slices.Insert(l.Entries, rapid.IntRange(0, len(l.Entries)).Draw(t, "where"), entry)
		})
	}},
	{"something went wrong", func(t *rapid.T, w *world) {
		ledger(w, func(l *Ledger) {
			if i := anyOf(t, len(l.Entries)); i >= 0 {
				l.Entries[i].Result = map[Result]Result{ResultHealed: ResultDone, ResultDone: ResultPending, ResultPending: ResultUnknown}[l.Entries[i].Result]
			}
		})
	}},
	{"a breaker opened", func(t *rapid.T, w *world) {
		ledger(w, func(l *Ledger) {
			l.Open = append(l.Open, Breaker{Namespace: rapid.SampledFrom([]string{"", "shop", "till"}).Draw(t, "where")})
		})
	}},
	{"a ledger that was cut", func(_ *rapid.T, w *world) { ledger(w, func(l *Ledger) { l.Cut = true }) }},
	{"a rejection", func(t *rapid.T, w *world) {
		approvals(w, func(a []Approval) []Approval { return append(a, rejection(t, w)) })
	}},
	{"approvals that were used", func(_ *rapid.T, w *world) {
		approvals(w, func(a []Approval) []Approval {
			for i := range a {
				a[i].Used = true
			}
			return a
		})
	}},
	{"no approvals", func(_ *rapid.T, w *world) {
		approvals(w, func(a []Approval) []Approval { return slices.DeleteFunc(a, func(x Approval) bool { return !x.Reject }) })
	}},
	{"fewer well", func(_ *rapid.T, w *world) {
		if s, ok := w.f.Health.Get(); ok && s.Well <= s.Total {
			w.f.Health = Known(Share{s.Well - 1, s.Total})
		}
	}},
	{"a model that was not heard yet", func(_ *rapid.T, w *world) { w.f.Unheard = "a model is being asked" }},
	{"a storm", func(_ *rapid.T, w *world) {
		if n, ok := w.f.Storm.Get(); ok && n >= 0 {
			w.f.Storm = Known(n + 1)
		}
	}},
	{"one that did not heal", func(_ *rapid.T, w *world) {
		if h, ok := w.f.History.Get(); ok && h.Healed <= h.Tried {
			h.Tried++
			w.f.History = Known(h)
		}
	}},
	{"seen for a shorter time", func(_ *rapid.T, w *world) {
		if at, ok := w.f.Since.Get(); ok {
			w.f.Since = Known(at.Add(time.Second))
		}
	}},
	{"older evidence", func(_ *rapid.T, w *world) {
		if at, ok := w.f.Oldest.Get(); ok && !at.After(w.f.At) {
			w.f.Oldest = Known(at.Add(-time.Second))
		}
	}},
	{"an owner", func(t *rapid.T, w *world) {
		if o, ok := w.f.Owner.Get(); ok {
			*[]*string{&o.Source, &o.Scaler, &o.Sizer}[anyOf(t, 3)] = "somebody"
			w.f.Owner = Known(o)
		}
	}},
	{"a drift that is no emergency fix", func(_ *rapid.T, w *world) { w.f.Drift = Known("accident") }},
	{"another template", func(_ *rapid.T, w *world) { w.f.Brings = Known(true) }},
	{"no return to what ran before", func(_ *rapid.T, w *world) { w.f.Rollback = Known(false) }},
	{"nothing that fails now", func(_ *rapid.T, w *world) { w.f.Failing = Known(false) }},
	{"no way back", func(_ *rapid.T, w *world) {
		w.f.Menu = slices.Clone(w.f.Menu)
		w.f.Menu[0].Undo, w.f.Menu[2].Undo = "", ""
	}},
}

func ledger(w *world, change func(*Ledger)) {
	if l, ok := w.f.Ledger.Get(); ok {
		l.Entries = slices.Clone(l.Entries)
		change(&l)
		w.f.Ledger = Known(l)
	}
}

func approvals(w *world, change func([]Approval) []Approval) {
	if given, ok := w.f.Approvals.Get(); ok {
		w.f.Approvals = Known(change(slices.Clone(given)))
	}
}

func rejection(t *rapid.T, w *world) Approval {
	x := drawApproval(t, w.f.Menu)
	x.Reject = true
	return x
}

func fall(n Fact[int]) Fact[int] {
	if v, ok := n.Get(); ok && v > 0 && v <= 100 {
		return Known(v - 1)
	}
	return n
}

// forgetting makes each fact, number and opinion unknown.
var forgetting = func() map[string]func(*world) {
	all := map[string]func(*world){
		"paused": func(w *world) { w.f.Paused = Fact[[]string]{} }, "namespace": func(w *world) { w.f.Namespace = Fact[map[string]string]{} },
		"rollback": func(w *world) { w.f.Rollback = Fact[bool]{} }, "failing": func(w *world) { w.f.Failing = Fact[bool]{} },
		"drift":  func(w *world) { w.f.Drift = Fact[string]{} },
		"brings": func(w *world) { w.f.Brings = Fact[bool]{} },
		"since":  func(w *world) { w.f.Since = Fact[time.Time]{} }, "oldest": func(w *world) { w.f.Oldest = Fact[time.Time]{} },
		"owner": func(w *world) { w.f.Owner = Fact[Owner]{} }, "health": func(w *world) { w.f.Health = Fact[Share]{} },
		"storm": func(w *world) { w.f.Storm = Fact[int]{} }, "ledger": func(w *world) { w.f.Ledger = Fact[Ledger]{} },
		"history": func(w *world) { w.f.History = Fact[Tally]{} }, "approvals": func(w *world) { w.f.Approvals = Fact[[]Approval]{} },
		"time": func(w *world) { w.f.At = time.Time{} }, "score": func(w *world) { w.a.Score = Fact[int]{} },
		"confidence": func(w *world) { w.a.Confidence = Fact[int]{} }, "agreement": func(w *world) { w.a.Agreement = Fact[int]{} },
	}
	var r Rail
	for i, n := range numbers(&r) {
		all[n.name] = func(w *world) { *numbers(&w.r)[i].at = Fact[int]{} }
	}
	return all
}()
