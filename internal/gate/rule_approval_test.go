package gate

import (
	"testing"
	"time"
)

func TestApproval(t *testing.T) {
	given := func(words ...Approval) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, _ *Assessment, f *Facts) { r.Mode, f.Approvals = Approve, Known(words) }
	}
	with := func(change func(*Approval)) Approval {
		a := word("ana", eviction())
		change(&a)
		return a
	}
	two := func(words ...Approval) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, _ *Assessment, f *Facts) { r.Approvers, f.Approvals = Known(2), Known(words) }
	}
	proposed := func(words ...Approval) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			a.Choice, r.Mode, f.Approvals = []string{"propose"}, Propose, Known(words)
		}
	}
	ana, ben := word("ana", eviction()), word("ben", eviction())
	no := with(func(x *Approval) { x.Reject, x.Reason = true, "not on a Friday" })
	weigh(t, "approval", []weighed{
		{"none in Approve", given(), Hold, "0 of 1 have approved plan sha256:"},
		{"one in Approve", given(ana), Allow, ""},
		{"one of two", two(ana), Hold, "1 of 2"},
		{"one of two in Approve", func(r *Rail, a *Assessment, f *Facts) { two(ana)(r, a, f); r.Mode = Approve }, Hold, "1 of 2"},
		{"twice the same of two", two(ana, with(func(x *Approval) { x.Name = "again" })), Hold, "1 of 2"},
		{"two of two", two(ana, ben), Allow, ""},
		{"three of two", two(ana, ben, word("eve", eviction())), Allow, ""},
		{"none in Automatic where none is asked for", func(*Rail, *Assessment, *Facts) {}, Allow, ""},
		{"an unknown number is asked for", func(r *Rail, _ *Assessment, f *Facts) {
			r.Approvers, f.Approvals = Unknown[int]("no such field"), Known([]Approval{ana})
		}, Hold, "no such field"},
		{"a number that makes no sense is asked for", func(r *Rail, _ *Assessment, _ *Facts) { r.Approvers = Known(-1) }, Hold, "-1 must approve"},
		{"nobody knows who approved or rejected", func(_ *Rail, _ *Assessment, f *Facts) { f.Approvals = Unknown[[]Approval]("forbidden") }, Hold, "forbidden"},
		{"nobody knows who rejected a pull request", func(_ *Rail, a *Assessment, f *Facts) {
			a.Choice, f.Approvals = []string{"propose"}, Fact[[]Approval]{}
		}, Hold, "nobody looked"},
		{"nobody knows who rejected an annotation", func(_ *Rail, a *Assessment, f *Facts) {
			a.Choice, f.Approvals = []string{"mark"}, Fact[[]Approval]{}
		}, Allow, ""},
		{"one that was used", given(with(func(x *Approval) { x.Used = true })), Hold, "; 1 was used before"},
		{"one that nobody vouched for", given(with(func(x *Approval) { x.Void = "no fence stood" })), Hold, "0 of 1 have approved plan " + eviction().PlanDigest()[:19] + "; that of ana does not count: no fence stood"},
		{"one that nobody vouched for beside one that counts", given(ben, with(func(x *Approval) { x.Void = "no fence stood" })), Allow, ""},
		{"a rejection that nobody vouched for", given(ben, with(func(x *Approval) { x.Reject, x.Void = true, "no fence stood" })), Deny, "ana rejected it"},
		{"one that has expired", given(with(func(x *Approval) { x.Expires = now })), Hold, "; 1 has expired"},
		{"one that is about to expire", given(with(func(x *Approval) { x.Expires = now.Add(1) })), Allow, ""},
		{"one from the future", given(with(func(x *Approval) { x.At = now.Add(1) })), Hold, "; 1 is dated in the future"},
		{"one from this very moment", given(with(func(x *Approval) { x.At = now })), Allow, ""},
		{"one by nobody", given(with(func(x *Approval) { x.Approver = "" })), Hold, "0 of 1"},
		{"one for another plan", given(word("ana", scaling())), Hold, "; 1 is for another plan"},
		{"one for another pod of that name", given(word("ana", func() Action { x := eviction(); x.Target.UID = "u2"; return x }())), Hold, "; 1 is for another plan"},
		{"a rejection in Automatic", func(_ *Rail, _ *Assessment, f *Facts) { f.Approvals = Known([]Approval{no}) }, Deny, "ana rejected it at 2026-11-26T11:59:00Z: not on a Friday"},
		{"a rejection without a reason", given(with(func(x *Approval) { x.Reject = true })), Deny, "ana rejected it at 2026-11-26T11:59:00Z"},
		{"a rejection after enough approvals", two(ana, ben, no), Deny, "ana rejected it"},
		{"a rejection before enough approvals", two(no, ana, ben), Deny, "ana rejected it"},
		{"a rejection that has expired", given(ben, with(func(x *Approval) { x.Reject, x.Expires = true, ago(1) })), Deny, "ana rejected it"},
		{"a rejection of another plan", given(ana, with(func(x *Approval) { x.Reject, x.Plan = true, "sha256:x" })), Allow, ""},
		{"a pull request that nobody approved", proposed(), Allow, ""},
		{"a pull request that somebody rejected", proposed(func() Approval { x := word("ana", proposal()); x.Reject = true; return x }()), Deny, "ana rejected it"},
	})
}

