package gate

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// booked puts entries into the ledger of a world where all is well.
func booked(entries ...Spent) func(*Rail, *Assessment, *Facts) {
	return func(_ *Rail, _ *Assessment, f *Facts) { f.Ledger = Known(Ledger{Entries: entries}) }
}

// roomy is booked under a Guardrail whose budgets and attempts leave room.
func roomy(entries ...Spent) func(*Rail, *Assessment, *Facts) {
	return func(r *Rail, a *Assessment, f *Facts) {
		booked(entries...)(r, a, f)
		many := Budget{Actions: 50, Window: time.Hour}
		r.Restraint.Attempts, r.Budgets = 50, Budgets{many, many, many}
	}
}

// elsewhere is an entry for another workload of another namespace.
func elsewhere(s Spent) Spent {
	s.Namespace, s.Workload, s.Target = "till", WorkloadKey(Ref{Group: "apps", Kind: "Deployment", Namespace: "till", Name: "till"}), "/Pod/till/till-1"
	return s
}

func TestAttempts(t *testing.T) {
	two := []Spent{spent(23*time.Hour, ResultHealed), spent(22*time.Hour, ResultHealed)}
	attempts := func(n int, entries ...Spent) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			booked(entries...)(r, a, f)
			r.Restraint.Attempts = n
		}
	}
	weigh(t, "attempts", []weighed{
		{"fewer than there may be", attempts(3, two...), Allow, ""},
		{"as many as there may be", attempts(2, two...), Hold, "2 attempts at this workload in 24 hours, and there may be 2"},
		{"none may be", attempts(0), Hold, "0 attempts at this workload in 24 hours, and there may be 0"},
		{"of yesterday", attempts(2, spent(24*time.Hour, ResultHealed), two[0]), Allow, ""},
		{"of almost yesterday", attempts(2, spent(24*time.Hour-1, ResultHealed), two[0]), Hold, "2 attempts"},
		{"at another workload", attempts(2, elsewhere(two[0]), two[1]), Allow, ""},
		{"to propose", func(r *Rail, a *Assessment, f *Facts) { attempts(2, two...)(r, a, f); a.Choice = []string{"propose"} }, Hold, "2 attempts"},
		{"an annotation is none", func(r *Rail, a *Assessment, f *Facts) { attempts(2, two...)(r, a, f); a.Choice = []string{"mark"} }, Allow, ""},
		{"of a target that has no workload", func(r *Rail, _ *Assessment, f *Facts) {
			f.Menu[0].Workload = Ref{}
			s := spent(23*time.Hour, ResultHealed)
			s.Workload = "/Pod/shop/web-1"
			f.Ledger, r.Restraint.Attempts = Known(Ledger{Entries: []Spent{s}}), 1
		}, Hold, "1 attempts"},
	})
}

