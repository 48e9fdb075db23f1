package gate

import (
	"testing"
	"time"
)

func TestFrozen(t *testing.T) {
	sale := []Interval{{From: ago(time.Hour), To: now.Add(time.Hour), Reason: "sale"}}
	in := func(change ...func(*Rail, *Assessment, *Facts)) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			r.Freezes, a.Choice = sale, []string{"admit"}
			for _, c := range change {
				c(r, a, f)
			}
		}
	}
	denying := func(r *Rail, _ *Assessment, _ *Facts) { r.DenyFrozen = true }
	windows := func(all ...Interval) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, _ *Assessment, _ *Facts) { r.Freezes = all }
	}
	fact := func(change func(*Facts)) func(*Rail, *Assessment, *Facts) {
		return func(_ *Rail, _ *Assessment, f *Facts) { change(f) }
	}
	choose := func(ids ...string) func(*Rail, *Assessment, *Facts) {
		return func(_ *Rail, a *Assessment, _ *Facts) { a.Choice = ids }
	}
	const until = "frozen until 2026-11-26T13:00:00Z: sale"
	senseless := Interval{From: now, To: now, Reason: "typo"}
	weigh(t, "frozen", []weighed{
		{"a rollout in no window", in(windows()), Allow, ""},
		{"a rollout", in(), Hold, until},
		{"a rollout, where the Guardrail refuses it", in(denying), Deny, until},
		{"before the window", in(denying, windows(Interval{From: now.Add(1), To: now.Add(2)})), Allow, ""},
		{"at its beginning", in(denying, windows(Interval{From: now, To: now.Add(2), Reason: "sale"})), Deny, "sale"},
		{"at its end", in(denying, windows(Interval{From: ago(1), To: now})), Allow, ""},
		{"in two windows, until the later end", in(denying, windows(sale[0], Interval{From: ago(1), To: now.Add(2 * time.Hour), Reason: "audit"})), Deny, "until 2026-11-26T14:00:00Z: audit"},
		{"in two windows, whichever comes first", in(denying, windows(Interval{From: ago(1), To: now.Add(2 * time.Hour), Reason: "audit"}, sale[0])), Deny, "until 2026-11-26T14:00:00Z: audit"},
		{"a window that makes no sense", in(denying, windows(senseless)), Hold, "ends before it begins: typo"},
		{"a window that makes no sense before one that does", in(denying, windows(senseless, sale[0])), Deny, until},
		{"a window that makes no sense after one that does", in(denying, windows(sale[0], senseless)), Deny, until},
		{"a time that is not known", in(denying, fact(func(f *Facts) { f.At = time.Time{} })), Hold, "the time is not known, and there are freeze windows"},
		{"a time that is not known, and no window", in(denying, windows(), fact(func(f *Facts) { f.At = time.Time{} })), Allow, ""},
		{"a size", in(denying, fact(func(f *Facts) { f.Brings = Known(false) })), Allow, ""},
		{"nobody knows what it is", in(denying, fact(func(f *Facts) { f.Brings = Fact[bool]{} })), Hold, until},
		{"the way back", in(denying, fact(func(f *Facts) { f.Rollback = Known(true) })), Allow, ""},
		{"the way back, in a window that makes no sense", in(windows(senseless), fact(func(f *Facts) { f.Rollback = Known(true) })), Allow, ""},
		{"perhaps the way back", in(denying, fact(func(f *Facts) { f.Rollback = Fact[bool]{} })), Hold, until},
		{"the fix", in(denying, fact(func(f *Facts) { f.Failing = Known(true) })), Hold, until},
		{"perhaps the fix", in(denying, fact(func(f *Facts) { f.Failing = Fact[bool]{} })), Hold, until},
		{"nothing is done", in(denying, choose("none")), Allow, ""},
		{"a pull request", in(denying, choose("propose")), Allow, ""},
		{"a mark", in(denying, choose("mark")), Allow, ""},
		{"an answer beside a mark", in(denying, choose("mark", "admit")), Deny, until},
	})
}
