package advise

import (
	"context"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"moorgate.dev/internal/gate"
)

const plenty = 1 << 40

func promptOf(of string, out int) Prompt {
	in, _, _ := strings.Cut(of, "/")
	return Prompt{Case: of, Namespace: in, Tier: Triage, System: "s", User: "u", MaxTokens: out, Asking: gate.Asking{CaseTokens: plenty, NamespaceTokens: plenty}}
}

func TestARefusalNamesTheBudgetItsSizeAndWhenItIsFree(t *testing.T) {
	prices := map[Tier]Price{Triage: {In: 1, Out: 4}}
	for name, x := range map[string]struct {
		limits Limits
		asking gate.Asking
		want   string // of the second call of 300 tokens; empty: it fits
	}{
		"all budgets are large":                  {Limits{TokensPerDay: 10000}, gate.Asking{CaseTokens: 10000, NamespaceTokens: 10000}, ""},
		"no bound of the process":                {Limits{}, gate.Asking{CaseTokens: 10000, NamespaceTokens: 10000}, ""},
		"just enough":                            {Limits{TokensPerDay: 15 + 300}, gate.Asking{CaseTokens: 10000, NamespaceTokens: 10000}, ""},
		"one token too few":                      {Limits{TokensPerDay: 15 + 299}, gate.Asking{CaseTokens: 10000, NamespaceTokens: 10000}, "process for a day is 314 tokens, of which 15 tokens are spent and 0 tokens are held for calls under way, and this call may cost 300 tokens; it is free again at 2026-11-24T00:00:00Z"},
		"the Case's budget":                      {Limits{}, gate.Asking{CaseTokens: 310, NamespaceTokens: 10000}, "of Case shop/a is 310 tokens"},
		"the namespace's budget":                 {Limits{}, gate.Asking{CaseTokens: 10000, NamespaceTokens: 310}, "of namespace shop for a day is 310 tokens"},
		"money for a day":                        {Limits{MicroUSDPerDay: 450, Prices: prices}, gate.Asking{CaseTokens: 10000, NamespaceTokens: 10000}, "of money for a day is $0.000450"},
		"money for a month":                      {Limits{MicroUSDPerMonth: 450, Prices: prices}, gate.Asking{CaseTokens: 10000, NamespaceTokens: 10000}, "free again at 2026-12-01T00:00:00Z"},
		"two budgets at once are both told":      {Limits{TokensPerDay: 310}, gate.Asking{CaseTokens: 310, NamespaceTokens: 10000}, "; and the budget of this process"},
		"money without a price is not guessed":   {Limits{MicroUSDPerDay: 500}, gate.Asking{CaseTokens: 10000, NamespaceTokens: 10000}, "the price of the triage model is not known"},
		"the zero Asking gives no tokens at all": {Limits{}, gate.Asking{}, "of Case shop/a is 0 tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			m, c := &scripted{}, newClock()
			l := &Limit{Model: m, Spend: NewSpend(x.limits), Now: c.now}
			p := promptOf("shop/a", 300-overhead-2)
			p.Asking = x.asking
			_, _ = l.Ask(t.Context(), p)
			before := m.calls
			_, err := l.Ask(t.Context(), p)
			if x.want == "" && err != nil || x.want != "" && (kindOf(err) != FailedBudget || !strings.Contains(err.Error(), x.want) || m.calls != before) {
				t.Errorf("got %v, want %q", err, x.want)
			}
		})
	}
}

