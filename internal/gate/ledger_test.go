package gate

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func drawEntries(t *rapid.T, most int) []Spent {
	var entries []Spent
	for range rapid.IntRange(0, most).Draw(t, "entries") {
		entries = append(entries, drawEntry(t))
	}
	slices.SortStableFunc(entries, func(a, b Spent) int { return a.At.Compare(b.At) })
	return entries
}

func drawEntry(t *rapid.T) Spent {
	return Spent{At: ago(time.Duration(rapid.IntRange(-5, 100).Draw(t, "minutes ago")) * time.Minute),
		Guardrails: rapid.SampledFrom([][]string{nil, {"team"}, {"other"}, {"other", "team"}}).Draw(t, "guardrails"),
		Namespace:  rapid.SampledFrom([]string{"shop", "till", "desk"}).Draw(t, "namespace"),
		Workload:   rapid.SampledFrom([]string{"apps/Deployment/shop/web", "apps/Deployment/shop/api"}).Draw(t, "workload"),
		Verb:       rapid.SampledFrom([]string{"evict", "scale"}).Draw(t, "verb"),
		Target:     rapid.SampledFrom([]string{"/Pod/shop/web-1", "/Pod/shop/web-2"}).Draw(t, "target"),
		Result: rapid.SampledFrom([]Result{ResultPending, ResultRefused, ResultUnknown, ResultDone, ResultHealed, ResultIneffective,
			ResultWorsened}).Draw(t, "result")}
}

func drawBudget(t *rapid.T, name string) Budget {
	return Budget{Actions: rapid.IntRange(-1, 5).Draw(t, name), Window: time.Duration(rapid.SampledFrom([]int{-1, 0, 1, 30, 60, 24 * 60, 24*60 + 1}).Draw(t, name+" minutes")) * time.Minute}
}

// TestABudgetIsOverspentWhenCountingSaysSo compares with a count by somebody who knows nothing but the sentence: at most so many
// actions in any window of this length.
func TestABudgetIsOverspentWhenCountingSaysSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rail()
		r.Budgets = Budgets{drawBudget(t, "total"), drawBudget(t, "namespace"), drawBudget(t, "workload")}
		l := Ledger{Entries: drawEntries(t, 12)}
		next := drawEntry(t)
		if why, want := r.overspent(l, next, now), broke(l, r, next); (why != "") != want {
			t.Fatalf("overspent: %q, counting says %t", why, want)
		}
	})
}

func broke(l Ledger, r Rail, next Spent) bool {
	count := func(b Budget, counts func(Spent) bool) bool {
		n := 0
		for _, s := range l.Entries {
			if counts(s) && s.At.After(now.Add(-b.Window)) {
				n++
			}
		}
		return b.Window <= 0 || b.Window > 24*time.Hour || n+1 > b.Actions
	}
	return count(r.Budgets.Total, func(s Spent) bool { return slices.Contains(s.Guardrails, r.Name) }) ||
		count(r.Budgets.Namespace, func(s Spent) bool { return s.Namespace == next.Namespace }) ||
		count(r.Budgets.Workload, func(s Spent) bool { return s.Workload == next.Workload })
}

// TestReservingAsksWhatDecidingAsks shows that Refuses says no where one of the four rules about what was done lately does, and
// nowhere else.
func TestReservingAsksWhatDecidingAsks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rail()
		r.Budgets = Budgets{drawBudget(t, "total"), drawBudget(t, "namespace"), drawBudget(t, "workload")}
		r.Restraint.Attempts = rapid.IntRange(0, 9).Draw(t, "attempts")
		other := rail()
		other.Name = "other"
		p := Policy{Rails: []Rail{other, r}}
		l := Ledger{Entries: drawEntries(t, 6), Cut: rapid.SampledFrom([]bool{false, false, false, true}).Draw(t, "cut")}
		if rapid.IntRange(0, 3).Draw(t, "open") == 0 {
			l.Open = []Breaker{{Namespace: rapid.SampledFrom([]string{"", "shop", "till"}).Draw(t, "breaker")}}
		}
		f := facts()
		f.Ledger = Known(l)
		v := Decide(p, opinion(), f)
		got := l.Refuses(p, NewSpent(p, eviction(), "crash"), now)
		if (v.Decision < Allow) != (got != nil) {
			t.Fatalf("%+v when deciding, %+v when reserving", v.Reasons, got)
		}
		if got != nil && !slices.Contains(v.Reasons, *got) {
			t.Fatalf("%+v is not among %+v", *got, v.Reasons)
		}
	})
	if got := (Ledger{}).Refuses(Policy{}, Spent{}, now); got == nil || got.Decision != Hold || got.Text == "" {
		t.Errorf("without a Guardrail: %+v", got)
	}
}