func TestCoolDown(t *testing.T) {
	same := func(since time.Duration) Spent {
		s := spent(since, ResultHealed)
		s.Target = "/Pod/shop/web-1"
		return s
	}
	least := func(s Spent) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) { roomy(s)(r, a, f); r.Restraint.CoolDown = 0 }
	}
	row := func(results ...Result) []Spent {
		var entries []Spent
		for i, r := range results {
			entries = append(entries, spent(50*time.Minute-time.Duration(i)*time.Minute, r))
		}
		return entries
	}
	at := func(since time.Duration, entries []Spent) []Spent {
		entries[len(entries)-1].At = ago(since)
		return entries
	}
	const I, W, F, U, D, H, P = ResultIneffective, ResultWorsened, ResultRefused, ResultUnknown, ResultDone, ResultHealed, ResultPending
	weigh(t, "cool-down", []weighed{
		{"the same after it", roomy(same(10 * time.Minute)), Allow, ""},
		{"the same within it", roomy(same(10*time.Minute - 1)), Hold, "evict was done to it 9m59s ago, and 10m0s are waited"},
		{"the same in the future", roomy(same(-time.Hour)), Hold, "evict was done"},
		{"five minutes at least", least(same(5*time.Minute - 1)), Hold, "5m0s are waited"},
		{"five minutes", least(same(5 * time.Minute)), Allow, ""},
		{"another action", roomy(func() Spent { s := same(1); s.Verb = "scale"; return s }()), Allow, ""},
		{"another target", roomy(spent(1, H)), Allow, ""},
		{"two failures in a row", roomy(row(F, U)...), Allow, ""},
		{"three failures in a row", roomy(row(F, U, F)...), Hold, "the last 3 actions on this workload failed; it is left alone for 1h0m0s"},
		{"three failures on another workload", roomy(elsewhere(row(F)[0]), elsewhere(row(F)[0]), elsewhere(row(F)[0])), Allow, ""},
		{"three failures, and one done in between", roomy(row(F, F, D, F)...), Allow, ""},
		{"three failures, and one healed in between", roomy(row(F, F, H, F)...), Allow, ""},
		{"three failures, and one pending in between", roomy(row(F, F, P, F)...), Hold, "failed"},
		{"three failures, and one that did not help in between", roomy(row(F, F, I, F)...), Hold, "failed"},
		{"three failures, and one done since", roomy(row(F, F, F, D)...), Allow, ""},
		{"three failures, and one pending since", roomy(row(F, F, F, P)...), Hold, "failed"},
		{"three failures an hour ago", roomy(at(time.Hour, row(F, F, F))...), Hold, "failed"}, // the others are younger
		{"three failures, all an hour ago", roomy(spent(time.Hour, F), spent(time.Hour, F), spent(time.Hour, F)), Allow, ""},
		{"three failures almost an hour ago", roomy(spent(time.Hour, F), spent(time.Hour, F), spent(time.Hour-1, F)), Hold, "failed"},
		{"two did not help", roomy(row(I, W)...), Allow, ""},
		{"three did not help", roomy(row(I, W, I)...), Hold, "the last 3 actions on this workload did not help; it is left alone for 4h0m0s"},
		{"three did not help, and one failed in between", roomy(row(I, F, I, I)...), Hold, "did not help"},
		{"three did not help, and of one nobody knows yet", roomy(row(I, I, I, D)...), Hold, "did not help"},
		{"three did not help, and one healed since", roomy(row(I, I, I, H)...), Allow, ""},
		{"three did not help four hours ago", roomy(spent(5*time.Hour, I), spent(5*time.Hour, I), spent(4*time.Hour, I)), Allow, ""},
		{"three did not help almost four hours ago", roomy(spent(5*time.Hour, I), spent(5*time.Hour, I), spent(4*time.Hour-1, I)), Hold, "did not help"},
		{"an annotation waits for nothing", func(r *Rail, a *Assessment, f *Facts) { roomy(row(F, F, F)...)(r, a, f); a.Choice = []string{"mark"} }, Allow, ""},
	})
}

func TestBreaker(t *testing.T) {
	open := func(b ...Breaker) func(*Rail, *Assessment, *Facts) {
		return func(_ *Rail, _ *Assessment, f *Facts) { f.Ledger = Known(Ledger{Open: b}) }
	}
	weigh(t, "breaker", []weighed{
		{"none is open", open(), Allow, ""},
		{"the namespace's is open", open(Breaker{Namespace: "till"}, Breaker{Namespace: "shop", Since: ago(time.Hour), Why: "worse"}), Hold, "the breaker of namespace shop is open since 2026-11-26T11:00:00Z: worse"},
		{"everything's is open", open(Breaker{Why: "worse"}), Hold, "the breaker of everything is open"},
		{"another namespace's is open", open(Breaker{Namespace: "till"}), Allow, ""},
		{"a pull request while it is open", func(r *Rail, a *Assessment, f *Facts) { open(Breaker{})(r, a, f); a.Choice = []string{"propose"} }, Hold, "everything"},
		{"an annotation while it is open", func(r *Rail, a *Assessment, f *Facts) { open(Breaker{})(r, a, f); a.Choice = []string{"mark"} }, Allow, ""},
	})
}