func TestWhatACallCountsFor(t *testing.T) {
	for name, x := range map[string]struct {
		answer Answer
		err    error
		want   int64
		said   string
	}{
		"what the endpoint counted":              {answer: Answer{Usage: Usage{In: 10, Out: 5}}, want: 15},
		"nothing counted: all that was reserved": {answer: Answer{}, want: 300, said: "does not say"},
		"a negative count: all":                  {answer: Answer{Usage: Usage{In: -5, Out: 5}}, want: 300, said: "does not say"},
		"more than can be: counted and said":     {answer: Answer{Usage: Usage{In: 1000, Out: 5}}, want: 1005, said: "no more than 300"},
		"nonsense does not wrap around":          {answer: Answer{Usage: Usage{In: math.MaxInt, Out: math.MaxInt}}, want: math.MaxInt64, said: "no more than 300"},
		"unreachable: nothing":                   {err: &Failure{Kind: FailedReach}, want: 0},
		"rate limited: nothing":                  {err: &Failure{Kind: FailedRate}, want: 0},
		"timed out: all, and said":               {err: &Failure{Kind: FailedTime}, want: 300, said: "300 tokens count as spent"},
		"a server error: all, and said":          {err: &Failure{Kind: FailedServer}, want: 300, said: "300 tokens count as spent"},
		"a refusal with its usage: that":         {err: &Failure{Kind: FailedRefusal, Usage: Usage{In: 20, Out: 1}}, want: 21},
		"an error of no kind: all":               {err: errors.New("what"), want: 300, said: "count as spent"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			l := &Limit{Model: ModelFunc(func(context.Context, Prompt) (Answer, error) { return x.answer, x.err }), Spend: NewSpend(Limits{}), Now: c.now}
			a, err := l.Ask(t.Context(), promptOf("shop/a", 300-overhead-2))
			said := strings.Join(a.Degraded, " ")
			if err != nil {
				said = err.Error()
			}
			if f := l.Spend.Figures(c.now()); f.DayTokens != x.want || f.DayTokensHeld != 0 || !strings.Contains(said, x.said) || f.Under != 0 {
				t.Errorf("%+v, said %q; want %d tokens and %q", f, said, x.want, x.said)
			}
		})
	}
}

func TestBudgetsHoldToTheTokenWhateverIsUnderWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{TokensPerDay: rapid.IntRange(1, 5000).Draw(t, "day"), MicroUSDPerDay: rapid.Int64Range(1, 20000).Draw(t, "money"),
			Concurrent: rapid.IntRange(0, 4).Draw(t, "concurrent"), Prices: map[Tier]Price{Triage: {In: 1, Cached: 2, Out: 4}}}
		asking := gate.Asking{CaseTokens: rapid.IntRange(0, 3000).Draw(t, "case"), NamespaceTokens: rapid.IntRange(0, 4000).Draw(t, "namespace")}
		c, s := newClock(), NewSpend(limits)
		var mu sync.Mutex
		cases, total := map[string]int64{}, int64(0)
		l := &Limit{Spend: s, Now: c.now, Model: ModelFunc(func(_ context.Context, p Prompt) (Answer, error) {
			if f := s.Figures(c.now()); f.DayTokens+f.DayTokensHeld > int64(limits.TokensPerDay) {
				panic("spent and held are above the budget")
			}
			u := Bound(p)
			u.In -= len(p.User) % (u.In)
			mu.Lock()
			defer mu.Unlock()
			cases[p.Case] += int64(u.Total())
			total += int64(u.Total())
			return Answer{Usage: u}, nil
		})}
		calls := rapid.SliceOfN(rapid.IntRange(0, 900), 1, 40).Draw(t, "calls")
		var all sync.WaitGroup
		for i, out := range calls {
			p := promptOf([]string{"shop/a", "shop/b"}[i%2], out)
			p.Asking, p.User = asking, strings.Repeat("x", i)
			all.Go(func() { _, _ = l.Ask(context.Background(), p) })
		}
		all.Wait()
		f := s.Figures(c.now())
		if total > int64(limits.TokensPerDay) || total > int64(asking.NamespaceTokens) || cases["shop/a"] > int64(asking.CaseTokens) || cases["shop/b"] > int64(asking.CaseTokens) {
			t.Fatalf("spent %d (%v) with budgets %+v %+v", total, cases, limits, asking)
		}
		if f.DayTokens != total || f.DayTokensHeld != 0 || f.DayMicroUSD > limits.MicroUSDPerDay || f.Above != 0 {
			t.Fatalf("counted %+v, spent %d", f, total)
		}
	})
}