func TestTrips(t *testing.T) {
	const F, U, I, W = ResultRefused, ResultUnknown, ResultIneffective, ResultWorsened
	bad := func(namespace string, results ...Result) []Spent {
		var entries []Spent
		for i, r := range results {
			s := spent(59*time.Minute-time.Duration(i)*time.Minute, r)
			s.Namespace = namespace
			entries = append(entries, s)
		}
		return entries
	}
	forgiven := func(entries []Spent) []Spent {
		for i := range entries {
			entries[i].Forgiven = true
		}
		return entries
	}
	tests := []struct {
		name   string
		ledger Ledger
		opens  []string
		why    string // of the first
	}{
		{"nothing happened", Ledger{}, nil, ""},
		{"what went well opens none", Ledger{Entries: bad("shop", ResultHealed, ResultDone, ResultPending, ResultHealed, ResultHealed, ResultHealed)}, nil, ""},
		{"one that made it worse", Ledger{Entries: bad("shop", W)}, nil, ""},
		{"two that made it worse", Ledger{Entries: bad("shop", W, W)}, []string{"shop"}, "2 actions within an hour failed or did not help, 2 of them made it worse"},
		{"two that made it worse in two places", Ledger{Entries: slices.Concat(bad("shop", W), bad("till", W))}, nil, ""},
		{"four bad ones", Ledger{Entries: bad("shop", F, U, I, W)}, nil, ""},
		{"five bad ones", Ledger{Entries: bad("shop", F, U, I, W, F)}, []string{"shop"}, "5 actions within an hour failed or did not help, 1 of them made it worse"},
		{"five bad ones in two places", Ledger{Entries: slices.Concat(bad("shop", F, F, F), bad("till", F, F))}, nil, ""},
		{"two of an hour ago", Ledger{Entries: []Spent{spent(time.Hour, W), spent(time.Hour-1, W)}}, nil, ""},
		{"two of almost an hour ago", Ledger{Entries: []Spent{spent(time.Hour-1, W), spent(time.Hour-1, W)}}, []string{"shop"}, "2 actions"},
		{"two places", Ledger{Entries: slices.Concat(bad("till", W, W), bad("shop", W, W))}, []string{"till", "shop", ""}, ""},
		{"one place, and another that is open already", Ledger{Open: []Breaker{{Namespace: "till"}}, Entries: bad("shop", W, W)}, []string{"shop", ""}, ""},
		{"two places that are open already", Ledger{Open: []Breaker{{Namespace: "till"}, {Namespace: "shop"}}}, []string{""}, "2 namespaces have an open breaker, and 0 actions"},
		{"one place that is open already", Ledger{Open: []Breaker{{Namespace: "shop"}}, Entries: bad("shop", W, W, W)}, nil, ""},
		{"everything is open already", Ledger{Open: []Breaker{{}}, Entries: slices.Concat(bad("till", W, W), bad("shop", W, W))}, []string{"till", "shop"}, ""},
		{"everything and one place are open already", Ledger{Open: []Breaker{{}, {Namespace: "shop"}}}, nil, ""},
		{"nine bad ones all over", Ledger{Entries: slices.Concat(bad("a", F, F, F), bad("b", F, F, F), bad("c", F, F, F))}, nil, ""},
		{"ten bad ones all over", Ledger{Entries: slices.Concat(bad("a", F, F, F), bad("b", F, F, F), bad("c", F, F, F, F))}, []string{""}, "0 namespaces have an open breaker, and 10 actions within an hour failed or did not help"},
		{"two that a human forgave", Ledger{Entries: forgiven(bad("shop", W, W))}, nil, ""},
		{"one that a human forgave, and two more", Ledger{Entries: slices.Concat(forgiven(bad("shop", W)), bad("shop", W, W))}, []string{"shop"}, "2 actions"},
		{"forgiven elsewhere", Ledger{Entries: slices.Concat(forgiven(bad("till", W, W)), bad("shop", W, W))}, []string{"shop"}, ""},
		{"ten that a human forgave", Ledger{Entries: forgiven(slices.Concat(bad("a", F, F, F), bad("b", F, F, F), bad("c", F, F, F, F)))}, nil, ""},
		{"ten of which a human forgave some", Ledger{Entries: slices.Concat(forgiven(bad("a", F, F, F)), bad("b", F, F, F), bad("c", F, F, F, F))}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trips := tt.ledger.Trips(now)
			var opens []string
			for _, b := range trips {
				if opens = append(opens, b.Namespace); b.Since != now || b.Why == "" {
					t.Errorf("%+v", b)
				}
			}
			if !slices.Equal(opens, tt.opens) || len(trips) > 0 && !strings.Contains(trips[0].Why, tt.why) {
				t.Errorf("opens %q: %+v, want %q", opens, trips, tt.opens)
			}
			tt.ledger.Open = append(tt.ledger.Open, trips...)
			if again := tt.ledger.Trips(now); len(again) > 0 {
				t.Errorf("opens %+v again", again)
			}
		})
	}
}