// TestNobodyWondersWhereTheirWordWent shows the whole text about words that do not count.
func TestNobodyWondersWhereTheirWordWent(t *testing.T) {
	with := func(change func(*Approval)) Approval {
		a := word("ana", eviction())
		change(&a)
		return a
	}
	void := func(why string) Approval { return with(func(x *Approval) { x.Void = why }) }
	plan := eviction().PlanDigest()[:19]
	for want, given := range map[string][]Approval{
		"it waits for approval: 0 of 3 have approved plan " + plan:                                                            nil,
		"it waits for approval: 1 of 3 have approved plan " + plan:                                                            {word("ana", eviction())},
		"it waits for approval: 0 of 3 have approved plan " + plan + "; that of ana does not count: a ServiceAccount":         {void("a ServiceAccount"), void("later")},
		"it waits for approval: 1 of 3 have approved plan " + plan + "; that of ana does not count: later; 1 was used before": {void("later"), word("ben", eviction()), with(func(x *Approval) { x.Used = true })},
		"it waits for approval: 0 of 3 have approved plan " + plan + "; 1 was used before; 1 has expired; 1 is dated in the future; 2 is for another plan": {
			with(func(x *Approval) { x.Used = true }), with(func(x *Approval) { x.Expires = now }), with(func(x *Approval) { x.At = now.Add(1) }),
			word("ana", scaling()), word("ana", proposal())},
		"ana rejected it at 2026-11-26T11:59:00Z":      {with(func(x *Approval) { x.Reject = true })},
		"ana rejected it at 2026-11-26T11:59:00Z: why": {with(func(x *Approval) { x.Reject, x.Reason, x.Void = true, "why", "a ServiceAccount" })},
	} {
		r, f := rail(), facts()
		r.Approvers, f.Approvals = Known(3), Known(given)
		if v := Decide(Policy{Rails: []Rail{r}}, opinion(), f); len(v.Reasons) != 1 || v.Reasons[0].Text != want {
			t.Errorf("%+v, want %q", v.Reasons, want)
		}
	}
}

func TestOneApprovalOfEachApproverStands(t *testing.T) {
	x := eviction()
	again := word("ana", x)
	again.Name = "again"
	f := facts()
	f.Approvals = Known([]Approval{word("ana", x), again, word("ben", x), word("ana", scaling())})
	standing := Approving(f, x)
	if len(standing) != 2 || standing[0].Name != "ana" || standing[1].Name != "ben" {
		t.Errorf("standing: %+v", standing)
	}
	no := word("eve", x)
	no.Reject = true
	f.Approvals = Known([]Approval{word("ana", x), no})
	if standing := Approving(f, x); standing != nil {
		t.Errorf("a rejected plan has %+v", standing)
	}
	f.Approvals, f.At = Known([]Approval{word("ana", x)}), time.Time{}
	if standing := Approving(f, x); standing != nil {
		t.Errorf("when nobody knows the time, %+v stand", standing)
	}
}