func TestDaysMonthsAndAClockThatGoesBack(t *testing.T) {
	c := &clock{t: time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC)}
	l := &Limit{Model: &scripted{}, Spend: NewSpend(Limits{TokensPerDay: 310, MicroUSDPerMonth: 700, Prices: map[Tier]Price{Triage: {In: 2, Out: 2}}}), Now: c.now}
	p := promptOf("shop/a", 300-overhead-2)
	ask := func() FailureKind { _, err := l.Ask(t.Context(), p); return kindOf(err) }
	if ask() != "" || ask() != FailedBudget {
		t.Fatal("one call fits into the last day")
	}
	c.add(time.Second)
	if got := ask(); got != "" {
		t.Fatalf("a new day and month: %q", got)
	}
	if ask() != FailedBudget {
		t.Fatal("the new day's budget holds")
	}
	c.add(-time.Second)
	if ask() != FailedBudget {
		t.Error("going back opens no budget anew")
	}
	c.add(50 * 365 * 24 * time.Hour)
	_ = ask()
	c.add(-50 * 365 * 24 * time.Hour)
	if ask() != FailedBudget {
		t.Error("nor does jumping far ahead and back")
	}
}

func TestCasesAreForgottenByDay(t *testing.T) {
	c := newClock()
	l := &Limit{Model: &scripted{}, Spend: NewSpend(Limits{}), Now: c.now}
	for i := range 40 {
		for _, name := range []string{"a", "b", "c"} {
			if _, err := l.Ask(t.Context(), promptOf("shop/"+name+strings.Repeat("x", i), 10)); err != nil {
				t.Fatal(err)
			}
		}
		c.add(24 * time.Hour)
	}
	if f := l.Spend.Figures(c.now()); f.Cases > 3*(casesKept+1) || f.Cases < 3*casesKept {
		t.Errorf("%d Cases are remembered", f.Cases)
	}
}

func TestWaitingForATurnEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		l := &Limit{Spend: NewSpend(Limits{Concurrent: 1}), Now: time.Now, Model: ModelFunc(func(context.Context, Prompt) (Answer, error) {
			<-hold
			return Answer{Usage: Usage{In: 1, Out: 1}}, nil
		})}
		done := make(chan error, 1)
		go func() { _, err := l.Ask(t.Context(), promptOf("shop/a", 10)); done <- err }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		_, err := l.Ask(ctx, promptOf("shop/a", 10))
		if kindOf(err) != FailedConcurrency || time.Since(begun) != time.Minute || !strings.Contains(err.Error(), "1 calls were under way") {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
		close(hold)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := l.Ask(t.Context(), promptOf("shop/a", 10)); err != nil {
			t.Error("the turn was not given back: ", err)
		}
	})
}

func TestCallsAreSpreadOverTheMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Limit{Model: &scripted{}, Spend: NewSpend(Limits{CallsPerMinute: 3}), Now: time.Now}
		begun := time.Now()
		for range 7 {
			if _, err := l.Ask(t.Context(), promptOf("shop/a", 10)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took != 2*time.Minute {
			t.Errorf("7 calls at 3 a minute took %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 3 {
			_, err := l.Ask(ctx, promptOf("shop/a", 10))
			if err != nil {
				if kindOf(err) != FailedConcurrency {
					t.Error(err)
				}
				return
			}
		}
		t.Error("too many within the minute")
	})
}