// TestTripsIsWhatCountingSays compares with a count.
func TestTripsIsWhatCountingSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Ledger{Entries: drawEntries(t, 25)}
		bad, worse, all := map[string]int{}, map[string]int{}, 0
		for _, s := range l.Entries {
			if !s.At.After(now.Add(-time.Hour)) || s.Result == ResultPending || s.Result == ResultDone || s.Result == ResultHealed {
				continue
			}
			all++
			bad[s.Namespace]++
			if s.Result == ResultWorsened {
				worse[s.Namespace]++
			}
		}
		want := map[string]bool{}
		for n := range bad {
			if bad[n] >= 5 || worse[n] >= 2 {
				want[n] = true
			}
		}
		if len(want) >= 2 || all >= 10 {
			want[""] = true
		}
		got := map[string]bool{}
		for _, b := range l.Trips(now) {
			got[b.Namespace] = true
		}
		if !maps.Equal(got, want) {
			t.Fatalf("opens %v, counting says %v", got, want)
		}
	})
}

func TestResults(t *testing.T) {
	for _, row := range []struct {
		result                           Result
		failed, unhelpful, verified, bad bool
	}{
		{ResultPending, false, false, false, false}, {ResultRefused, true, false, false, true}, {ResultUnknown, true, false, false, true},
		{ResultDone, false, false, false, false}, {ResultHealed, false, false, true, false}, {ResultIneffective, false, true, true, true},
		{ResultWorsened, false, true, true, true},
	} {
		if r := row.result; r.failed() != row.failed || r.unhelpful() != row.unhelpful || r.Verified() != row.verified || r.Bad() != row.bad {
			t.Errorf("%q: failed %t, unhelpful %t, verified %t, bad %t", r, r.failed(), r.unhelpful(), r.Verified(), r.Bad())
		}
	}
}

func TestNewSpent(t *testing.T) {
	p := Policy{Rails: []Rail{{Name: "a"}, {Name: "b"}}}
	got := NewSpent(p, eviction(), "crash")
	if got.Namespace != "shop" || got.Workload != "apps/Deployment/shop/web" || got.Verb != "evict" || got.Target != "/Pod/shop/web-1" ||
		got.Cause != "crash" || !slices.Equal(got.Guardrails, []string{"a", "b"}) || got.Result != ResultPending {
		t.Errorf("%+v", got)
	}
}