func TestBudget(t *testing.T) {
	only := func(change func(*Budgets), entries ...Spent) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) { roomy(entries...)(r, a, f); change(&r.Budgets) }
	}
	total := func(b *Budgets) { b.Total.Actions = 2 }
	here := func(b *Budgets) { b.Namespace.Actions = 2 }
	this := func(b *Budgets) { b.Workload.Actions = 2 }
	one, two, old := spent(59*time.Minute, ResultHealed), spent(time.Minute, ResultPending), spent(time.Hour, ResultHealed)
	others := elsewhere(two)
	under := func(s Spent, guardrails ...string) Spent { s.Guardrails = guardrails; return s }
	weigh(t, "budget", []weighed{
		{"one of two in all", only(total, one), Allow, ""},
		{"two of two in all", only(total, one, others), Hold, "2 actions in all in 1h0m0s, and there may be 2"},
		{"one of them an hour ago", only(total, old, others), Allow, ""},
		{"one of them from the future", only(total, one, spent(-time.Hour, ResultHealed)), Hold, "2 actions in all"},
		{"one of them under another Guardrail", only(total, one, under(others, "other")), Allow, ""},
		{"one of them under another Guardrail too", only(total, one, under(others, "other", "team")), Hold, "2 actions in all"},
		{"two of two in the namespace", only(here, one, under(two, "other")), Hold, "2 actions in this namespace in 1h0m0s, and there may be 2"},
		{"one of them in another namespace", only(here, one, others), Allow, ""},
		{"one of them in the namespace an hour ago", only(here, one, old), Allow, ""},
		{"two of two on the workload", only(this, one, under(two, "other")), Hold, "2 actions on this workload in 1h0m0s, and there may be 2"},
		{"one of them on another workload", only(this, one, func() Spent { s := two; s.Workload = "apps/Deployment/shop/api"; return s }()), Allow, ""},
		{"one of them on the workload an hour ago", only(this, one, old), Allow, ""},
		{"no budget in all", only(func(b *Budgets) { b.Total = Budget{} }), Hold, "the budget in all has a window of 0s"},
		{"no budget in the namespace", only(func(b *Budgets) { b.Namespace = Budget{} }), Hold, "the budget in this namespace has a window of 0s"},
		{"no budget on the workload", only(func(b *Budgets) { b.Workload = Budget{} }), Hold, "the budget on this workload has a window of 0s"},
		{"a budget of none", only(func(b *Budgets) { b.Total.Actions = 0 }), Hold, "there may be 0"},
		{"a negative window", only(func(b *Budgets) { b.Total.Window = -1 }), Hold, "window of -1ns"},
		{"a tiny window", only(func(b *Budgets) { b.Total.Window = 1 }), Allow, ""},
		{"as long a window as the ledger keeps", only(func(b *Budgets) { b.Total.Window = LedgerKeeps }), Allow, ""},
		{"a longer window than the ledger keeps", only(func(b *Budgets) { b.Total.Window = LedgerKeeps + 1 }), Hold, "and the ledger keeps 24h0m0s"},
		{"a pull request is counted", func(r *Rail, a *Assessment, f *Facts) {
			only(total, one, others)(r, a, f)
			a.Choice = []string{"propose"}
		}, Hold, "in all"},
		{"an annotation is not", func(r *Rail, a *Assessment, f *Facts) {
			only(total, one, others)(r, a, f)
			a.Choice = []string{"mark"}
		}, Allow, ""},
	})
}

// TestALedgerOfWhichPartIsMissingNeverAllows shows it for one that was cut and for one that nobody could read.
func TestALedgerOfWhichPartIsMissingNeverAllows(t *testing.T) {
	for text, ledger := range map[string]Fact[Ledger]{"known in part only": Known(Ledger{Cut: true}), "no such ConfigMap": Unknown[Ledger]("no such ConfigMap")} {
		for _, choice := range []string{"act", "propose"} {
			a, f := opinion(), facts()
			a.Choice, f.Ledger = []string{choice}, ledger
			v := Decide(Policy{Rails: []Rail{rail()}}, a, f)
			var rules []string
			for _, r := range v.Reasons {
				if rules = append(rules, r.Rule); r.Decision != Hold || !strings.Contains(r.Text, text) {
					t.Errorf("%+v", r)
				}
			}
			if !slices.Equal(rules, []string{"attempts", "cool-down", "breaker", "budget"}) {
				t.Errorf("%s: these rules hold: %v", text, rules)
			}
		}
	}
	if r := (Ledger{Cut: true}).Refuses(Policy{Rails: []Rail{rail()}}, NewSpent(Policy{}, eviction(), ""), now); r == nil || r.Decision != Hold || r.Guardrail != "team" {
		t.Errorf("reserving on a ledger that was cut: %+v", r)
	}
}
