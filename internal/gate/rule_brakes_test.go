package gate

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestFreeze(t *testing.T) {
	frozen := func(from, to time.Time) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, _ *Assessment, _ *Facts) { r.Freezes = []Interval{{From: from, To: to, Reason: "sale"}} }
	}
	weigh(t, "freeze", []weighed{
		{"before it", frozen(now.Add(1), now.Add(time.Hour)), Allow, ""},
		{"at its beginning", frozen(now, now.Add(time.Hour)), Hold, "frozen until 2026-11-26T13:00:00Z: sale"},
		{"at its end", frozen(ago(time.Hour), now), Allow, ""},
		{"just before its end", frozen(ago(time.Hour), now.Add(1)), Hold, "sale"},
		{"in the second of two", func(r *Rail, _ *Assessment, _ *Facts) {
			r.Freezes = []Interval{{From: ago(2), To: ago(1)}, {From: ago(1), To: now.Add(1), Reason: "sale"}}
		}, Hold, "sale"},
		{"one that ends before it begins", frozen(now.Add(time.Hour), now), Hold, "ends before it begins: sale"},
		{"one that is empty", frozen(now.Add(time.Hour), now.Add(time.Hour)), Hold, "ends before it begins"},
		{"a pull request in it", func(r *Rail, a *Assessment, f *Facts) {
			frozen(ago(1), now.Add(1))(r, a, f)
			a.Choice = []string{"propose"}
		}, Allow, ""},
	})
}

func TestWait(t *testing.T) {
	since := func(since Fact[time.Time], wait time.Duration) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, _ *Assessment, f *Facts) { f.Since, r.Restraint.Wait = since, wait }
	}
	weigh(t, "wait", []weighed{
		{"long enough", since(Known(ago(time.Minute)), time.Minute), Allow, ""},
		{"not long enough", since(Known(ago(time.Minute-1)), time.Minute), Hold, "first seen 59s ago, and 1m0s are waited"},
		{"half a minute at least", since(Known(ago(WaitLeast-1)), 0), Hold, "30s are waited"},
		{"half a minute", since(Known(ago(WaitLeast)), 0), Allow, ""},
		{"a negative wait is half a minute", since(Known(ago(WaitLeast-1)), -time.Hour), Hold, "30s are waited"},
		{"nobody knows since when", since(Unknown[time.Time]("no events"), 0), Hold, "no events"},
		{"since no time", since(Known(time.Time{}), 0), Hold, "has no time"},
		{"since the future", since(Known(now.Add(1)), 0), Hold, "lies in the future"},
		{"a pull request waits for nothing", func(_ *Rail, a *Assessment, f *Facts) { a.Choice, f.Since = []string{"propose"}, Known(now) }, Allow, ""},
	})
}

func TestFresh(t *testing.T) {
	oldest := func(oldest Fact[time.Time], choice string) func(*Rail, *Assessment, *Facts) {
		return func(_ *Rail, a *Assessment, f *Facts) { f.Oldest, a.Choice = oldest, []string{choice} }
	}
	weigh(t, "fresh", []weighed{
		{"as old as may be", oldest(Known(ago(5*time.Minute)), "act"), Allow, ""},
		{"of now", oldest(Known(now), "act"), Allow, ""},
		{"older than may be", oldest(Known(ago(5*time.Minute+1)), "act"), Hold, "the evidence is 5m0s old, and at most 5m0s is allowed"},
		{"older than may be to propose", oldest(Known(ago(time.Hour)), "propose"), Hold, "1h0m0s old"},
		{"nobody knows how old", oldest(Unknown[time.Time]("no times"), "act"), Hold, "no times"},
		{"from the future", oldest(Known(now.Add(time.Second)), "act"), Hold, "in the future"},
		{"is not needed for an annotation", oldest(Fact[time.Time]{}, "mark"), Allow, ""},
		{"no bound", func(r *Rail, _ *Assessment, f *Facts) { r.Restraint.Fresh, f.Oldest = 0, Known(ago(1)) }, Hold, "at most 0s"},
	})
}