// TestWhatAnApprovalLifts shows which rules give way to a human's eye, and that the others do not.
func TestWhatAnApprovalLifts(t *testing.T) {
	lifted := map[string]func(*Rail, *Assessment, *Facts){
		"score":      func(_ *Rail, a *Assessment, _ *Facts) { a.Score = Known(60) },
		"confidence": func(_ *Rail, a *Assessment, _ *Facts) { a.Confidence = Known(1) },
		"agreement":  func(_ *Rail, a *Assessment, _ *Facts) { a.Agreement = Fact[int]{} },
		"history":    func(_ *Rail, _ *Assessment, f *Facts) { f.History = Fact[Tally]{} },
		"reversible": func(_ *Rail, _ *Assessment, f *Facts) { f.Menu[0].Undo = "" },
	}
	kept := map[string]func(*Rail, *Assessment, *Facts){
		"readable": func(r *Rail, _ *Assessment, _ *Facts) { r.Unreadable = "x" },
		"silence":  func(_ *Rail, a *Assessment, _ *Facts) { a.Silent = "x" },
		"mode":     func(r *Rail, _ *Assessment, _ *Facts) { r.Mode = Propose },
		"pause":    func(r *Rail, _ *Assessment, _ *Facts) { r.Paused = []string{"x"} },
		"scope":    func(_ *Rail, _ *Assessment, f *Facts) { f.Namespace = Fact[map[string]string]{} },
		"action":   func(r *Rail, _ *Assessment, _ *Facts) { r.Actions = nil },
		"freeze":   func(r *Rail, _ *Assessment, _ *Facts) { r.Freezes = []Interval{{From: ago(1), To: now.Add(1)}} },
		"wait":     func(_ *Rail, _ *Assessment, f *Facts) { f.Since = Known(now) },
		"fresh":    func(_ *Rail, _ *Assessment, f *Facts) { f.Oldest = Known(ago(time.Hour)) },
		"health":   func(_ *Rail, _ *Assessment, f *Facts) { f.Health = Known(Share{Well: 1, Total: 10}) },
		"storm":    func(_ *Rail, _ *Assessment, f *Facts) { f.Storm = Known(20) },
		"attempts": func(r *Rail, _ *Assessment, _ *Facts) { r.Restraint.Attempts = 0 },
		"cool-down": func(_ *Rail, _ *Assessment, f *Facts) {
			f.Ledger = Known(Ledger{Entries: []Spent{{Verb: "evict", Target: "/Pod/shop/web-1", At: now}}})
		},
		"breaker": func(_ *Rail, _ *Assessment, f *Facts) { f.Ledger = Known(Ledger{Open: []Breaker{{}}}) },
		"budget":  func(r *Rail, _ *Assessment, _ *Facts) { r.Budgets.Total.Actions = 0 },
	}
	weighApproved := func(change func(*Rail, *Assessment, *Facts), words int, need Fact[int]) Decision {
		r, a, f := rail(), opinion(), facts()
		change(&r, &a, &f)
		r.Approvers = need
		f.Approvals = Known([]Approval{word("ana", f.Menu[0]), word("ben", f.Menu[0])}[:words])
		return Decide(Policy{Rails: []Rail{r}}, a, f).Decision
	}
	for rule, change := range lifted {
		for _, row := range []struct {
			words int
			need  Fact[int]
			want  Decision
		}{{0, Known(0), Hold}, {1, Known(0), Allow}, {1, Known(1), Allow}, {1, Known(2), Hold}, {2, Known(2), Allow}, {2, Known(-1), Hold}, {2, Unknown[int]("x"), Hold}} {
			if got := weighApproved(change, row.words, row.need); got != row.want {
				t.Errorf("%s under %d approvals of %+v: %s, want %s", rule, row.words, row.need, got, row.want)
			}
		}
	}
	for _, need := range []Fact[int]{Known(-1), Unknown[int]("x"), Known(2)} { // a pull request needs no approval, but one can lift something
		r, a, f := rail(), opinion(), facts()
		a.Choice, a.Agreement, r.Approvers, f.Approvals = []string{"propose"}, Known(1), need, Known([]Approval{word("ana", proposal())})
		if v := Decide(Policy{Rails: []Rail{r}}, a, f); v.Decision != Hold || v.Reasons[0].Rule != "agreement" {
			t.Errorf("one of %+v approved a pull request: %+v", need, v)
		}
		r.Approvers = Known(1)
		if v := Decide(Policy{Rails: []Rail{r}}, a, f); v.Decision != Allow {
			t.Errorf("one of one approved a pull request: %+v", v)
		}
	}
	for rule, change := range kept {
		if got := weighApproved(change, 1, Known(0)); got == Allow {
			t.Errorf("an approval lifts %s", rule)
		}
	}
}