// told are records as an audit log hands them on.
func told(records []gate.Record) iter.Seq2[gate.Record, error] {
	return func(yield func(gate.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// L19 in spirit: a process that is killed anywhere, a thousand times, never spends more than the budget.
func TestAThousandKillsNeverSpendMoreThanTheBudget(t *testing.T) {
	const budget, caseBudget = 60_000, 20_000
	rnd := rand.New(rand.NewPCG(7, 11))
	c := newClock()
	var log []gate.Record
	days, cases, made := map[string]int{}, map[string]int{}, 0
	for kill := range 1000 {
		l := &Limit{Spend: NewSpend(Limits{TokensPerDay: budget}), Now: c.now}
		if err := l.Spend.Replay(told(log), c.now()); err != nil {
			t.Fatal(err)
		}
		for n := rnd.IntN(4); n >= 0; n-- {
			c.add(time.Duration(rnd.IntN(240)) * time.Second)
			p := promptOf([]string{"shop/a", "shop/b", "web/c", "web/d", "web/e"}[rnd.IntN(5)]+dayOf(c.now()), 100+rnd.IntN(800))
			p.Asking.CaseTokens = caseBudget
			id, die := string(rune('a'+n))+time.Duration(kill).String(), -1
			if n == 0 {
				die = rnd.IntN(3)
			}
			log = append(log, gate.Record{Kind: gate.RecordModel, At: c.now(), Correlation: p.Case, Model: &gate.Exchange{ID: id, Tier: "triage", Reserved: Bound(p).Total()}})
			if die == 0 {
				break
			}
			l.Model = ModelFunc(func(context.Context, Prompt) (Answer, error) {
				u := Bound(p)
				u.Out = rnd.IntN(u.Out + 1)
				days[dayOf(c.now())] += u.Total()
				cases[p.Case] += u.Total()
				made++
				return Answer{Usage: u}, nil
			})
			a, err := l.Ask(t.Context(), p)
			if die == 1 {
				break
			}
			x := gate.Exchange{ID: id, Tier: "triage", Answered: "sha256:x", TokensIn: a.Usage.In, TokensOut: a.Usage.Out}
			if err != nil {
				x = gate.Exchange{ID: id, Tier: "triage", Failed: err.Error()}
			}
			log = append(log, gate.Record{Kind: gate.RecordModel, At: c.now(), Correlation: p.Case, Model: &x})
		}
	}
	for day, spent := range days {
		if spent > budget {
			t.Errorf("%d tokens were spent on %s, with a budget of %d", spent, day, budget)
		}
	}
	for name, spent := range cases {
		if spent > caseBudget {
			t.Errorf("Case %s cost %d tokens, with a budget of %d", name, spent, caseBudget)
		}
	}
	if made < 200 || len(days) < 3 {
		t.Errorf("only %d calls on %d days were made: this shows nothing", made, len(days))
	}
	t.Logf("%d calls over %d days, %d records", made, len(days), len(log))
}

func TestWhatReplayCounts(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	asked := func(at time.Time) gate.Record {
		return gate.Record{Kind: gate.RecordModel, At: at, Correlation: "shop/a", Model: &gate.Exchange{ID: "1", Reserved: 500}}
	}
	after := func(x gate.Exchange) gate.Record {
		x.ID = "1"
		return gate.Record{Kind: gate.RecordModel, At: now, Correlation: "shop/a", Model: &x}
	}
	for name, x := range map[string]struct {
		log  []gate.Record
		want int64
	}{
		"asked without an answer counts in full":  {[]gate.Record{asked(now)}, 500},
		"an answer counts what it cost":           {[]gate.Record{asked(now), after(gate.Exchange{Answered: "x", TokensIn: 100, TokensOut: 7})}, 107},
		"an answer without a count, in full":      {[]gate.Record{asked(now), after(gate.Exchange{Answered: "x"})}, 500},
		"what was not sent counts nothing":        {[]gate.Record{asked(now), after(gate.Exchange{Failed: "breaker: left alone"})}, 0},
		"a timeout counts in full":                {[]gate.Record{asked(now), after(gate.Exchange{Failed: "timeout: 30 s"})}, 500},
		"a failure in other words, in full":       {[]gate.Record{asked(now), after(gate.Exchange{Failed: "who knows"})}, 500},
		"the future counts as now":                {[]gate.Record{asked(now.AddDate(5, 0, 0))}, 500},
		"yesterday does not count today":          {[]gate.Record{asked(now.AddDate(0, 0, -1))}, 0},
		"just before midnight counts for both":    {[]gate.Record{asked(time.Date(2026, 11, 22, 23, 55, 0, 0, time.UTC))}, 500},
		"an answer alone counts":                  {[]gate.Record{after(gate.Exchange{Answered: "x", TokensIn: 100})}, 100},
		"a record of another kind is passed over": {[]gate.Record{{Kind: gate.RecordNote, At: now}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSpend(Limits{})
			if err := s.Replay(told(x.log), now); err != nil {
				t.Fatal(err)
			}
			if f := s.Figures(now); f.DayTokens != x.want {
				t.Errorf("%d tokens, want %d", f.DayTokens, x.want)
			}
		})
	}
	err := NewSpend(Limits{}).Replay(func(yield func(gate.Record, error) bool) { yield(gate.Record{}, errors.New("damaged")) }, now)
	if err == nil || !strings.Contains(err.Error(), "1 records could not be read") {
		t.Errorf("a record that cannot be read is said: %v", err)
	}
}