func TestHealth(t *testing.T) {
	share := func(well, total int) func(*Rail, *Assessment, *Facts) {
		return func(_ *Rail, _ *Assessment, f *Facts) { f.Health = Known(Share{Well: well, Total: total}) }
	}
	weigh(t, "health", []weighed{
		{"enough are well", share(51, 100), Allow, ""},
		{"too few are well", share(50, 100), Hold, "50 of 100 pods of the namespace are well, less than 51 %"},
		{"all are well", share(1, 1), Allow, ""},
		{"there are none", share(0, 0), Hold, "makes no sense"},
		{"more are well than there are", share(3, 2), Hold, "makes no sense"},
		{"fewer than none are well", share(-1, 2), Hold, "makes no sense"},
		{"none is asked for", func(r *Rail, a *Assessment, f *Facts) { share(0, 1)(r, a, f); r.Restraint.MinHealthy = Known(0) }, Allow, ""},
		{"as many as can be counted", share(math.MaxInt32, math.MaxInt32), Allow, ""},
		{"more than can be counted", share(math.MaxInt32, math.MaxInt32+1), Hold, "makes no sense"},
		{"nobody knows", func(_ *Rail, _ *Assessment, f *Facts) { f.Health = Unknown[Share]("forbidden") }, Hold, "forbidden"},
		{"no threshold", func(r *Rail, _ *Assessment, _ *Facts) { r.Restraint.MinHealthy = Fact[int]{} }, Hold, "there is no minHealthyPercent"},
		{"a threshold that makes no sense", func(r *Rail, _ *Assessment, _ *Facts) { r.Restraint.MinHealthy = Known(101) }, Hold, "101"},
		{"a pull request may be opened", func(r *Rail, a *Assessment, f *Facts) { share(0, 9)(r, a, f); a.Choice = []string{"propose"} }, Allow, ""},
	})
}

func TestStorm(t *testing.T) {
	storm := func(cases, limit Fact[int]) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, _ *Assessment, f *Facts) { f.Storm, r.Restraint.Storm = cases, limit }
	}
	weigh(t, "storm", []weighed{
		{"fewer than a storm", storm(Known(19), Known(20)), Allow, ""},
		{"as many as a storm", storm(Known(20), Known(20)), Hold, "20 Cases were opened in the last 10m0s, and 20 are a storm"},
		{"any is a storm", storm(Known(0), Known(0)), Hold, "0 are a storm"},
		{"none at all", storm(Known(0), Known(1)), Allow, ""},
		{"fewer than none", storm(Known(-1), Known(20)), Hold, "makes no sense"},
		{"nobody knows", storm(Unknown[int]("no watch"), Known(20)), Hold, "no watch"},
		{"no limit", storm(Known(0), Unknown[int]("no such field")), Hold, "no such field"},
		{"a pull request may be opened", func(r *Rail, a *Assessment, f *Facts) {
			storm(Known(99), Known(20))(r, a, f)
			a.Choice = []string{"propose"}
		}, Allow, ""},
	})
}

// TestWithoutATimeNothingIsDone shows that every rule that needs to know what time it is holds when nobody does.
func TestWithoutATimeNothingIsDone(t *testing.T) {
	r, f := rail(), facts()
	r.Freezes, f.At = []Interval{{From: ago(2), To: ago(1)}}, time.Time{}
	v := Decide(Policy{Rails: []Rail{r}}, opinion(), f)
	said := map[string]bool{}
	for _, reason := range v.Reasons {
		if reason.Decision != Hold || !strings.HasPrefix(reason.Text, "the time is not known") {
			t.Errorf("%+v", reason)
		}
		said[reason.Rule] = true
	}
	for _, rule := range []string{"freeze", "wait", "fresh", "attempts", "cool-down", "breaker", "budget"} {
		if !said[rule] {
			t.Errorf("%s says nothing", rule)
		}
	}
	if len(said) != 7 {
		t.Errorf("these speak: %v", said)
	}
	r.Freezes = nil
	for _, reason := range Decide(Policy{Rails: []Rail{r}}, opinion(), f).Reasons {
		if reason.Rule == "freeze" {
			t.Errorf("there are no freeze windows, and yet: %+v", reason)
		}
	}
}
